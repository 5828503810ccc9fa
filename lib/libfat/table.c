/* SPDX-License-Identifier: MIT
 * The table of clusters: chains, free clusters, and what has to wait.
 *
 *  1. A cluster that was let go is free in the table only after a commit has made the change that let it go stable, so
 *     nothing on the disk can point to a cluster that got a new owner.
 *  2. A link from a chain that the disk knows into new clusters is held back until these are stable. */
#include <vectra/string.h>
#include "fat.h"

/* Values from here on end a chain; one less is a bad cluster. */
static uint32_t first_end(const struct fat_volume *v)
{
    return v->bits == 32 ? 0x0ffffff8 : v->bits == 16 ? 0xfff8 : 0xff8;
}

static uint32_t value_mask(const struct fat_volume *v)
{
    return v->bits == 32 ? 0x0fffffff : v->bits == 16 ? 0xffff : 0xfff;
}

/* The line with byte `offset` of the table. */
static fat_status_t table_at(struct fat_volume *v, uint32_t offset, struct line **line, uint32_t *sector, uint8_t **at)
{
    *sector = v->table + (offset >> v->sector_shift);
    struct line *l = v->table_line;
    if (l->key == *sector / line_sectors(v) && (l->valid >> (*sector & (line_sectors(v) - 1)) & 1) != 0) {
        l->pins++;
    } else {
        fat_status_t st = line_get(v, *sector, 1, false, &l);
        if (st != FAT_OK)
            return st;
        v->table_line = l;
    }
    *line = l;
    *at = line_at(v, l, *sector) + (offset & (v->sector_bytes - 1));
    return FAT_OK;
}

/* The entries of a FAT12 have one and a half bytes, and cross sectors. */
static fat_status_t table12(struct fat_volume *v, uint32_t cluster, uint32_t *value, bool set)
{
    uint32_t offset = cluster + cluster / 2, shift = (cluster & 1) != 0 ? 4 : 0, got = 0;
    for (uint32_t i = 0; i < 2; i++) {
        struct line *l;
        uint32_t sector;
        uint8_t *at;
        fat_status_t st = table_at(v, offset + i, &l, &sector, &at);
        if (st != FAT_OK)
            return st;
        if (set) {
            uint32_t mask = (uint32_t)0xfff << shift >> (8 * i) & 0xff;
            *at = (uint8_t)((*at & ~mask) | ((*value << shift >> (8 * i)) & mask));
            line_dirty(v, l, sector, 1, PHASE_TABLE);
        }
        got |= (uint32_t)*at << (8 * i);
        line_put(l);
    }
    *value = got >> shift & 0xfff;
    return FAT_OK;
}

fat_status_t table_get_raw(struct fat_volume *v, uint32_t cluster, uint32_t *out)
{
    struct line *l;
    uint32_t sector;
    uint8_t *at;
    if (v->bits == 12)
        return table12(v, cluster, out, false);
    fat_status_t st = table_at(v, cluster * (v->bits / 8), &l, &sector, &at);
    if (st != FAT_OK)
        return st;
    *out = v->bits == 32 ? get32(at) & value_mask(v) : get16(at);
    line_put(l);
    return FAT_OK;
}

fat_status_t table_set_raw(struct fat_volume *v, uint32_t cluster, uint32_t value)
{
    struct line *l;
    uint32_t sector;
    uint8_t *at;
    if (v->bits == 12)
        return table12(v, cluster, &value, true);
    fat_status_t st = table_at(v, cluster * (v->bits / 8), &l, &sector, &at);
    if (st != FAT_OK)
        return st;
    if (v->bits == 32)
        put32(at, (get32(at) & ~value_mask(v)) | (value & value_mask(v))); /* the upper four bits are not ours */
    else
        put16(at, value);
    line_dirty(v, l, sector, 1, PHASE_TABLE);
    line_put(l);
    return FAT_OK;
}

fat_status_t table_get(struct fat_volume *v, uint32_t cluster, uint32_t *out)
{
    uint32_t value = 0;
    fat_status_t st = is_cluster(v, cluster) ? table_get_raw(v, cluster, &value) : FAT_CORRUPT;
    if (st != FAT_OK)
        return st;
    if (value >= first_end(v))
        value = chain_end;
    else if (value == first_end(v) - 1)
        value = chain_bad;
    else if (value != 0 && !is_cluster(v, value))
        return FAT_CORRUPT;
    *out = value;
    return FAT_OK;
}

fat_status_t table_set(struct fat_volume *v, uint32_t cluster, uint32_t next)
{
    return table_set_raw(v, cluster, next == chain_end ? value_mask(v) : next);
}

/* --- many entries at once --- */

/* Entries from `cluster` on that lie in one sector, pinned; not for FAT12. */
struct entries {
    struct line *line;
    uint8_t *at;
    uint32_t sector, n, width;
};

static fat_status_t entries_get(struct fat_volume *v, uint32_t cluster, uint32_t want, struct entries *e)
{
    e->width = v->bits / 8;
    uint32_t offset = cluster * e->width, room = (v->sector_bytes - (offset & (v->sector_bytes - 1))) / e->width;
    e->n = want < room ? want : room;
    return table_at(v, offset, &e->line, &e->sector, &e->at);
}

static uint32_t entry_get(const struct fat_volume *v, const struct entries *e, uint32_t i)
{
    return e->width == 4 ? get32(e->at + 4 * i) & value_mask(v) : get16(e->at + 2 * i);
}

static void entry_set(const struct fat_volume *v, const struct entries *e, uint32_t i, uint32_t value)
{
    if (e->width == 4) /* the upper four bits are not ours */
        put32(e->at + 4 * i, (get32(e->at + 4 * i) & ~value_mask(v)) | (value & value_mask(v)));
    else
        put16(e->at + 2 * i, value);
}

/* How many entries from `cluster` on, at most `want`, hold `value`, value + step, value + 2 * step, ... */
static fat_status_t count_like(struct fat_volume *v, uint32_t cluster, uint32_t want, uint32_t value, uint32_t step,
                               uint32_t *count)
{
    uint32_t n = 0, got = 0;
    fat_status_t st = FAT_OK;
    for (bool like = true; like && n < want && st == FAT_OK;) {
        struct entries e = {};
        if (v->bits == 12) {
            st = table_get_raw(v, cluster + n, &got);
            like = st == FAT_OK && got == value + n * step;
            n += like;
            continue;
        }
        st = entries_get(v, cluster + n, want - n, &e);
        if (st != FAT_OK)
            break;
        uint32_t i = 0;
        while (i < e.n && entry_get(v, &e, i) == value + (n + i) * step)
            i++;
        like = i == e.n;
        n += i;
        line_put(e.line);
    }
    *count = n;
    return st;
}

fat_status_t table_follow(struct fat_volume *v, uint32_t cluster, uint32_t want, uint32_t *count)
{
    uint32_t most = v->clusters_end - 1 - cluster; /* the last cluster has none behind it */
    return count_like(v, cluster, want < most ? want : most, cluster + 1, 1, count);
}

/* Makes a chain of `n` clusters that lie behind each other. */
static fat_status_t chain_up(struct fat_volume *v, uint32_t cluster, uint32_t n)
{
    fat_status_t st = FAT_OK;
    uint32_t i = 0;
    for (; v->bits == 12 && i + 1 < n && st == FAT_OK; i++)
        st = table_set(v, cluster + i, cluster + i + 1);
    while (i + 1 < n && st == FAT_OK) {
        struct entries e = {};
        st = entries_get(v, cluster + i, n - 1 - i, &e);
        if (st != FAT_OK)
            break;
        for (uint32_t k = 0; k < e.n; k++, i++)
            entry_set(v, &e, k, cluster + i + 1);
        line_dirty(v, e.line, e.sector, 1, PHASE_TABLE);
        line_put(e.line);
    }
    return st == FAT_OK ? table_set(v, cluster + n - 1, chain_end) : st;
}

/* --- held links --- */

fat_status_t table_link(struct fat_volume *v, struct fat_node *n, uint32_t last, uint32_t first)
{
    fat_status_t st = FAT_OK;
    /* Of a FAT12 an entry can lie in two sectors: there is no holding that. */
    bool hold = n->epoch != v->epoch && v->bits != 12;
#ifdef MUTATE_FAT_NO_HOLD
    hold = false;
#endif
    if (hold) {
        if (v->n_held == HELD_MAX)
            st = cache_commit(v);
        if (st == FAT_OK)
            v->held[v->n_held++] = (struct held_link){ .cluster = last };
    }
    if (st == FAT_OK)
        st = table_set(v, last, first);
    n->epoch = v->epoch;
    return st;
}

bool table_holds(const struct fat_volume *v, uint32_t sector)
{
    uint32_t per = v->sector_bytes / (v->bits / 8);
    for (uint32_t i = 0; i < v->n_held; i++)
        if (v->held[i].cluster / per == sector - v->table)
            return true;
    return false;
}

void table_hold_back(const struct fat_volume *v, uint32_t sector, uint8_t *copy)
{
    uint32_t per = v->sector_bytes / (v->bits / 8);
    for (uint32_t i = 0; i < v->n_held; i++) {
        uint32_t c = v->held[i].cluster;
        uint8_t *at = copy + c % per * (v->bits / 8);
        if (c / per != sector - v->table)
            continue;
        if (v->bits == 32)
            put32(at, get32(at) | value_mask(v));
        else
            put16(at, value_mask(v));
    }
}

/* --- taking --- */

/* The first free cluster in [from, end); `end` if there is none. */
static fat_status_t find_free(struct fat_volume *v, uint32_t from, uint32_t end, uint32_t *out)
{
    uint32_t c = from;
    for (; c < end; c++) {
        uint32_t value;
        fat_status_t st = table_get_raw(v, c, &value);
        if (st != FAT_OK)
            return st;
        if (value == 0)
            break;
    }
    *out = c;
    return FAT_OK;
}

static fat_status_t choose(struct fat_volume *v, uint32_t goal, uint32_t *out)
{
    uint32_t value = 1, hint = is_cluster(v, v->next_free) ? v->next_free : FIRST_CLUSTER;
    fat_status_t st = is_cluster(v, goal) ? table_get_raw(v, goal, &value) : FAT_OK;
    *out = goal;
    if (st != FAT_OK || value == 0)
        return st;
    if (v->counted && v->free_clusters == 0)
        return FAT_NO_SPACE;
    st = find_free(v, hint, v->clusters_end, out);
    if (st == FAT_OK && *out == v->clusters_end) {
        st = find_free(v, FIRST_CLUSTER, hint, out);
        if (st == FAT_OK && *out == hint) {
            v->free_clusters = 0;
            v->counted = true;
            st = FAT_NO_SPACE;
        }
    }
    return st;
}

fat_status_t table_take(struct fat_volume *v, uint32_t goal, uint32_t want, uint32_t *first, uint32_t *count)
{
    uint32_t c = 0, n = 0;
    fat_status_t st = choose(v, goal, &c);
    if (st == FAT_NO_SPACE && v->n_pending != 0 && !v->freeing) {
        st = cache_commit(v); /* some wait to be free */
        if (st == FAT_OK)
            st = choose(v, goal, &c);
    }
    if (st == FAT_OK)
        st = count_like(v, c, want < v->clusters_end - c ? want : v->clusters_end - c, 0, 0, &n);
    if (st == FAT_OK)
        st = chain_up(v, c, n);
    if (st != FAT_OK)
        return st; /* what was set already is lost until a fat_check: the disk fails */
    if (v->free_clusters != info_unknown)
        v->free_clusters -= v->free_clusters < n ? v->free_clusters : n;
    v->next_free = c + n;
    *first = c;
    *count = n;
    return FAT_OK;
}

/* --- freeing --- */

fat_status_t table_reserve_free(struct fat_volume *v)
{
    fat_status_t st = v->n_pending < PENDING_MAX ? FAT_OK : cache_commit(v);
    return st == FAT_OK && v->n_pending == PENDING_MAX ? FAT_IO : st;
}

void table_free_later(struct fat_volume *v, uint32_t first, uint32_t cut_at)
{
    if (is_cluster(v, first) && v->n_pending < PENDING_MAX)
        v->pending[v->n_pending++] = (struct pending_free){ .first = first, .cut_at = cut_at };
#ifdef MUTATE_FAT_FREE_AT_ONCE
    (void)table_free_pending(v);
#endif
}

/* Frees a chain to its end, or to where it makes no sense any more. */
static fat_status_t free_chain(struct fat_volume *v, uint32_t c)
{
    fat_status_t st = FAT_OK;
    for (uint32_t next; st == FAT_OK && is_cluster(v, c); c = next) {
        st = table_get(v, c, &next);
        if (st == FAT_CORRUPT) {
            next = chain_end;
            st = FAT_OK;
        }
        if (st == FAT_OK && (next == 0 || next == chain_bad))
            break;
        if (st == FAT_OK)
            st = table_set(v, c, 0);
        if (st != FAT_OK)
            break;
        cache_forget(v, cluster_sector(v, c), v->cluster_sectors);
        if (v->free_clusters != info_unknown)
            v->free_clusters++;
    }
    return st;
}

/* In the order in which they came: a chain that was cut twice still shows its tail to the second cut. */
fat_status_t table_free_pending(struct fat_volume *v)
{
    fat_status_t st = FAT_OK;
    uint32_t done = 0;
    v->freeing = true;
    for (; done < v->n_pending && st == FAT_OK; done++) {
        struct pending_free p = v->pending[done];
        if (p.cut_at != 0)
            st = table_set(v, p.cut_at, chain_end);
        if (st == FAT_OK)
            st = free_chain(v, p.first);
    }
    v->n_pending -= done;
    memmove(v->pending, v->pending + done, v->n_pending * sizeof *v->pending);
    v->freeing = false;
    return st;
}

fat_status_t table_count(struct fat_volume *v)
{
    uint32_t n = 0;
    for (uint32_t c = FIRST_CLUSTER; c < v->clusters_end; c++) {
        uint32_t value;
        fat_status_t st = table_get_raw(v, c, &value);
        if (st != FAT_OK)
            return st;
        n += value == 0;
    }
    v->free_clusters = n;
    v->counted = true;
    return FAT_OK;
}
