// sources: kernel/firmware/cpio.c
/* SPDX-License-Identifier: MIT
 * Any bytes as an archive: what is found in it lies within it. */
#include "sane.h"
#include <kernel/firmware/cpio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = { "", "motd", "sbin/initd", "a", "empty", "TRAILER!!!" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct cpio_file found;
        struct firmware_error error = {};
        status_t st = cpio_find(data, size, paths[i], &found, &error);
        require((st == ERR_BAD_ARGUMENT) == (error.what != nullptr));
        require(st != OK || (found.data >= data && found.data + found.len_bytes <= data + size));
    }
    return 0;
}
