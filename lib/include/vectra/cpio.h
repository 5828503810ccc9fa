/* SPDX-License-Identifier: MIT
 * Reading a cpio "newc" archive in memory (the initial RAM disk). Several archives may follow one another, with zero
 * padding between; for a path that is in it more than once the last entry wins. Pure; every length is distrusted. */
#pragma once
#include <abi/limits.h>
#include <abi/service_limits.h>
#include <abi/status.h>
#include <stddef.h>
#include <stdint.h>

struct vx_cpio {
    const uint8_t *bytes;
    size_t len;
};

struct vx_cpio_entry {
    const char *name; /* inside the archive, NUL-terminated, without a leading "/" or "./" */
    size_t name_len;
    const uint8_t *data;
    size_t data_len;
    size_t data_at; /* offset of the data in the archive */
    uint32_t mode;  /* st_mode */
    uint32_t mtime;
};

#define VX_CPIO_IS_DIR(mode) (((mode) & 0170000u) == 0040000u)
#define VX_CPIO_IS_LNK(mode) (((mode) & 0170000u) == 0120000u)
#define VX_CPIO_IS_REG(mode) (((mode) & 0170000u) == 0100000u)

/* The entry at *cursor (start with 0), which moves behind it. NOT_FOUND: the end. BAD_ARGUMENT: the archive is damaged.
 */
status_t vx_cpio_next(const struct vx_cpio *archive, size_t *cursor, struct vx_cpio_entry *entry);
/* The last entry of that path ("/sbin/initd" and "sbin/initd" are the same); where it is a symbolic link, what that
 * leads to, over CPIO_LINKS_MAX of them at most. Links in the middle of a path are not followed, and "." and ".." mean
 * nothing in a target. NOT_FOUND, BAD_ARGUMENT. */
status_t vx_cpio_find(const struct vx_cpio *archive, const char *path, struct vx_cpio_entry *entry);

/* The initial RAM disk of this Task's Bundle ("initrd"), mapped read-only once. NOT_FOUND without one. */
status_t vx_initrd(struct vx_cpio *archive);
