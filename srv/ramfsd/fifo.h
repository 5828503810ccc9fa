/* SPDX-License-Identifier: MIT
 * FIFOs: the memory in which all who have one open meet. A FIFO's node says only that there is one; what passes through
 * it lies in memory of this service's, which nobody's end takes from the others. Pure: memory comes from outside.
 *
 *  1. A FIFO has memory while somebody has a capability to it, and the same for all of them. Whoever opens it when
 * nobody has gets fresh memory: what nobody read is gone, as POSIX has it.
 *  2. That nobody has it any more is noticed when the next FIFO is opened, or space is short. */
#pragma once
#include <abi/limits.h>
#include <abi/service_limits.h>
#include <fs/server.h>

/* Where the memory comes from. */
struct ram_fifo_memory {
    status_t (*make)(vx_mem *mem); /* VX_FS_FIFO_BYTES, zeroed, not mapped here */
    bool (*is_lent)(vx_mem mem);   /* whether anybody but us has it */
    status_t (*lend)(vx_mem mem, vx_handle_t *out);
    void (*end)(vx_mem mem); /* gives ours up */
};

struct ram_fifos {
    const struct ram_fifo_memory *memory;
    struct {
        struct fs_node node; /* object 0: free */
        vx_mem mem;
    } fifo[RAMFS_FIFOS_MAX];
};

/* TABLE_FULL: so many others are open; NO_MEMORY. */
status_t ram_fifo_meet(struct ram_fifos *f, struct fs_node n, vx_handle_t *handle);
