/* SPDX-License-Identifier: MIT
 * The contents of files. Runs of clusters go between the disk and the caller's memory in one piece; what is short, or
 * not whole sectors, goes through the cache.
 *
 *  1. The order is: clusters are taken and chained, data is written, the entry says how long the file is.
 *  2. Bytes behind the end of a file are nobody's; they become zero before the end moves over them. */
#include <vectra/string.h>
#include "fat.h"

enum { DIRECT_MIN = 8192 }; /* shorter pieces go through the cache */

static uint32_t clusters_for(const struct fat_volume *v, uint64_t bytes)
{
    return (uint32_t)((bytes + cluster_bytes(v) - 1) >> v->cluster_shift);
}

/* Bytes of consecutive sectors: where they are, what is to happen. */
struct span {
    uint32_t sector; /* the first one */
    uint32_t offset; /* in it */
    uint64_t bytes;
};

/* --- reading --- */

static fat_status_t read_cached(struct fat_volume *v, struct span s, uint8_t *to)
{
    while (s.bytes != 0) {
        uint32_t in_line = line_sectors(v) - (s.sector & (line_sectors(v) - 1));
        uint32_t room = (in_line << v->sector_shift) - s.offset;
        uint32_t n = s.bytes < room ? (uint32_t)s.bytes : room;
        struct line *l;
        fat_status_t st = line_get(v, s.sector, (s.offset + n + v->sector_bytes - 1) >> v->sector_shift, false, &l);
        if (st != FAT_OK)
            return st;
        memcpy(to, line_at(v, l, s.sector) + s.offset, n);
        line_put(l);
        to += n;
        s.bytes -= n;
        s.sector += (s.offset + n) >> v->sector_shift;
        s.offset = (s.offset + n) & (v->sector_bytes - 1);
    }
    return FAT_OK;
}

static fat_status_t write_cached(struct fat_volume *v, struct span s, const uint8_t *from, bool is_new)
{
    while (s.bytes != 0) {
        uint32_t room = v->sector_bytes - s.offset, n = s.bytes < room ? (uint32_t)s.bytes : room;
        struct line *l;
        bool whole = n == v->sector_bytes, fresh = whole || (is_new && s.offset == 0);
        fat_status_t st = line_get(v, s.sector, 1, fresh, &l);
        if (st != FAT_OK)
            return st;
        uint8_t *at = line_at(v, l, s.sector);
        if (fresh && !whole)
            memset(at, 0, v->sector_bytes);
        memcpy(at + s.offset, from, n);
        line_dirty(v, l, s.sector, 1, PHASE_DATA);
        line_put(l);
        from += n;
        s.bytes -= n;
        s.sector++;
        s.offset = 0;
    }
    return FAT_OK;
}

/* One direction or the other; `is_new`: of a write, the sectors hold nothing yet. */
static fat_status_t move(struct fat_volume *v, struct span s, uint8_t *to, const uint8_t *from, bool is_new)
{
    uint32_t head = s.offset == 0 ? 0 : v->sector_bytes - s.offset;
    uint64_t whole = s.bytes > head ? (s.bytes - head) >> v->sector_shift : 0;
    uint64_t middle = whole << v->sector_shift;
    struct span first = s, last = s;
    if (middle < DIRECT_MIN)
        return to != nullptr ? read_cached(v, s, to) : write_cached(v, s, from, is_new);
    first.bytes = head;
    uint32_t sector = s.sector + (head != 0);
    last.sector = sector + (uint32_t)whole;
    last.offset = 0;
    last.bytes = s.bytes - head - middle;
    if (to != nullptr) {
        fat_status_t st = read_cached(v, first, to);
        if (st == FAT_OK)
            st = cache_read(v, sector, (uint32_t)whole, to + head);
        return st == FAT_OK ? read_cached(v, last, to + head + middle) : st;
    }
    fat_status_t st = write_cached(v, first, from, is_new);
    if (st == FAT_OK)
        st = cache_write(v, sector, (uint32_t)whole, from + head);
    return st == FAT_OK ? write_cached(v, last, from + head + middle, is_new) : st;
}

/* The span at `offset` of the file, as far as its clusters are consecutive. */
static fat_status_t span_at(struct fat_node *n, uint64_t offset, uint64_t bytes, struct span *out)
{
    struct fat_volume *v = n->volume;
    uint32_t in_cluster = (uint32_t)(offset & (cluster_bytes(v) - 1)), cluster, run;
    fat_status_t st =
        node_map(n, (uint32_t)(offset >> v->cluster_shift), clusters_for(v, in_cluster + bytes), &cluster, &run);
    if (st != FAT_OK)
        return st == FAT_NOT_FOUND ? FAT_CORRUPT : st;
    uint64_t room = ((uint64_t)run << v->cluster_shift) - in_cluster;
    out->sector = cluster_sector(v, cluster) + (in_cluster >> v->sector_shift);
    out->offset = in_cluster & (v->sector_bytes - 1);
    out->bytes = bytes < room ? bytes : room;
    return FAT_OK;
}

fat_status_t fat_read(struct fat_node *n, uint64_t offset, void *to, size_t bytes, size_t *done)
{
    size_t got = 0;
    fat_status_t st = FAT_OK;
    if ((n->attributes & FAT_ATTR_DIRECTORY) != 0)
        return FAT_IS_DIRECTORY;
    if (offset >= n->size)
        bytes = 0;
    else if (bytes > n->size - offset)
        bytes = (size_t)(n->size - offset);
    while (got < bytes && st == FAT_OK) {
        struct span s = {};
        st = span_at(n, offset + got, bytes - got, &s);
        if (st == FAT_OK)
            st = move(n->volume, s, (uint8_t *)to + got, nullptr, false);
        if (st == FAT_OK)
            got += s.bytes;
    }
    if (got == 0 && st != FAT_OK)
        return st;
    *done = got;
    return FAT_OK;
}

/* --- writing --- */

/* Zeroes in [from, to); the clusters are there. */
static fat_status_t fill_zero(struct fat_node *n, uint64_t from, uint64_t to)
{
    struct fat_volume *v = n->volume;
    fat_status_t st = FAT_OK;
    while (from < to && st == FAT_OK) {
        static const uint8_t zeroes[FAT_BLOCK_MAX];
        struct span s = {};
        st = span_at(n, from, to - from, &s);
        if (st != FAT_OK)
            break;
        if (s.offset == 0 && s.bytes >= v->sector_bytes) {
            s.bytes &= ~(uint64_t)(v->sector_bytes - 1);
            st = cache_zero(v, s.sector, (uint32_t)(s.bytes >> v->sector_shift));
        } else {
            uint32_t room = v->sector_bytes - s.offset;
            s.bytes = s.bytes < room ? s.bytes : room;
            st = write_cached(v, s, zeroes, s.offset == 0);
        }
        from += s.bytes;
    }
    return st;
}

fat_status_t file_trim(struct fat_node *n, uint32_t size)
{
    struct fat_volume *v = n->volume;
    uint32_t keep = clusters_for(v, size), last = 0, first = n->start, run = 0;
    fat_status_t st = table_reserve_free(v);
    if (st == FAT_OK && keep != 0) {
        st = node_map(n, keep - 1, 1, &last, &run);
        if (st == FAT_OK)
            st = table_get(v, last, &first);
        if (st == FAT_NOT_FOUND || st == FAT_CORRUPT) {
            first = chain_end; /* there is less of it than that: nothing to free */
            st = FAT_OK;
        }
    }
    if (st != FAT_OK)
        return st;
    if (keep == 0)
        n->start = 0;
    n->size = size;
    node_forget_chain(n);
    st = node_write_entry(n);
    if (st == FAT_OK && is_cluster(v, first))
        table_free_later(v, first, last);
    return st;
}

/* Clusters for a file of `end` bytes, and zeroes up to `zero_to`. *end: less, if there are fewer, but more than
 * zero_to; else NO_SPACE, and the chain is as it was. */
static fat_status_t lengthen(struct fat_node *n, uint64_t zero_to, uint64_t *end)
{
    struct fat_volume *v = n->volume;
    uint32_t have = 0;
    fat_status_t st = node_extend(n, clusters_for(v, *end), &have);
    uint64_t room = (uint64_t)have << v->cluster_shift;
    if (st == FAT_NO_SPACE && room > zero_to) {
        *end = room < *end ? room : *end;
        st = FAT_OK;
    }
    if (st == FAT_OK && zero_to > n->size)
        st = fill_zero(n, n->size, zero_to);
    if (st != FAT_OK)
        (void)file_trim(n, n->size); /* what it cannot give back now a fat_check will */
    return st;
}

static void touch(struct fat_node *n)
{
    uint8_t ten_ms;
    time_to_fat(volume_now(n->volume), &n->modified_date, &n->modified_time, &ten_ms);
    n->accessed_date = n->modified_date;
    n->attributes |= FAT_ATTR_ARCHIVE;
}

fat_status_t fat_write(struct fat_node *n, uint64_t offset, const void *from, size_t bytes, size_t *done)
{
    struct fat_volume *v = n->volume;
    size_t put = 0;
    if ((n->attributes & FAT_ATTR_DIRECTORY) != 0)
        return FAT_IS_DIRECTORY;
    if (bytes != 0 && offset >= fat_file_bytes_max)
        return FAT_TOO_BIG;
    fat_status_t st = bytes != 0 ? volume_change(v) : FAT_OK;
    uint64_t end = bytes < fat_file_bytes_max - offset ? offset + bytes : fat_file_bytes_max, old = n->size;
    if (st == FAT_OK && bytes != 0 && end > n->size)
        st = lengthen(n, offset > n->size ? offset : n->size, &end);
    while (st == FAT_OK && bytes != 0 && offset + put < end) {
        struct span s = {};
        uint64_t at = offset + put;
        st = span_at(n, at, end - at, &s);
        /* A sector that begins behind the old end holds nothing; if the first one does not, none of it is fresh. */
        if (st == FAT_OK)
            st = move(v, s, nullptr, (const uint8_t *)from + put, at >= old);
        if (st == FAT_OK)
            put += s.bytes;
    }
    if (put == 0 && st != FAT_OK) {
        if (n->size == old && end > old)
            (void)file_trim(n, n->size);
        return st;
    }
    *done = put;
    if (put == 0)
        return FAT_OK;
    if (offset + put > n->size)
        n->size = (uint32_t)(offset + put);
    touch(n);
    /* Where the disk failed on the way, clusters are left over. */
    return st == FAT_OK ? node_write_entry(n) : file_trim(n, n->size);
}

fat_status_t fat_truncate(struct fat_node *n, uint64_t size)
{
    if ((n->attributes & FAT_ATTR_DIRECTORY) != 0)
        return FAT_IS_DIRECTORY;
    if (size > fat_file_bytes_max)
        return FAT_TOO_BIG;
    if (size == n->size)
        return FAT_OK;
    fat_status_t st = volume_change(n->volume);
    uint64_t end = size;
    if (st != FAT_OK)
        return st;
    touch(n);
    if (size < n->size)
        return file_trim(n, (uint32_t)size);
    /* All of it or nothing: the last byte has to be there. */
    st = lengthen(n, size, &end);
    if (st != FAT_OK)
        return st;
    n->size = (uint32_t)size;
    return node_write_entry(n);
}
