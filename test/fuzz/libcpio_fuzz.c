/* SPDX-License-Identifier: MIT
 * Any bytes as an archive, read by user space: members lie within it, the cursor moves on, and what is listed is found:
 * its last entry. */
// sources: lib/libvectra/cpio.c lib/libvectra/string.c
#include "require.h"
#include <vectra/cpio.h>

enum { LOOKED_UP_MAX = 8 };

static void check_entry(const struct vx_cpio *archive, const struct vx_cpio_entry *e)
{
    const uint8_t *from = archive->bytes, *name = (const uint8_t *)e->name;
    require(name >= from && name < from + archive->len && e->name_len < CPIO_NAME_MAX);
    require(e->name_len < (size_t)(from + archive->len - name) && e->name[e->name_len] == '\0');
    require(e->data == from + e->data_at && e->data_at <= archive->len && e->data_len <= archive->len - e->data_at);
}

static bool has_link(const struct vx_cpio *archive)
{
    struct vx_cpio_entry e;
    size_t cursor = 0;
    while (vx_cpio_next(archive, &cursor, &e) == OK)
        if (VX_CPIO_IS_LNK(e.mode))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = exact_copy(data, size);
    struct vx_cpio archive = { .bytes = bytes, .len = size };
    struct vx_cpio_entry e = {}, found = {};
    size_t cursor = 0, before = 0;
    unsigned looked_up = 0;
    while (vx_cpio_next(&archive, &cursor, &e) == OK) {
        check_entry(&archive, &e);
        require(cursor > before && cursor <= size);
        before = cursor;
        if (looked_up++ >= LOOKED_UP_MAX)
            continue;
        status_t st = vx_cpio_find(&archive, e.name, &found);
        require(st != ERR_NOT_FOUND || VX_CPIO_IS_LNK(found.mode));
        require(st != OK || !VX_CPIO_IS_LNK(found.mode));
        require(st != OK || (strcmp(found.name, e.name) == 0 && found.data_at >= e.data_at) || has_link(&archive));
    }
    free(bytes);
    return 0;
}
