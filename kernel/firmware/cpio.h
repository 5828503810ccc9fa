/* SPDX-License-Identifier: MIT
 * cpio archives in "newc" format: the initial RAM disk. Several archives may follow each other, with zeros between. */
#pragma once
#include <kernel/firmware/machine.h>

/* A member's header, field by field. */
enum cpio_field {
    CPIO_INO,
    CPIO_MODE,
    CPIO_NLINK = 4,
    CPIO_SIZE = 6,
    CPIO_DEV_MAJOR,
    CPIO_DEV_MINOR,
    CPIO_NAMESIZE = 11
};
enum : size_t { CPIO_CHECK = 12, CPIO_FIELDS };

struct cpio_entry {
    const char *name; /* in the archive, ends in a zero byte, without leading "/" or "./"; the root is "" */
    size_t name_len;
    const uint8_t *data; /* in the archive; of a symbolic link: its target */
    size_t data_len;
    uint32_t field[CPIO_FIELDS]; /* enum cpio_field. Of a file with several names the data comes with the last only */
};

enum : uint32_t { CPIO_TYPE_MASK = 0170000, CPIO_DIRECTORY = 0040000, CPIO_FILE = 0100000, CPIO_LINK = 0120000 };

struct cpio_iter {
    const uint8_t *archive;
    size_t len;
    size_t off;
    uint32_t n_trailers; /* archives that are over */
    struct firmware_error error;
};

void cpio_iter_init(struct cpio_iter *it, const void *archive, size_t len);

/**
 * The next member, in archive order and across concatenated archives; trailers are not shown.
 * Errors: ERR_NOT_FOUND the end; ERR_BAD_ARGUMENT malformed, ERR_TOO_BIG name beyond CPIO_NAME_MAX; it->error then
 * says what (`where`: offset) and the iterator stays where it is.
 */
status_t cpio_next(struct cpio_iter *it, struct cpio_entry *out);

/**
 * The last member of that path, because later archives override earlier ones. A hard link's data is looked up where
 * it is stored. The whole archive is read, and must be sound.
 * Errors: as cpio_next(); ERR_NOT_FOUND no such path. `error` may be nullptr.
 */
status_t cpio_find(const void *archive, size_t len, const char *path, struct cpio_entry *out,
                   struct firmware_error *error);
