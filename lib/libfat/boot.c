/* SPDX-License-Identifier: MIT
 * The volume as a whole: the boot sector, mounting and unmounting, the mark of a volume in use, the count of free
 * clusters.
 *
 *  1. The mark is on stable media before the first change is, and goes after the last one is.
 *  2. A volume that was found dirty is marked clean by nobody but fat_check. */
#include <vectra/string.h>
#include "fat.h"

static bool is_power(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static uint32_t log2_of(uint32_t power)
{
    uint32_t shift = 0;
    while (1u << shift < power)
        shift++;
    return shift;
}

/* --- the boot sector --- */

/* Everything that others rely on: sizes that fit into one another and into the disk. */
static fat_status_t parse_sizes(struct fat_volume *v, const uint8_t *b)
{
    uint32_t reserved = get16(b + BOOT_RESERVED), copies = b[BOOT_COPIES], root_entries = get16(b + BOOT_ROOT_ENTRIES);
    uint32_t small = get16(b + BOOT_FAT_SECTORS_16), table = small != 0 ? small : get32(b + BOOT_FAT_SECTORS_32);
    uint32_t total = get16(b + BOOT_SECTORS_16);
    v->sector_bytes = get16(b + BOOT_SECTOR_BYTES);
    v->cluster_sectors = b[BOOT_CLUSTER_SECTORS];
    if (!is_power(v->sector_bytes) || v->sector_bytes < FAT_BLOCK_MIN || v->sector_bytes > FAT_BLOCK_MAX ||
        !is_power(v->cluster_sectors) || reserved == 0 || copies == 0 || copies > 4 || table == 0)
        return FAT_NOT_FAT;
    if (v->sector_bytes < v->disk.block_bytes)
        return FAT_NOT_SUPPORTED;
    v->sector_shift = log2_of(v->sector_bytes);
    v->cluster_shift = v->sector_shift + log2_of(v->cluster_sectors);
    v->sectors = total != 0 ? total : get32(b + BOOT_SECTORS_32);
    v->root_sectors = (root_entries * SLOT_BYTES + v->sector_bytes - 1) >> v->sector_shift;
    uint64_t data = reserved + (uint64_t)copies * table + v->root_sectors;
    uint64_t on_disk = v->disk.blocks / (v->sector_bytes / v->disk.block_bytes);
    if (data >= v->sectors || v->sectors > on_disk)
        return FAT_CORRUPT;
    uint32_t clusters = (v->sectors - (uint32_t)data) / v->cluster_sectors;
    v->bits = small == 0 ? 32 : clusters < FAT12_CLUSTERS ? 12 : 16;
    if (clusters == 0 || clusters > (small == 0 ? FAT32_CLUSTERS : FAT16_CLUSTERS - 1) ||
        ((uint64_t)(clusters + FIRST_CLUSTER) * v->bits + 7) / 8 > (uint64_t)table << v->sector_shift ||
        (small != 0 && v->root_sectors == 0))
        return FAT_CORRUPT;
    v->table = reserved;
    v->table_sectors = table;
    v->copies = copies;
    v->data = (uint32_t)data;
    v->root = v->data - v->root_sectors;
    v->clusters_end = clusters + FIRST_CLUSTER;
    v->media = b[BOOT_MEDIA];
    return FAT_OK;
}

static fat_status_t parse_32(struct fat_volume *v, const uint8_t *b)
{
    uint32_t flags = get16(b + BOOT_FLAGS), info = get16(b + BOOT_INFO_SECTOR);
    v->root_cluster = get32(b + BOOT_ROOT_CLUSTER);
    if (get16(b + BOOT_VERSION) != 0)
        return FAT_NOT_SUPPORTED;
    if (!is_cluster(v, v->root_cluster) || v->root_sectors != 0)
        return FAT_CORRUPT;
    v->info = info < v->table ? info : 0;
    if ((flags & FLAGS_ONE_FAT) != 0) { /* no mirrors: one table counts, and is written alone */
        if ((flags & FLAGS_ACTIVE) >= v->copies)
            return FAT_CORRUPT;
        v->table += (flags & FLAGS_ACTIVE) * v->table_sectors;
        v->copies = 1;
    }
    return FAT_OK;
}

static fat_status_t parse(struct fat_volume *v, const uint8_t *b)
{
    if (b[BOOT_SIGNATURE] != 0x55 || b[BOOT_SIGNATURE + 1] != 0xaa || (b[0] != 0xeb && b[0] != 0xe9))
        return FAT_NOT_FAT;
    fat_status_t st = parse_sizes(v, b);
    if (st == FAT_OK && v->bits == 32)
        st = parse_32(v, b);
    if (st != FAT_OK)
        return st;
    const uint8_t *e = b + (v->bits == 32 ? BOOT_EXTENSION_32 : BOOT_EXTENSION_16);
    v->was_dirty = (e[EXTENSION_STATE] & STATE_DIRTY) != 0;
    if (e[EXTENSION_SIGNATURE] == EXTENSION_PRESENT) {
        v->serial = get32(e + EXTENSION_SERIAL);
        uint32_t len = FAT_LABEL_BYTES;
        while (len > 0 && e[EXTENSION_LABEL + len - 1] == ' ')
            len--;
        memcpy(v->label, e + EXTENSION_LABEL, len);
    }
    return FAT_OK;
}

/* --- the sector with the count --- */

static bool is_info(const uint8_t *b)
{
    return get32(b + INFO_LEAD) == info_lead && get32(b + INFO_STRUCT) == info_struct &&
           get32(b + INFO_TRAIL) == info_trail;
}

static fat_status_t read_info(struct fat_volume *v)
{
    struct line *l;
    v->free_clusters = info_unknown;
    v->next_free = FIRST_CLUSTER;
    if (v->info == 0)
        return FAT_OK;
    fat_status_t st = line_get(v, v->info, 1, false, &l);
    if (st != FAT_OK)
        return st;
    const uint8_t *b = line_at(v, l, v->info);
    if (is_info(b)) {
        if (get32(b + INFO_FREE) <= v->clusters_end - FIRST_CLUSTER && !v->was_dirty)
            v->free_clusters = get32(b + INFO_FREE);
        if (is_cluster(v, get32(b + INFO_NEXT)))
            v->next_free = get32(b + INFO_NEXT);
    } else {
        v->info = 0;
    }
    line_put(l);
    return FAT_OK;
}

static fat_status_t write_info(struct fat_volume *v)
{
    struct line *l;
    if (v->info == 0)
        return FAT_OK;
    fat_status_t st = line_get(v, v->info, 1, false, &l);
    if (st != FAT_OK)
        return st;
    uint8_t *b = line_at(v, l, v->info);
    if (get32(b + INFO_FREE) != v->free_clusters || get32(b + INFO_NEXT) != v->next_free) {
        put32(b + INFO_FREE, v->free_clusters);
        put32(b + INFO_NEXT, v->next_free);
        line_dirty(v, l, v->info, 1, PHASE_ENTRY);
    }
    line_put(l);
    return FAT_OK;
}

fat_status_t volume_read_count(struct fat_volume *v, uint32_t *out)
{
    struct line *l;
    *out = info_unknown;
    if (v->info == 0)
        return FAT_OK;
    fat_status_t st = line_get(v, v->info, 1, false, &l);
    if (st != FAT_OK)
        return st;
    *out = get32(line_at(v, l, v->info) + INFO_FREE);
    line_put(l);
    return FAT_OK;
}

/* --- the mark --- */

static uint32_t clean_bit(const struct fat_volume *v)
{
    return v->bits == 32 ? 0x08000000 : 0x8000;
}

static fat_status_t set_mark(struct fat_volume *v, bool in_use)
{
    uint32_t state;
    if (v->bits == 12 || v->marked == in_use) { /* a FAT12 has no room for it */
        v->marked = in_use;
        return FAT_OK;
    }
    fat_status_t st = table_get_raw(v, 1, &state);
    if (st == FAT_OK)
        st = table_set_raw(v, 1, in_use ? state & ~clean_bit(v) : state | clean_bit(v));
    if (st == FAT_OK)
        st = cache_commit(v);
    if (st == FAT_OK)
        v->marked = in_use;
    return st;
}

fat_status_t volume_change(struct fat_volume *v)
{
    if (v->read_only)
        return FAT_READ_ONLY;
    return v->marked ? FAT_OK : set_mark(v, true);
}

fat_status_t volume_mark_clean(struct fat_volume *v)
{
    fat_status_t st = cache_commit(v);
    if (st == FAT_OK)
        st = write_info(v);
    if (st == FAT_OK)
        st = cache_commit(v); /* what the first one let free, too */
    return st == FAT_OK && !v->was_dirty ? set_mark(v, false) : st;
}

fat_status_t volume_clear_state(struct fat_volume *v)
{
    uint32_t at = (v->bits == 32 ? BOOT_EXTENSION_32 : BOOT_EXTENSION_16) + EXTENSION_STATE;
    struct line *l;
    fat_status_t st = line_get(v, 0, 1, false, &l);
    if (st != FAT_OK)
        return st;
    uint8_t *b = line_at(v, l, 0);
    if ((b[at] & STATE_DIRTY) != 0) {
        b[at] &= (uint8_t)~STATE_DIRTY;
        line_dirty(v, l, 0, 1, PHASE_ENTRY);
    }
    line_put(l);
    return FAT_OK;
}

/* --- mounting --- */

static uint32_t power_from(uint32_t value)
{
    uint32_t power = 16;
    while (power < value)
        power *= 2;
    return power;
}

struct layout {
    uint32_t lines, buckets, nodes, node_buckets;
    size_t bytes;
};

static struct layout layout_for(size_t cache_bytes, uint32_t nodes)
{
    struct layout l = { .lines = (uint32_t)(cache_bytes / LINE_BYTES), .nodes = nodes };
    l.buckets = power_from(l.lines);
    l.node_buckets = power_from(nodes);
    l.bytes = (size_t)l.lines * sizeof(struct line) + sizeof(struct fat_volume) +
              (size_t)nodes * sizeof(struct fat_node) + ((size_t)l.buckets + l.node_buckets) * sizeof(void *);
    return l;
}

size_t fat_state_bytes(size_t cache_bytes, uint32_t nodes)
{
    return layout_for(cache_bytes, nodes).bytes;
}

static struct fat_volume *lay_out(const struct fat_memory *memory, const struct layout *l)
{
    uint8_t *at = memory->state;
    memset(at, 0, l->bytes);
    struct fat_volume *v = (struct fat_volume *)(void *)at;
    at += sizeof *v;
    v->lines = (struct line *)(void *)at;
    at += l->lines * sizeof(struct line);
    v->nodes = (struct fat_node *)(void *)at;
    at += l->nodes * sizeof(struct fat_node);
    v->buckets = (struct line **)(void *)at;
    at += l->buckets * sizeof(void *);
    v->node_buckets = (struct fat_node **)(void *)at;
    v->n_lines = l->lines;
    v->n_buckets = l->buckets;
    v->n_nodes = l->nodes;
    v->n_node_buckets = l->node_buckets;
    cache_init(v, memory->cache);
    for (uint32_t i = l->nodes; i-- > 0;) {
        v->nodes[i].hash_next = v->free_nodes;
        v->free_nodes = &v->nodes[i];
    }
    return v;
}

static fat_status_t read_boot(struct fat_volume *v, uint8_t *scratch)
{
    fat_status_t st = v->disk.blocks == 0 ? FAT_NOT_FAT : v->disk.read(v->disk.ctx, 0, 1, scratch);
    if (st == FAT_OK)
        st = parse(v, scratch);
    uint32_t state = 0;
    if (st == FAT_OK && v->bits != 12) {
        st = table_get_raw(v, 1, &state);
        v->marked = (state & clean_bit(v)) == 0;
        v->was_dirty = v->was_dirty || v->marked;
    }
    return st == FAT_OK ? read_info(v) : st;
}

fat_status_t fat_mount(const struct fat_memory *memory, const struct fat_disk *disk, uint32_t flags,
                       struct fat_volume **out)
{
    struct layout l = layout_for(memory->cache_bytes, memory->nodes);
    if (memory->cache_bytes < FAT_CACHE_MIN || memory->nodes == 0)
        return FAT_NO_MEMORY;
    if (!is_power(disk->block_bytes) || disk->block_bytes < FAT_BLOCK_MIN || disk->block_bytes > FAT_BLOCK_MAX)
        return FAT_NOT_SUPPORTED;
    struct fat_volume *v = lay_out(memory, &l);
    v->disk = *disk;
    v->read_only = disk->read_only || (flags & FAT_MOUNT_READ_ONLY) != 0;
    v->epoch = 1;
    fat_status_t st = read_boot(v, v->lines[0].data);
    if (st == FAT_OK) {
        v->root_node = node_for_directory(v, 0);
        st = intent_replay(v);
    }
    if (st == FAT_OK)
        *out = v;
    return st;
}

bool fat_is_dirty(const struct fat_volume *v)
{
    return v->was_dirty;
}

fat_status_t fat_unmount(struct fat_volume *v)
{
    fat_status_t st = FAT_OK;
    if (v->read_only || !v->marked)
        return FAT_OK;
    for (uint32_t i = 0; i < v->n_nodes && st == FAT_OK; i++) {
        struct fat_node *n = &v->nodes[i];
        if (n->refs == 0 || !n->unlinked || n->start == 0)
            continue;
        st = table_reserve_free(v);
        if (st == FAT_OK)
            table_free_later(v, n->start, 0);
    }
    if (st == FAT_OK)
        st = volume_mark_clean(v);
    return st == FAT_OK && v->lost ? FAT_IO : st;
}

fat_status_t fat_sync(struct fat_volume *v)
{
    fat_status_t st = cache_commit(v);
    if (v->lost)
        st = FAT_IO;
    v->lost = false;
    return st;
}

fat_status_t fat_rest(struct fat_volume *v)
{
    fat_status_t st = fat_sync(v);
    return st == FAT_OK && v->marked && v->n_unlinked == 0 && !v->read_only ? volume_mark_clean(v) : st;
}

fat_status_t fat_statfs(struct fat_volume *v, struct fat_statfs *out)
{
    fat_status_t st = v->free_clusters == info_unknown ? table_count(v) : FAT_OK;
    if (st != FAT_OK)
        return st;
    *out = (struct fat_statfs){ .clusters = v->clusters_end - FIRST_CLUSTER,
                                .free_clusters = v->free_clusters,
                                .cluster_bytes = cluster_bytes(v),
                                .sector_bytes = v->sector_bytes,
                                .serial = v->serial,
                                .bits = v->bits,
                                .read_only = v->read_only };
    memcpy(out->label, v->label, sizeof out->label);
    return FAT_OK;
}

const char *fat_status_text(fat_status_t status)
{
    switch (status) {
#define X(name, text)                                                                                                  \
    case name:                                                                                                         \
        return text;
        FAT_STATUSES(X)
#undef X
    }
    return "unknown";
}
