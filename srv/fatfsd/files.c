/* SPDX-License-Identifier: MIT
 * See files.h. Each function of struct fs_backend takes the lock, finds its objects, and calls libfat. */
#include "files.h"
#include <vectra/string.h>
#include <vectra/time.h>

enum : uint32_t { MODE_ALL = 0755, MODE_READ = 0555, WRITE_BITS = 0222 };

static struct files *enter(struct fs_backend *b)
{
    struct files *f = b->state;
    vx_mutex_lock(&f->lock);
    return f;
}

static status_t leave(struct files *f, status_t st)
{
    vx_mutex_unlock(&f->lock);
    return st;
}

/* There is something to write back. */
static void changed(struct files *f)
{
    if (!f->unwritten)
        f->unwritten_ns = vx_clock_monotonic_ns();
    f->unwritten = true;
}

static void fill(const struct object *o, struct vx_fs_attributes *out)
{
    struct fat_stat s;
    fat_stat(o->node, &s);
    bool directory = (s.attributes & FAT_ATTR_DIRECTORY) != 0;
    *out = (struct vx_fs_attributes){ .object = o->number,
                                      .generation = o->generation,
                                      .size = s.size,
                                      .allocated = s.allocated,
                                      .version = o->version,
                                      .accessed_ns = (int64_t)s.accessed_ns,
                                      .modified_ns = (int64_t)s.modified_ns,
                                      .changed_ns = (int64_t)s.modified_ns,
                                      .created_ns = (int64_t)s.created_ns,
                                      .mode = (directory ? VX_FS_DIR : VX_FS_FILE) |
                                              ((s.attributes & FAT_ATTR_READ_ONLY) != 0 ? MODE_READ : MODE_ALL),
                                      .links = s.unlinked  ? 0
                                               : directory ? 2
                                                           : 1,
                                      .block_bytes = 4096 };
}

static status_t attributes(struct fs_backend *b, struct fs_node n, struct vx_fs_attributes *out)
{
    struct files *f = enter(b);
    struct object *o;
    status_t st = object_find(&f->objects, n, &o);
    if (st == OK) {
        fill(o, out);
        object_put(o);
    }
    return leave(f, st);
}

/* The object of a name, pinned. */
static status_t look(struct files *f, struct object *dir, struct fs_name name, struct object **out)
{
    struct fat_node *n;
    fat_status_t st = fat_lookup(dir->node, name.at, name.bytes, &n);
    if (st == FAT_BAD_NAME)
        st = FAT_NOT_FOUND; /* a name that cannot be there is not there */
    return st == FAT_OK ? object_of(&f->objects, n, out) : from_fat(st);
}

static status_t lookup(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct vx_fs_attributes *out)
{
    struct files *f = enter(b);
    struct object *d, *o;
    status_t st = object_find(&f->objects, dir, &d);
    if (st == OK) {
        st = look(f, d, name, &o);
        object_put(d);
        if (st == OK) {
            fill(o, out);
            object_put(o);
        }
    }
    return leave(f, st);
}

/* Permissions: only whether anybody may write is kept. Owners: all that there is is root. */
static status_t change_attributes(const struct object *o, const struct vx_fs_change *c)
{
    struct fat_stat s;
    uint32_t mask = 0;
    uint64_t now = vx_clock_realtime_ns();
    fat_stat(o->node, &s);
    if ((c->mask & VX_FS_SET_MODE) != 0) {
        bool read_only = (c->mode & WRITE_BITS) == 0;
        s.attributes = (uint8_t)((s.attributes & ~FAT_ATTR_READ_ONLY) | (read_only ? FAT_ATTR_READ_ONLY : 0));
        mask |= FAT_SET_ATTRIBUTES;
    }
    if ((c->mask & (VX_FS_SET_ACCESSED | VX_FS_SET_ACCESSED_NOW)) != 0) {
        s.accessed_ns = (c->mask & VX_FS_SET_ACCESSED_NOW) != 0 || c->accessed_ns < 0 ? now : (uint64_t)c->accessed_ns;
        mask |= FAT_SET_ACCESSED;
    }
    if ((c->mask & (VX_FS_SET_MODIFIED | VX_FS_SET_MODIFIED_NOW)) != 0) {
        s.modified_ns = (c->mask & VX_FS_SET_MODIFIED_NOW) != 0 || c->modified_ns < 0 ? now : (uint64_t)c->modified_ns;
        mask |= FAT_SET_MODIFIED;
    }
    return mask != 0 ? from_fat(fat_set_stat(o->node, mask, &s)) : OK;
}

static status_t change(struct fs_backend *b, struct fs_node n, const struct vx_fs_change *c)
{
    struct files *f = enter(b);
    struct object *o;
    /* The time of creation is part of what the object is known by. */
    if ((c->mask & VX_FS_SET_CREATED) != 0 || ((c->mask & VX_FS_SET_USER) != 0 && c->user != 0) ||
        ((c->mask & VX_FS_SET_GROUP) != 0 && c->group != 0))
        return leave(f, ERR_NOT_SUPPORTED);
    status_t st = object_find(&f->objects, n, &o);
    if (st != OK)
        return leave(f, st);
    if ((c->mask & VX_FS_SET_SIZE) != 0)
        st = from_fat(fat_truncate(o->node, c->size));
    if (st == OK)
        st = change_attributes(o, c);
    object_changed(&f->objects, o);
    changed(f);
    object_put(o);
    return leave(f, st);
}

static status_t create(struct fs_backend *b, struct fs_node dir, struct fs_name name, const struct fs_new *what,
                       struct vx_fs_attributes *out)
{
    struct files *f = enter(b);
    struct object *d, *o;
    struct fat_node *n;
    uint32_t type = what->mode & VX_FS_TYPE;
    status_t st = type == VX_FS_DIR || type == VX_FS_FILE ? object_find(&f->objects, dir, &d) : ERR_NOT_SUPPORTED;
    if (st != OK)
        return leave(f, st);
    fat_status_t made =
        type == VX_FS_DIR ? fat_mkdir(d->node, name.at, name.bytes, &n) : fat_create(d->node, name.at, name.bytes, &n);
    st = made == FAT_OK ? object_of(&f->objects, n, &o) : from_fat(made);
    if (st == OK) {
        fill(o, out);
        object_put(o);
        object_changed(&f->objects, d);
        changed(f);
    }
    object_put(d);
    return leave(f, st);
}

static bool is_node(const struct object *o, struct fs_node n)
{
    return o->number == n.object && o->generation == n.generation;
}

/* Puts it; what has neither name nor holder goes, and what it took is free again. */
static void drop_nameless(struct files *f, struct object *o)
{
    struct fat_stat s;
    object_put(o);
    fat_stat(o->node, &s);
    if (s.unlinked && o->holds == 0 && o->pins == 0) {
        object_forget(&f->objects, o); /* its clusters are free */
        changed(f);
    }
}

static status_t unlink(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child,
                       bool directory)
{
    struct files *f = enter(b);
    struct object *d, *o = nullptr;
    status_t st = object_find(&f->objects, dir, &d);
    if (st != OK)
        return leave(f, st);
    st = look(f, d, name, &o);
    if (st == OK && !is_node(o, child))
        st = ERR_BUSY;
    if (st == OK)
        st = from_fat(directory ? fat_rmdir(d->node, name.at, name.bytes) : fat_unlink(d->node, name.at, name.bytes));
    if (st == OK) {
        object_changed(&f->objects, d);
        object_changed(&f->objects, o);
        changed(f);
    }
    if (o != nullptr)
        drop_nameless(f, o);
    object_put(d);
    return leave(f, st);
}

/* Both names mean what the request says, or BUSY. *replaced: pinned, or nullptr. */
static status_t check_rename(struct files *f, const struct fs_rename *r, struct object *from, struct object *to,
                             struct object **replaced)
{
    struct object *o;
    status_t st = look(f, from, r->name, &o);
    if (st != OK)
        return st;
    bool same = is_node(o, r->child);
    object_put(o);
    if (!same)
        return ERR_BUSY;
    st = look(f, to, r->new_name, &o);
    if (st == ERR_NOT_FOUND)
        return r->replaced.object == 0 ? OK : ERR_BUSY;
    if (st != OK)
        return st;
    *replaced = o;
    /* A name that differs in case alone is found under the new one, too. */
    if (is_node(o, r->replaced) || (is_node(o, r->child) && r->replaced.object == 0))
        return OK;
    return r->no_replace ? ERR_EXISTS : ERR_BUSY;
}

static status_t rename(struct fs_backend *b, const struct fs_rename *r)
{
    struct files *f = enter(b);
    struct object *from, *to, *replaced = nullptr;
    if (r->exchange)
        return leave(f, ERR_NOT_SUPPORTED);
    status_t st = object_find(&f->objects, r->from, &from);
    if (st != OK)
        return leave(f, st);
    st = object_find(&f->objects, r->to, &to);
    if (st != OK) {
        object_put(from);
        return leave(f, st);
    }
    st = check_rename(f, r, from, to, &replaced);
    if (st == OK)
        st = from_fat(fat_rename(from->node, r->name.at, r->name.bytes, to->node, r->new_name.at, r->new_name.bytes,
                                 r->no_replace ? FAT_RENAME_NO_REPLACE : 0));
    if (replaced != nullptr)
        drop_nameless(f, replaced);
    object_changed(&f->objects, from);
    object_changed(&f->objects, to);
    changed(f);
    object_put(from);
    object_put(to);
    return leave(f, st);
}

static status_t read(struct fs_backend *b, struct fs_node n, uint64_t offset, void *to, size_t bytes, size_t *done)
{
    struct files *f = enter(b);
    struct object *o;
    status_t st = object_find(&f->objects, n, &o);
    if (st == OK) {
        st = from_fat(fat_read(o->node, offset, to, bytes, done));
        object_put(o);
    }
    return leave(f, st);
}

static status_t write(struct fs_backend *b, struct fs_node n, uint64_t offset, const void *from, size_t bytes,
                      size_t *done)
{
    struct files *f = enter(b);
    struct object *o;
    status_t st = object_find(&f->objects, n, &o);
    if (st == OK) {
        st = from_fat(fat_write(o->node, offset, from, bytes, done));
        object_changed(&f->objects, o);
        changed(f);
        object_put(o);
    }
    return leave(f, st);
}

static status_t list(struct fs_backend *b, struct fs_node dir, uint64_t cookie, struct fs_listing *to)
{
    struct files *f = enter(b);
    static struct fat_dirent e; /* under the lock */
    struct object *d;
    status_t st = object_find(&f->objects, dir, &d);
    if (st != OK)
        return leave(f, st);
    fat_status_t got = fat_readdir(d->node, cookie, &e);
    for (; got == FAT_OK; got = fat_readdir(d->node, e.cookie, &e)) {
        uint32_t mode = (e.attributes & FAT_ATTR_DIRECTORY) != 0 ? VX_FS_DIR : VX_FS_FILE;
        const char *name = e.name_bytes <= VX_FS_NAME_MAX ? e.name : e.short_name;
        if (!fs_list_add(to, e.cookie, e.id, mode, (struct fs_name){ name, strlen(name) }))
            break;
    }
    object_put(d);
    return leave(f, got == FAT_NOT_FOUND ? OK : from_fat(got));
}

static status_t seek(struct fs_backend *b, struct fs_node n, uint64_t offset, bool hole, uint64_t *out)
{
    struct files *f = enter(b);
    struct object *o;
    struct fat_stat s;
    status_t st = object_find(&f->objects, n, &o);
    if (st != OK)
        return leave(f, st);
    fat_stat(o->node, &s);
    object_put(o);
    if (offset >= s.size)
        return leave(f, ERR_NOT_FOUND);
    *out = hole ? s.size : offset; /* there are no holes but the end */
    return leave(f, OK);
}

/* Everything is on the disk, or why not. rest: and the volume is marked clean. */
static fat_status_t write_all(struct files *f, bool rest)
{
    fat_status_t st = rest ? fat_rest(f->objects.volume) : fat_sync(f->objects.volume);
    if (st == FAT_OK) {
        f->synced = f->objects.versions;
        f->failures = 0;
    }
    return st;
}

/* Of a volume that was given up: whose changes were lost is told so. */
static status_t tell(struct files *f, const struct fs_node *n)
{
    struct object *o;
    status_t st = n == nullptr ? ERR_IO : object_find(&f->objects, *n, &o);
    if (n == nullptr || st != OK)
        return st;
    st = o->changed > f->synced ? ERR_IO : OK;
    o->changed = 0;
    object_put(o);
    return st;
}

static status_t sync(struct fs_backend *b, const struct fs_node *n)
{
    struct files *f = enter(b);
    if (f->given_up)
        return leave(f, tell(f, n));
    fat_status_t st = write_all(f, n == nullptr);
    if (n == nullptr && st == FAT_OK)
        f->unwritten = false;
    return leave(f, from_fat(st));
}

static status_t space(struct fs_backend *b, struct vx_fs_space *out)
{
    struct files *f = enter(b);
    struct fat_statfs s;
    fat_status_t st = fat_statfs(f->objects.volume, &s);
    if (st == FAT_OK) {
        out->blocks = s.clusters;
        out->free_blocks = s.free_clusters;
        out->block_bytes = s.cluster_bytes;
    }
    return leave(f, from_fat(st));
}

static void hold(struct fs_backend *b, struct fs_node n)
{
    struct files *f = enter(b);
    struct object *o;
    if (object_find(&f->objects, n, &o) == OK) {
        o->holds++;
        object_put(o);
    }
    (void)leave(f, OK);
}

static void release(struct fs_backend *b, struct fs_node n)
{
    struct files *f = enter(b);
    struct object *o;
    if (object_find(&f->objects, n, &o) == OK) {
        o->holds -= o->holds != 0;
        drop_nameless(f, o);
    }
    (void)leave(f, OK);
}

status_t files_write_back(struct files *f, struct fs_backend *b, uint64_t age_ns, uint64_t *again_ns)
{
    status_t st = OK;
    vx_mutex_lock(&f->lock);
    uint64_t now = vx_clock_monotonic_ns();
    if (f->unwritten && !f->given_up && now - f->unwritten_ns >= age_ns) {
        st = from_fat(write_all(f, true));
        f->unwritten = st != OK;
        f->unwritten_ns = now;
        if (st != OK && ++f->failures == WRITE_BACKS_MAX) {
            f->given_up = true;
            b->flags |= VX_FS_IS_READ_ONLY;
        }
    }
    if (f->unwritten && !f->given_up && f->unwritten_ns + age_ns < *again_ns)
        *again_ns = f->unwritten_ns + age_ns;
    vx_mutex_unlock(&f->lock);
    return st;
}

void files_init(struct files *f, struct fs_backend *b, uint64_t volume)
{
    struct fat_statfs s = {};
    (void)!fat_statfs(f->objects.volume, &s);
    *b = (struct fs_backend){ .kind = s.bits == 32   ? "fat32"
                                      : s.bits == 16 ? "fat16"
                                                     : "fat12",
                              .volume = volume,
                              .root = { f->objects.root->number, f->objects.root->generation },
                              .flags = VX_FS_IGNORES_CASE | (s.read_only ? VX_FS_IS_READ_ONLY : 0),
                              .name_max = VX_FS_NAME_MAX,
                              .slow = true,
                              .state = f,
                              .attributes = attributes,
                              .lookup = lookup,
                              .change = change,
                              .create = create,
                              .unlink = unlink,
                              .rename = rename,
                              .read = read,
                              .write = write,
                              .list = list,
                              .seek = seek,
                              .sync = sync,
                              .space = space,
                              .hold = hold,
                              .release = release };
}
