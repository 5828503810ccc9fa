/* SPDX-License-Identifier: MIT
 * A small heap over MEM_ALLOC: power-of-two classes from 16 bytes, each with a free list; larger blocks are mappings of
 * their own. One lock; any thread may free what another allocated. */
#pragma once
#include <stddef.h>

/* 16-byte aligned, not zeroed; nullptr when the Reticle has no more. */
void *vx_alloc(size_t bytes);
void *vx_alloc_zero(size_t count, size_t bytes);
void *vx_realloc(void *p, size_t bytes);
void vx_free(void *p);

/* Memory that is given back all at once: bump allocation inside a caller's buffer. */
struct vx_arena {
    char *from, *to;
};
void *vx_arena_alloc(struct vx_arena *a, size_t bytes, size_t align);
