/* SPDX-License-Identifier: MIT
 * The cache, and what the promise about cuts of power rests on: cache_commit.
 *
 *  1. A sector stays dirty until a flush after its write has succeeded: a failed flush loses nothing of the cache.
 *  2. Only lines that are neither dirty nor pinned are used for something else.
 *  3. What goes past the cache leaves no sector in it that differs. */
#include <vectra/string.h>
#include "fat.h"

static struct line **bucket(struct fat_volume *v, uint64_t key)
{
    return &v->buckets[(key ^ key >> 11) & (v->n_buckets - 1)];
}

static struct line *find(struct fat_volume *v, uint64_t key)
{
    struct line *l = *bucket(v, key);
    while (l != nullptr && l->key != key)
        l = l->hash_next;
    return l;
}

/* --- which line was used last --- */

static void use_now(struct fat_volume *v, struct line *l)
{
    if (v->newest == l)
        return;
    l->newer->older = l->older;
    if (l->older != nullptr)
        l->older->newer = l->newer;
    else
        v->oldest = l->newer;
    l->older = v->newest;
    l->newer = nullptr;
    v->newest->newer = l;
    v->newest = l;
}

void cache_init(struct fat_volume *v, uint8_t *data)
{
    for (uint32_t i = 0; i < v->n_lines; i++) {
        struct line *l = &v->lines[i];
        *l = (struct line){ .key = no_line, .data = data + (size_t)i * LINE_BYTES };
        l->older = i > 0 ? l - 1 : nullptr;
        l->newer = i + 1 < v->n_lines ? l + 1 : nullptr;
    }
    v->oldest = v->lines;
    v->newest = &v->lines[v->n_lines - 1];
    v->table_line = v->lines;
}

static void rename_line(struct fat_volume *v, struct line *l, uint64_t key)
{
    if (l->key != no_line) {
        struct line **at = bucket(v, l->key);
        while (*at != l)
            at = &(*at)->hash_next;
        *at = l->hash_next;
    }
    l->key = key;
    l->valid = l->entry = 0;
    if (key != no_line) {
        l->hash_next = *bucket(v, key);
        *bucket(v, key) = l;
    }
}

/* --- the disk --- */

static uint64_t block_of(const struct fat_volume *v, uint32_t sector)
{
    return (uint64_t)sector * (v->sector_bytes / v->disk.block_bytes);
}

static fat_status_t disk_read(struct fat_volume *v, uint32_t sector, uint32_t sectors, void *to)
{
    return v->disk.read(v->disk.ctx, block_of(v, sector), (uint32_t)block_of(v, sectors), to);
}

static fat_status_t disk_write(struct fat_volume *v, uint32_t sector, uint32_t sectors, const void *from)
{
    v->unflushed = true;
    return v->disk.write(v->disk.ctx, block_of(v, sector), (uint32_t)block_of(v, sectors), from);
}

/* What was written becomes clean, or stays dirty. */
static void settle(struct fat_volume *v, bool flushed)
{
    struct line **at = &v->dirty;
    while (*at != nullptr) {
        struct line *l = *at;
        if (flushed) {
            l->dirty &= (uint8_t)~l->written;
            l->entry &= l->dirty;
        }
        l->written = 0;
        if (l->dirty != 0 || l->copy != 0) {
            at = &l->next_dirty;
            continue;
        }
        *at = l->next_dirty;
        l->in_dirty = false;
    }
}

fat_status_t disk_flush(struct fat_volume *v)
{
    if (!v->unflushed)
        return FAT_OK;
    fat_status_t st = v->disk.flush(v->disk.ctx);
    settle(v, st == FAT_OK);
    if (st != FAT_OK)
        v->lost = true; /* with the cache's own the data that went past it: that cannot be written again from here */
    else
        v->unflushed = false;
    return st;
}

/* --- lines --- */

static uint8_t bits(uint32_t first, uint32_t count)
{
    return (uint8_t)(((1u << count) - 1) << first);
}

/* Reads the sectors of a line that are not in it. */
static fat_status_t fill(struct fat_volume *v, struct line *l)
{
    uint32_t per = line_sectors(v), base = (uint32_t)(l->key * per);
    for (uint32_t i = 0; i < per;) {
        uint32_t n = 0;
        while (i + n < per && base + i + n < v->sectors && (l->valid >> (i + n) & 1) == 0)
            n++;
        if (n == 0) {
            i++;
            continue;
        }
        fat_status_t st = disk_read(v, base + i, n, l->data + (i << v->sector_shift));
        if (st != FAT_OK)
            return st;
        l->valid |= bits(i, n);
        i += n;
    }
    return FAT_OK;
}

static struct line *victim(struct fat_volume *v)
{
    struct line *l = v->oldest;
    while (l != nullptr && (l->pins != 0 || l->dirty != 0 || l->copy != 0))
        l = l->newer;
    return l;
}

fat_status_t line_get(struct fat_volume *v, uint32_t sector, uint32_t sectors, bool fresh, struct line **out)
{
    uint64_t key = sector / line_sectors(v);
    fat_status_t st = FAT_OK;
    if (sector >= v->sectors || sectors > v->sectors - sector)
        return FAT_CORRUPT;
    struct line *l = find(v, key);
    if (l == nullptr && (l = victim(v)) == nullptr) {
        st = cache_commit(v);
        l = find(v, key); /* the commit may have looked at it */
        if (l == nullptr && (l = victim(v)) == nullptr)
            return st != FAT_OK ? st : FAT_NO_MEMORY;
        st = FAT_OK; /* there is a line: a commit that went wrong is reported by the next one */
    }
    if (l->key != key)
        rename_line(v, l, key);
    use_now(v, l);
    uint8_t wanted = bits(sector & (line_sectors(v) - 1), sectors);
    l->pins++;
    if (!fresh && (l->valid & wanted) != wanted)
        st = fill(v, l);
    if (st != FAT_OK) {
        l->pins--;
        return st;
    }
    *out = l;
    return FAT_OK;
}

void line_dirty(struct fat_volume *v, struct line *l, uint32_t sector, uint32_t sectors, enum phase phase)
{
    uint8_t mask = bits(sector & (line_sectors(v) - 1), sectors);
    if (phase == PHASE_ENTRY)
        l->entry |= (uint8_t)(mask & ~l->dirty); /* what is dirty already stays in its phase */
    l->valid |= mask;
    l->dirty |= mask;
    if (!l->in_dirty) {
        l->in_dirty = true;
        l->next_dirty = v->dirty;
        v->dirty = l;
    }
}

/* Calls one(line, mask of sectors in the range) for each line that the range touches. */
static void each_line(struct fat_volume *v, uint32_t sector, uint32_t sectors, void *ctx,
                      void (*one)(struct fat_volume *v, struct line *l, uint8_t mask, void *ctx))
{
    uint32_t per = line_sectors(v), end = sector + sectors;
    for (uint32_t at = sector; at < end;) {
        uint32_t next = (at / per + 1) * per;
        uint32_t n = (next < end ? next : end) - at;
        struct line *l = find(v, at / per);
        if (l != nullptr)
            one(v, l, bits(at & (per - 1), n), ctx);
        at += n;
    }
}

struct overlay {
    uint8_t *to;
    uint32_t sector;
};

static void lay_over(struct fat_volume *v, struct line *l, uint8_t mask, void *ctx)
{
    const struct overlay *o = ctx;
    uint32_t per = line_sectors(v), base = (uint32_t)(l->key * per);
    for (uint32_t i = 0; i < per; i++)
        if ((l->dirty & mask) >> i & 1)
            memcpy(o->to + ((size_t)(base + i - o->sector) << v->sector_shift), l->data + (i << v->sector_shift),
                   v->sector_bytes);
}

fat_status_t cache_read(struct fat_volume *v, uint32_t sector, uint32_t sectors, void *to)
{
    if (sector >= v->sectors || sectors > v->sectors - sector)
        return FAT_CORRUPT;
    fat_status_t st = disk_read(v, sector, sectors, to);
    struct overlay o = { .to = to, .sector = sector };
    if (st == FAT_OK && v->dirty != nullptr)
        each_line(v, sector, sectors, &o, lay_over);
    return st;
}

static void forget(struct fat_volume *, struct line *l, uint8_t mask, void *)
{
    l->valid &= (uint8_t)~mask;
    l->dirty &= (uint8_t)~mask;
    l->entry &= (uint8_t)~mask;
}

void cache_forget(struct fat_volume *v, uint32_t sector, uint32_t sectors)
{
    each_line(v, sector, sectors, nullptr, forget);
}

fat_status_t cache_write(struct fat_volume *v, uint32_t sector, uint32_t sectors, const void *from)
{
    if (sector >= v->sectors || sectors > v->sectors - sector)
        return FAT_CORRUPT;
    fat_status_t st = disk_write(v, sector, sectors, from);
    cache_forget(v, sector, sectors);
    return st;
}

fat_status_t cache_zero(struct fat_volume *v, uint32_t sector, uint32_t sectors)
{
    static const uint8_t zeroes[LINE_BYTES];
    uint32_t per = line_sectors(v);
    if (v->disk.zero != nullptr) {
        v->unflushed = true;
        cache_forget(v, sector, sectors);
        return v->disk.zero(v->disk.ctx, block_of(v, sector), (uint32_t)block_of(v, sectors));
    }
    fat_status_t st = FAT_OK;
    for (uint32_t n; sectors != 0 && st == FAT_OK; sector += n, sectors -= n) {
        n = sectors < per ? sectors : per;
        st = cache_write(v, sector, n, zeroes);
    }
    return st;
}

/* --- the commit --- */

/* The sectors of a line that lie in the table. */
static uint8_t table_mask(const struct fat_volume *v, const struct line *l)
{
    uint32_t per = line_sectors(v), base = (uint32_t)(l->key * per);
    uint8_t mask = 0;
    if (base >= v->table + v->table_sectors || base + per <= v->table)
        return 0;
    for (uint32_t i = 0; i < per; i++)
        if (base + i >= v->table && base + i < v->table + v->table_sectors)
            mask |= (uint8_t)(1u << i);
    return mask;
}

/* Writes the sectors of `mask`, in as few pieces as it has; `shift` sectors further on. */
static fat_status_t write_sectors(struct fat_volume *v, struct line *l, uint8_t mask, uint32_t shift)
{
    uint32_t per = line_sectors(v), base = (uint32_t)(l->key * per);
    for (uint32_t i = 0; i < per;) {
        uint32_t n = 0;
        while (i + n < per && (mask >> (i + n) & 1) != 0)
            n++;
        if (n == 0) {
            i++;
            continue;
        }
        fat_status_t st = disk_write(v, base + i + shift, n, l->data + (i << v->sector_shift));
        if (st != FAT_OK)
            return st;
        i += n;
    }
    return FAT_OK;
}

/* The table's sectors, with the held links put back; those that have some stay dirty. */
static fat_status_t write_table(struct fat_volume *v, struct line *l, uint8_t mask)
{
    uint8_t copy[FAT_BLOCK_MAX];
    uint32_t per = line_sectors(v), base = (uint32_t)(l->key * per);
    fat_status_t st = FAT_OK;
    for (uint32_t i = 0; i < per && v->n_held != 0 && st == FAT_OK; i++) {
        if ((mask >> i & 1) == 0 || !table_holds(v, base + i))
            continue;
        memcpy(copy, l->data + (i << v->sector_shift), v->sector_bytes);
        table_hold_back(v, base + i, copy);
        st = disk_write(v, base + i, 1, copy);
        mask &= (uint8_t)~(1u << i);
    }
    if (st == FAT_OK)
        st = write_sectors(v, l, mask, 0);
    if (st == FAT_OK) {
        l->written |= mask;
        l->copy |= v->copies > 1 ? mask : 0;
    }
    return st;
}

/* First what nothing on the disk points to yet: data, and new chains. */
static fat_status_t write_first(struct fat_volume *v)
{
    fat_status_t st = FAT_OK;
    for (struct line *l = v->dirty; l != nullptr && st == FAT_OK; l = l->next_dirty) {
        uint8_t table = table_mask(v, l) & l->dirty, data = l->dirty & (uint8_t)~(l->entry | table);
        st = write_sectors(v, l, data, 0);
        if (st == FAT_OK)
            l->written |= data;
#ifdef MUTATE_FAT_ENTRIES_FIRST
        if (st == FAT_OK)
            st = write_sectors(v, l, l->entry, 0);
#endif
        if (st == FAT_OK && table != 0)
            st = write_table(v, l, table);
    }
    return st;
}

/* Then the links from old chains into new ones: all that is still dirty of the table. */
static fat_status_t write_links(struct fat_volume *v)
{
    v->n_held = 0;
    fat_status_t st = FAT_OK;
    for (struct line *l = v->dirty; l != nullptr && st == FAT_OK; l = l->next_dirty) {
        uint8_t table = table_mask(v, l) & l->dirty & (uint8_t)~l->written;
        if (table != 0)
            st = write_table(v, l, table);
    }
    return st == FAT_OK ? disk_flush(v) : st;
}

/* Last the entries, which make all of it visible, and the copies of the table, which nobody looks at. */
static fat_status_t write_last(struct fat_volume *v)
{
    fat_status_t st = FAT_OK;
    for (struct line *l = v->dirty; l != nullptr && st == FAT_OK; l = l->next_dirty) {
        st = write_sectors(v, l, l->entry, 0);
        if (st != FAT_OK)
            break;
        l->written |= l->entry;
        uint8_t copy = l->copy;
        for (uint32_t i = 1; i < v->copies && copy != 0 && st == FAT_OK; i++)
            st = write_sectors(v, l, copy, i * v->table_sectors);
        if (st == FAT_OK)
            l->copy = 0; /* if the flush fails they are old: fat_check finds that */
    }
    return st;
}

fat_status_t cache_commit(struct fat_volume *v)
{
    bool held = v->n_held != 0;
    fat_status_t st = write_first(v);
    if (st == FAT_OK)
        st = disk_flush(v);
    if (st == FAT_OK && held)
        st = write_links(v);
    if (st != FAT_OK) {
        if (held && v->n_held == 0)
            v->epoch++; /* the links may be there: later ones are held anew */
        return st;
    }
    v->epoch++;
    st = write_last(v);
    if (st == FAT_OK)
        st = disk_flush(v);
    if (st == FAT_OK)
        v->n_gone = 0;
    if (st == FAT_OK && !v->freeing && v->n_pending != 0)
        st = table_free_pending(v);
    return st;
}
