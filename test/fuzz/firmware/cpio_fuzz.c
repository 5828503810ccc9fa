// sources: kernel/firmware/cpio.c
/* SPDX-License-Identifier: MIT
 * Any bytes as an archive: members lie within it, ascend, and are found by their names. */
#include "sane.h"
#include <kernel/firmware/cpio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpio_iter it;
    struct cpio_entry e, found;
    const uint8_t *last = data;
    status_t st;
    uint32_t looked_up = 0;
    cpio_iter_init(&it, data, size);
    while ((st = cpio_next(&it, &e)) == OK) {
        const uint8_t *name = (const uint8_t *)e.name;
        require(name > last && e.data > name && e.data + e.data_len <= data + size);
        require(strlen(e.name) == e.name_len && e.name_len < CPIO_NAME_MAX);
        last = e.data + e.data_len - 1;
        if (looked_up++ < 8) {
            st = cpio_find(data, size, e.name, &found, nullptr);
            require(st != ERR_NOT_FOUND && (st != OK || strcmp(found.name, e.name) == 0));
        }
    }
    require(st == ERR_NOT_FOUND || it.error.what != nullptr);
    return 0;
}
