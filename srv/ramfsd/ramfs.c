/* SPDX-License-Identifier: MIT
 * See ramfs.h: nodes, attributes and bytes. Names are in names.c, extended attributes in xattr.c. */
#include "ramfs.h"
#include "names.h"
#include <fs/copy.h>
#include <vectra/string.h>

enum : uint64_t { SIZE_MAX_BYTES = STORE_TREE_PAGES * STORE_PAGE };
enum : uint32_t { CHAINS_MIN = 512 };

/* --- nodes --- */

static void **number_place(struct ramfs *fs, uint64_t number)
{
    void **page = store_find(&fs->nodes, number / STORE_FAN);
    return page == nullptr ? nullptr : page + number % STORE_FAN;
}

struct ram_node *ram_by_number(struct ramfs *fs, uint64_t number)
{
    void **place = number < fs->n_numbers ? number_place(fs, number) : nullptr;
    return place == nullptr || (uintptr_t)*place % 2 != 0 ? nullptr : *place;
}

status_t ram_node(struct ramfs *fs, struct fs_node n, struct ram_node **out)
{
    *out = ram_by_number(fs, n.object);
    return *out != nullptr && (*out)->generation == n.generation ? OK : ERR_STALE;
}

/* A free number's place holds the next free one, doubled and odd. */
status_t ram_node_new(struct ramfs *fs, uint32_t mode, struct ram_node **out)
{
    void **place = nullptr;
    struct ram_node *n = store_get(&fs->store, sizeof *n);
    if (n == nullptr)
        return ERR_NO_SPACE;
    if (fs->free_number != 0) {
        n->number = fs->free_number;
        place = number_place(fs, n->number);
        fs->free_number = (uintptr_t)*place >> 1;
    } else {
        void *page;
        status_t st = store_make(&fs->store, &fs->nodes, fs->n_numbers / STORE_FAN, &page);
        if (st != OK) {
            store_put(&fs->store, n, sizeof *n);
            return st;
        }
        n->number = fs->n_numbers++;
        place = (void **)page + n->number % STORE_FAN;
    }
    *place = n;
    fs->n_nodes++;
    n->generation = ++fs->generations;
    n->mode = mode;
    n->accessed_ns = n->modified_ns = n->changed_ns = n->created_ns = fs->now_ns();
    *out = n;
    return OK;
}

void ram_node_forget(struct ramfs *fs, struct ram_node *n)
{
    if (n->links != 0 || n->holds != 0)
        return;
#ifdef MUTATE_RAMFS_KEEP_NODE
    return;
#endif
    store_cut(&fs->store, &n->data, 0, UINT64_MAX);
    store_cut(&fs->store, &n->xattrs, 0, UINT64_MAX);
    *number_place(fs, n->number) = (void *)(uintptr_t)(fs->free_number << 1 | 1);
    fs->free_number = n->number;
    fs->n_nodes--;
    store_put(&fs->store, n, sizeof *n);
}

void ram_changed(struct ramfs *fs, struct ram_node *n, bool data)
{
    n->version++;
    n->changed_ns = fs->now_ns();
    if (data)
        n->modified_ns = n->changed_ns;
}

void ram_attributes(const struct ramfs *fs, const struct ram_node *n, struct vx_fs_attributes *out)
{
    bool dir = (n->mode & VX_FS_TYPE) == VX_FS_DIR;
    *out = (struct vx_fs_attributes){ .volume = fs->volume,
                                      .object = n->number,
                                      .generation = n->generation,
                                      .size = dir ? (uint64_t)n->n_slots * sizeof(void *) : n->size,
                                      .allocated = (n->data.pages + n->xattrs.pages) * STORE_PAGE,
                                      .version = n->version,
                                      .accessed_ns = n->accessed_ns,
                                      .modified_ns = n->modified_ns,
                                      .changed_ns = n->changed_ns,
                                      .created_ns = n->created_ns,
                                      .mode = n->mode,
                                      .links = n->links,
                                      .user = n->user,
                                      .group = n->group,
                                      .device = n->device,
                                      .block_bytes = STORE_PAGE };
}

static struct ramfs *of(struct fs_backend *b)
{
    return b->state;
}

static status_t attributes(struct fs_backend *b, struct fs_node node, struct vx_fs_attributes *out)
{
    struct ram_node *n;
    status_t st = ram_node(of(b), node, &n);
    if (st == OK)
        ram_attributes(of(b), n, out);
    return st;
}

/* Invariant 3: what the last page holds behind the new size goes. */
static void resize(struct ramfs *fs, struct ram_node *n, uint64_t size)
{
    if (size < n->size) {
        uint64_t keep = (size + STORE_PAGE - 1) / STORE_PAGE;
        store_cut(&fs->store, &n->data, keep, UINT64_MAX);
        uint8_t *last = size % STORE_PAGE != 0 ? store_find(&n->data, size / STORE_PAGE) : nullptr;
#ifndef MUTATE_RAMFS_KEEP_TAIL
        if (last != nullptr)
            memset(last + size % STORE_PAGE, 0, STORE_PAGE - size % STORE_PAGE);
#else
        (void)last;
#endif
    }
    n->size = size;
}

static status_t change(struct fs_backend *b, struct fs_node node, const struct vx_fs_change *c)
{
    struct ramfs *fs = of(b);
    struct ram_node *n;
    status_t st = ram_node(fs, node, &n);
    if (st != OK)
        return st;
    bool sized = (c->mask & VX_FS_SET_SIZE) != 0;
    uint32_t type = n->mode & VX_FS_TYPE;
    if (sized && type != VX_FS_FILE)
        return type == VX_FS_DIR ? ERR_IS_DIRECTORY : ERR_BAD_ARGUMENT;
    if (sized && c->size > SIZE_MAX_BYTES)
        return ERR_FILE_TOO_BIG;
    ram_changed(fs, n, sized);
    int64_t now = n->changed_ns;
    if (sized)
        resize(fs, n, c->size);
    if ((c->mask & VX_FS_SET_MODE) != 0)
        n->mode = type | c->mode;
    if ((c->mask & VX_FS_SET_USER) != 0)
        n->user = c->user;
    if ((c->mask & VX_FS_SET_GROUP) != 0)
        n->group = c->group;
    if ((c->mask & VX_FS_SET_CREATED) != 0)
        n->created_ns = c->created_ns;
    if ((c->mask & (VX_FS_SET_ACCESSED | VX_FS_SET_ACCESSED_NOW)) != 0)
        n->accessed_ns = (c->mask & VX_FS_SET_ACCESSED) != 0 ? c->accessed_ns : now;
    if ((c->mask & (VX_FS_SET_MODIFIED | VX_FS_SET_MODIFIED_NOW)) != 0)
        n->modified_ns = (c->mask & VX_FS_SET_MODIFIED) != 0 ? c->modified_ns : now;
    return OK;
}

/* --- bytes --- */

static status_t regular(struct ramfs *fs, struct fs_node node, struct ram_node **n)
{
    status_t st = ram_node(fs, node, n);
    if (st != OK)
        return st;
    uint32_t type = (*n)->mode & VX_FS_TYPE;
    return type == VX_FS_FILE || type == VX_FS_LINK ? OK : type == VX_FS_DIR ? ERR_IS_DIRECTORY : ERR_NOT_SUPPORTED;
}

static void ram_read(const struct ram_node *n, uint64_t offset, void *to, size_t bytes, size_t *done)
{
    uint64_t left = offset >= n->size ? 0 : n->size - offset;
    uint8_t *at = to;
    bytes = left < bytes ? left : bytes;
    *done = bytes;
    while (bytes != 0) {
        size_t in = offset % STORE_PAGE, part = STORE_PAGE - in < bytes ? STORE_PAGE - in : bytes;
        const uint8_t *page = store_find(&n->data, offset / STORE_PAGE);
        /* Pages that were taken one after the other lie so: they are one piece. */
        while (page != nullptr && part < bytes &&
               store_find(&n->data, (offset + part) / STORE_PAGE) == page + in + part)
            part = part + STORE_PAGE < bytes ? part + STORE_PAGE : bytes;
        if (page != nullptr)
            fs_copy(at, page + in, part);
        else
            memset(at, 0, part);
        at += part;
        offset += part;
        bytes -= part;
    }
}

status_t ram_write(struct ramfs *fs, struct ram_node *n, uint64_t offset, const void *from, size_t bytes, size_t *done)
{
    const uint8_t *at = from;
    status_t st = OK;
    *done = 0;
    if (offset > SIZE_MAX_BYTES || bytes > SIZE_MAX_BYTES - offset)
        return ERR_FILE_TOO_BIG;
    while (bytes != 0) {
        size_t in = offset % STORE_PAGE, part = STORE_PAGE - in < bytes ? STORE_PAGE - in : bytes;
        void *page;
        st = store_make(&fs->store, &n->data, offset / STORE_PAGE, &page);
        if (st != OK)
            break;
        fs_copy((uint8_t *)page + in, at, part);
        at += part;
        offset += part;
        bytes -= part;
        *done += part;
        n->size = offset > n->size ? offset : n->size;
    }
    if (*done != 0)
        ram_changed(fs, n, true);
    return st;
}

static status_t read(struct fs_backend *b, struct fs_node node, uint64_t offset, void *to, size_t bytes, size_t *done)
{
    struct ram_node *n;
    status_t st = regular(of(b), node, &n);
    if (st == OK) {
        ram_read(n, offset, to, bytes, done);
        n->accessed_ns = of(b)->now_ns();
    }
    return st;
}

static status_t write(struct fs_backend *b, struct fs_node node, uint64_t offset, const void *from, size_t bytes,
                      size_t *done)
{
    struct ram_node *n;
    status_t st = regular(of(b), node, &n);
    return st == OK ? ram_write(of(b), n, offset, from, bytes, done) : st;
}

static status_t seek(struct fs_backend *b, struct fs_node node, uint64_t offset, bool hole, uint64_t *out)
{
    struct ram_node *n;
    uint64_t page;
    status_t st = regular(of(b), node, &n);
    if (st != OK || offset >= n->size)
        return st != OK ? st : ERR_NOT_FOUND;
    uint64_t limit = (n->size - 1) / STORE_PAGE;
    if (!store_seek(&n->data, offset / STORE_PAGE, limit, hole, &page)) {
        *out = n->size; /* the end counts as a hole */
        return hole ? OK : ERR_NOT_FOUND;
    }
    *out = page * STORE_PAGE > offset ? page * STORE_PAGE : offset;
    return OK;
}

static status_t punch(struct ramfs *fs, struct ram_node *n, uint64_t offset, uint64_t end)
{
    uint64_t first = (offset + STORE_PAGE - 1) / STORE_PAGE, behind = end / STORE_PAGE;
    for (uint64_t at = offset; at < end;) { /* the pages that are punched in part: at most two */
        uint64_t number = at / STORE_PAGE, page_end = (number + 1) * STORE_PAGE, to = end < page_end ? end : page_end;
        if (number >= first && number < behind) {
            at = behind * STORE_PAGE;
            continue;
        }
        uint8_t *page = store_find(&n->data, number);
        if (page != nullptr)
            memset(page + at % STORE_PAGE, 0, to - at);
        at = to;
    }
    if (first < behind)
        store_cut(&fs->store, &n->data, first, behind - 1);
    return OK;
}

static status_t allocate(struct fs_backend *b, struct fs_node node, uint64_t offset, uint64_t length, uint32_t flags)
{
    struct ramfs *fs = of(b);
    struct ram_node *n;
    status_t st = regular(fs, node, &n);
    uint64_t end = offset + length; /* does not overflow */
    if (st != OK)
        return st;
    if (end > SIZE_MAX_BYTES)
        return ERR_FILE_TOO_BIG;
    if ((flags & VX_FS_PUNCH) != 0)
        return (flags & VX_FS_KEEP_SIZE) != 0 ? punch(fs, n, offset, end) : ERR_NOT_SUPPORTED;
    if ((end - offset) / STORE_PAGE > store_free_pages(&fs->store))
        return ERR_NO_SPACE; /* sure to fail: nothing is taken */
    for (uint64_t p = offset / STORE_PAGE; p * STORE_PAGE < end && st == OK; p++) {
        void *page;
        st = store_make(&fs->store, &n->data, p, &page);
    }
    if (st == OK && (flags & VX_FS_KEEP_SIZE) == 0 && end > n->size)
        n->size = end;
    ram_changed(fs, n, true);
    return st;
}

/* The server has looked that it is a FIFO. */
static status_t meet(struct fs_backend *b, struct fs_node node, vx_handle_t *handle)
{
    struct ram_node *n;
    status_t st = ram_node(of(b), node, &n);
    return st == OK ? ram_fifo_meet(&of(b)->fifos, node, handle) : st;
}

static status_t readlink(struct fs_backend *b, struct fs_node node, char *to, size_t room, size_t *bytes)
{
    struct ram_node *n;
    status_t st = ram_node(of(b), node, &n);
    if (st != OK || (n->mode & VX_FS_TYPE) != VX_FS_LINK)
        return st != OK ? st : ERR_BAD_ARGUMENT;
    ram_read(n, 0, to, room, bytes);
    return OK;
}

static status_t space(struct fs_backend *b, struct vx_fs_space *out)
{
    const struct ramfs *fs = of(b);
    out->block_bytes = STORE_PAGE;
    out->blocks = fs->store.n_pages;
    out->free_blocks = store_free_pages(&fs->store);
    out->objects = fs->n_nodes + out->free_blocks;
    out->free_objects = out->free_blocks;
    return OK;
}

static void hold(struct fs_backend *b, struct fs_node node)
{
    struct ram_node *n;
    if (ram_node(of(b), node, &n) == OK)
        n->holds++;
}

static void release(struct fs_backend *b, struct fs_node node)
{
    struct ram_node *n;
    if (ram_node(of(b), node, &n) != OK || n->holds == 0)
        return;
    n->holds--;
    ram_node_forget(of(b), n);
}

void ramfs_init(struct ramfs *fs, struct fs_backend *b, void *memory, uint64_t bytes, uint64_t volume,
                int64_t (*now_ns)(void), const struct ram_fifo_memory *fifos)
{
    struct ram_node *root = nullptr;
    uint32_t chains = CHAINS_MIN;
    while (chains * UINT64_C(2048) < bytes && chains < UINT32_C(1) << 24)
        chains *= 2;
    size_t table = (chains * sizeof(struct ram_entry *) + STORE_PAGE - 1) / STORE_PAGE * STORE_PAGE;
    *fs = (struct ramfs){ .volume = volume, .now_ns = now_ns, .chain = memory, .n_chains = chains, .n_numbers = 1 };
    fs->fifos.memory = fifos;
    store_init(&fs->store, (uint8_t *)memory + table, bytes - table);
    if (ram_node_new(fs, VX_FS_DIR | 0755, &root) == OK) { /* there is memory for one: RAMFS_MIN */
        root->links = 2;
        root->parent = root->number;
        root->mode |= 01777; /* what everybody may write to, as /tmp is elsewhere */
    }
    *b = (struct fs_backend){ .kind = "ramfs",
                              .volume = volume,
                              .root = { root->number, root->generation },
                              .flags = VX_FS_IS_VOLATILE,
                              .name_max = VX_FS_NAME_MAX,
                              .state = fs,
                              .attributes = attributes,
                              .lookup = ram_lookup,
                              .change = change,
                              .create = ram_create,
                              .link = ram_link,
                              .unlink = ram_unlink,
                              .rename = ram_rename,
                              .readlink = readlink,
                              .read = read,
                              .write = write,
                              .list = ram_list,
                              .seek = seek,
                              .allocate = allocate,
                              .meet = meet,
                              .getxattr = ram_getxattr,
                              .setxattr = ram_setxattr,
                              .listxattr = ram_listxattr,
                              .space = space,
                              .hold = hold,
                              .release = release };
}
