/* SPDX-License-Identifier: MIT
 * The image of a program: a range of the initial RAM disk, or a file that was read. */
#pragma once
#include "posix.h"

struct px_image {
    vx_mem mem;          /* fit for SPAWN */
    const uint8_t *data; /* its bytes */
    size_t len;
    bool read; /* from a file, into memory of ours */
};

/* The program that the absolute path names. -EACCES: it is no file, or nobody may run it. */
long px_image_open(const char *path, struct px_image *out);
void px_image_close(struct px_image *image);
