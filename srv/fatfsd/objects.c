/* SPDX-License-Identifier: MIT
 * See objects.h. */
#include "objects.h"
#include <vectra/alloc.h>

enum : uint32_t { BUCKETS = 1024 };

status_t from_fat(fat_status_t st)
{
    switch (st) {
    case FAT_OK:
        return OK;
    case FAT_READ_ONLY:
        return ERR_READ_ONLY;
    case FAT_NO_MEMORY:
    case FAT_TOO_MANY:
        return ERR_NO_MEMORY;
    case FAT_NO_SPACE:
        return ERR_NO_SPACE;
    case FAT_TOO_BIG:
        return ERR_FILE_TOO_BIG;
    case FAT_NOT_FOUND:
        return ERR_NOT_FOUND;
    case FAT_EXISTS:
        return ERR_EXISTS;
    case FAT_NOT_DIRECTORY:
        return ERR_NOT_DIRECTORY;
    case FAT_IS_DIRECTORY:
        return ERR_IS_DIRECTORY;
    case FAT_NOT_EMPTY:
        return ERR_NOT_EMPTY;
    case FAT_BAD_NAME:
    case FAT_BAD_ARGUMENT:
        return ERR_BAD_ARGUMENT;
    case FAT_NOT_FAT:
    case FAT_NOT_SUPPORTED:
        return ERR_NOT_SUPPORTED;
    case FAT_BUSY:
        return ERR_BUSY;
    case FAT_IO:
    case FAT_CORRUPT:
        return ERR_IO;
    }
    return ERR_IO;
}

/* When and as what it was made: all that an entry keeps for good. */
static uint64_t generation_of(struct fat_node *n)
{
    struct fat_stat s;
    fat_stat(n, &s);
    uint64_t x = s.created_ns ^ (uint64_t)(s.attributes & FAT_ATTR_DIRECTORY) << 56;
    x = (x ^ x >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return (x ^ x >> 29) | 1;
}

static struct object **bucket(struct objects *t, uint64_t number, uint64_t generation)
{
    return &t->buckets[(number ^ number >> 10 ^ generation) % BUCKETS];
}

static struct object *known(struct objects *t, uint64_t number, uint64_t generation)
{
    struct object *o = *bucket(t, number, generation);
    while (o != nullptr && (o->number != number || o->generation != generation))
        o = o->hash_next;
    return o;
}

/* --- which was used last --- */

static void take_out(struct objects *t, struct object *o)
{
    *(o->newer != nullptr ? &o->newer->older : &t->newest) = o->older;
    *(o->older != nullptr ? &o->older->newer : &t->oldest) = o->newer;
}

static void put_newest(struct objects *t, struct object *o)
{
    o->newer = nullptr;
    o->older = t->newest;
    *(t->newest != nullptr ? &t->newest->newer : &t->oldest) = o;
    t->newest = o;
}

void object_forget(struct objects *t, struct object *o)
{
    struct object **at = bucket(t, o->number, o->generation);
    while (*at != o)
        at = &(*at)->hash_next;
    *at = o->hash_next;
    *fat_tag(o->node) = nullptr;
    fat_put(o->node);
    o->node = nullptr;
}

/* --- in and out --- */

status_t object_of(struct objects *t, struct fat_node *n, struct object **out)
{
    struct object *o = *fat_tag(n);
    struct fat_stat s;
    if (o != nullptr) {
        fat_put(n); /* one reference is enough */
    } else {
        for (o = t->oldest; o != nullptr && (o->holds != 0 || o->pins != 0);)
            o = o->newer;
        if (o == nullptr) {
            fat_put(n);
            return ERR_NO_MEMORY;
        }
        if (o->node != nullptr)
            object_forget(t, o);
        fat_stat(n, &s);
        o->node = n;
        o->number = s.id;
        /* What was here before and is still open keeps its number: the newcomer is told apart from it. */
        for (o->generation = generation_of(n); known(t, o->number, o->generation) != nullptr;)
            o->generation += 2;
        o->version = ++t->versions;
        o->changed = 0;
        o->hash_next = *bucket(t, o->number, o->generation);
        *bucket(t, o->number, o->generation) = o;
        *fat_tag(n) = o;
    }
    take_out(t, o);
    put_newest(t, o);
    o->pins++;
    *out = o;
    return OK;
}

status_t object_find(struct objects *t, struct fs_node n, struct object **out)
{
    struct object *o = known(t, n.object, n.generation);
    struct fat_node *node;
    if (o != nullptr) {
        o->pins++;
        *out = o;
        return OK;
    }
    fat_status_t found = fat_find(t->volume, n.object, t->maps, t->maps_bytes, &node);
    if (found != FAT_OK)
        return found == FAT_NOT_FOUND ? ERR_STALE : from_fat(found);
    status_t st = object_of(t, node, &o);
    if (st != OK)
        return st;
    if (o->number != n.object || o->generation != n.generation) {
        object_put(o);
        return ERR_STALE;
    }
    *out = o;
    return OK;
}

void object_changed(struct objects *t, struct object *o)
{
    o->changed = o->version = ++t->versions;
}

status_t objects_init(struct objects *t, struct fat_volume *v, void *maps, size_t maps_bytes)
{
    *t = (struct objects){ .volume = v,
                           .maps = maps,
                           .maps_bytes = maps_bytes,
                           .object = vx_alloc_zero(OBJECTS_MAX, sizeof(struct object)),
                           .buckets = vx_alloc_zero(BUCKETS, sizeof(struct object *)) };
    if (t->object == nullptr || t->buckets == nullptr)
        return ERR_NO_MEMORY;
    for (uint32_t i = 0; i < OBJECTS_MAX; i++)
        put_newest(t, &t->object[i]);
    return object_of(t, fat_root(v), &t->root); /* and never put */
}
