/* SPDX-License-Identifier: MIT
 * A file system in memory, as a struct fs_backend. Pure: memory and time come from outside.
 *
 *  1. A node lives while it has a name (links) or is held. Its number may be used again, its generation never.
 *  2. An entry is in its directory's slots at `slot`, which is its cookie - 1 and does not change, and in the chain of
 * its hash. A slot that became free may be used by the next entry.
 *  3. Bytes behind a file's size, in its last page, are zero.
 *  4. A directory's links are 2 and one for each directory in it; 0 once it was removed, and then it stays empty. */
#pragma once
#include "fifo.h"
#include "store.h"
#include <fs/server.h>

struct ram_entry;

struct ram_node {
    uint64_t number, generation, size, device, version;
    int64_t accessed_ns, modified_ns, changed_ns, created_ns;
    uint32_t mode, links, user, group, holds;
    uint32_t n_entries, n_slots, free_slot; /* directories; free_slot: + 1, 0 none */
    uint64_t parent;
    struct store_tree data;   /* bytes, or pointers to entries */
    struct store_tree xattrs; /* a page each, from 0 on without a gap */
};
static_assert(sizeof(struct ram_node) <= 192);

struct ramfs {
    struct store store;
    struct store_tree nodes; /* pages of pointers: by number */
    uint64_t n_numbers, free_number, n_nodes, generations, volume;
    struct ram_entry **chain;
    uint32_t n_chains; /* a power of two */
    int64_t (*now_ns)(void);
    struct ram_fifos fifos;
};

/* memory: zeroed, all there is; bytes at least RAMFS_MIN. fifos: where FIFOs have theirs. Fills in *b, whose state is
 * fs. */
enum : uint64_t { RAMFS_MIN = 65536 };
enum : uint32_t { RAMFS_XATTRS_MAX = 128 }; /* of one object; one more is NO_SPACE */
void ramfs_init(struct ramfs *fs, struct fs_backend *b, void *memory, uint64_t bytes, uint64_t volume,
                int64_t (*now_ns)(void), const struct ram_fifo_memory *fifos);
