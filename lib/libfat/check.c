/* SPDX-License-Identifier: MIT
 * Looking through a whole volume. Two bits for each cluster: whether a file has it, and whether a directory that
 * begins there is still to be read. So there is no recursion, however deep the tree is, and a cluster is claimed once,
 * however wrong the table is.
 *
 *  1. What is found first keeps what it claims; the order is that of the clusters at which directories begin.
 *  2. Everything can be cut off in the middle and begun again. */
#include <vectra/string.h>
#include <fat/check.h>
#include "fat.h"

struct check {
    struct fat_volume *v;
    uint64_t *used, *to_walk;
    bool repair, found; /* found: a directory to read came up */
    struct fat_report *report;
};

static bool get_bit(const uint64_t *map, uint32_t i)
{
    return (map[i / 64] >> (i % 64) & 1) != 0;
}
static void set_bit(uint64_t *map, uint32_t i)
{
    map[i / 64] |= UINT64_C(1) << (i % 64);
}
static void clear_bit(uint64_t *map, uint32_t i)
{
    map[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static size_t words(const struct fat_volume *v)
{
    return ((size_t)v->clusters_end + 63) / 64;
}

size_t fat_check_memory(const struct fat_volume *v)
{
    return 2 * words(v) * sizeof(uint64_t);
}

/* --- chains --- */

struct claim {
    uint32_t clusters, last; /* that it may keep */
    bool cut, surplus;
};

/* Takes at most `most` clusters from `start` on. */
static fat_status_t claim(struct check *c, uint32_t start, uint32_t most, struct claim *out)
{
    struct fat_volume *v = c->v;
    *out = (struct claim){};
    for (uint32_t at = start, next; at != chain_end; at = next) {
        if (out->clusters == most) {
            out->surplus = true;
            return FAT_OK;
        }
        if (!is_cluster(v, at) || get_bit(c->used, at)) {
            out->cut = true;
            return FAT_OK;
        }
        fat_status_t st = table_get(v, at, &next);
        if (st != FAT_OK && st != FAT_CORRUPT)
            return st;
        if (st == FAT_OK && (next == 0 || next == chain_bad)) {
            out->cut = true;
            return FAT_OK;
        }
        set_bit(c->used, at);
        out->last = at;
        out->clusters++;
        if (st == FAT_CORRUPT) {
            out->cut = true;
            return FAT_OK;
        }
    }
    return FAT_OK;
}

/* Claims the chain of an entry, and brings the entry and the chain together. *keep: false, the entry must go. */
static fat_status_t check_chain(struct check *c, uint8_t *slot, bool *keep, bool *changed)
{
    struct fat_volume *v = c->v;
    bool directory = (slot[SLOT_ATTRIBUTES] & FAT_ATTR_DIRECTORY) != 0;
    uint32_t start = slot_start(v, slot), size = directory ? 0 : get32(slot + SLOT_SIZE);
    uint32_t slots_bytes = FAT_DIRECTORY_SLOTS * SLOT_BYTES;
    uint64_t need = ((uint64_t)(directory ? slots_bytes : size) + cluster_bytes(v) - 1) >> v->cluster_shift;
    struct claim got = {};
    fat_status_t st = start != 0 ? claim(c, start, (uint32_t)need, &got) : FAT_OK;
    c->report->cut += got.cut;
    c->report->surplus += got.surplus;
    if (st == FAT_OK && (got.cut || got.surplus) && got.clusters != 0 && c->repair)
        st = table_set(v, got.last, chain_end);
    if (start != 0 && got.clusters == 0) {
        slot_set_start(v, slot, 0);
        *changed = true;
    }
    if (!directory && got.clusters < need) {
        c->report->sizes++;
        put32(slot + SLOT_SIZE, got.clusters << v->cluster_shift);
        *changed = true;
    }
    *keep = !directory || got.clusters != 0;
    c->report->entries += !*keep;
    return st;
}

/* --- directories --- */

/* `.` and `..` of a directory that was just found. */
static fat_status_t check_dots(struct check *c, uint32_t start, uint32_t parent)
{
    struct fat_volume *v = c->v;
    uint32_t sector = cluster_sector(v, start), wrong = 0;
    struct line *l;
    fat_status_t st = line_get(v, sector, 1, false, &l);
    if (st != FAT_OK)
        return st;
    uint8_t *slot = line_at(v, l, sector);
    for (uint32_t i = 0; i < 2; i++, slot += SLOT_BYTES) {
        uint32_t wanted = i == 0 ? start : parent;
        bool named = slot[0] == '.' && slot[i] == '.' && slot[i + 1] == ' ';
        if (named && slot_start(v, slot) == wanted)
            continue;
        wrong++;
        if (!c->repair || !named) /* where something else stands, it is left: it may be a file */
            continue;
        slot_set_start(v, slot, wanted);
        line_dirty(v, l, sector, 1, PHASE_ENTRY);
    }
    c->report->dots += wrong != 0;
    line_put(l);
    return FAT_OK;
}

static fat_status_t delete_slots(struct check *c, struct fat_node *dir, uint32_t first, uint32_t end)
{
    fat_status_t st = FAT_OK;
    for (uint32_t i = first; i < end && st == FAT_OK && c->repair; i++) {
        struct line *l;
        uint32_t sector;
        uint8_t *slot;
        st = directory_slot(dir, i, &l, &sector, &slot);
        if (st != FAT_OK)
            break;
        slot[0] = SLOT_DELETED;
        line_dirty(c->v, l, sector, 1, PHASE_ENTRY);
        line_put(l);
    }
    return st;
}

/* A short entry. It is changed in a copy first: the line may have to go in between. */
static fat_status_t check_entry(struct check *c, struct fat_node *dir, uint32_t at, const uint8_t *entry,
                                uint32_t first)
{
    struct fat_volume *v = c->v;
    uint8_t slot[SLOT_BYTES];
    bool keep = true, changed = false;
    struct line *l;
    uint32_t sector;
    uint8_t *on_disk;
    memcpy(slot, entry, SLOT_BYTES);
    fat_status_t st = check_chain(c, slot, &keep, &changed);
    if (st == FAT_OK && !keep)
        return delete_slots(c, dir, first, at + 1);
    if (st == FAT_OK && changed && c->repair) {
        st = directory_slot(dir, at, &l, &sector, &on_disk);
        if (st != FAT_OK)
            return st;
        memcpy(on_disk, slot, SLOT_BYTES);
        line_dirty(v, l, sector, 1, PHASE_ENTRY);
        line_put(l);
    }
    if ((slot[SLOT_ATTRIBUTES] & FAT_ATTR_DIRECTORY) == 0) {
        c->report->files++;
        return st;
    }
    c->report->directories++;
    if (st == FAT_OK)
        st = check_dots(c, slot_start(v, slot), directory_id(dir));
    set_bit(c->to_walk, slot_start(v, slot));
    c->found = true;
    return st;
}

/* Whatever stands behind the end. */
static fat_status_t wipe_behind(struct check *c, struct fat_node *dir, uint32_t end)
{
    bool ghost = false;
    fat_status_t st = FAT_OK;
    for (uint32_t at = end + 1; st == FAT_OK; at++) {
        struct line *l;
        uint32_t sector;
        uint8_t *slot;
        st = directory_slot(dir, at, &l, &sector, &slot);
        if (st != FAT_OK)
            break;
        if (slot[0] != SLOT_END) {
            ghost = true;
            if (c->repair) {
                memset(slot, 0, SLOT_BYTES);
                line_dirty(c->v, l, sector, 1, PHASE_ENTRY);
            }
        }
        line_put(l);
    }
    c->report->ghosts += ghost;
    return st == FAT_NOT_FOUND || st == FAT_CORRUPT ? FAT_OK : st;
}

static fat_status_t check_directory(struct check *c, struct fat_node *dir)
{
    /* Pieces of a long name that wait for the rest of it: [first, at). */
    uint32_t first = 0, waiting = 0, next = 0;
    uint8_t checksum = 0, slot[SLOT_BYTES];
    fat_status_t st = FAT_OK;
    for (uint32_t at = 0; st == FAT_OK; at++) {
        struct line *l;
        uint32_t sector;
        uint8_t *on_disk;
        st = directory_slot(dir, at, &l, &sector, &on_disk);
        if (st != FAT_OK)
            break;
        memcpy(slot, on_disk, SLOT_BYTES);
        line_put(l);
        bool piece = slot[0] != SLOT_END && slot[0] != SLOT_DELETED && slot_is_long(slot);
        bool begins = piece && (slot[0] & LONG_LAST) != 0;
        bool fits = waiting != 0 && (piece ? !begins && slot[0] == next && slot[LONG_CHECKSUM] == checksum
                                           : next == 0 && checksum == name_checksum(slot));
        if (waiting != 0 && !fits) {
            c->report->entries++;
            st = delete_slots(c, dir, first, at);
            waiting = 0;
        }
        if (st != FAT_OK)
            break;
        if (slot[0] == SLOT_END)
            return wipe_behind(c, dir, at);
        if (piece && waiting == 0) {
            first = at;
            checksum = slot[LONG_CHECKSUM];
            next = slot[0] & (LONG_LAST - 1);
            begins = begins && next >= 1 && next <= LONG_PIECES;
            if (!begins) { /* a piece that follows nothing */
                c->report->entries++;
                st = delete_slots(c, dir, at, at + 1);
                continue;
            }
        }
        if (piece) {
            waiting++;
            next--;
            continue;
        }
        if (slot[0] != SLOT_DELETED && !slot_is_dots(slot) && (slot[SLOT_ATTRIBUTES] & FAT_ATTR_LABEL) == 0)
            st = check_entry(c, dir, at, slot, waiting != 0 ? first : at);
        waiting = 0;
    }
    return st == FAT_NOT_FOUND || st == FAT_CORRUPT ? FAT_OK : st;
}

static fat_status_t check_tree(struct check *c)
{
    struct fat_volume *v = c->v;
    struct fat_node root = node_for_directory(v, 0);
    struct claim got = {};
    fat_status_t st = v->root_cluster != 0 ? claim(c, v->root_cluster, UINT32_MAX, &got) : FAT_OK;
    if (st == FAT_OK && got.cut) {
        c->report->cut++;
        if (got.clusters == 0)
            return FAT_CORRUPT; /* there is no root to begin from */
        if (c->repair)
            st = table_set(v, got.last, chain_end);
    }
    if (st == FAT_OK)
        st = check_directory(c, &root);
    while (st == FAT_OK && c->found) {
        c->found = false;
        for (uint32_t i = FIRST_CLUSTER; i < v->clusters_end && st == FAT_OK; i++) {
            if (i % 64 == 0 && c->to_walk[i / 64] == 0) {
                i += 63;
                continue;
            }
            if (!get_bit(c->to_walk, i))
                continue;
            clear_bit(c->to_walk, i);
            struct fat_node dir = node_for_directory(v, i);
            st = check_directory(c, &dir);
        }
    }
    return st;
}

/* --- the table --- */

static fat_status_t check_free(struct check *c)
{
    struct fat_volume *v = c->v;
    uint32_t n_free = 0, bad = v->bits == 32 ? 0x0ffffff7 : v->bits == 16 ? 0xfff7 : 0xff7, counted;
    fat_status_t st = FAT_OK;
    for (uint32_t i = FIRST_CLUSTER; i < v->clusters_end && st == FAT_OK; i++) {
        uint32_t value;
        st = table_get_raw(v, i, &value);
        if (st != FAT_OK || get_bit(c->used, i) || value == bad)
            continue;
        n_free++;
        if (value == 0)
            continue;
        c->report->lost_clusters++;
        if (c->repair) {
            st = table_set(v, i, 0);
            cache_forget(v, cluster_sector(v, i), v->cluster_sectors);
        }
    }
    if (st == FAT_OK)
        st = volume_read_count(v, &counted);
    if (st != FAT_OK)
        return st;
    c->report->count_wrong = counted != info_unknown && counted != n_free;
    if (c->repair) {
        v->free_clusters = n_free;
        v->counted = true;
    }
    return FAT_OK;
}

/* The other tables are what the first one is. */
static fat_status_t check_copies(struct check *c)
{
    struct fat_volume *v = c->v;
    uint32_t per = v->sector_bytes / v->disk.block_bytes;
    uint32_t n = (uint32_t)((((uint64_t)v->clusters_end * v->bits + 7) / 8 + v->sector_bytes - 1) >> v->sector_shift);
    fat_status_t st = FAT_OK;
    for (uint32_t i = 0; i < n && st == FAT_OK; i++) {
        uint8_t copy[FAT_BLOCK_MAX];
        struct line *l;
        st = line_get(v, v->table + i, 1, false, &l);
        if (st != FAT_OK)
            break;
        const uint8_t *wanted = line_at(v, l, v->table + i);
        for (uint32_t k = 1; k < v->copies && st == FAT_OK; k++) {
            uint64_t block = ((uint64_t)v->table + (uint64_t)k * v->table_sectors + i) * per;
            st = v->disk.read(v->disk.ctx, block, per, copy);
            if (st != FAT_OK || memcmp(copy, wanted, v->sector_bytes) == 0)
                continue;
            c->report->copies++;
            if (c->repair) {
                st = v->disk.write(v->disk.ctx, block, per, wanted);
                v->unflushed = true;
            }
        }
        line_put(l);
    }
    return st;
}

fat_status_t fat_check(struct fat_volume *v, bool repair, void *memory, size_t bytes, struct fat_report *out)
{
    *out = (struct fat_report){ .dirty = v->was_dirty };
    struct check c = {
        .v = v, .used = memory, .to_walk = (uint64_t *)memory + words(v), .repair = repair, .report = out
    };
    if (bytes < fat_check_memory(v))
        return FAT_NO_MEMORY;
    for (uint32_t i = 0; i < v->n_nodes; i++)
        if (v->nodes[i].refs != 0)
            return FAT_BUSY;
    if (repair && v->read_only)
        return FAT_READ_ONLY;
    memset(memory, 0, fat_check_memory(v));
    fat_status_t st = v->read_only ? FAT_OK : cache_commit(v);
    if (st == FAT_OK)
        st = check_copies(&c); /* where the table is corrected later they follow by themselves */
    if (st == FAT_OK && repair)
        st = volume_change(v);
    if (st == FAT_OK)
        st = check_tree(&c);
    if (st == FAT_OK)
        st = check_free(&c);
    if (st != FAT_OK || !repair)
        return st;
    node_forget_chain(&v->root_node);
    v->was_dirty = false;
    st = volume_clear_state(v);
    return st == FAT_OK ? volume_mark_clean(v) : st;
}

/* --- an object by its place --- */

/* Looks for the entry in one directory; the directories below it are noted. */
static fat_status_t find_in(struct check *c, struct fat_node *dir, uint64_t id, struct fat_node **out)
{
    struct entry e;
    uint32_t at = 0;
    fat_status_t st = directory_next(dir, &at, &e);
    for (; st == FAT_OK; st = directory_next(dir, &at, &e)) {
        uint32_t start = slot_start(c->v, e.place.slot);
        if (e.place.at == id)
            return node_get(c->v, id, e.place.slot, out);
        if ((e.place.slot[SLOT_ATTRIBUTES] & FAT_ATTR_DIRECTORY) == 0 || !is_cluster(c->v, start) ||
            get_bit(c->used, start))
            continue;
        set_bit(c->used, start);
        set_bit(c->to_walk, start);
        c->found = true;
    }
    return st == FAT_CORRUPT ? FAT_NOT_FOUND : st;
}

fat_status_t fat_find(struct fat_volume *v, uint64_t id, void *memory, size_t bytes, struct fat_node **out)
{
    struct check c = { .v = v, .used = memory, .to_walk = (uint64_t *)memory + words(v) };
    struct fat_node dir = node_for_directory(v, 0);
    if (bytes < fat_check_memory(v))
        return FAT_NO_MEMORY;
    memset(memory, 0, fat_check_memory(v));
    fat_status_t st = find_in(&c, &dir, id, out);
    while (st == FAT_NOT_FOUND && c.found) {
        c.found = false;
        for (uint32_t i = FIRST_CLUSTER; i < v->clusters_end && st == FAT_NOT_FOUND; i++) {
            if (!get_bit(c.to_walk, i))
                continue;
            clear_bit(c.to_walk, i);
            dir = node_for_directory(v, i);
            st = find_in(&c, &dir, id, out);
        }
    }
    return st;
}
