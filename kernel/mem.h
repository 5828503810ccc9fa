/* SPDX-License-Identifier: MIT
 * MEM objects: committed physical memory that capabilities can name and share, as runs of pages. Also Surfaces
 * and DEVICE ranges, which are mapped the same way. */
#pragma once
#include <kernel/object.h>
#include <kernel/reticle.h>
#include <kernel/vm.h>

struct mem_run {
    struct tree_node node; /* in mem->runs; key: offset of its first byte in the object */
    paddr_t base;
    uint64_t bytes;
    bool owned; /* else foreign memory such as the initial RAM disk */
};

struct mem {
    struct object obj; /* type MEM or SURFACE */
    uint64_t bytes;    /* of the object; need not be a page multiple for foreign memory */
    struct tree runs;
    uint16_t width, height, format; /* SURFACE */
    /* While it is made: */
    bool contiguous;
    uint8_t limit; /* no larger block is left */
    uint64_t taken, zeroed;
};
static_assert(sizeof(struct mem) <= 128 && sizeof(struct mem_run) <= 128); /* the size class of areas */
static_assert(SURFACE_SIDE_MAX <= UINT16_MAX && RETICLE_ORDER_MAX <= UINT8_MAX);

struct device {
    struct object obj;
    uint64_t base, length; /* physical address or first port */
    uint32_t kind;         /* enum vx_device_kind */
};

/* The record of an object for `bytes` (1 to MEM_BYTES_MAX, rounded up to pages), whose memory mem_make_some() then
 * takes and zeroes, in steps (kernel/object.h) until `zeroed` is `bytes`: in the largest blocks that are there;
 * contiguous: one after the other in physical memory. ERR_NO_MEMORY. To undo: mem_fini, then object_abandon. */
status_t mem_create(struct reticle *home, uint64_t bytes, bool contiguous, uint8_t type, struct mem **out);
status_t mem_make_some(struct mem *m);
/* Memory that somebody else owns for ever (boot modules, the kernel log). base is page aligned. */
status_t mem_create_foreign(struct reticle *home, paddr_t base, uint64_t bytes, struct mem **out);
/* Frees its blocks, in steps (kernel/object.h). */
bool mem_fini(struct mem *m);
vm_frame_fn mem_frame, device_frame;
/* Copies out of it; the range is inside it. */
void mem_read(const struct mem *m, uint64_t offset, void *to, size_t len);
