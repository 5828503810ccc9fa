/* SPDX-License-Identifier: MIT */
#include "fifo.h"

/* What nobody has is given up. The place of the node, or a free one for it, or RAMFS_FIFOS_MAX. */
static unsigned collect(struct ram_fifos *f, struct fs_node n)
{
    unsigned found = RAMFS_FIFOS_MAX, free = RAMFS_FIFOS_MAX;
    for (unsigned i = 0; i < RAMFS_FIFOS_MAX; i++) {
        if (f->fifo[i].node.object != 0 && !f->memory->is_lent(f->fifo[i].mem)) {
#ifndef MUTATE_FIFO_KEEP_MEMORY
            f->memory->end(f->fifo[i].mem);
            f->fifo[i].node = (struct fs_node){};
#endif
        }
        if (f->fifo[i].node.object == 0)
            free = i;
        else if (f->fifo[i].node.object == n.object && f->fifo[i].node.generation == n.generation)
            found = i;
    }
    return found != RAMFS_FIFOS_MAX ? found : free;
}

status_t ram_fifo_meet(struct ram_fifos *f, struct fs_node n, vx_handle_t *handle)
{
    unsigned i = collect(f, n);
    if (i == RAMFS_FIFOS_MAX)
        return ERR_TABLE_FULL;
    bool fresh = f->fifo[i].node.object == 0;
    status_t st = fresh ? f->memory->make(&f->fifo[i].mem) : OK;
    if (st != OK)
        return st;
    st = f->memory->lend(f->fifo[i].mem, handle);
    if (st == OK)
        f->fifo[i].node = n;
    else if (fresh)
        f->memory->end(f->fifo[i].mem);
    return st;
}
