/* SPDX-License-Identifier: MIT
 * Nodes: open objects, by the place of their entry, and the chain of clusters that each has.
 *
 *  1. At most one node has a place; one without a name has none that is looked for.
 *  2. The run and the skips of a node are what the table says now. */
#include <vectra/string.h>
#include "fat.h"

enum { STRIDE_FIRST = 64 };

static struct fat_node **node_bucket(struct fat_volume *v, uint64_t place)
{
    return &v->node_buckets[(place ^ place >> 9) & (v->n_node_buckets - 1)];
}

struct fat_node *node_find(struct fat_volume *v, uint64_t place)
{
    struct fat_node *n = *node_bucket(v, place);
    while (n != nullptr && (n->place != place || n->unlinked))
        n = n->hash_next;
    return n;
}

static void insert(struct fat_node *n)
{
    struct fat_node **at = node_bucket(n->volume, n->place);
    n->hash_next = *at;
    *at = n;
}

static void take_out(struct fat_node *n)
{
    struct fat_node **at = node_bucket(n->volume, n->place);
    while (*at != n)
        at = &(*at)->hash_next;
    *at = n->hash_next;
}

uint32_t slot_start(const struct fat_volume *v, const uint8_t *slot)
{
    return get16(slot + SLOT_START_LOW) | (v->bits == 32 ? (uint32_t)get16(slot + SLOT_START_HIGH) << 16 : 0);
}

void slot_set_start(const struct fat_volume *v, uint8_t *slot, uint32_t start)
{
    put16(slot + SLOT_START_LOW, start);
    if (v->bits == 32)
        put16(slot + SLOT_START_HIGH, start >> 16);
}

fat_status_t node_get(struct fat_volume *v, uint64_t place, const uint8_t *slot, struct fat_node **out)
{
    struct fat_node *n = node_find(v, place);
    if (n != nullptr) {
        n->refs++;
        *out = n;
        return FAT_OK;
    }
    uint32_t start = slot_start(v, slot);
    bool directory = (slot[SLOT_ATTRIBUTES] & FAT_ATTR_DIRECTORY) != 0;
    if ((start != 0 && !is_cluster(v, start)) || (directory && (start == 0 || start == v->root_cluster)))
        return FAT_CORRUPT;
    n = v->free_nodes;
    if (n == nullptr)
        return FAT_TOO_MANY;
    v->free_nodes = n->hash_next;
    *n = (struct fat_node){ .volume = v,
                            .place = place,
                            .refs = 1,
                            .start = start,
                            .size = directory ? 0 : get32(slot + SLOT_SIZE),
                            .created_time = get16(slot + SLOT_CREATED_TIME),
                            .created_date = get16(slot + SLOT_CREATED_DATE),
                            .created_10ms = slot[SLOT_CREATED_10MS],
                            .modified_time = get16(slot + SLOT_MODIFIED_TIME),
                            .modified_date = get16(slot + SLOT_MODIFIED_DATE),
                            .accessed_date = get16(slot + SLOT_ACCESSED_DATE),
                            .attributes = slot[SLOT_ATTRIBUTES],
                            .epoch = UINT64_MAX,
                            .stride = STRIDE_FIRST };
    insert(n);
    *out = n;
    return FAT_OK;
}

struct fat_node node_for_directory(struct fat_volume *v, uint32_t start)
{
    return (struct fat_node){ .volume = v,
                              .refs = 1,
                              .start = start == 0 ? v->root_cluster : start,
                              .attributes = FAT_ATTR_DIRECTORY,
                              .epoch = UINT64_MAX,
                              .stride = STRIDE_FIRST };
}

void node_move(struct fat_node *n, uint64_t place)
{
    take_out(n);
    n->place = place;
    insert(n);
}

struct fat_node *fat_root(struct fat_volume *v)
{
    return fat_get(&v->root_node);
}

struct fat_node *fat_get(struct fat_node *n)
{
    n->refs++;
    return n;
}

void fat_put(struct fat_node *n)
{
    struct fat_volume *v = n->volume;
    if (--n->refs != 0 || n == &v->root_node)
        return;
    if (n->unlinked) {
        v->n_unlinked--;
        /* If there is no room to remember it, its clusters are lost until the next fat_check. */
        if (n->start != 0 && table_reserve_free(v) == FAT_OK)
            table_free_later(v, n->start, 0);
    }
    take_out(n);
    n->hash_next = v->free_nodes;
    v->free_nodes = n;
}

void **fat_tag(struct fat_node *n)
{
    return &n->tag;
}

fat_status_t node_write_entry(struct fat_node *n)
{
    struct fat_volume *v = n->volume;
    uint32_t per = v->sector_bytes / SLOT_BYTES, sector = (uint32_t)(n->place / per);
    struct line *l;
    if (n->unlinked || n->place == 0)
        return FAT_OK;
    fat_status_t st = line_get(v, sector, 1, false, &l);
    if (st != FAT_OK)
        return st;
    uint8_t *slot = line_at(v, l, sector) + n->place % per * SLOT_BYTES;
    slot[SLOT_ATTRIBUTES] = n->attributes;
    slot[SLOT_CREATED_10MS] = n->created_10ms;
    put16(slot + SLOT_CREATED_TIME, n->created_time);
    put16(slot + SLOT_CREATED_DATE, n->created_date);
    put16(slot + SLOT_ACCESSED_DATE, n->accessed_date);
    put16(slot + SLOT_MODIFIED_TIME, n->modified_time);
    put16(slot + SLOT_MODIFIED_DATE, n->modified_date);
    slot_set_start(v, slot, n->start);
    put32(slot + SLOT_SIZE, n->size);
    line_dirty(v, l, sector, 1, PHASE_ENTRY);
    line_put(l);
    return FAT_OK;
}

/* --- the chain --- */

void node_forget_chain(struct fat_node *n)
{
    n->run_length = n->n_skips = 0;
    n->stride = STRIDE_FIRST;
}

/* Remembers every stride-th cluster; when there is no room for more, every second of them with twice the stride. */
static void note(struct fat_node *n, uint32_t index, uint32_t cluster)
{
    if (index != (n->n_skips + 1) * n->stride)
        return;
    if (n->n_skips == SKIPS) {
        for (uint32_t i = 0; i < SKIPS / 2; i++)
            n->skip[i] = n->skip[2 * i + 1];
        n->n_skips = SKIPS / 2;
        n->stride *= 2;
        if (index != (n->n_skips + 1) * n->stride)
            return;
    }
    n->skip[n->n_skips++] = cluster;
}

/* The same for `count` clusters that lie behind each other. */
static void note_run(struct fat_node *n, uint32_t index, uint32_t cluster, uint32_t count)
{
    for (uint32_t at; (at = (n->n_skips + 1) * n->stride) - index < count;)
        note(n, at, cluster + (at - index));
}

static fat_status_t next_of(struct fat_volume *v, uint32_t cluster, uint32_t *next)
{
    fat_status_t st = table_get(v, cluster, next);
    if (st == FAT_OK && *next == chain_end)
        return FAT_NOT_FOUND;
    return st == FAT_OK && !is_cluster(v, *next) ? FAT_CORRUPT : st;
}

/* Makes `index` the first of the node's run. */
static fat_status_t walk_to(struct fat_node *n, uint32_t index)
{
    uint32_t at = 0, cluster = n->start;
    if (!is_cluster(n->volume, cluster))
        return cluster == 0 ? FAT_NOT_FOUND : FAT_CORRUPT;
    uint32_t skips = index / n->stride < n->n_skips ? index / n->stride : n->n_skips;
    if (skips != 0) {
        at = skips * n->stride;
        cluster = n->skip[skips - 1];
    }
    uint32_t run_last = n->run_index + n->run_length - 1;
    if (n->run_length != 0 && run_last <= index && run_last >= at) {
        at = run_last;
        cluster = n->run_cluster + n->run_length - 1;
    }
    while (at < index) {
        fat_status_t st = next_of(n->volume, cluster, &cluster);
        if (st != FAT_OK)
            return st;
        note(n, ++at, cluster);
    }
    n->run_index = index;
    n->run_cluster = cluster;
    n->run_length = 1;
    return FAT_OK;
}

fat_status_t node_map(struct fat_node *n, uint32_t index, uint32_t want, uint32_t *cluster, uint32_t *run)
{
    fat_status_t st = FAT_OK;
    if (n->run_length == 0 || index < n->run_index || index - n->run_index >= n->run_length)
        st = walk_to(n, index);
    if (st != FAT_OK)
        return st;
    uint32_t skipped = index - n->run_index, more = 0, last = n->run_cluster + n->run_length - 1;
    if (n->run_length - skipped < want)
        st = table_follow(n->volume, last, want - (n->run_length - skipped), &more);
    note_run(n, n->run_index + n->run_length, last + 1, more);
    n->run_length += more;
    if (st == FAT_IO)
        return st;
    *cluster = n->run_cluster + skipped;
    *run = n->run_length - skipped < want ? n->run_length - skipped : want;
    return FAT_OK;
}

/* Where the chain ends, looking no further than `clusters`: their number, and the last one. */
static fat_status_t find_end(struct fat_node *n, uint32_t clusters, uint32_t *have, uint32_t *last)
{
    uint32_t index = n->size != 0 ? (n->size - 1) >> n->volume->cluster_shift : 0, run;
    *have = *last = 0;
    if (n->start == 0)
        return FAT_OK;
    if (n->run_length != 0 && n->run_index + n->run_length - 1 > index)
        index = n->run_index + n->run_length - 1;
    fat_status_t st = node_map(n, index, 1, last, &run);
    if (st != FAT_OK)
        return st == FAT_NOT_FOUND ? FAT_CORRUPT : st;
    /* There may be more than the size says, and that goes before taking others. */
    for (*have = index + 1; *have < clusters; (*have)++) {
        uint32_t next;
        st = node_map(n, *have, 1, &next, &run);
        if (st != FAT_OK)
            break;
        *last = next;
    }
    return st == FAT_NOT_FOUND ? FAT_OK : st;
}

fat_status_t node_extend(struct fat_node *n, uint32_t clusters, uint32_t *have)
{
    struct fat_volume *v = n->volume;
    uint32_t last = 0;
    fat_status_t st = FAT_OK;
    for (uint32_t i = 0; i < v->n_pending && st == FAT_OK; i++)
        if (v->pending[i].cut_at != 0) {
            st = cache_commit(v); /* a chain may still show the part that it lost */
            break;
        }
    *have = 0;
    if (st == FAT_OK)
        st = find_end(n, clusters, have, &last);
    while (st == FAT_OK && *have < clusters) {
        uint32_t first, count;
        st = table_take(v, last + 1, clusters - *have, &first, &count);
        if (st != FAT_OK)
            break;
        if (last == 0) {
            n->start = first;
            n->epoch = v->epoch;
            node_forget_chain(n);
        } else {
            st = table_link(v, n, last, first);
        }
        if (st == FAT_OK) {
            *have += count;
            last = first + count - 1;
        }
    }
    return st;
}

/* --- what an object says of itself --- */

void fat_stat(struct fat_node *n, struct fat_stat *out)
{
    struct fat_volume *v = n->volume;
    uint64_t bytes = cluster_bytes(v);
    *out = (struct fat_stat){ .id = n->place != 0 ? n->place : 1,
                              .size = n->size,
                              .allocated = ((uint64_t)n->size + bytes - 1) & ~(bytes - 1),
                              .created_ns = time_from_fat(n->created_date, n->created_time, n->created_10ms),
                              .modified_ns = time_from_fat(n->modified_date, n->modified_time, 0),
                              .accessed_ns = time_from_fat(n->accessed_date, 0, 0),
                              .attributes = n->attributes,
                              .unlinked = n->unlinked };
}

fat_status_t fat_set_stat(struct fat_node *n, uint32_t mask, const struct fat_stat *s)
{
    enum { MAY_CHANGE = FAT_ATTR_READ_ONLY | FAT_ATTR_HIDDEN | FAT_ATTR_SYSTEM | FAT_ATTR_ARCHIVE };
    uint16_t time;
    uint8_t ten_ms;
    if ((mask & ~(uint32_t)(FAT_SET_MODIFIED | FAT_SET_ACCESSED | FAT_SET_CREATED | FAT_SET_ATTRIBUTES)) != 0)
        return FAT_NOT_SUPPORTED;
    if (n->place == 0 && !n->unlinked)
        return FAT_NOT_SUPPORTED; /* the root has no entry that could say it */
    fat_status_t st = volume_change(n->volume);
    if (st != FAT_OK)
        return st;
    if ((mask & FAT_SET_MODIFIED) != 0)
        time_to_fat(s->modified_ns, &n->modified_date, &n->modified_time, &ten_ms);
    if ((mask & FAT_SET_ACCESSED) != 0)
        time_to_fat(s->accessed_ns, &n->accessed_date, &time, &ten_ms);
    if ((mask & FAT_SET_CREATED) != 0)
        time_to_fat(s->created_ns, &n->created_date, &n->created_time, &n->created_10ms);
    if ((mask & FAT_SET_ATTRIBUTES) != 0)
        n->attributes = (uint8_t)((n->attributes & ~MAY_CHANGE) | (s->attributes & MAY_CHANGE));
    return node_write_entry(n);
}
