/* SPDX-License-Identifier: MIT
 * MEM objects: committed physical memory that capabilities can name and share, as runs of whole blocks. Also Surfaces
 * and DEVICE ranges, which are mapped the same way. */
#pragma once
#include <kernel/object.h>
#include <kernel/reticle.h>
#include <kernel/vm.h>

struct mem_run { /* a block, or foreign memory such as the initial RAM disk */
    paddr_t base;
    uint64_t offset; /* of its first byte in the object */
    uint32_t order;
    bool owned; /* goes back to the home Reticle */
};

struct mem {
    struct object obj;  /* type MEM or SURFACE */
    uint64_t bytes;     /* of the object; need not be a page multiple for foreign memory */
    uint64_t run_bytes; /* of the array `runs` */
    struct mem_run *runs;
    uint32_t n_runs;
    uint32_t width, height, format; /* SURFACE */
};

struct device {
    struct object obj;
    uint64_t base, length; /* physical address or first port */
    uint32_t kind;         /* enum vx_device_kind */
};

/* Zeroed memory of `bytes` (1 to MEM_BYTES_MAX, rounded up to pages), in the largest blocks that are there; contiguous:
 * one after the other in physical memory. ERR_NO_MEMORY leaves nothing; also when free memory is in so many pieces that
 * their list finds no room in one of them (over 170 pieces need more than a page). To undo: mem_fini, then
 * object_abandon. */
status_t mem_create(struct reticle *home, uint64_t bytes, bool contiguous, uint8_t type, struct mem **out);
/* Memory that somebody else owns for ever (boot modules, the kernel log). base is page aligned. */
status_t mem_create_foreign(struct reticle *home, paddr_t base, uint64_t bytes, struct mem **out);
/* Frees its blocks, in steps (kernel/object.h). */
bool mem_fini(struct mem *m);
vm_frame_fn mem_frame, device_frame;
/* Copies out of it; the range is inside it. */
void mem_read(const struct mem *m, uint64_t offset, void *to, size_t len);
