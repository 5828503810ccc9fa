/* SPDX-License-Identifier: MIT
 * The names of the one directory. There are few, so they are looked through. */
#include "shm.h"
#include <vectra/string.h>

static status_t directory(struct shm *s, struct fs_node n)
{
    struct shm_object *o;
    status_t st = shm_object(s, n, &o);
    return st != OK ? st : o == &s->root ? OK : ERR_NOT_DIRECTORY;
}

static struct shm_name *find(struct shm *s, struct fs_name name)
{
    for (unsigned i = 0; i < SHM_NAMES_MAX; i++) {
        struct shm_name *n = &s->name[i];
        if (n->object != nullptr && n->bytes == name.bytes && memcmp(n->text, name.at, name.bytes) == 0)
            return n;
    }
    return nullptr;
}

static struct shm_name *free_name(struct shm *s)
{
    for (unsigned i = 0; i < SHM_NAMES_MAX; i++)
        if (s->name[i].object == nullptr)
            return &s->name[i];
    return nullptr;
}

static void name_put(struct shm *s, struct shm_name *n, struct fs_name name, struct shm_object *o)
{
    n->object = o;
    n->bytes = (uint8_t)name.bytes;
    memcpy(n->text, name.at, name.bytes);
    o->links++;
    shm_changed(s, &s->root, true);
    shm_changed(s, o, false);
}

static void name_remove(struct shm *s, struct shm_name *n)
{
    struct shm_object *o = n->object;
    n->object = nullptr;
    o->links--;
    shm_changed(s, &s->root, true);
    shm_changed(s, o, false);
    shm_object_forget(s, o);
}

/* The name, which must mean the child. */
static status_t found(struct shm *s, struct fs_name name, struct fs_node means, struct shm_name **out)
{
    *out = find(s, name);
    if (*out == nullptr)
        return ERR_NOT_FOUND;
    struct fs_node is = shm_node(s, (*out)->object);
    return is.object == means.object && is.generation == means.generation ? OK : ERR_BUSY;
}

status_t shm_lookup(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct vx_fs_attributes *out)
{
    struct shm *s = shm_of(b);
    status_t st = directory(s, dir);
    if (st != OK)
        return st;
    const struct shm_name *n = find(s, name);
    if (n == nullptr)
        return ERR_NOT_FOUND;
    shm_attributes(s, n->object, out);
    return OK;
}

/* Files alone: what is not memory has no business here. */
status_t shm_create(struct fs_backend *b, struct fs_node dir, struct fs_name name, const struct fs_new *what,
                    struct vx_fs_attributes *out)
{
    struct shm *s = shm_of(b);
    struct shm_object *o;
    status_t st = directory(s, dir);
    if (st != OK)
        return st;
    if (find(s, name) != nullptr)
        return ERR_EXISTS;
    if ((what->mode & VX_FS_TYPE) != VX_FS_FILE)
        return ERR_NOT_SUPPORTED;
    struct shm_name *n = free_name(s);
    st = n == nullptr ? ERR_NO_SPACE : shm_object_new(s, what->mode, &o);
    if (st != OK)
        return st;
    o->user = what->user;
    o->group = what->group;
    name_put(s, n, name, o);
    shm_attributes(s, o, out);
    return OK;
}

status_t shm_link(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child)
{
    struct shm *s = shm_of(b);
    struct shm_object *o;
    status_t st = directory(s, dir);
    if (st == OK)
        st = shm_object(s, child, &o);
    if (st != OK)
        return st;
    if (o == &s->root)
        return ERR_IS_DIRECTORY;
    if (o->links == 0)
        return ERR_NOT_FOUND; /* what has no name any more gets none */
    if (find(s, name) != nullptr)
        return ERR_EXISTS;
    struct shm_name *n = free_name(s);
    if (n == nullptr)
        return ERR_NO_SPACE;
    name_put(s, n, name, o);
    return OK;
}

status_t shm_unlink(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child,
                    bool directory_)
{
    struct shm *s = shm_of(b);
    struct shm_name *n;
    status_t st = directory(s, dir);
    if (st == OK)
        st = found(s, name, child, &n);
    if (st != OK)
        return st;
    if (directory_)
        return ERR_NOT_DIRECTORY;
    name_remove(s, n);
    return OK;
}

status_t shm_rename(struct fs_backend *b, const struct fs_rename *r)
{
    struct shm *s = shm_of(b);
    struct shm_name *n;
    status_t st = directory(s, r->from);
    if (st == OK)
        st = directory(s, r->to);
    if (st == OK)
        st = found(s, r->name, r->child, &n);
    if (st != OK)
        return st;
    struct shm_name *old = find(s, r->new_name);
    if (old != nullptr && r->no_replace)
        return ERR_EXISTS;
    struct fs_node is = old != nullptr ? shm_node(s, old->object) : (struct fs_node){};
    if (is.object != r->replaced.object || is.generation != r->replaced.generation)
        return ERR_BUSY;
    if (old != nullptr && old->object == n->object)
        return OK; /* two names of one object stay */
    /* --- commit: nothing below can fail --- */
    struct shm_object *o = n->object;
    shm_changed(s, &s->root, true);
    shm_changed(s, o, false);
    if (old == nullptr) {
        n->bytes = (uint8_t)r->new_name.bytes;
        memcpy(n->text, r->new_name.at, r->new_name.bytes);
        return OK;
    }
    n->object = old->object;
    old->object = o; /* the new name always means something */
    if (!r->exchange)
        name_remove(s, n);
    else
        shm_changed(s, n->object, false);
    return OK;
}

status_t shm_list(struct fs_backend *b, struct fs_node dir, uint64_t cookie, struct fs_listing *to)
{
    struct shm *s = shm_of(b);
    status_t st = directory(s, dir);
    for (uint64_t i = cookie; st == OK && i < SHM_NAMES_MAX; i++) {
        const struct shm_name *n = &s->name[i];
        if (n->object != nullptr && !fs_list_add(to, i + 1, shm_node(s, n->object).object, n->object->mode,
                                                 (struct fs_name){ n->text, n->bytes }))
            break;
    }
    return st;
}
