/* SPDX-License-Identifier: MIT
 * Memory that programs share, as files of one directory: what shm_open, sem_open and memfd_create make. Each file's
 * bytes lie in memory objects, and MAP lends those. Pure: memory and time come from outside.
 *
 *  1. A file lives while it has a name (links) or is open (holds). Its place in the table is used again, its number
 *     never: by that the C library knows a semaphore which is mapped still.
 *  2. A file's pieces follow each other without a gap from offset 0 on; together they hold at least `size` bytes. What
 *     they hold behind it is anything: it is cleared when the file grows over it.
 *  3. A piece that was lent stays in its place as long as somebody has it: all who map an offset see the same memory.
 *  4. What was lent outlives the file: it goes with the last capability to it. */
#pragma once
#include <abi/limits.h>
#include <abi/service_limits.h>
#include <fs/server.h>

/* Where memory comes from. */
struct shm_memory {
    /* Zeroed memory, whole pages, mapped at *at. */
    status_t (*make)(uint64_t bytes, vx_mem *mem, uint8_t **at);
    /* Whether anybody but us has it. */
    bool (*is_lent)(vx_mem mem);
    /* A capability to its first `bytes` for somebody else. */
    status_t (*lend)(vx_mem mem, uint64_t bytes, bool writes, vx_handle_t *out);
    /* Gives ours up. */
    void (*end)(vx_mem mem);
    void (*space)(uint64_t *bytes, uint64_t *free);
};

struct shm_piece {
    vx_mem mem;
    uint8_t *at;
    uint64_t bytes;
};

struct shm_object {
    uint64_t generation; /* 0: free */
    uint64_t size, version;
    int64_t accessed_ns, modified_ns, changed_ns, created_ns;
    uint32_t mode, user, group, links, holds, n_pieces;
    struct shm_piece piece[SHM_PIECES_MAX];
};

struct shm_name {
    struct shm_object *object; /* nullptr: free. Its place is its cookie - 1, which does not change. */
    uint8_t bytes;
    char text[VX_FS_NAME_MAX];
};

struct shm {
    const struct shm_memory *memory;
    int64_t (*now_ns)(void);
    uint64_t generations, volume;
    struct shm_object root, object[SHM_OBJECTS_MAX];
    struct shm_name name[SHM_NAMES_MAX];
};

/* *s: all zero. Fills in *b, whose state is s. */
void shm_init(struct shm *s, struct fs_backend *b, const struct shm_memory *memory, uint64_t volume,
              int64_t (*now_ns)(void));

/* Between the files of this directory. */
static inline struct shm *shm_of(struct fs_backend *b)
{
    return b->state;
}
/* STALE */
status_t shm_object(struct shm *s, struct fs_node n, struct shm_object **out);
struct fs_node shm_node(const struct shm *s, const struct shm_object *o);
/* NO_SPACE */
status_t shm_object_new(struct shm *s, uint32_t mode, struct shm_object **out);
/* Gives it back if nobody has it any more. */
void shm_object_forget(struct shm *s, struct shm_object *o);
void shm_changed(struct shm *s, struct shm_object *o, bool data);
void shm_attributes(const struct shm *s, const struct shm_object *o, struct vx_fs_attributes *out);

/* names.c */
status_t shm_lookup(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct vx_fs_attributes *out);
status_t shm_create(struct fs_backend *b, struct fs_node dir, struct fs_name name, const struct fs_new *what,
                    struct vx_fs_attributes *out);
status_t shm_link(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child);
status_t shm_unlink(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child,
                    bool directory);
status_t shm_rename(struct fs_backend *b, const struct fs_rename *r);
status_t shm_list(struct fs_backend *b, struct fs_node dir, uint64_t cookie, struct fs_listing *to);
