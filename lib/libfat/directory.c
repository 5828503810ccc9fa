/* SPDX-License-Identifier: MIT
 * Directories: slots of 32 bytes, an entry being pieces of a long name, last piece first, and the short entry.
 *
 *  1. An entry whose slots fit into a sector lies in one sector: it appears and disappears in one write.
 *  2. Behind the last entry there is a slot that says so, or the end of the chain: whoever fills the slot that says it
 *     sees to the next one. */
#include <vectra/string.h>
#include "fat.h"

static constexpr uint32_t nowhere = UINT32_MAX;

static uint32_t slots_per_sector(const struct fat_volume *v)
{
    return v->sector_bytes / SLOT_BYTES;
}

static bool is_fixed_root(const struct fat_node *dir)
{
    return dir->start == 0 && dir->volume->bits != 32;
}

fat_status_t directory_sector(struct fat_node *dir, uint32_t slot, uint32_t *sector)
{
    struct fat_volume *v = dir->volume;
    uint32_t at = slot / slots_per_sector(v), cluster, run;
    if (slot >= FAT_DIRECTORY_SLOTS || dir->unlinked)
        return FAT_NOT_FOUND;
    if (is_fixed_root(dir)) {
        *sector = v->root + at;
        return at < v->root_sectors ? FAT_OK : FAT_NOT_FOUND;
    }
    fat_status_t st = node_map(dir, at / v->cluster_sectors, 1, &cluster, &run);
    if (st == FAT_OK)
        *sector = cluster_sector(v, cluster) + at % v->cluster_sectors;
    return st;
}

fat_status_t directory_slot(struct fat_node *dir, uint32_t slot, struct line **line, uint32_t *sector, uint8_t **at)
{
    struct fat_volume *v = dir->volume;
    fat_status_t st = directory_sector(dir, slot, sector);
    if (st == FAT_OK)
        st = line_get(v, *sector, 1, false, line);
    if (st == FAT_OK)
        *at = line_at(v, *line, *sector) + slot % slots_per_sector(v) * SLOT_BYTES;
    return st;
}

static uint64_t volume_slot(const struct fat_volume *v, uint32_t sector, uint32_t slot)
{
    return (uint64_t)sector * slots_per_sector(v) + slot % slots_per_sector(v);
}

/* --- looking for a name, and for room --- */

struct scan {
    const struct name *name;
    /* the long name that is being read */
    uint32_t first, next; /* next: the piece that must follow; nowhere: none is being read; 0: the short entry */
    uint8_t checksum;
    bool matches;
    /* what was found */
    bool found;
    struct place place;
    /* room for `slots`: 0, it is not looked for */
    uint32_t slots, run_first, run, room, end;
    uint32_t ignored; /* the short entry of what is being renamed: its names count as free */
    uint32_t salt;
    uint16_t numbers, salted_numbers; /* bit n: NAME~n is taken */
    bool short_taken;
};

static bool piece_matches(const struct scan *s, uint32_t piece, const uint8_t *slot)
{
    uint16_t unit[LONG_UNITS];
    uint32_t at = piece * LONG_UNITS, n = s->name->units - at < LONG_UNITS ? s->name->units - at : LONG_UNITS;
    name_get_piece(slot, unit);
    for (uint32_t i = 0; i < n; i++)
        if (name_fold(unit[i]) != s->name->folded[at + i])
            return false;
    return n == LONG_UNITS || unit[n] == 0;
}

static void see_piece(struct scan *s, uint32_t at, const uint8_t *slot)
{
    uint32_t order = slot[LONG_ORDER] & (LONG_LAST - 1), pieces = (s->name->units + LONG_UNITS - 1) / LONG_UNITS;
    if ((slot[LONG_ORDER] & LONG_LAST) != 0 && order >= 1 && order <= LONG_PIECES) {
        s->first = at;
        s->checksum = slot[LONG_CHECKSUM];
        s->matches = order == pieces;
    } else if (s->next != order || order == 0 || slot[LONG_CHECKSUM] != s->checksum) {
        s->next = nowhere;
        return;
    }
    s->next = order - 1;
    s->matches = s->matches && piece_matches(s, order - 1, slot);
}

/* A short name whose letters are beyond ASCII can be a name, too. */
static bool short_matches(const struct name *name, const uint8_t *slot)
{
    uint16_t unit[SHORT_BYTES + 1];
    uint32_t units = name_from_short(slot, unit);
    if (units != name->units)
        return false;
    for (uint32_t i = 0; i < units; i++)
        if (name_fold(unit[i]) != name->folded[i])
            return false;
    return true;
}

/* Which of NAME~1 to NAME~9 this short name is: its bit. */
static uint16_t number_of(const struct name *name, uint32_t salt, const uint8_t *slot)
{
    uint8_t numbered[SHORT_BYTES];
    name_number(name, salt, 1, numbered);
    uint32_t at = 0;
    while (numbered[at] != '~')
        at++;
    at++;
    uint8_t digit = slot[at];
    numbered[at] = digit;
    return digit >= '1' && digit <= '9' && memcmp(numbered, slot, SHORT_BYTES) == 0 ? (uint16_t)(1u << (digit - '0'))
                                                                                    : 0;
}

static void see_short(struct scan *s, uint32_t at, const uint8_t *slot)
{
    bool has_long = s->next == 0 && s->checksum == name_checksum(slot);
    bool plain = (slot[SLOT_ATTRIBUTES] & FAT_ATTR_LABEL) == 0;
    bool same = memcmp(slot, s->name->short_name, SHORT_BYTES) == 0;
    if (at == s->ignored)
        return;
    if (s->slots != 0) {
        s->short_taken = s->short_taken || same;
        if (slot[0] == s->name->short_name[0] && s->name->pieces != 0) {
            s->numbers |= number_of(s->name, 0, slot);
            s->salted_numbers |= number_of(s->name, s->salt, slot);
        }
    }
    if (!plain || slot_is_dots(slot)) /* a label is no file */
        return;
    if (has_long ? s->matches || (same && s->name->exact)
                 : (same && s->name->exact) || (!s->name->exact && short_matches(s->name, slot))) {
        s->found = true;
        s->place.first = has_long ? s->first : at;
        s->place.last = at;
        memcpy(s->place.slot, slot, SLOT_BYTES);
    }
}

/* A slot that is free, or behind the end: it makes the run of them longer. */
static void see_free(struct scan *s, uint32_t at, uint32_t per)
{
    if (s->run == 0 || (at % per == 0 && s->slots <= per))
        s->run_first = at, s->run = 0;
    s->run++;
    if (s->run == s->slots && s->room == nowhere)
        s->room = s->run_first;
}

/* True: the end, or the name, was found. */
static bool see(struct scan *s, uint32_t at, const uint8_t *slot, uint32_t per)
{
    if (slot[0] == SLOT_END)
        return true;
    if (slot[0] == SLOT_DELETED) {
        s->next = nowhere;
        if (s->slots != 0)
            see_free(s, at, per);
        return false;
    }
    s->run = 0;
    if (slot_is_long(slot)) {
        see_piece(s, at, slot);
    } else {
        see_short(s, at, slot);
        s->next = nowhere;
    }
    return s->found;
}

/* Looks at every slot; s->end: the slot that says that there are no more, or the first one that the chain lacks. */
static fat_status_t scan(struct fat_node *dir, struct scan *s)
{
    struct fat_volume *v = dir->volume;
    uint32_t per = slots_per_sector(v), sector = 0, at = 0;
    fat_status_t st = FAT_OK;
    s->next = nowhere;
    for (bool done = false; !done;) {
        struct line *l;
        uint8_t *slot;
        st = directory_slot(dir, at, &l, &sector, &slot);
        if (st != FAT_OK)
            break;
        for (uint32_t i = 0; i < per && !done; i++, at++)
            done = see(s, at, slot + i * SLOT_BYTES, per);
        if (done)
            at--;
        line_put(l);
    }
    if (s->found)
        s->place.at = volume_slot(v, sector, at);
    s->end = at;
    return st == FAT_NOT_FOUND ? FAT_OK : st;
}

fat_status_t directory_find(struct fat_node *dir, const struct name *name, struct place *out)
{
    struct scan s = { .name = name, .room = nowhere, .ignored = nowhere };
    fat_status_t st = scan(dir, &s);
    if (st == FAT_OK && !s.found)
        st = FAT_NOT_FOUND;
    if (st == FAT_OK)
        *out = s.place;
    return st;
}

fat_status_t directory_is_empty(struct fat_node *dir)
{
    struct entry e;
    uint32_t at = 0;
    fat_status_t st = directory_next(dir, &at, &e);
    return st == FAT_OK ? FAT_NOT_EMPTY : st == FAT_NOT_FOUND ? FAT_OK : st;
}

/* --- room --- */

/* Cluster number `index` of the directory, all zero. It is written before anything points to it. */
static fat_status_t grow(struct fat_node *dir, uint32_t index)
{
    struct fat_volume *v = dir->volume;
    uint32_t first = 0, last = 0, run = 0, count = 0;
    if (is_fixed_root(dir))
        return FAT_NO_SPACE;
    fat_status_t st = node_map(dir, index - 1, 1, &last, &run);
    if (st == FAT_OK)
        st = table_take(v, last + 1, 1, &first, &count);
    if (st == FAT_OK)
        st = directory_begin(v, first, 0, nullptr);
    return st == FAT_OK ? table_link(v, dir, last, first) : st;
}

/* The directory is long enough for the slots [first, end), which are to be its last ones: what follows says so. */
static fat_status_t make_room(struct fat_node *dir, uint32_t first, uint32_t end)
{
    struct fat_volume *v = dir->volume;
    uint32_t per = slots_per_sector(v) * v->cluster_sectors, sector;
    struct line *l;
    uint8_t *slot;
    if (end > FAT_DIRECTORY_SLOTS)
        return FAT_TOO_BIG;
    fat_status_t st = FAT_OK;
    for (uint32_t c = first / per; c <= (end - 1) / per && st == FAT_OK; c++) {
        st = directory_sector(dir, c * per, &sector);
        if (st == FAT_NOT_FOUND)
            st = c == 0 ? FAT_CORRUPT : grow(dir, c);
    }
    if (st == FAT_OK && is_fixed_root(dir)) {
        st = directory_sector(dir, end - 1, &sector);
        st = st == FAT_NOT_FOUND ? FAT_NO_SPACE : st;
    }
    if (st != FAT_OK || end == FAT_DIRECTORY_SLOTS)
        return st;
    st = directory_slot(dir, end, &l, &sector, &slot);
    if (st == FAT_NOT_FOUND)
        return FAT_OK;
    if (st == FAT_OK && slot[0] != SLOT_END) {
        /* Something lies behind the end: it must be gone before the end moves up to it. */
        slot[0] = SLOT_END;
        line_dirty(v, l, sector, 1, PHASE_ENTRY);
        line_put(l);
        return cache_commit(v);
    }
    if (st == FAT_OK)
        line_put(l);
    return st;
}

/* Between the end and the sector that an entry starts in, slots are marked as free. */
static fat_status_t skip_to(struct fat_node *dir, uint32_t end, uint32_t first)
{
    struct line *l;
    uint32_t sector;
    uint8_t *slot;
    if (first == end)
        return FAT_OK;
    fat_status_t st = directory_slot(dir, end, &l, &sector, &slot);
    if (st != FAT_OK)
        return st;
    for (uint32_t i = end; i < first; i++)
        slot[(i - end) * SLOT_BYTES] = SLOT_DELETED;
    line_dirty(dir->volume, l, sector, 1, PHASE_ENTRY);
    line_put(l);
    return FAT_OK;
}

/* A short name that is not taken. False: another salt may have one. */
static bool choose_short(const struct scan *s, uint8_t out[SHORT_BYTES])
{
    const struct name *name = s->name;
    memcpy(out, name->short_name, SHORT_BYTES);
    if (name->pieces == 0 || (!name->lossy && !s->short_taken))
        return true;
    for (uint32_t n = 1; n <= 4; n++)
        if ((s->numbers >> n & 1) == 0) {
            name_number(name, 0, n, out);
            return true;
        }
    for (uint32_t n = 1; n <= 9; n++)
        if ((s->salted_numbers >> n & 1) == 0) {
            name_number(name, s->salt, n, out);
            return true;
        }
    return false;
}

/* A commit, if that name may still be on the disk in another sector. */
static fat_status_t settle_name(struct fat_node *dir, const struct name *name, const uint8_t *short_name,
                                uint32_t sector)
{
    struct fat_volume *v = dir->volume;
    for (uint32_t i = 0; i < v->n_gone; i++) {
        const struct gone_name *g = &v->gone[i];
        if (g->directory == directory_id(dir) && g->sector != sector &&
            (g->hash == name->hash || memcmp(g->short_name, short_name, SHORT_BYTES) == 0))
#ifndef MUTATE_FAT_KEEP_NAMES
            return cache_commit(v);
#else
            break;
#endif
    }
    return FAT_OK;
}

fat_status_t directory_room(struct fat_node *dir, const struct name *name, const struct place *renamed,
                            uint8_t short_name[SHORT_BYTES], uint32_t *first, struct place *found)
{
    enum { SALTS = 16 };
    uint32_t per = slots_per_sector(dir->volume);
    struct scan s;
    fat_status_t st = FAT_OK;
    for (uint32_t salt = 1; salt <= SALTS; salt++) {
        s = (struct scan){ .name = name,
                           .room = nowhere,
                           .slots = name->pieces + 1,
                           .ignored = renamed != nullptr ? renamed->last : nowhere,
                           .salt = salt };
        st = scan(dir, &s);
        if (st != FAT_OK)
            return st;
        if (s.found) {
            *found = s.place;
            return FAT_EXISTS;
        }
        if (choose_short(&s, short_name))
            break;
        if (salt == SALTS)
            return FAT_NO_SPACE;
    }
    *first = s.room;
    if (s.room == nowhere) {
        *first = s.end;
        if (s.slots <= per && s.end % per + s.slots > per)
            *first = (s.end / per + 1) * per;
        st = make_room(dir, *first, *first + s.slots);
        if (st == FAT_OK)
            st = skip_to(dir, s.end, *first);
    }
    uint32_t sector = 0;
    if (st == FAT_OK && renamed == nullptr) /* who renames may find another place */
        st = directory_sector(dir, *first + name->pieces, &sector);
    return st == FAT_OK ? settle_name(dir, name, short_name, sector) : st;
}

/* --- entries --- */

fat_status_t directory_put(struct fat_node *dir, const struct name *name, const uint8_t short_name[SHORT_BYTES],
                           uint32_t first, const uint8_t slot[SLOT_BYTES], struct place *out)
{
    struct fat_volume *v = dir->volume;
    uint8_t checksum = name_checksum(short_name);
    uint32_t sector = 0;
    for (uint32_t i = 0; i <= name->pieces; i++) {
        struct line *l;
        uint8_t *at;
        fat_status_t st = directory_slot(dir, first + i, &l, &sector, &at);
        if (st != FAT_OK)
            return st == FAT_NOT_FOUND ? FAT_CORRUPT : st;
        if (i < name->pieces) {
            name_put_piece(name, name->pieces - 1 - i, checksum, at);
        } else {
            memcpy(at, slot, SLOT_BYTES);
            memcpy(at, short_name, SHORT_BYTES);
            at[SLOT_CASE] = name->case_flags;
            memcpy(out->slot, at, SLOT_BYTES);
        }
        line_dirty(v, l, sector, 1, PHASE_ENTRY);
        line_put(l);
    }
    out->first = first;
    out->last = first + name->pieces;
    out->at = volume_slot(v, sector, out->last);
    return FAT_OK;
}

fat_status_t directory_remove(struct fat_node *dir, const struct name *name, const struct place *place)
{
    struct fat_volume *v = dir->volume;
    fat_status_t st = v->n_gone == GONE_MAX ? cache_commit(v) : FAT_OK;
    if (st != FAT_OK)
        return st;
    struct gone_name *gone = &v->gone[v->n_gone++];
    *gone = (struct gone_name){ .directory = directory_id(dir), .hash = name->hash };
    memcpy(gone->short_name, place->slot, SHORT_BYTES);
    for (uint32_t i = place->first; i <= place->last; i++) {
        struct line *l;
        uint32_t sector;
        uint8_t *at;
        st = directory_slot(dir, i, &l, &sector, &at);
        if (st != FAT_OK)
            return st == FAT_NOT_FOUND ? FAT_CORRUPT : st;
        at[0] = SLOT_DELETED;
        line_dirty(v, l, sector, 1, PHASE_ENTRY);
        line_put(l);
        gone->sector = sector;
    }
    return FAT_OK;
}

bool directory_is_in_sector(const struct fat_volume *v, const struct place *place)
{
    return place->first / slots_per_sector(v) == place->last / slots_per_sector(v);
}

fat_status_t directory_replace_in_sector(struct fat_node *dir, const struct name *old_name, const struct place *old,
                                         const struct name *name, const uint8_t short_name[SHORT_BYTES],
                                         struct place *out)
{
    struct fat_volume *v = dir->volume;
    uint32_t per = slots_per_sector(v), base = old->last / per * per, run = 0, sector;
    struct line *l;
    uint8_t *slot;
    if (!directory_is_in_sector(v, old) || name->pieces + 1 > per)
        return FAT_NO_SPACE;
    fat_status_t st = directory_slot(dir, base, &l, &sector, &slot);
    if (st != FAT_OK)
        return st;
    uint32_t i = 0;
    for (; i < per && run <= name->pieces && slot[i * SLOT_BYTES] != SLOT_END; i++) {
        bool ours = base + i >= old->first && base + i <= old->last;
        run = ours || slot[i * SLOT_BYTES] == SLOT_DELETED ? run + 1 : 0;
    }
    if (run > name->pieces) {
        /* Both changes are in the pinned line before anything can write it. */
        st = directory_remove(dir, old_name, old);
        if (st == FAT_OK)
            st = directory_put(dir, name, short_name, base + i - run, old->slot, out);
    } else {
        st = FAT_NO_SPACE;
    }
    line_put(l);
    return st;
}

fat_status_t directory_take_over(struct fat_volume *v, uint64_t at, const uint8_t slot[SLOT_BYTES])
{
    uint32_t per = slots_per_sector(v), sector = (uint32_t)(at / per);
    struct line *l;
    fat_status_t st = line_get(v, sector, 1, false, &l);
    if (st != FAT_OK)
        return st;
    uint8_t *to = line_at(v, l, sector) + at % per * SLOT_BYTES;
    to[SLOT_ATTRIBUTES] = slot[SLOT_ATTRIBUTES];
    memcpy(to + SLOT_CREATED_10MS, slot + SLOT_CREATED_10MS, SLOT_BYTES - SLOT_CREATED_10MS);
    line_dirty(v, l, sector, 1, PHASE_ENTRY);
    line_put(l);
    return FAT_OK;
}

/* --- `.` and `..` --- */

/* The second slot of a directory, which must be `..`. */
static fat_status_t get_dotdot(struct fat_volume *v, uint32_t start, struct line **l, uint32_t *sector, uint8_t **slot)
{
    if (!is_cluster(v, start))
        return FAT_CORRUPT;
    *sector = cluster_sector(v, start);
    fat_status_t st = line_get(v, *sector, 1, false, l);
    if (st != FAT_OK)
        return st;
    *slot = line_at(v, *l, *sector) + SLOT_BYTES;
    if ((*slot)[0] == '.' && (*slot)[1] == '.' && (*slot)[2] == ' ')
        return FAT_OK;
    line_put(*l);
    return FAT_CORRUPT;
}

fat_status_t directory_parent(struct fat_volume *v, uint32_t start, uint32_t *parent)
{
    struct line *l;
    uint32_t sector;
    uint8_t *slot;
    fat_status_t st = get_dotdot(v, start, &l, &sector, &slot);
    if (st != FAT_OK)
        return st;
    *parent = slot_start(v, slot);
    line_put(l);
    return FAT_OK;
}

fat_status_t directory_set_parent(struct fat_volume *v, uint32_t start, uint32_t parent)
{
    struct line *l;
    uint32_t sector;
    uint8_t *slot;
    fat_status_t st = get_dotdot(v, start, &l, &sector, &slot);
    if (st != FAT_OK)
        return st;
    slot_set_start(v, slot, parent);
    line_dirty(v, l, sector, 1, PHASE_ENTRY);
    line_put(l);
    return FAT_OK;
}

fat_status_t directory_begin(struct fat_volume *v, uint32_t cluster, uint32_t parent, const uint8_t *entry)
{
    for (uint32_t i = 0; i < v->cluster_sectors; i++) {
        struct line *l;
        uint32_t sector = cluster_sector(v, cluster) + i;
        fat_status_t st = line_get(v, sector, 1, true, &l);
        if (st != FAT_OK)
            return st;
        uint8_t *slot = line_at(v, l, sector);
        memset(slot, 0, v->sector_bytes);
        for (uint32_t k = 0; entry != nullptr && i == 0 && k < 2; k++, slot += SLOT_BYTES) {
            memcpy(slot, entry, SLOT_BYTES);
            memset(slot, ' ', SHORT_BYTES);
            memset(slot, '.', k + 1);
            slot[SLOT_CASE] = 0;
            slot_set_start(v, slot, k == 0 ? cluster : parent);
        }
        line_dirty(v, l, sector, 1, PHASE_DATA);
        line_put(l);
    }
    return FAT_OK;
}

/* --- listing --- */

static bool add_piece(struct entry *e, const uint8_t *slot, uint32_t *next, uint8_t *checksum, uint32_t at)
{
    uint32_t order = slot[LONG_ORDER] & (LONG_LAST - 1);
    if ((slot[LONG_ORDER] & LONG_LAST) != 0 && order >= 1 && order <= LONG_PIECES) {
        e->place.first = at;
        e->units = order * LONG_UNITS;
        *checksum = slot[LONG_CHECKSUM];
    } else if (order == 0 || *next != order || *checksum != slot[LONG_CHECKSUM]) {
        return false;
    }
    uint16_t unit[LONG_UNITS];
    name_get_piece(slot, unit);
    for (uint32_t i = 0; i < LONG_UNITS; i++) {
        uint32_t place = (order - 1) * LONG_UNITS + i;
        if (place < FAT_NAME_UNITS)
            e->unit[place] = unit[i];
        if (unit[i] == 0 && place < e->units)
            e->units = place;
    }
    *next = order - 1;
    return true;
}

/* A listing that goes on in the middle of an entry which came meanwhile leaves that one out. */
static fat_status_t past_the_middle(struct fat_node *dir, uint32_t *at)
{
    fat_status_t st = FAT_OK;
    for (uint32_t i = *at; st == FAT_OK && i > 0 && i < *at + LONG_PIECES + 1; i++) {
        struct line *l;
        uint32_t sector;
        uint8_t *slot;
        st = directory_slot(dir, i - 1, &l, &sector, &slot);
        if (st != FAT_OK)
            break;
        bool middle = slot_is_long(slot) && slot[0] != SLOT_DELETED && slot[0] != SLOT_END;
        line_put(l);
        if (!middle) {
            *at = i;
            break;
        }
    }
    return st;
}

fat_status_t directory_next(struct fat_node *dir, uint32_t *at, struct entry *out)
{
    struct fat_volume *v = dir->volume;
    uint32_t per = slots_per_sector(v), next = nowhere, sector;
    uint8_t checksum = 0;
    fat_status_t st = past_the_middle(dir, at);
    while (st == FAT_OK) {
        struct line *l;
        uint8_t *slot;
        st = directory_slot(dir, *at, &l, &sector, &slot);
        if (st != FAT_OK)
            break;
        do {
            bool skip = slot[0] == SLOT_DELETED || slot_is_dots(slot);
            if (slot[0] == SLOT_END) {
                st = FAT_NOT_FOUND;
                break;
            }
            if (!skip && slot_is_long(slot)) {
                if (!add_piece(out, slot, &next, &checksum, *at))
                    next = nowhere;
            } else if (!skip && (slot[SLOT_ATTRIBUTES] & FAT_ATTR_LABEL) == 0) {
                if (next != 0 || checksum != name_checksum(slot) || out->units > FAT_NAME_UNITS || out->units == 0) {
                    out->units = 0;
                    out->place.first = *at;
                }
                memcpy(out->place.slot, slot, SLOT_BYTES);
                out->place.last = *at;
                out->place.at = volume_slot(v, sector, *at);
                line_put(l);
                (*at)++;
                return FAT_OK;
            } else {
                next = nowhere;
            }
            (*at)++;
            slot += SLOT_BYTES;
        } while (*at % per != 0);
        line_put(l);
    }
    return st;
}
