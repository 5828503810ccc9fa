/* SPDX-License-Identifier: MIT
 * Finding one file in the initial RAM disk: cpio archives in "newc" format, one after another with zeros between. What
 * else they hold is user space's business (lib/libvectra/cpio.c). */
#pragma once
#include <kernel/firmware/machine.h>

struct cpio_file {
    const uint8_t *data; /* in the archive */
    size_t len_bytes;
};

/**
 * The last member of that path, because later archives override earlier ones. The whole archive is read, and must be
 * sound. Of a file with several names only the last one holds the data.
 * Errors: ERR_NOT_FOUND no such path; ERR_BAD_ARGUMENT malformed, and *error says how (`where`: offset).
 */
status_t cpio_find(const void *archive, size_t len, const char *path, struct cpio_file *out,
                   struct firmware_error *error);
