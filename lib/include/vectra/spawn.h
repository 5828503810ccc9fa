/* SPDX-License-Identifier: MIT
 * Starting programs: find the image in the initial RAM disk, narrow its memory to the file, write the Bundle, SPAWN. */
#pragma once
#include <vectra/bundle.h>
#include <vectra/rpc.h>
#include <vectra/syscall.h>

/* The file as a capability fit for SPAWN: a sub-range of the initrd with READ and EXEC. Drop it after use. NOT_FOUND.
 */
status_t vx_image_find(const char *path, vx_mem *image);

#define VX_SPAWN_SPEC_BYTES 4096u

/* A child being prepared. Zero-initialise, set what is wanted, call vx_spawn_begin, add capabilities to ->spec with
 * vx_spec_*(), call vx_spawn_end. 0 in a number means the default. */
struct vx_spawn {
    const char *path; /* in the initrd; ignored if image is set */
    vx_mem image;     /* kept by the caller */
    size_t argc;
    const char *const *argv;
    size_t n_env;
    const char *const *env;
    vx_reticle payer; /* whose memory; 0: the caller's own Reticle */
    uint64_t memory, stack, capslots;
    int band;              /* vx_band_t + 1; 0: the caller's */
    struct vx_client *tty; /* moved into the child as tty.tx, tty.rx; nullptr: none */
    void *buffer;          /* for a larger specification than fits in `small`; 8-byte aligned */
    size_t room;
    struct vx_spec spec;
    size_t memory_at, len; /* the slot of `memory`; of the finished specification */
    vx_mem found;
    alignas(16) uint8_t small[VX_SPAWN_SPEC_BYTES];
};
void vx_spawn_begin(struct vx_spawn *s);
/* On an error nothing was made and nothing moved. NO_MEMORY: it may be called again, with less `memory` if that was
 * set.
 */
status_t vx_spawn_end(struct vx_spawn *s, vx_task *task, uint32_t *id);

/* Waits for a Task's end and drops it: its exit status, and whether a fault was the cause (vx_exit_code).
 * Neither pointer may be nullptr. */
status_t vx_wait(vx_task task, uint32_t *status, vx_cause_t *cause);
static inline uint32_t vx_exit_code(uint32_t status, vx_cause_t cause)
{
    return cause == VX_CAUSE_EXIT ? (status & 255) : 128 + ((uint32_t)cause & 127);
}
