/* SPDX-License-Identifier: MIT
 * Looks through a whole volume and, if asked to, puts right what is wrong: docs/fat.md says what becomes of what. */
#pragma once
#include <fat/volume.h>

struct fat_report {
    uint32_t files, directories;
    uint32_t lost_clusters; /* in the table, in no file: freed */
    uint32_t surplus;       /* files with more clusters than their size needs: the rest is freed */
    uint32_t cut;           /* chains that left the volume, ran into a free cluster, into themselves or into another
                               file: cut there; of two files the one found first keeps what both claim */
    uint32_t sizes;         /* files longer than their chain: made shorter */
    uint32_t entries;       /* directories without a start, pieces of long names without a file: taken out */
    uint32_t dots;          /* `.` and `..` that point elsewhere: corrected */
    uint32_t ghosts;        /* directories with something behind their end: wiped */
    uint32_t copies;        /* sectors in which copies of the table differ: the first one counts */
    bool count_wrong;       /* the count of free clusters: corrected */
    bool dirty;             /* the volume was not unmounted */
};

/* Anything but what a cut of power leaves: lost or surplus clusters, something behind an end, copies, the count, the
 * mark. */
static inline bool fat_report_is_serious(const struct fat_report *r)
{
    return r->cut + r->sizes + r->entries + r->dots != 0;
}
/* Nothing to correct at all. */
static inline bool fat_report_is_clean(const struct fat_report *r)
{
    return !fat_report_is_serious(r) && r->lost_clusters + r->surplus + r->copies + r->ghosts == 0 && !r->count_wrong &&
           !r->dirty;
}

/* What fat_check needs beside the volume's own memory: two bits for each cluster. */
size_t fat_check_memory(const struct fat_volume *v);
/* Nothing may be open. repair: corrects, and marks the volume clean; else it only counts. BUSY, NO_MEMORY, IO. */
fat_status_t fat_check(struct fat_volume *v, bool repair, void *memory, size_t bytes, struct fat_report *out);

/* The object of that id (struct fat_stat), wherever it is in the tree: all of it is looked through. memory: as for
 * fat_check. */
fat_status_t fat_find(struct fat_volume *v, uint64_t id, void *memory, size_t bytes, struct fat_node **out);
