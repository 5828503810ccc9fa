/* SPDX-License-Identifier: MIT
 * See rom.h. */
#include "rom.h"
#include <fs/copy.h>
#include <vectra/string.h>

enum : uint32_t { ROOT = 1, PERMISSIONS_DIR = 0755 };

static bool is_dir(const struct rom_node *n)
{
    return (n->mode & VX_FS_TYPE) == VX_FS_DIR;
}

static uint32_t find(const struct rom *rom, uint32_t dir, struct fs_name name)
{
    uint32_t i = rom->node[dir].first;
    while (i != 0 && (rom->node[i].name_bytes != name.bytes || memcmp(rom->node[i].name, name.at, name.bytes) != 0))
        i = rom->node[i].next;
    return i;
}

/* 0: no room, which rom_count rules out. */
static uint32_t add(struct rom *rom, uint32_t dir, struct fs_name name, uint32_t mode)
{
    if (rom->n_nodes == rom->room)
        return 0;
    uint32_t i = rom->n_nodes++;
    struct rom_node *d = &rom->node[dir];
    rom->node[i] = (struct rom_node){ .name = name.at, .name_bytes = (uint8_t)name.bytes, .mode = mode, .parent = dir };
    if (d->last != 0)
        rom->node[d->last].next = i;
    else
        d->first = i;
    d->last = i;
    return i;
}

static void add_entry(struct rom *rom, const struct vx_cpio_entry *e)
{
    uint32_t at = ROOT;
    for (size_t i = 0; i < e->name_len;) {
        struct fs_name part = { e->name + i, 0 };
        while (i < e->name_len && e->name[i] != '/')
            i++;
        part.bytes = (size_t)(e->name + i - part.at);
        bool leaf = i >= e->name_len;
        i++;
        if (part.bytes == 0 || (part.bytes == 1 && part.at[0] == '.'))
            continue;
        if (part.bytes > VX_FS_NAME_MAX || !is_dir(&rom->node[at]))
            return; /* below what is no directory there is nothing */
        uint32_t next = find(rom, at, part);
        if (next == 0)
            next = add(rom, at, part, VX_FS_DIR | PERMISSIONS_DIR);
        if (next == 0)
            return;
        struct rom_node *n = &rom->node[next];
        if (leaf && (n->first == 0 || VX_CPIO_IS_DIR(e->mode))) {
            n->mode = e->mode & (VX_FS_TYPE | VX_FS_PERMISSIONS);
            n->mtime = e->mtime;
            n->data = e->data;
            n->bytes = is_dir(n) ? 0 : e->data_len;
        }
        at = next;
    }
}

uint32_t rom_count(const struct vx_cpio *archive)
{
    struct vx_cpio_entry e;
    uint32_t n = 2 + 16; /* and some directories to mount on */
    for (size_t cursor = 0; vx_cpio_next(archive, &cursor, &e) == OK;) {
        n++;
        for (size_t i = 0; i < e.name_len; i++)
            n += e.name[i] == '/';
    }
    return n;
}

void rom_add_directory(struct rom *rom, const char *name)
{
    struct fs_name n = { name, strlen(name) };
    if (n.bytes != 0 && n.bytes <= VX_FS_NAME_MAX && find(rom, ROOT, n) == 0)
        (void)add(rom, ROOT, n, VX_FS_DIR | PERMISSIONS_DIR);
}

/* --- functions of struct fs_backend --- */

static struct rom_node *node_of(struct fs_backend *b, struct fs_node n)
{
    const struct rom *rom = b->state;
    return n.object == 0 || n.object >= rom->n_nodes || n.generation != 1 ? nullptr : &rom->node[n.object];
}

static void fill(const struct rom *rom, uint32_t i, struct vx_fs_attributes *out)
{
    const struct rom_node *n = &rom->node[i];
    int64_t time_ns = (int64_t)n->mtime * 1'000'000'000;
    *out = (struct vx_fs_attributes){ .object = i,
                                      .generation = 1,
                                      .size = n->bytes,
                                      .allocated = (n->bytes + 511) & ~UINT64_C(511),
                                      .version = 1,
                                      .accessed_ns = time_ns,
                                      .modified_ns = time_ns,
                                      .changed_ns = time_ns,
                                      .mode = n->mode,
                                      .links = is_dir(n) ? 2 : 1,
                                      .block_bytes = 4096 };
}

static status_t attributes(struct fs_backend *b, struct fs_node n, struct vx_fs_attributes *out)
{
    if (node_of(b, n) == nullptr)
        return ERR_STALE;
    fill(b->state, (uint32_t)n.object, out);
    return OK;
}

static status_t lookup(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct vx_fs_attributes *out)
{
    const struct rom_node *d = node_of(b, dir);
    if (d == nullptr || !is_dir(d))
        return d == nullptr ? ERR_STALE : ERR_NOT_DIRECTORY;
    uint32_t i = find(b->state, (uint32_t)dir.object, name);
    if (i == 0)
        return ERR_NOT_FOUND;
    fill(b->state, i, out);
    return OK;
}

static status_t read(struct fs_backend *b, struct fs_node node, uint64_t offset, void *to, size_t bytes, size_t *done)
{
    const struct rom_node *n = node_of(b, node);
    if (n == nullptr || is_dir(n))
        return n == nullptr ? ERR_STALE : ERR_IS_DIRECTORY;
    uint64_t left = offset >= n->bytes ? 0 : n->bytes - offset;
    *done = left < bytes ? left : bytes;
    if (*done != 0)
        fs_copy(to, n->data + offset, *done);
    return OK;
}

static status_t readlink(struct fs_backend *b, struct fs_node node, char *to, size_t room, size_t *bytes)
{
    const struct rom_node *n = node_of(b, node);
    if (n == nullptr || (n->mode & VX_FS_TYPE) != VX_FS_LINK)
        return n == nullptr ? ERR_STALE : ERR_BAD_ARGUMENT;
    *bytes = n->bytes < room ? n->bytes : room;
    if (*bytes != 0)
        memcpy(to, n->data, *bytes);
    return OK;
}

static status_t list(struct fs_backend *b, struct fs_node dir, uint64_t cookie, struct fs_listing *to)
{
    const struct rom *rom = b->state;
    const struct rom_node *d = node_of(b, dir);
    if (d == nullptr || !is_dir(d))
        return d == nullptr ? ERR_STALE : ERR_NOT_DIRECTORY;
    for (uint32_t i = d->first; i != 0; i = rom->node[i].next) {
        const struct rom_node *n = &rom->node[i];
        if (i > cookie && !fs_list_add(to, i, i, n->mode, (struct fs_name){ n->name, n->name_bytes }))
            break;
    }
    return OK;
}

static status_t seek(struct fs_backend *b, struct fs_node node, uint64_t offset, bool hole, uint64_t *out)
{
    const struct rom_node *n = node_of(b, node);
    if (n == nullptr || offset >= n->bytes)
        return n == nullptr ? ERR_STALE : ERR_NOT_FOUND;
    *out = hole ? n->bytes : offset;
    return OK;
}

static status_t space(struct fs_backend *b, struct vx_fs_space *out)
{
    const struct rom *rom = b->state;
    out->objects = rom->n_nodes - 1;
    for (uint32_t i = ROOT; i < rom->n_nodes; i++)
        out->blocks += (rom->node[i].bytes + 4095) / 4096;
    return OK;
}

status_t rom_init(struct rom *rom, struct fs_backend *b, const struct vx_cpio *archive, struct rom_node *nodes,
                  uint32_t room)
{
    struct vx_cpio_entry e;
    status_t st;
    *rom = (struct rom){ .node = nodes, .n_nodes = 2, .room = room };
    nodes[ROOT] = (struct rom_node){ .mode = VX_FS_DIR | PERMISSIONS_DIR, .parent = ROOT };
    for (size_t cursor = 0; (st = vx_cpio_next(archive, &cursor, &e)) == OK;)
        add_entry(rom, &e);
    *b = (struct fs_backend){ .kind = "rom",
                              .volume = UINT64_C(0x726f6d0000000001), /* the same as long as the machine runs */
                              .root = { ROOT, 1 },
                              .flags = VX_FS_IS_READ_ONLY | VX_FS_IS_FIXED,
                              .name_max = VX_FS_NAME_MAX,
                              .state = rom,
                              .attributes = attributes,
                              .lookup = lookup,
                              .readlink = readlink,
                              .read = read,
                              .list = list,
                              .seek = seek,
                              .space = space };
    return st == ERR_NOT_FOUND ? OK : st;
}
