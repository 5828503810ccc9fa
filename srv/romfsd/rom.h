/* SPDX-License-Identifier: MIT
 * The initial RAM disk as a file system, read-only. Pure.
 *
 *  1. Nodes are numbered from 1, the root, in the order in which the archive first speaks of them; a directory that is
 * only spoken of in the paths of others is one all the same.
 *  2. For a path that is in the archive more than once the last entry holds.
 *  3. Nothing changes after rom_init, so a node's number is its cookie. */
#pragma once
#include <fs/server.h>
#include <vectra/cpio.h>

struct rom_node {
    const char *name; /* in the archive */
    const uint8_t *data;
    uint64_t bytes;
    uint32_t mode, mtime, parent, first, next, last; /* first, last: of its children; next: of its parent's */
    uint8_t name_bytes;
};

struct rom {
    struct rom_node *node; /* node[0] is not used */
    uint32_t n_nodes, room;
};

/* How many nodes the archive may need. */
uint32_t rom_count(const struct vx_cpio *archive);
/* nodes: room of them. BAD_ARGUMENT: a damaged archive; what came before the damage is there. */
status_t rom_init(struct rom *rom, struct fs_backend *b, const struct vx_cpio *archive, struct rom_node *nodes,
                  uint32_t room);
/* An empty directory below the root, to mount something on; nothing if there is something of that name. */
void rom_add_directory(struct rom *rom, const char *name);
