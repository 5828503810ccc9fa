/* SPDX-License-Identifier: MIT
 * fsck.fat: looks through a FAT volume, says what is wrong, and puts it right if it is told to. docs/fat.md has what
 * becomes of what. Status, as dosfstools has it: 0 there was nothing, 1 there was something, corrected or not, 2 wrong
 * usage. */
#include "volume.h"
#include <fat/check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum : uint32_t { CACHE_BYTES = 1 << 20, NODES = 16 };

static int usage(void)
{
    (void)fputs("usage: fsck.fat [-n|-a] DISK|FILE\n"
                "  -n  only look; so too without an option\n"
                "  -a  put right what is wrong (also -p, -y)\n",
                stderr);
    return 2;
}

static void line(uint32_t count, const char *what)
{
    if (count != 0)
        (void)printf("  %u %s\n", count, what);
}

static void tell(const char *name, const struct fat_report *r, bool repair)
{
    line(r->lost_clusters, "clusters in no file");
    line(r->surplus, "files with more clusters than their size needs");
    line(r->cut, "chains that lead astray, or into another file");
    line(r->sizes, "files longer than their chain");
    line(r->entries, "entries that mean nothing");
    line(r->dots, "directories with a wrong . or ..");
    line(r->ghosts, "directories with something behind their end");
    line(r->copies, "sectors in which the copies of the table differ");
    if (r->count_wrong)
        (void)printf("  the count of free clusters is wrong\n");
    if (r->dirty)
        (void)printf("  it was not unmounted\n");
    (void)printf("%s: %u files, %u directories: %s\n", name, r->files, r->directories,
                 fat_report_is_clean(r) ? "clean"
                 : repair               ? "corrected"
                                        : "not clean; -a corrects");
}

int run_fsck(int argc, char **argv)
{
    static struct place p;
    struct fat_volume *v = nullptr;
    struct fat_report r = {};
    bool repair = false;
    for (int c; (c = getopt(argc, argv, "napy")) != -1;) {
        if (c == '?')
            return usage();
        repair = c != 'n';
    }
    if (optind != argc - 1)
        return usage();
    if (!place_open(&p, argv[optind], repair))
        return 1;
    struct fat_memory memory = { .cache = aligned_alloc(4096, CACHE_BYTES),
                                 .cache_bytes = CACHE_BYTES,
                                 .state = malloc(fat_state_bytes(CACHE_BYTES, NODES)),
                                 .nodes = NODES };
    fat_status_t st = memory.cache != nullptr && memory.state != nullptr
                          ? fat_mount(&memory, &p.fat, repair ? 0 : FAT_MOUNT_READ_ONLY, &v)
                          : FAT_NO_MEMORY;
    if (st == FAT_NOT_FAT && p.partitioned)
        return complain(p.name, "there is a partition table; name a partition, like %sp1", p.name);
    if (st != FAT_OK)
        return complain(p.name, "%s", fat_status_text(st));
    size_t bytes = fat_check_memory(v);
    void *maps = malloc(bytes);
    st = maps != nullptr ? fat_check(v, repair, maps, bytes, &r) : FAT_NO_MEMORY;
    fat_status_t end = fat_unmount(v);
    st = st == FAT_OK ? end : st;
    if (st != FAT_OK)
        return complain(p.name, "%s", fat_status_text(st));
    tell(p.name, &r, repair);
    return place_close(&p) && fat_report_is_clean(&r) ? 0 : 1;
}
