/* SPDX-License-Identifier: MIT
 * Names: finding, listing, making, taking away, moving.
 *
 *  1. Everything is looked up, checked and reserved before the first entry changes.
 *  2. An object that is open lives on without a name; what it holds is freed when the last one lets go of it. */
#include <vectra/string.h>
#include "fat.h"

/* The entry of that name. */
static fat_status_t find(struct fat_node *dir, const char *text, size_t len, struct name *name, struct place *out)
{
    if ((dir->attributes & FAT_ATTR_DIRECTORY) == 0)
        return FAT_NOT_DIRECTORY;
    fat_status_t st = name_parse(text, len, name);
    return st == FAT_OK ? directory_find(dir, name, out) : st;
}

fat_status_t fat_lookup(struct fat_node *dir, const char *text, size_t len, struct fat_node **out)
{
    struct name name;
    struct place place;
    fat_status_t st = find(dir, text, len, &name, &place);
    return st == FAT_OK ? node_get(dir->volume, place.at, place.slot, out) : st;
}

fat_status_t fat_readdir(struct fat_node *dir, uint64_t cookie, struct fat_dirent *out)
{
    struct entry e;
    uint16_t unit[SHORT_BYTES + 1];
    uint32_t at = cookie < FAT_DIRECTORY_SLOTS ? (uint32_t)cookie : FAT_DIRECTORY_SLOTS;
    if ((dir->attributes & FAT_ATTR_DIRECTORY) == 0)
        return FAT_NOT_DIRECTORY;
    fat_status_t st = directory_next(dir, &at, &e);
    if (st != FAT_OK)
        return st;
    (void)name_to_utf8(unit, name_from_short(e.place.slot, unit), out->short_name);
    if (e.units == 0)
        e.units = name_from_short(e.place.slot, e.unit);
    out->cookie = at;
    out->id = e.place.at;
    out->attributes = e.place.slot[SLOT_ATTRIBUTES];
    out->size = (out->attributes & FAT_ATTR_DIRECTORY) != 0 ? 0 : get32(e.place.slot + SLOT_SIZE);
    out->name_bytes = (uint16_t)name_to_utf8(e.unit, e.units, out->name);
    return FAT_OK;
}

/* --- making --- */

static void new_slot(const struct fat_volume *v, uint8_t attributes, uint32_t start, uint8_t slot[SLOT_BYTES])
{
    uint16_t date, time;
    uint8_t ten_ms;
    time_to_fat(volume_now(v), &date, &time, &ten_ms);
    memset(slot, 0, SLOT_BYTES);
    slot[SLOT_ATTRIBUTES] = attributes;
    slot[SLOT_CREATED_10MS] = ten_ms;
    put16(slot + SLOT_CREATED_TIME, time);
    put16(slot + SLOT_CREATED_DATE, date);
    put16(slot + SLOT_ACCESSED_DATE, date);
    put16(slot + SLOT_MODIFIED_TIME, time);
    put16(slot + SLOT_MODIFIED_DATE, date);
    slot_set_start(v, slot, start);
}

static fat_status_t make(struct fat_node *dir, const char *text, size_t len, bool directory, struct fat_node **out)
{
    struct fat_volume *v = dir->volume;
    uint8_t short_name[SHORT_BYTES], slot[SLOT_BYTES];
    struct name name;
    struct place place;
    uint32_t first, cluster = 0, count;
    if ((dir->attributes & FAT_ATTR_DIRECTORY) == 0)
        return FAT_NOT_DIRECTORY;
    if (dir->unlinked)
        return FAT_NOT_FOUND;
    if (out != nullptr && v->free_nodes == nullptr)
        return FAT_TOO_MANY;
    fat_status_t st = name_parse(text, len, &name);
    if (st == FAT_OK)
        st = volume_change(v);
    if (st == FAT_OK)
        st = directory_room(dir, &name, nullptr, short_name, &first, &place);
    if (st == FAT_OK && directory)
        st = table_take(v, 0, 1, &cluster, &count);
    if (st != FAT_OK)
        return st;
    new_slot(v, directory ? FAT_ATTR_DIRECTORY : FAT_ATTR_ARCHIVE, cluster, slot);
    if (directory)
        st = directory_begin(v, cluster, directory_id(dir), slot);
    if (st == FAT_OK)
        st = directory_put(dir, &name, short_name, first, slot, &place);
    if (st == FAT_OK && out != nullptr) {
        st = node_get(v, place.at, place.slot, out);
        if (st == FAT_OK)
            (*out)->epoch = v->epoch; /* the disk does not know its chain yet */
    }
    return st;
}

fat_status_t fat_create(struct fat_node *dir, const char *name, size_t len, struct fat_node **out)
{
    return make(dir, name, len, false, out);
}

fat_status_t fat_mkdir(struct fat_node *dir, const char *name, size_t len, struct fat_node **out)
{
    return make(dir, name, len, true, out);
}

/* --- taking away --- */

/* What lost its name: its clusters go now, or with the last reference. */
static void let_go(struct fat_volume *v, const struct place *place)
{
    struct fat_node *n = node_find(v, place->at);
    if (n != nullptr) {
        n->unlinked = true;
        v->n_unlinked++;
    } else {
        table_free_later(v, slot_start(v, place->slot), 0);
    }
}

static fat_status_t check_empty(struct fat_volume *v, const struct place *place)
{
    uint32_t start = slot_start(v, place->slot);
    if (!is_cluster(v, start) || start == v->root_cluster)
        return FAT_CORRUPT;
    struct fat_node dir = node_for_directory(v, start);
    return directory_is_empty(&dir);
}

static fat_status_t take_away(struct fat_node *dir, const char *text, size_t len, bool directory)
{
    struct fat_volume *v = dir->volume;
    struct name name;
    struct place place;
    fat_status_t st = find(dir, text, len, &name, &place);
    if (st != FAT_OK)
        return st;
    bool is_directory = (place.slot[SLOT_ATTRIBUTES] & FAT_ATTR_DIRECTORY) != 0;
    if (is_directory != directory)
        return directory ? FAT_NOT_DIRECTORY : FAT_IS_DIRECTORY;
    if (directory)
        st = check_empty(v, &place);
    if (st == FAT_OK)
        st = volume_change(v);
    if (st == FAT_OK)
        st = table_reserve_free(v);
    if (st == FAT_OK)
        st = directory_remove(dir, &name, &place);
    if (st == FAT_OK)
        let_go(v, &place);
    return st;
}

fat_status_t fat_unlink(struct fat_node *dir, const char *name, size_t len)
{
    return take_away(dir, name, len, false);
}

fat_status_t fat_rmdir(struct fat_node *dir, const char *name, size_t len)
{
    return take_away(dir, name, len, true);
}

/* --- moving --- */

struct move {
    struct fat_volume *v;
    struct fat_node *from, *to;
    struct place old, replaced, new;
    bool replaces, directory;
    struct name old_name, name;
    uint8_t short_name[SHORT_BYTES];
    uint32_t first; /* where the new entry goes, unless it replaces one */
};

/* A directory does not go into itself or below. */
static fat_status_t check_cycle(const struct move *m)
{
    uint32_t start = slot_start(m->v, m->old.slot), at = directory_id(m->to);
    for (uint32_t depth = 0; at != 0 && depth < FAT_DIRECTORY_SLOTS; depth++) {
        if (at == start)
            return FAT_BAD_ARGUMENT;
        fat_status_t st = directory_parent(m->v, at, &at);
        if (st != FAT_OK)
            return st;
    }
    return at == 0 ? FAT_OK : FAT_CORRUPT;
}

static fat_status_t check_replaced(const struct move *m, uint32_t flags)
{
    bool directory = (m->replaced.slot[SLOT_ATTRIBUTES] & FAT_ATTR_DIRECTORY) != 0;
    if ((flags & FAT_RENAME_NO_REPLACE) != 0)
        return FAT_EXISTS;
    if (directory != m->directory)
        return directory ? FAT_IS_DIRECTORY : FAT_NOT_DIRECTORY;
    return directory ? check_empty(m->v, &m->replaced) : FAT_OK;
}

/* The new entry, or the replaced one taken over. */
static fat_status_t put_new(struct move *m)
{
    if (!m->replaces)
        return directory_put(m->to, &m->name, m->short_name, m->first, m->old.slot, &m->new);
    m->new = m->replaced;
    return directory_take_over(m->v, m->replaced.at, m->old.slot);
}

static fat_status_t set_parent(const struct move *m)
{
    if (!m->directory || directory_id(m->from) == directory_id(m->to))
        return FAT_OK;
    fat_status_t st = directory_set_parent(m->v, slot_start(m->v, m->old.slot), directory_id(m->to));
    return st == FAT_OK ? cache_commit(m->v) : st;
}

/* Both entries lie in one sector: one write does it. NO_SPACE: they do not. */
static fat_status_t move_in_sector(struct move *m)
{
    struct fat_volume *v = m->v;
    uint32_t per = v->sector_bytes / SLOT_BYTES, sector = (uint32_t)(m->old.at / per);
    struct line *l;
    if (m->from != m->to)
        return FAT_NO_SPACE;
    if (!m->replaces)
        return directory_replace_in_sector(m->from, &m->old_name, &m->old, &m->name, m->short_name, &m->new);
    if (m->replaced.at / per != sector || !directory_is_in_sector(v, &m->old))
        return FAT_NO_SPACE;
    fat_status_t st = line_get(v, sector, 1, false, &l); /* pinned: nothing writes it in between */
    if (st != FAT_OK)
        return st;
    st = directory_remove(m->from, &m->old_name, &m->old);
    if (st == FAT_OK)
        st = put_new(m);
    line_put(l);
    return st;
}

/* Two sectors, with a note: the old entry goes first. After it went, a failure leaves the note to the next mount. */
static fat_status_t move_with_note(struct move *m)
{
    struct intent i = { .old_at = m->old.at,
                        .replaced_at = m->replaces ? m->replaced.at : 0,
                        .parent = directory_id(m->to),
                        .units = (uint16_t)m->name.units };
    memcpy(i.old_name, m->old.slot, SHORT_BYTES);
    memcpy(i.slot, m->old.slot, SLOT_BYTES);
    memcpy(i.unit, m->name.unit, sizeof i.unit);
    fat_status_t st = cache_commit(m->v);
    if (st == FAT_OK)
        st = intent_write(m->v, &i);
    if (st == FAT_OK)
        st = directory_remove(m->from, &m->old_name, &m->old);
    if (st == FAT_OK)
        st = cache_commit(m->v);
    if (st == FAT_OK)
        st = set_parent(m);
    if (st == FAT_OK)
        st = put_new(m);
    if (st == FAT_OK)
        st = cache_commit(m->v);
    if (st == FAT_OK)
        st = intent_clear(m->v);
    if (st != FAT_OK)
        m->v->read_only = true;
    return st;
}

/* Two sectors, and no room for a note: for a moment there are two entries, which a fat_check would take for two files
 * that share their clusters, and keep one of. */
static fat_status_t move_twice(struct move *m)
{
    fat_status_t st = put_new(m);
    if (st == FAT_OK)
        st = cache_commit(m->v);
    if (st == FAT_OK)
        st = set_parent(m);
    if (st == FAT_OK)
        st = directory_remove(m->from, &m->old_name, &m->old);
    return st == FAT_OK ? cache_commit(m->v) : st;
}

/* Looks everything up and reserves what it takes. */
static fat_status_t prepare(struct move *m, const char *text, size_t len, const char *new_text, size_t new_len,
                            uint32_t flags)
{
    fat_status_t st = find(m->from, text, len, &m->old_name, &m->old);
    if (st == FAT_OK && (m->to->attributes & FAT_ATTR_DIRECTORY) == 0)
        st = FAT_NOT_DIRECTORY;
    if (st == FAT_OK)
        st = name_parse(new_text, new_len, &m->name);
    if (st == FAT_OK && m->to->unlinked)
        st = FAT_NOT_FOUND;
    if (st != FAT_OK)
        return st;
    m->directory = (m->old.slot[SLOT_ATTRIBUTES] & FAT_ATTR_DIRECTORY) != 0;
    if (m->directory)
        st = check_cycle(m);
    if (st == FAT_OK)
        st = volume_change(m->v);
    if (st == FAT_OK)
        st = table_reserve_free(m->v);
    if (st == FAT_OK)
        st = directory_room(m->to, &m->name, m->from == m->to ? &m->old : nullptr, m->short_name, &m->first,
                            &m->replaced);
    m->replaces = st == FAT_EXISTS;
    return m->replaces ? check_replaced(m, flags) : st;
}

fat_status_t fat_rename(struct fat_node *from, const char *text, size_t len, struct fat_node *to, const char *new_text,
                        size_t new_len, uint32_t flags)
{
    struct move m = { .v = from->volume, .from = from, .to = to };
    if ((flags & ~(uint32_t)FAT_RENAME_NO_REPLACE) != 0)
        return FAT_NOT_SUPPORTED;
    if (from->volume != to->volume)
        return FAT_BAD_ARGUMENT;
    fat_status_t st = prepare(&m, text, len, new_text, new_len, flags);
    if (st != FAT_OK)
        return st;
    struct fat_node *moved = node_find(m.v, m.old.at);
    st = move_in_sector(&m);
#ifdef MUTATE_FAT_NO_NOTE
    m.v->intent = 0;
#endif
    if (st == FAT_NO_SPACE)
        st = m.v->intent != 0 ? move_with_note(&m) : move_twice(&m);
    if (st != FAT_OK)
        return st;
    if (m.replaces)
        let_go(m.v, &m.replaced);
    if (moved != nullptr)
        node_move(moved, m.new.at);
    return FAT_OK;
}
