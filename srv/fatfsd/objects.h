/* SPDX-License-Identifier: MIT
 * What the protocol calls objects, by numbers that stay, over libfat's nodes, which are known by the place of their
 * entry. Numbers are places as well; the generation tells entries apart that come to the same place one after another.
 *
 *  1. An object keeps its number as long as it is known here, also when it is moved or loses its name.
 *  2. Known are those that are held, and of the others the ones used last. One that is asked for and not known (this
 *     service was started anew, or it was not used for long) is looked for in the whole tree. */
#pragma once
#include <fat/check.h>
#include <fs/server.h>

enum : uint32_t { OBJECTS_MAX = 1024 };

struct object {
    struct fat_node *node; /* nullptr: free */
    struct object *newer, *older, *hash_next;
    uint64_t number, generation, version;
    uint64_t changed; /* the version of its last change; 0: none since it is known */
    uint32_t holds, pins;
};

struct objects {
    struct fat_volume *volume;
    struct object *object; /* OBJECTS_MAX */
    struct object *newest, *oldest, **buckets;
    struct object *root;
    uint64_t versions; /* the last one given */
    void *maps;        /* for looking through the tree: fat_check_memory bytes */
    size_t maps_bytes;
};

status_t objects_init(struct objects *t, struct fat_volume *v, void *maps, size_t maps_bytes);
status_t from_fat(fat_status_t st);

/* The object, pinned. STALE. */
status_t object_find(struct objects *t, struct fs_node n, struct object **out);
/* Of a node, whose reference it takes over; pinned. */
status_t object_of(struct objects *t, struct fat_node *n, struct object **out);
static inline void object_put(struct object *o)
{
    o->pins--;
}
/* Something about it is different from now on. */
void object_changed(struct objects *t, struct object *o);
/* Nobody has it any more. */
void object_forget(struct objects *t, struct object *o);
