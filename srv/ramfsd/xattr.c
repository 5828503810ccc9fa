/* SPDX-License-Identifier: MIT
 * See ramfs.h: extended attributes. Each has a page of its node's tree; one that goes leaves its place to the last. */
#include "names.h"
#include <vectra/string.h>

struct xattr {
    uint16_t name_bytes, value_bytes;
    char name[VX_FS_XATTR_NAME_MAX + 1];
    uint8_t value[VX_FS_XATTR_VALUE_MAX];
};
static_assert(sizeof(struct xattr) <= STORE_PAGE);

/* The attribute of that name and its place; nullptr, and how many there are. */
static struct xattr *find(const struct ram_node *n, struct fs_name name, uint64_t *place)
{
    for (*place = 0; *place < n->xattrs.pages; ++*place) {
        struct xattr *x = store_find(&n->xattrs, *place);
        if (x->name_bytes == name.bytes && memcmp(x->name, name.at, name.bytes) == 0)
            return x;
    }
    return nullptr;
}

status_t ram_getxattr(struct fs_backend *b, struct fs_node node, struct fs_name name, void *to, size_t room,
                      size_t *bytes)
{
    struct ram_node *n;
    uint64_t place;
    status_t st = ram_node(b->state, node, &n);
    if (st != OK)
        return st;
    const struct xattr *x = find(n, name, &place);
    if (x == nullptr)
        return ERR_NOT_FOUND;
    *bytes = x->value_bytes;
    memcpy(to, x->value, room < x->value_bytes ? room : x->value_bytes);
    return OK;
}

static void remove(struct ramfs *fs, struct ram_node *n, struct xattr *x)
{
    uint64_t last = n->xattrs.pages - 1;
    const struct xattr *moved = store_find(&n->xattrs, last);
    if (moved != x)
        memcpy(x, moved, sizeof *x);
    store_cut(&fs->store, &n->xattrs, last, last);
}

status_t ram_setxattr(struct fs_backend *b, struct fs_node node, struct fs_name name, const void *value, size_t bytes,
                      uint32_t flags)
{
    struct ramfs *fs = b->state;
    struct ram_node *n;
    uint64_t place;
    void *page;
    status_t st = ram_node(fs, node, &n);
    if (st != OK)
        return st;
    struct xattr *x = find(n, name, &place);
    if (x != nullptr && (flags & VX_FS_EXCLUSIVE) != 0)
        return ERR_EXISTS;
    if (x == nullptr && (flags & (VX_FS_REPLACE | VX_FS_REMOVE)) != 0)
        return ERR_NOT_FOUND;
    if ((flags & VX_FS_REMOVE) != 0) {
        remove(fs, n, x);
    } else {
        if (x == nullptr) {
            if (place == RAMFS_XATTRS_MAX)
                return ERR_NO_SPACE;
            if ((st = store_make(&fs->store, &n->xattrs, place, &page)) != OK)
                return st;
            x = page;
            x->name_bytes = (uint16_t)name.bytes;
            memcpy(x->name, name.at, name.bytes);
        }
        x->value_bytes = (uint16_t)bytes;
        memcpy(x->value, value, bytes);
    }
    ram_changed(fs, n, false);
    return OK;
}

status_t ram_listxattr(struct fs_backend *b, struct fs_node node, uint64_t skip, char *to, size_t room, size_t *used)
{
    struct ram_node *n;
    status_t st = ram_node(b->state, node, &n);
    for (uint64_t i = skip; st == OK && i < n->xattrs.pages; i++) {
        const struct xattr *x = store_find(&n->xattrs, i);
        if (room - *used < x->name_bytes + 1u)
            return *used == 0 ? ERR_TOO_BIG : OK;
        memcpy(to + *used, x->name, x->name_bytes + 1u);
        *used += x->name_bytes + 1u;
    }
    return st;
}
