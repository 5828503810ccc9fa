/* SPDX-License-Identifier: MIT
 * The inside of libfat: the volume, its cache, its table of clusters, its nodes.
 *
 *  1. A line of the cache is 4096 bytes of the volume, by their place on it. For each sector of a line: valid (it holds
 *     what later reads must see), dirty (the disk does not yet).
 *  2. A dirty sector is in one phase of a commit: DATA before the table, the table, ENTRY after it. A sector in DATA
 *     stays there until it is written, whatever is put into it.
 *  3. Every operation changes the cache in the order of the phases, so that a commit may happen in the middle of it.
 *  4. Clusters that became free stay taken in the table until the commit after the change that let them go.
 *  5. A line that somebody has a pointer into is pinned: it is not used for something else. */
#pragma once
#include <fat/volume.h>
#include "disk.h"

enum { LINE_BYTES = 4096, PENDING_MAX = 64, HELD_MAX = 64, GONE_MAX = 64, SKIPS = 16 };

/* What a change of a sector counts as. */
enum phase : uint8_t { PHASE_DATA, PHASE_TABLE, PHASE_ENTRY };

struct line {
    uint64_t key; /* place on the volume / LINE_BYTES; no_line: unused */
    struct line *hash_next, *newer, *older, *next_dirty;
    uint8_t *data;
    uint8_t valid, dirty, copy; /* a bit a sector; copy: the other tables lack what the first one has */
    uint8_t entry;              /* of the dirty ones: in PHASE_ENTRY */
    uint8_t written;            /* of the dirty ones: with the disk, not flushed yet */
    uint8_t pins;
    bool in_dirty;
};
static constexpr uint64_t no_line = UINT64_MAX;

/* A chain that is no file's any more, to be freed after the next commit. */
struct pending_free {
    uint32_t first;
    uint32_t cut_at; /* the cluster before it, which then ends its chain; 0: none */
};

/* A link into new clusters, from one that the disk knows already: written after them. */
struct held_link {
    uint32_t cluster;
};

/* A name that went and may still be on the disk: whoever makes it anew in another sector commits first, or a cut of
 * power could leave both. */
struct gone_name {
    uint32_t directory, sector, hash;
    uint8_t short_name[SHORT_BYTES];
};

struct fat_node {
    struct fat_volume *volume;
    struct fat_node *hash_next; /* or of the free ones */
    uint64_t place;             /* of its entry on the volume, in slots; 0: the root */
    uint32_t refs;
    void *tag;
    uint32_t start; /* its own first cluster; 0: none, and the root directory of FAT12 and FAT16 */
    uint32_t size;
    uint16_t created_time, created_date, modified_time, modified_date, accessed_date;
    uint8_t created_10ms, attributes;
    bool unlinked;
    uint64_t epoch; /* its chain was last made longer in this batch of changes */
    /* The run of consecutive clusters that was used last, and every stride-th cluster of the chain. */
    uint32_t run_index, run_cluster, run_length;
    uint32_t stride, n_skips;
    uint32_t skip[SKIPS]; /* cluster number (i + 1) * stride of the chain */
};

struct fat_volume {
    struct fat_disk disk;
    /* the layout, in sectors from the start of the volume */
    uint32_t sector_bytes, sector_shift, cluster_sectors, cluster_shift; /* cluster_shift: of bytes */
    uint32_t table, table_sectors, copies;                               /* table: the first, or the only active one */
    uint32_t root, root_sectors, root_cluster, data, sectors, clusters_end; /* clusters_end: one beyond the last */
    uint32_t info;                                                          /* 0: none */
    uint32_t intent; /* where a rename in two places notes what it is about; 0: no room for it */
    uint32_t serial;
    uint8_t bits, media;
    char label[FAT_LABEL_BYTES + 1];
    bool read_only, was_dirty, marked; /* marked: the disk says that the volume is in use */
    bool lost;                         /* a flush failed: data may be gone, to be said once */
    /* free clusters */
    uint32_t free_clusters, next_free; /* free_clusters: info_unknown */
    bool counted;                      /* it was counted, and is not what the disk says */
    /* changes under way */
    struct pending_free pending[PENDING_MAX];
    struct held_link held[HELD_MAX];
    struct gone_name gone[GONE_MAX];
    uint32_t n_pending, n_held, n_gone;
    uint64_t epoch;
    bool freeing, unflushed; /* unflushed: something was written since the last flush */
    uint32_t n_unlinked;     /* open nodes without a name */
    /* the cache */
    struct line *lines, **buckets, *newest, *oldest, *dirty;
    uint32_t n_lines, n_buckets;
    struct line *table_line; /* looked at last; its key says whether it still is */
    struct fat_node *nodes, *free_nodes, **node_buckets, root_node;
    uint32_t n_nodes, n_node_buckets;
};

static inline uint32_t cluster_bytes(const struct fat_volume *v)
{
    return 1u << v->cluster_shift;
}
static inline uint32_t line_sectors(const struct fat_volume *v)
{
    return LINE_BYTES >> v->sector_shift;
}
static inline bool is_cluster(const struct fat_volume *v, uint32_t c)
{
    return c >= FIRST_CLUSTER && c < v->clusters_end;
}
/* The first sector of a cluster. */
static inline uint32_t cluster_sector(const struct fat_volume *v, uint32_t c)
{
    return v->data + (c - FIRST_CLUSTER) * v->cluster_sectors;
}

/* --- cache.c --- */

/* A line with these sectors in it, pinned; they do not cross a line. fresh: the caller writes all of them. */
fat_status_t line_get(struct fat_volume *v, uint32_t sector, uint32_t sectors, bool fresh, struct line **out);
static inline void line_put(struct line *l)
{
    l->pins--;
}
/* Where a sector is in its line. */
static inline uint8_t *line_at(const struct fat_volume *v, const struct line *l, uint32_t sector)
{
    return l->data + ((sector & (line_sectors(v) - 1)) << v->sector_shift);
}
void line_dirty(struct fat_volume *v, struct line *l, uint32_t sector, uint32_t sectors, enum phase phase);
/* Straight between the disk and the caller. */
fat_status_t cache_read(struct fat_volume *v, uint32_t sector, uint32_t sectors, void *to);
fat_status_t cache_write(struct fat_volume *v, uint32_t sector, uint32_t sectors, const void *from);
fat_status_t cache_zero(struct fat_volume *v, uint32_t sector, uint32_t sectors);
/* These sectors mean nothing any more. */
void cache_forget(struct fat_volume *v, uint32_t sector, uint32_t sectors);
/* Everything so far onto stable media, in the order of the phases. */
fat_status_t cache_commit(struct fat_volume *v);
fat_status_t disk_flush(struct fat_volume *v);
void cache_init(struct fat_volume *v, uint8_t *data);

/* --- table.c --- */

/* What the table says of a cluster: 0 free, chain_bad, chain_end, or the next one, which lies in the volume; CORRUPT if
 * it does not. */
static constexpr uint32_t chain_end = UINT32_MAX, chain_bad = UINT32_MAX - 1;
fat_status_t table_get(struct fat_volume *v, uint32_t cluster, uint32_t *out);
fat_status_t table_set(struct fat_volume *v, uint32_t cluster, uint32_t next);
/* How many times in a row, at most `want`, the next cluster is the one behind: 0 if the chain ends or goes elsewhere.
 */
fat_status_t table_follow(struct fat_volume *v, uint32_t cluster, uint32_t want, uint32_t *count);
/* The raw first two entries: media and state. */
fat_status_t table_get_raw(struct fat_volume *v, uint32_t cluster, uint32_t *out);
fat_status_t table_set_raw(struct fat_volume *v, uint32_t cluster, uint32_t value);
/* A run of at most `want` free clusters, chained and ended; at `goal` if that is free. NO_SPACE. */
fat_status_t table_take(struct fat_volume *v, uint32_t goal, uint32_t want, uint32_t *first, uint32_t *count);
/* `first` follows `last`, which is the end of the node's chain. */
fat_status_t table_link(struct fat_volume *v, struct fat_node *n, uint32_t last, uint32_t first);
/* Room for one more pending_free: a commit, if need be. */
fat_status_t table_reserve_free(struct fat_volume *v);
void table_free_later(struct fat_volume *v, uint32_t first, uint32_t cut_at);
/* Called by cache_commit: frees what it made safe to free. */
fat_status_t table_free_pending(struct fat_volume *v);
fat_status_t table_count(struct fat_volume *v);
/* The held links put back to an end, in a copy of a sector of the table. */
void table_hold_back(const struct fat_volume *v, uint32_t sector, uint8_t *copy);
bool table_holds(const struct fat_volume *v, uint32_t sector);

/* --- boot.c --- */

/* Before the first change: the volume is marked as in use. READ_ONLY. */
fat_status_t volume_change(struct fat_volume *v);
/* Everything is written; then the mark goes, unless the volume was found dirty. */
fat_status_t volume_mark_clean(struct fat_volume *v);
/* What the sector with the count says; info_unknown if there is none. */
fat_status_t volume_read_count(struct fat_volume *v, uint32_t *out);
/* The mark of other systems in the boot sector goes. */
fat_status_t volume_clear_state(struct fat_volume *v);

/* --- node.c --- */

fat_status_t node_get(struct fat_volume *v, uint64_t place, const uint8_t *slot, struct fat_node **out);
struct fat_node *node_find(struct fat_volume *v, uint64_t place);
/* A node for a directory of which nothing but the first cluster is known; in memory of the caller, never looked up. */
struct fat_node node_for_directory(struct fat_volume *v, uint32_t start);
void node_move(struct fat_node *n, uint64_t place);
fat_status_t node_write_entry(struct fat_node *n);
void node_forget_chain(struct fat_node *n);
/* The cluster at `index` of the chain, and how many consecutive ones follow from there (1 to want).
 * NOT_FOUND: the chain ends before. CORRUPT. */
fat_status_t node_map(struct fat_node *n, uint32_t index, uint32_t want, uint32_t *cluster, uint32_t *run);
/* The chain has at least so many clusters, or, short of space, *have; at least as many as before. */
fat_status_t node_extend(struct fat_node *n, uint32_t clusters, uint32_t *have);
uint32_t slot_start(const struct fat_volume *v, const uint8_t *slot);
void slot_set_start(const struct fat_volume *v, uint8_t *slot, uint32_t start);

/* --- file.c --- */

/* The chain is no longer than the size needs; the entry must not say more, and is written here. */
fat_status_t file_trim(struct fat_node *n, uint32_t size);

/* --- name.c --- */

struct name {
    uint16_t unit[FAT_NAME_UNITS + LONG_UNITS]; /* padded as the last piece of a long name is */
    uint16_t folded[FAT_NAME_UNITS];
    uint32_t units, hash; /* hash: the same for names that differ in case alone */
    uint32_t pieces;      /* of a long name; 0: none is needed */
    uint8_t short_name[SHORT_BYTES];
    uint8_t case_flags;
    bool exact; /* short_name is the name itself but for the case; else only a beginning for one */
    bool lossy; /* what was left out or replaced calls for a number */
};
/* BAD_NAME: not UTF-8, too long, or with something in it that no name has. */
fat_status_t name_parse(const char *text, size_t len, struct name *out);
uint16_t name_fold(uint16_t unit);
uint8_t name_checksum(const uint8_t *short_name);
/* UTF-8 of units; at most FAT_NAME_BYTES and a NUL. What is no character becomes U+FFFD. */
uint32_t name_to_utf8(const uint16_t *unit, uint32_t units, char *out);
/* A short name as it is shown, in units; at most 12. */
uint32_t name_from_short(const uint8_t *slot, uint16_t *out);
/* short_name with ~n, over `salt` bits of a hash if that is not 0. */
void name_number(const struct name *n, uint32_t salt, uint32_t number, uint8_t out[SHORT_BYTES]);
void name_put_piece(const struct name *n, uint32_t piece, uint8_t checksum, uint8_t *slot);
void name_get_piece(const uint8_t *slot, uint16_t out[LONG_UNITS]);

/* --- directory.c --- */

/* Where an entry is: its slots are [first, last], the last one is the short entry. */
struct place {
    uint32_t first, last;
    uint64_t at; /* of the short entry on the volume, in slots */
    uint8_t slot[SLOT_BYTES];
};
/* The sector with a slot; NOT_FOUND: the directory is not so long. */
fat_status_t directory_sector(struct fat_node *dir, uint32_t slot, uint32_t *sector);
/* The same sector in the cache, pinned, and the slot in it. */
fat_status_t directory_slot(struct fat_node *dir, uint32_t slot, struct line **line, uint32_t *sector, uint8_t **at);
static inline bool slot_is_long(const uint8_t *slot)
{
    return (slot[SLOT_ATTRIBUTES] & ATTR_LONG_MASK) == ATTR_LONG;
}
static inline bool slot_is_dots(const uint8_t *slot)
{
    return slot[0] == '.' && (slot[1] == ' ' || (slot[1] == '.' && slot[2] == ' '));
}
fat_status_t directory_find(struct fat_node *dir, const struct name *name, struct place *out);
struct entry {
    struct place place;
    uint16_t unit[FAT_NAME_UNITS + LONG_UNITS];
    uint32_t units; /* 0: it has no long name */
};
/* The next entry from slot *at on, `.`, `..` and labels left out; *at: behind it. NOT_FOUND: the end. */
fat_status_t directory_next(struct fat_node *dir, uint32_t *at, struct entry *out);
/* Room for an entry of that name, and a short name that nobody has. Nothing is written but what makes the directory
 * longer. EXISTS: *found is it. renamed: an entry of this directory that is about to go, or nullptr. */
fat_status_t directory_room(struct fat_node *dir, const struct name *name, const struct place *renamed,
                            uint8_t short_name[SHORT_BYTES], uint32_t *first, struct place *found);
/* Writes it there; `slot` is the short entry, to which the short name and the case are added. */
fat_status_t directory_put(struct fat_node *dir, const struct name *name, const uint8_t short_name[SHORT_BYTES],
                           uint32_t first, const uint8_t slot[SLOT_BYTES], struct place *out);
/* The entry that was found under that name. */
fat_status_t directory_remove(struct fat_node *dir, const struct name *name, const struct place *place);
fat_status_t directory_is_empty(struct fat_node *dir);
bool directory_is_in_sector(const struct fat_volume *v, const struct place *place);
/* `name` into the slots of `old`, or free ones in the same sector, in one write. NO_SPACE: it does not fit. */
fat_status_t directory_replace_in_sector(struct fat_node *dir, const struct name *old_name, const struct place *old,
                                         const struct name *name, const uint8_t short_name[SHORT_BYTES],
                                         struct place *out);
/* The entry at a place keeps its name and becomes the object of `slot`: one write. */
fat_status_t directory_take_over(struct fat_volume *v, uint64_t at, const uint8_t slot[SLOT_BYTES]);
/* The start of the directory above, 0 for the root, by `..`. CORRUPT: it has none. */
fat_status_t directory_parent(struct fat_volume *v, uint32_t start, uint32_t *parent);
fat_status_t directory_set_parent(struct fat_volume *v, uint32_t start, uint32_t parent);
/* An empty cluster of a directory; with `.` and `..`, made from its entry, unless that is nullptr. */
fat_status_t directory_begin(struct fat_volume *v, uint32_t cluster, uint32_t parent, const uint8_t *entry);
/* How entries name a directory: by its first cluster, but the root by 0. */
static inline uint32_t directory_id(const struct fat_node *dir)
{
    return dir->start == dir->volume->root_cluster ? 0 : dir->start;
}

/* --- time.c --- */

void time_to_fat(uint64_t ns, uint16_t *date, uint16_t *time, uint8_t *ten_ms);
uint64_t time_from_fat(uint16_t date, uint16_t time, uint8_t ten_ms);
static inline uint64_t volume_now(const struct fat_volume *v)
{
    return v->disk.now_ns(v->disk.ctx);
}

/* --- intent.c --- */

/* A rename whose two entries lie in different sectors: what it is about, noted before the old entry goes. */
struct intent {
    uint64_t old_at;      /* the old entry */
    uint64_t replaced_at; /* the entry that is taken over; 0: none */
    uint32_t parent;      /* where the new one goes; 0: the root */
    uint8_t old_name[SHORT_BYTES];
    uint8_t slot[SLOT_BYTES]; /* the moved object */
    uint16_t units;
    uint16_t unit[FAT_NAME_UNITS];
};
fat_status_t intent_write(struct fat_volume *v, const struct intent *i);
fat_status_t intent_clear(struct fat_volume *v);
/* At mount: whether there is room for one, and finishes the one that is there. */
fat_status_t intent_replay(struct fat_volume *v);
