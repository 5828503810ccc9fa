/* SPDX-License-Identifier: MIT
 * Damaged volumes, put right; disks that fail at any access. fsck.fat must be happy afterwards. */
// sources: lib/libfat/boot.c lib/libfat/cache.c lib/libfat/check.c lib/libfat/directory.c lib/libfat/file.c
// sources: lib/libfat/format.c lib/libfat/intent.c lib/libfat/name.c lib/libfat/node.c lib/libfat/table.c
// sources: lib/libfat/time.c lib/libfat/tree.c
// flags: -D_GNU_SOURCE
#include "disk.h"
#include "../../../lib/libfat/fat.h"

enum { SIZE = 8 << 20 };
static struct fat_report report;

/* A tree with files a (5 clusters), b (3), c (empty), the directory d and in it e (2) and the directory f. */
static void begin(void)
{
    const struct fat_format how = { .bits = 32, .cluster_bytes = 1024 };
    format(SIZE, 512, &how);
    mount();
    struct fat_node *a = create_at(root, "a long name for a.text"), *b = create_at(root, "B"),
                    *c = create_at(root, "C"), *d = mkdir_at(root, "D"), *e = create_at(d, "E"), *f = mkdir_at(d, "F");
    write_pattern(a, 1, 0, 5 * 1024 - 10);
    write_pattern(b, 2, 0, 3 * 1024);
    write_pattern(e, 3, 0, 2000);
    fat_put(a), fat_put(b), fat_put(c), fat_put(d), fat_put(e), fat_put(f);
    assert_int_equal(fat_rest(volume), FAT_OK);
}

/* The nodes, for a look at what the disk says of them. */
static uint32_t start_of(const char *name)
{
    struct fat_node *n = open_at(root, name);
    uint32_t start = n->start;
    fat_put(n);
    return start;
}

static uint8_t *slot_of(const char *name)
{
    struct fat_node *n = open_at(root, name);
    uint8_t *slot = t.bytes + n->place * SLOT_BYTES;
    fat_put(n);
    return slot;
}

/* In both tables, behind the volume's back. */
static void set_table(uint32_t cluster, uint32_t value)
{
    uint32_t table = get16(t.bytes + BOOT_RESERVED), sectors = get32(t.bytes + BOOT_FAT_SECTORS_32);
    for (uint32_t i = 0; i < 2; i++)
        put32(t.bytes + (size_t)(table + i * sectors) * 512 + cluster * 4, value);
}

static void is_counted_then_corrected(void)
{
    struct fat_report again;
    mount();
    fat_put(root);
    assert_int_equal(run_check(false, &report), FAT_OK);
    assert_false(fat_report_is_clean(&report));
    assert_int_equal(run_check(true, &again), FAT_OK);
    assert_memory_equal(&report, &again, sizeof report);
    mount();
    fat_put(root);
    assert_int_equal(run_check(false, &again), FAT_OK);
    assert_true(fat_report_is_clean(&again));
    assert_int_equal(fat_unmount(volume), FAT_OK);
    fsck_is_happy();
    mount();
}

static void size_is(const char *name, uint64_t size)
{
    struct fat_node *n = open_at(root, name);
    assert_int_equal(size_of(n), size);
    uint8_t *bytes = malloc(size + 1);
    size_t done;
    assert_int_equal(fat_read(n, 0, bytes, size, &done), FAT_OK);
    assert_int_equal(done, size);
    free(bytes);
    fat_put(n);
}

static void end(void)
{
    unmount();
    fsck_is_happy();
    remove_file();
}

static void nothing_is_wrong(void **)
{
    begin();
    fat_put(root);
    assert_int_equal(run_check(false, &report), FAT_OK);
    assert_true(fat_report_is_clean(&report));
    assert_int_equal(report.files, 4);
    assert_int_equal(report.directories, 2);
    root = fat_root(volume);
    struct fat_node *n = open_at(root, "B");
    assert_int_equal(run_check(false, &report), FAT_BUSY);
    fat_put(n);
    assert_int_equal(fat_check(volume, false, memory, 1, &report), FAT_NO_MEMORY);
    end();
}

static void lost_clusters(void **)
{
    begin();
    set_table(4000, 4001);
    set_table(4001, 0x0fffffff);
    set_table(5000, 5000);
    is_counted_then_corrected();
    assert_int_equal(report.lost_clusters, 3);
    assert_false(fat_report_is_serious(&report));
    end();
}

static void a_chain_longer_than_its_file(void **)
{
    begin();
    put32(slot_of("B") + SLOT_SIZE, 1025);
    is_counted_then_corrected();
    assert_int_equal(report.surplus, 1);
    size_is("B", 1025);
    end();
}

static void a_chain_without_a_size(void **)
{
    begin();
    put32(slot_of("B") + SLOT_SIZE, 0);
    is_counted_then_corrected();
    assert_int_equal(report.surplus, 1);
    size_is("B", 0);
    assert_int_equal(start_of("B"), 0);
    end();
}

static void a_file_longer_than_its_chain(void **)
{
    begin();
    put32(slot_of("B") + SLOT_SIZE, 10'000);
    is_counted_then_corrected();
    assert_int_equal(report.sizes, 1);
    size_is("B", 3 * 1024);
    end();
}

static void a_chain_that_loops(void **)
{
    begin();
    uint32_t start = start_of("B");
    put32(slot_of("B") + SLOT_SIZE, 100'000);
    set_table(start + 2, start);
    is_counted_then_corrected();
    assert_int_equal(report.cut, 1);
    size_is("B", 3 * 1024);
    end();
}

static void two_files_with_the_same_clusters(void **)
{
    begin();
    uint32_t a = start_of("a long name for a.text"), b = start_of("B");
    set_table(b, a + 2);
    is_counted_then_corrected();
    assert_int_equal(report.cut, 1);
    size_is("a long name for a.text", 5 * 1024 - 10);
    size_is("B", 1024);
    struct fat_node *n = open_at(root, "a long name for a.text");
    check_pattern(n, 1, 0, 5 * 1024 - 10);
    fat_put(n);
    end();
}

static void a_chain_into_nothing(void **)
{
    begin();
    uint32_t b = start_of("B");
    set_table(b + 1, 0x0ffffff0); /* beyond the volume */
    is_counted_then_corrected();
    assert_int_equal(report.cut, 1);
    size_is("B", 2048);
    set_table(b + 1, 0); /* free */
    is_counted_then_corrected();
    size_is("B", 1024);
    set_table(b, 0x0ffffff7); /* bad: it stays marked, as it may well be */
    is_counted_then_corrected();
    size_is("B", 0);
    end();
}

static void a_start_beyond_the_volume(void **)
{
    begin();
    uint8_t *slot = slot_of("B");
    put16(slot + SLOT_START_HIGH, 0x0fff);
    struct fat_node *n;
    mount();
    assert_int_equal(fat_lookup(root, "B", 1, &n), FAT_CORRUPT);
    is_counted_then_corrected();
    size_is("B", 0);
    end();
}

static void directories_without_a_start(void **)
{
    begin();
    put16(slot_of("D") + SLOT_START_LOW, 0);
    is_counted_then_corrected();
    assert_int_equal(report.entries, 1);
    assert_int_equal(report.lost_clusters, 1 + 2 + 1);
    assert_int_equal(look(root, "D"), FAT_NOT_FOUND);
    end();
}

static void dots_that_point_elsewhere(void **)
{
    begin();
    uint32_t d = start_of("D");
    uint8_t *dots = t.bytes + (size_t)cluster_sector(volume, d) * 512;
    put16(dots + SLOT_START_LOW, 77);
    put16(dots + SLOT_BYTES + SLOT_START_LOW, 78);
    is_counted_then_corrected();
    assert_int_equal(report.dots, 1);
    assert_int_equal(get16(dots + SLOT_START_LOW), d);
    assert_int_equal(get16(dots + SLOT_BYTES + SLOT_START_LOW), 0);
    end();
}

static void a_directory_in_itself(void **)
{
    begin();
    struct fat_node *d = open_at(root, "D"), *f = open_at(d, "F");
    put16(t.bytes + f->place * SLOT_BYTES + SLOT_START_LOW, d->start);
    fat_put(f), fat_put(d);
    is_counted_then_corrected();
    assert_true(report.cut >= 1 && report.entries == 1);
    end();
}

static void pieces_of_a_name_without_a_file(void **)
{
    begin();
    uint8_t *slot = slot_of("a long name for a.text");
    slot[0] = SLOT_DELETED;
    is_counted_then_corrected();
    assert_int_equal(report.entries, 1);
    assert_int_equal(report.lost_clusters, 5);
    fat_put(create_at(root, "a long name for a.text"));
    /* and those that lack the first piece */
    slot = slot_of("a long name for a.text");
    unmount();
    assert_int_equal((slot - SLOT_BYTES)[SLOT_ATTRIBUTES], ATTR_LONG);
    (slot - 2 * SLOT_BYTES)[0] = SLOT_DELETED;
    is_counted_then_corrected();
    assert_int_equal(report.entries, 1);
    assert_int_equal(look(root, "ALONGN~1.TEX"), FAT_OK);
    end();
}

static void something_behind_the_end(void **)
{
    begin();
    uint8_t *slot = slot_of("B");
    uint8_t *behind = t.bytes + (size_t)cluster_sector(volume, volume->root_cluster) * 512 + 30 * SLOT_BYTES;
    memcpy(behind, slot, SLOT_BYTES);
    is_counted_then_corrected();
    assert_int_equal(report.ghosts, 1);
    assert_false(fat_report_is_serious(&report));
    /* Also without a check: making entries up to there does not bring it to light. */
    memcpy(behind, slot, SLOT_BYTES);
    memcpy(behind, "GHOST      ", SHORT_BYTES);
    mount();
    for (uint32_t i = 0; i < 40; i++) {
        char name[8];
        snprintf(name, sizeof name, "N%u", i);
        fat_put(create_at(root, name));
        assert_int_equal(look(root, "GHOST"), FAT_NOT_FOUND);
    }
    end();
}

static void tables_that_differ(void **)
{
    begin();
    uint32_t at = (volume->table + volume->table_sectors) * 512 + start_of("B") * 4;
    put32(t.bytes + at, 0);
    is_counted_then_corrected();
    assert_int_equal(report.copies, 1);
    size_is("B", 3 * 1024);
    end();
}

static void a_wrong_count(void **)
{
    begin();
    put32(t.bytes + 512 + INFO_FREE, 17);
    is_counted_then_corrected();
    assert_true(report.count_wrong);
    struct fat_statfs s;
    assert_int_equal(fat_statfs(volume, &s), FAT_OK);
    uint32_t used = 1 + 5 + 3 + 1 + 2 + 1;
    assert_int_equal(s.free_clusters, s.clusters - used);
    end();
}

static void the_mark_of_others(void **)
{
    begin();
    t.bytes[BOOT_EXTENSION_32 + EXTENSION_STATE] = STATE_DIRTY;
    mount();
    assert_true(fat_is_dirty(volume));
    fat_put(create_at(root, "N"));
    unmount();
    assert_int_equal(t.bytes[BOOT_EXTENSION_32 + EXTENSION_STATE], STATE_DIRTY);
    mount();
    assert_true(fat_is_dirty(volume)); /* an unmount is no check */
    is_counted_then_corrected();
    assert_int_equal(t.bytes[BOOT_EXTENSION_32 + EXTENSION_STATE], 0);
    assert_false(fat_is_dirty(volume));
    end();
}

/* Damage without end: whatever is thrown at the table and the directories, a check puts it right. */
static void any_damage_is_put_right(void **)
{
    uint64_t random = 88172645463325252;
    for (uint32_t round = 0; round < 120; round++) {
        begin();
        uint32_t root_sector = cluster_sector(volume, volume->root_cluster), d = cluster_sector(volume, start_of("D"));
        unmount();
        for (uint32_t i = 0; i < 1 + round % 6; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            uint32_t what = (uint32_t)(random >> 8) % 3, at = (uint32_t)(random >> 20) % 512,
                     value = (uint32_t)(random >> 40);
            if (what == 0)
                set_table(2 + at % 24, value % 3 == 0 ? value & 0x0fffffff : value % 30);
            else /* not the dots: where something else stands in their place it is left */
                t.bytes[(size_t)(what == 1 ? root_sector : d) * 512 + (what == 2 && at < 64 ? at + 64 : at)] =
                    (uint8_t)value;
        }
        mount();
        fat_put(root);
        fat_status_t st = run_check(true, &report);
        if (st == FAT_CORRUPT)
            continue; /* the root itself */
        assert_int_equal(st, FAT_OK);
        mount();
        fat_put(root);
        assert_int_equal(run_check(false, &report), FAT_OK);
        if (!fat_report_is_clean(&report))
            fail_msg("round %u: lost %u surplus %u cut %u sizes %u entries %u dots %u ghosts %u copies %u", round,
                     report.lost_clusters, report.surplus, report.cut, report.sizes, report.entries, report.dots,
                     report.ghosts, report.copies);
        assert_int_equal(fat_unmount(volume), FAT_OK);
    }
}

/* --- a disk that fails --- */

static void work(void)
{
    struct fat_node *n = nullptr, *d = nullptr;
    static uint8_t bytes[30'000];
    size_t done;
    if (fat_create(root, "new file with a name", 20, &n) == FAT_OK) {
        (void)!fat_write(n, 0, bytes, sizeof bytes, &done);
        (void)!fat_write(n, 100'000, bytes, 100, &done);
        (void)!fat_truncate(n, 50'000);
        (void)!fat_read(n, 0, bytes, sizeof bytes, &done);
        fat_put(n);
    }
    (void)!fat_sync(volume);
    if (fat_mkdir(root, "new directory", 13, &d) == FAT_OK) {
        (void)!rename_at(root, "B", d, "moved B", 0);
        (void)!rename_at(root, "D", d, "moved D", 0);
        fat_put(d);
    }
    (void)!unlink_at(root, "C");
    (void)!unlink_at(root, "a long name for a.text");
    (void)!fat_sync(volume);
}

static void any_access_may_fail(void **)
{
    for (int64_t k = 0; k < 400; k++) {
        begin();
        unmount();
        t.fail_in = k;
        if (try_mount(0) == FAT_OK) {
            root = fat_root(volume);
            work();
            fat_put(root);
            bool failed = t.fail_in == 0;
            t.fail_in = -1;
            /* Without a mount in between: what the volume keeps is written in the end, or it says that it is not. */
            (void)!fat_sync(volume);
            (void)!fat_unmount(volume);
            if (!failed)
                break;
        }
        t.fail_in = -1;
        mount();
        fat_put(root);
        assert_int_equal(run_check(true, &report), FAT_OK);
        mount();
        struct fat_node *e = nullptr, *d = nullptr;
        /* D/E was never touched. */
        if (fat_lookup(root, "D", 1, &d) != FAT_OK) {
            struct fat_node *new = open_at(root, "new directory");
            d = open_at(new, "moved D");
            fat_put(new);
        }
        e = open_at(d, "E");
        check_pattern(e, 3, 0, 2000);
        fat_put(e), fat_put(d);
        unmount();
        fsck_is_happy();
    }
    remove_file();
}

static void a_failed_flush_is_reported_once_and_the_cache_written_again(void **)
{
    begin();
    fat_put(create_at(root, "one"));
    assert_int_equal(fat_sync(volume), FAT_OK);
    struct fat_node *n = create_at(root, "two");
    write_pattern(n, 1, 0, 100);
    uint64_t writes = t.n_writes;
    t.fail_in = 1; /* one write, then the rest fails */
    assert_int_equal(fat_sync(volume), FAT_IO);
    t.fail_in = -1;
    fat_status_t st = fat_sync(volume);
    if (st != FAT_OK)
        assert_int_equal(fat_sync(volume), FAT_OK);
    assert_true(t.n_writes > writes);
    mount();
    n = open_at(root, "two");
    check_pattern(n, 1, 0, 100);
    fat_put(n);
    fat_put(root);
    assert_int_equal(run_check(true, &report), FAT_OK);
    assert_false(fat_report_is_serious(&report));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_wrong),
        cmocka_unit_test(lost_clusters),
        cmocka_unit_test(a_chain_longer_than_its_file),
        cmocka_unit_test(a_chain_without_a_size),
        cmocka_unit_test(a_file_longer_than_its_chain),
        cmocka_unit_test(a_chain_that_loops),
        cmocka_unit_test(two_files_with_the_same_clusters),
        cmocka_unit_test(a_chain_into_nothing),
        cmocka_unit_test(a_start_beyond_the_volume),
        cmocka_unit_test(directories_without_a_start),
        cmocka_unit_test(dots_that_point_elsewhere),
        cmocka_unit_test(a_directory_in_itself),
        cmocka_unit_test(pieces_of_a_name_without_a_file),
        cmocka_unit_test(something_behind_the_end),
        cmocka_unit_test(tables_that_differ),
        cmocka_unit_test(a_wrong_count),
        cmocka_unit_test(the_mark_of_others),
        cmocka_unit_test(any_damage_is_put_right),
        cmocka_unit_test(any_access_may_fail),
        cmocka_unit_test(a_failed_flush_is_reported_once_and_the_cache_written_again),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
