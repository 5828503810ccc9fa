/* SPDX-License-Identifier: MIT
 * FAT12, FAT16 and FAT32 volumes, read and written: docs/fat.md has the order of writes and what a cut of power leaves.
 * No system underneath: blocks, time and memory come from the caller, who also sees to it that one thread at a time is
 * in a volume.
 *
 *  1. Whatever lies on the disk: every call ends, and touches no memory but the volume's and the caller's.
 *  2. A change is on stable media after fat_sync, and may be before. At every moment the disk holds a volume that has
 *     at most lost clusters: docs/fat.md.
 *  3. A node is one object of the volume, however often it was looked up; it lives until its last fat_put, also
 *     without a name. */
#pragma once
#include <fat/status.h>
#include <stddef.h>

enum {
    FAT_BLOCK_MIN = 512,
    FAT_BLOCK_MAX = 4096,
    FAT_NAME_UNITS = 255,     /* UTF-16 units of a name */
    FAT_NAME_BYTES = 3 * 255, /* of it in UTF-8 */
    FAT_SHORT_BYTES = 3 * 12, /* of a short name in UTF-8 */
    FAT_DIRECTORY_SLOTS = 65536,
    FAT_LABEL_BYTES = 11,
};
static constexpr uint32_t fat_file_bytes_max = UINT32_MAX;

/* A disk. Blocks are numbered from the start of the volume. */
struct fat_disk {
    void *ctx;
    uint64_t blocks;
    uint32_t block_bytes; /* FAT_BLOCK_MIN to FAT_BLOCK_MAX, a power of two */
    bool read_only;
    fat_status_t (*read)(void *ctx, uint64_t block, uint32_t blocks, void *to);
    fat_status_t (*write)(void *ctx, uint64_t block, uint32_t blocks, const void *from);
    fat_status_t (*zero)(void *ctx, uint64_t block, uint32_t blocks); /* nullptr: zeroes are written */
    /* Everything that was written before is on stable media when this has answered OK. */
    fat_status_t (*flush)(void *ctx);
    uint64_t (*now_ns)(void *ctx); /* UTC, since 1970 */
};

struct fat_volume;
struct fat_node;

enum fat_mount_flags : uint32_t {
    FAT_MOUNT_READ_ONLY = 1,
};

/* Memory of the caller's, the volume's from fat_mount to fat_unmount. */
struct fat_memory {
    void *cache;        /* what the disk reads into and writes from, beside the callers' own buffers; aligned to 4096 */
    size_t cache_bytes; /* a multiple of 4096, at least FAT_CACHE_MIN */
    void *state;        /* fat_state_bytes long, aligned as malloc does */
    uint32_t nodes;     /* open at once, beside the root */
};
enum { FAT_CACHE_MIN = 48 * 4096 };
size_t fat_state_bytes(size_t cache_bytes, uint32_t nodes);

/* The disk is copied. NOT_FAT, NOT_SUPPORTED, CORRUPT (boot sector), NO_MEMORY, IO. */
fat_status_t fat_mount(const struct fat_memory *memory, const struct fat_disk *disk, uint32_t flags,
                       struct fat_volume **out);
/* Writes everything, marks the volume clean. Nodes may still be held; they are gone with the volume. The status says
 * whether all of it is on the disk; the volume is gone in any case. */
fat_status_t fat_unmount(struct fat_volume *v);
/* It was not unmounted the last time it was written, or the driver marked it faulty: call fat_check. */
bool fat_is_dirty(const struct fat_volume *v);

struct fat_statfs {
    uint64_t clusters, free_clusters;
    uint32_t cluster_bytes, sector_bytes, serial;
    uint8_t bits; /* 12, 16, 32 */
    bool read_only;
    char label[FAT_LABEL_BYTES + 1];
};
/* The first call on a volume whose count is not known reads the whole table. */
fat_status_t fat_statfs(struct fat_volume *v, struct fat_statfs *out);

/* All that was reported as done is on stable media. IO: it is not, or data that was written straight to the disk may
 * be lost; what the volume itself keeps is written again by the next call. */
fat_status_t fat_sync(struct fat_volume *v);
/* fat_sync, and the mark of a clean volume, until the next change. Nothing happens while unlinked files are open. */
fat_status_t fat_rest(struct fat_volume *v);

/* --- names: UTF-8, without NUL; `.` and `..` are no names here --- */

struct fat_node *fat_root(struct fat_volume *v); /* a reference of its own */
fat_status_t fat_lookup(struct fat_node *dir, const char *name, size_t len, struct fat_node **out);
struct fat_node *fat_get(struct fat_node *n);
void fat_put(struct fat_node *n);
/* A pointer of the caller's, nullptr at first: as long as there is a reference. */
void **fat_tag(struct fat_node *n);

enum fat_attribute : uint8_t {
    FAT_ATTR_READ_ONLY = 1,
    FAT_ATTR_HIDDEN = 2,
    FAT_ATTR_SYSTEM = 4,
    FAT_ATTR_LABEL = 8,
    FAT_ATTR_DIRECTORY = 16,
    FAT_ATTR_ARCHIVE = 32,
};

struct fat_stat {
    uint64_t id; /* of the object while it has its place: a name moved elsewhere gets another */
    uint64_t size, allocated;
    uint64_t created_ns, modified_ns, accessed_ns; /* as fine as the format: 10 ms, 2 s, a day */
    uint8_t attributes;
    bool unlinked;
};
void fat_stat(struct fat_node *n, struct fat_stat *out);

enum fat_set : uint32_t { FAT_SET_MODIFIED = 1, FAT_SET_ACCESSED = 2, FAT_SET_CREATED = 4, FAT_SET_ATTRIBUTES = 8 };
/* Attributes: the first three and ARCHIVE. */
fat_status_t fat_set_stat(struct fat_node *n, uint32_t mask, const struct fat_stat *s);

struct fat_dirent {
    uint64_t cookie; /* of what comes after it */
    uint64_t id;
    uint32_t size;
    uint8_t attributes;
    uint16_t name_bytes;
    char name[FAT_NAME_BYTES + 1];        /* ends in a NUL, as does the other */
    char short_name[FAT_SHORT_BYTES + 1]; /* by which it can be found, too */
};
/* The first entry at or after `cookie`; 0: from the start. An entry that neither comes nor goes meanwhile is seen
 * exactly once. NOT_FOUND: that was all. `.` and `..` are not among them. */
fat_status_t fat_readdir(struct fat_node *dir, uint64_t cookie, struct fat_dirent *out);

/* `out` may be nullptr. */
fat_status_t fat_create(struct fat_node *dir, const char *name, size_t len, struct fat_node **out);
fat_status_t fat_mkdir(struct fat_node *dir, const char *name, size_t len, struct fat_node **out);
fat_status_t fat_unlink(struct fat_node *dir, const char *name, size_t len);
fat_status_t fat_rmdir(struct fat_node *dir, const char *name, size_t len);

enum fat_rename_flags : uint32_t { FAT_RENAME_NO_REPLACE = 1, FAT_RENAME_EXCHANGE = 2 };
/* What was under the new name is unlinked; that entry keeps the case of its letters. EXCHANGE is NOT_SUPPORTED. */
fat_status_t fat_rename(struct fat_node *from, const char *name, size_t len, struct fat_node *to, const char *new_name,
                        size_t new_len, uint32_t flags);

/* --- contents --- */

/* *done: bytes; fewer than asked for only at the end of the file. Written on OK. */
fat_status_t fat_read(struct fat_node *n, uint64_t offset, void *to, size_t bytes, size_t *done);
/* Writes what fits: *done may be less than bytes where space or the limit ends. A gap before `offset` is filled with
 * zeroes. Nothing could be written: NO_SPACE, TOO_BIG. */
fat_status_t fat_write(struct fat_node *n, uint64_t offset, const void *from, size_t bytes, size_t *done);
/* Shorter, or longer with zeroes. NO_SPACE: it is as it was. */
fat_status_t fat_truncate(struct fat_node *n, uint64_t size);
