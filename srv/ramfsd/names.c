/* SPDX-License-Identifier: MIT
 * Directories of the file system in memory: entries in slots, for listing, and in one table of chains, for looking up.
 */
#include "names.h"
#include <vectra/string.h>

enum : uint32_t { SLOTS_MAX = 1u << 31, LINKS_MAX = 1u << 30 };

struct ram_entry {
    struct ram_entry *next; /* of its chain */
    struct ram_node *node;
    uint64_t dir;
    uint32_t slot, hash;
    uint8_t bytes;
    char name[];
};

static struct ramfs *of(struct fs_backend *b)
{
    return b->state;
}

static uint32_t hash_of(uint64_t dir, struct fs_name name)
{
    uint64_t h = dir * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < name.bytes; i++)
        h = (h ^ (uint8_t)name.at[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(h ^ h >> 32);
}

static struct ram_entry *find(struct ramfs *fs, const struct ram_node *dir, struct fs_name name)
{
    uint32_t hash = hash_of(dir->number, name);
    struct ram_entry *e = fs->chain[hash & (fs->n_chains - 1)];
    while (e != nullptr && (e->hash != hash || e->dir != dir->number || e->bytes != name.bytes ||
                            memcmp(e->name, name.at, name.bytes) != 0))
        e = e->next;
    return e;
}

static bool is_dir(const struct ram_node *n)
{
    return (n->mode & VX_FS_TYPE) == VX_FS_DIR;
}

/* A directory that still has its name: one that was removed takes no new ones. */
static status_t directory(struct ramfs *fs, struct fs_node node, struct ram_node **out)
{
    status_t st = ram_node(fs, node, out);
    if (st != OK)
        return st;
    return !is_dir(*out) ? ERR_NOT_DIRECTORY : OK;
}

static bool same(const struct ram_node *n, struct fs_node is)
{
    return n->number == is.object && n->generation == is.generation;
}

status_t ram_lookup(struct fs_backend *b, struct fs_node at, struct fs_name name, struct vx_fs_attributes *out)
{
    struct ram_node *dir;
    status_t st = directory(of(b), at, &dir);
    if (st != OK)
        return st;
    const struct ram_entry *e = find(of(b), dir, name);
    if (e == nullptr)
        return ERR_NOT_FOUND;
    ram_attributes(of(b), e->node, out);
    return OK;
}

/* --- entries --- */

static void **slot_place(struct ram_node *dir, uint32_t slot)
{
    void **page = store_find(&dir->data, slot / STORE_FAN);
    return page == nullptr ? nullptr : page + slot % STORE_FAN;
}

/* Makes room for one entry, without its node: everything about it that can fail. */
static status_t entry_new(struct ramfs *fs, struct ram_node *dir, struct fs_name name, struct ram_entry **out)
{
    if (dir->links == 0)
        return ERR_NOT_FOUND;
    struct ram_entry *e = store_get(&fs->store, sizeof *e + name.bytes);
    if (e == nullptr)
        return ERR_NO_SPACE;
    if (dir->free_slot == 0) {
        void *page;
        status_t st = dir->n_slots < SLOTS_MAX ? store_make(&fs->store, &dir->data, dir->n_slots / STORE_FAN, &page)
                                               : ERR_NO_SPACE;
        if (st != OK) {
            store_put(&fs->store, e, sizeof *e + name.bytes);
            return st;
        }
        *slot_place(dir, dir->n_slots) = (void *)(uintptr_t)1; /* free, and the last that is */
        dir->free_slot = ++dir->n_slots;
    }
    e->slot = dir->free_slot - 1;
    e->dir = dir->number;
    e->hash = hash_of(dir->number, name);
    e->bytes = (uint8_t)name.bytes;
    memcpy(e->name, name.at, name.bytes);
    *out = e;
    return OK;
}

/* A free slot holds the next free one + 1, doubled and odd. */
static void entry_put(struct ramfs *fs, struct ram_node *dir, struct ram_entry *e, struct ram_node *node)
{
    void **place = slot_place(dir, e->slot);
    struct ram_entry **chain = &fs->chain[e->hash & (fs->n_chains - 1)];
    dir->free_slot = (uint32_t)((uintptr_t)*place >> 1);
    *place = e;
    e->next = *chain;
    *chain = e;
    e->node = node;
    dir->n_entries++;
    if (is_dir(node)) {
        dir->links++;
        node->parent = dir->number;
    }
    ram_changed(fs, dir, true);
}

static void entry_remove(struct ramfs *fs, struct ram_node *dir, struct ram_entry *e)
{
    struct ram_entry **at = &fs->chain[e->hash & (fs->n_chains - 1)];
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    *slot_place(dir, e->slot) = (void *)((uintptr_t)dir->free_slot << 1 | 1);
    dir->free_slot = e->slot + 1;
    dir->n_entries--;
    if (is_dir(e->node))
        dir->links--;
    ram_changed(fs, dir, true);
    store_put(&fs->store, e, sizeof *e + e->bytes);
}

/* The node lost a name. */
static void name_lost(struct ramfs *fs, struct ram_node *n)
{
    n->links = is_dir(n) ? 0 : n->links - 1;
    ram_changed(fs, n, false);
    ram_node_forget(fs, n);
}

/* --- changes --- */

status_t ram_create(struct fs_backend *b, struct fs_node at, struct fs_name name, const struct fs_new *what,
                    struct vx_fs_attributes *out)
{
    struct ramfs *fs = of(b);
    struct ram_node *dir, *n;
    struct ram_entry *e;
    size_t done = 0;
    status_t st = directory(fs, at, &dir);
    if (st != OK || find(fs, dir, name) != nullptr)
        return st != OK ? st : ERR_EXISTS;
    st = ram_node_new(fs, what->mode, &n);
    if (st != OK)
        return st;
    n->user = what->user;
    n->group = what->group;
    n->device = what->device;
    st = what->target.bytes != 0 ? ram_write(fs, n, 0, what->target.at, what->target.bytes, &done) : OK;
    if (st == OK)
        st = entry_new(fs, dir, name, &e);
    if (st != OK) {
        ram_node_forget(fs, n);
        return st;
    }
    /* --- commit: nothing below can fail --- */
    n->links = is_dir(n) ? 2 : 1;
    entry_put(fs, dir, e, n);
    ram_attributes(fs, n, out);
    return OK;
}

status_t ram_link(struct fs_backend *b, struct fs_node at, struct fs_name name, struct fs_node child)
{
    struct ramfs *fs = of(b);
    struct ram_node *dir, *n;
    struct ram_entry *e;
    status_t st = directory(fs, at, &dir);
    if (st == OK)
        st = ram_node(fs, child, &n);
    if (st != OK)
        return st;
    if (is_dir(n))
        return ERR_NO_RIGHTS;
    if (n->links == 0)
        return ERR_NOT_FOUND; /* what has lost its last name gets no other */
    if (n->links >= LINKS_MAX)
        return ERR_MANY_LINKS;
    if (find(fs, dir, name) != nullptr)
        return ERR_EXISTS;
    st = entry_new(fs, dir, name, &e);
    if (st != OK)
        return st;
    entry_put(fs, dir, e, n);
    n->links++;
    ram_changed(fs, n, false);
    return OK;
}

static status_t found(struct ramfs *fs, const struct ram_node *dir, struct fs_name name, struct fs_node means,
                      struct ram_entry **out)
{
    *out = find(fs, dir, name);
    if (*out == nullptr)
        return ERR_NOT_FOUND;
    return same((*out)->node, means) ? OK : ERR_BUSY;
}

status_t ram_unlink(struct fs_backend *b, struct fs_node at, struct fs_name name, struct fs_node child, bool directory_)
{
    struct ramfs *fs = of(b);
    struct ram_node *dir;
    struct ram_entry *e;
    status_t st = directory(fs, at, &dir);
    if (st == OK)
        st = found(fs, dir, name, child, &e);
    if (st != OK)
        return st;
    struct ram_node *n = e->node;
    if (is_dir(n) != directory_)
        return directory_ ? ERR_NOT_DIRECTORY : ERR_IS_DIRECTORY;
    if (directory_ && n->n_entries != 0)
        return ERR_NOT_EMPTY;
    entry_remove(fs, dir, e);
    name_lost(fs, n);
    return OK;
}

/* Whether `dir` is `top`, or lies in it. */
static bool lies_in(struct ramfs *fs, const struct ram_node *dir, const struct ram_node *top)
{
    while (dir != nullptr && dir != top && dir->parent != dir->number)
        dir = ram_by_number(fs, dir->parent);
    return dir == top;
}

static status_t may_replace(const struct ram_node *child, const struct ram_node *old)
{
    if (is_dir(child) != is_dir(old))
        return is_dir(child) ? ERR_NOT_DIRECTORY : ERR_IS_DIRECTORY;
    return is_dir(old) && old->n_entries != 0 ? ERR_NOT_EMPTY : OK;
}

static void exchange(struct ramfs *fs, struct ram_node *from, struct ram_node *to, struct ram_entry *a,
                     struct ram_entry *b)
{
    struct ram_node *n = a->node, *o = b->node;
    a->node = o;
    b->node = n;
    from->links += (uint32_t)is_dir(o) - (uint32_t)is_dir(n);
    to->links += (uint32_t)is_dir(n) - (uint32_t)is_dir(o);
    n->parent = to->number;
    o->parent = from->number;
    ram_changed(fs, from, true);
    ram_changed(fs, to, true);
    ram_changed(fs, o, false);
}

status_t ram_rename(struct fs_backend *b, const struct fs_rename *r)
{
    struct ramfs *fs = of(b);
    struct ram_node *from, *to;
    struct ram_entry *e, *made = nullptr;
    status_t st = directory(fs, r->from, &from);
    if (st == OK)
        st = directory(fs, r->to, &to);
    if (st == OK)
        st = found(fs, from, r->name, r->child, &e);
    if (st != OK)
        return st;
    struct ram_node *n = e->node;
    struct ram_entry *old = find(fs, to, r->new_name);
    if (old != nullptr && r->no_replace)
        return ERR_EXISTS;
    if (old == nullptr ? r->replaced.object != 0 : !same(old->node, r->replaced))
        return ERR_BUSY;
    if (old != nullptr && old->node == n)
        return OK; /* two names of one object stay */
    if (is_dir(n) && lies_in(fs, to, n))
        return ERR_BAD_ARGUMENT;
    if (r->exchange && is_dir(old->node) && lies_in(fs, from, old->node))
        return ERR_BAD_ARGUMENT;
    if (old != nullptr && !r->exchange)
        st = may_replace(n, old->node);
    else if (old == nullptr)
        st = entry_new(fs, to, r->new_name, &made);
    if (st != OK)
        return st;
    /* --- commit: nothing below can fail --- */
    ram_changed(fs, n, false);
    if (r->exchange) {
        exchange(fs, from, to, e, old);
        return OK;
    }
    struct ram_node *replaced = old != nullptr ? old->node : nullptr;
    if (old != nullptr) {
        old->node = n; /* one store: the name always means something */
        if (is_dir(n))
            n->parent = to->number;
        ram_changed(fs, to, true);
    } else {
        entry_put(fs, to, made, n);
    }
    entry_remove(fs, from, e);
    if (replaced != nullptr)
        name_lost(fs, replaced);
    return OK;
}

/* --- listing --- */

status_t ram_list(struct fs_backend *b, struct fs_node at, uint64_t cookie, struct fs_listing *to)
{
    struct ram_node *dir;
    status_t st = directory(of(b), at, &dir);
    for (uint64_t slot = cookie; st == OK && slot < dir->n_slots; slot++) {
        void **place = slot_place(dir, (uint32_t)slot);
        if ((uintptr_t)*place % 2 != 0)
            continue;
        const struct ram_entry *e = *place;
        if (!fs_list_add(to, slot + 1, e->node->number, e->node->mode, (struct fs_name){ e->name, e->bytes }))
            break;
    }
    return st;
}
