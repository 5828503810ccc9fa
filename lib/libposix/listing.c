/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "listing.h"
#include <dirent.h>

size_t px_listing_put(char *to, size_t room, uint64_t inode, int64_t next, uint8_t type, const char *name, size_t len)
{
    size_t bytes = (offsetof(struct dirent, d_name) + len + 1 + 7) & ~(size_t)7;
    struct dirent head = { .d_ino = inode, .d_off = next, .d_reclen = (unsigned short)bytes, .d_type = type };
    if (bytes > room)
        return 0;
    memmove(to + offsetof(struct dirent, d_name), name, len);
    memset(to + offsetof(struct dirent, d_name) + len, 0, bytes - offsetof(struct dirent, d_name) - len);
    memcpy(to, &head, offsetof(struct dirent, d_name));
    return bytes;
}

void px_listing_tell(struct px_listing *l, const char *name, size_t len, uint64_t inode, uint8_t type)
{
    if (l->full || l->position++ < l->wanted)
        return;
    size_t bytes = px_listing_put(l->to + l->used, l->room - l->used, inode, l->position, type, name, len);
    if (bytes == 0) {
        l->full = true;
        l->position--;
    }
    l->used += bytes;
}

long px_listing_end(const struct px_listing *l, int64_t *offset)
{
    if (l->full && l->used == 0)
        return -EINVAL;
    if (l->used != 0)
        *offset = l->position;
    return (long)l->used;
}
