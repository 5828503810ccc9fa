/* SPDX-License-Identifier: MIT
 * What a volume does, operation by operation, on each kind of volume; fsck.fat has the last word. */
// sources: lib/libfat/boot.c lib/libfat/cache.c lib/libfat/check.c lib/libfat/directory.c lib/libfat/file.c
// sources: lib/libfat/format.c lib/libfat/intent.c lib/libfat/name.c lib/libfat/node.c lib/libfat/table.c
// sources: lib/libfat/time.c lib/libfat/tree.c
// flags: -D_GNU_SOURCE
#include "disk.h"
#include "../../../lib/libfat/fat.h"
#include <sys/mman.h>

static const struct fat_format fat32 = { .bits = 32, .label = "TEST" }, fat16 = { .bits = 16 }, fat12 = { .bits = 12 };
enum { SIZE = 16 << 20 };

static void begin(const struct fat_format *how)
{
    format(how->bits == 12 ? SIZE / 4 : SIZE, 512, how);
    mount();
}

static void end_without_fsck(void)
{
    struct fat_report report;
    unmount();
    mount();
    assert_false(fat_is_dirty(volume));
    fat_put(root);
    assert_int_equal(run_check(false, &report), FAT_OK);
    assert_true(fat_report_is_clean(&report));
    assert_int_equal(fat_unmount(volume), FAT_OK);
}

static void end(void)
{
    end_without_fsck();
    fsck_is_happy();
    remove_file();
}

static void files_keep_what_was_written(const struct fat_format *how)
{
    static const uint32_t sizes[] = { 0, 1, 511, 512, 513, 4096, 5000, 65536, 100'001, 1 << 20 };
    char name[64];
    begin(how);
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(name, sizeof name, "a file with a long name %u.dat", i);
        struct fat_node *n = create_at(root, name);
        write_pattern(n, i, 0, sizes[i]);
        check_pattern(n, i, 0, sizes[i]);
        fat_put(n);
    }
    unmount();
    mount();
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(name, sizeof name, "A FILE WITH a long name %u.dat", i);
        struct fat_node *n = open_at(root, name);
        assert_int_equal(size_of(n), sizes[i]);
        check_pattern(n, i, 0, sizes[i]);
        fat_put(n);
    }
    end();
}

static void files_on_fat32(void **)
{
    files_keep_what_was_written(&fat32);
}
static void files_on_fat16(void **)
{
    files_keep_what_was_written(&fat16);
}
static void files_on_fat12(void **)
{
    files_keep_what_was_written(&fat12);
}

/* --- names --- */

static void case_is_kept_and_does_not_count(void **)
{
    static struct fat_dirent e;
    begin(&fat32);
    fat_put(create_at(root, "ReadMe.Text"));
    assert_int_equal(look(root, "README.TEXT"), FAT_OK);
    assert_int_equal(look(root, "readme~1.tex"), FAT_OK); /* its short name */
    assert_int_equal(fat_create(root, "readme.text", 11, nullptr), FAT_EXISTS);
    assert_int_equal(fat_readdir(root, 0, &e), FAT_OK);
    assert_string_equal(e.name, "ReadMe.Text");
    assert_int_equal(rename_at(root, "readme.text", root, "README.text", 0), FAT_OK);
    assert_int_equal(fat_readdir(root, 0, &e), FAT_OK);
    assert_string_equal(e.name, "README.text");
    fat_put(create_at(root, "\xc3\x89t\xc3\xa9"));
    assert_int_equal(look(root, "\xc3\xa9t\xc3\x89"), FAT_OK);
    assert_int_equal(look(root, "ete"), FAT_NOT_FOUND);
    fat_put(create_at(root, "smile \xf0\x9f\x98\x80"));
    assert_int_equal(look(root, "SMILE \xf0\x9f\x98\x80"), FAT_OK);
    assert_int_equal(look(root, "a/b"), FAT_BAD_NAME);
    end();
}

static void names_alike_get_short_names_of_their_own(void **)
{
    char name[64];
    begin(&fat32);
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "the same beginning, and then %u", i);
        fat_put(create_at(root, name));
    }
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "THE same beginning, and then %u", i);
        assert_int_equal(look(root, name), FAT_OK);
    }
    end(); /* fsck.fat finds short names that are there twice */
}

static void a_listing_sees_what_stays_exactly_once(void **)
{
    static struct fat_dirent e;
    char name[64];
    uint8_t seen[200] = {};
    begin(&fat32);
    for (uint32_t i = 0; i < 200; i++) {
        snprintf(name, sizeof name, i % 3 == 0 ? "%u" : "a name that needs pieces, %u", i);
        fat_put(create_at(root, name));
    }
    uint32_t n = 0;
    for (uint64_t cookie = 0; fat_readdir(root, cookie, &e) == FAT_OK; cookie = e.cookie, n++) {
        const char *digits = e.name;
        while (*digits < '0' || *digits > '9')
            digits++;
        uint32_t i = (uint32_t)strtoul(digits, nullptr, 10);
        if (i < 200)
            seen[i]++;
        if (i % 2 == 1 && i < 200) /* what was just seen goes, and others come into its place */
            assert_int_equal(unlink_at(root, e.name), FAT_OK);
        snprintf(name, sizeof name, n % 2 == 0 ? "%u" : "something quite long that came in between %u", 1000 + n);
        if (n < 300)
            assert_int_equal(fat_create(root, name, strlen(name), nullptr), FAT_OK);
    }
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(seen[i], 1);
    end();
}

/* --- rules of the tree --- */

static void what_is_open_lives_without_a_name(void **)
{
    struct fat_statfs before, after;
    begin(&fat32);
    fat_put(create_at(root, "other"));
    assert_int_equal(fat_sync(volume), FAT_OK);
    assert_int_equal(fat_statfs(volume, &before), FAT_OK);
    struct fat_node *n = create_at(root, "file");
    write_pattern(n, 1, 0, 50'000);
    assert_int_equal(unlink_at(root, "file"), FAT_OK);
    assert_int_equal(look(root, "file"), FAT_NOT_FOUND);
    struct fat_node *again = create_at(root, "file");
    write_pattern(again, 2, 0, 70'000);
    check_pattern(n, 1, 0, 50'000);
    write_pattern(n, 1, 50'000, 20'000);
    check_pattern(n, 1, 0, 70'000);
    check_pattern(again, 2, 0, 70'000);
    struct fat_stat s;
    fat_stat(n, &s);
    assert_true(s.unlinked);
    assert_int_equal(fat_rest(volume), FAT_OK);
    fat_put(n);
    /* A directory, too; nothing can be made in it. */
    struct fat_node *dir = mkdir_at(root, "dir");
    assert_int_equal(fat_rmdir(root, "dir", 3), FAT_OK);
    assert_int_equal(fat_create(dir, "x", 1, nullptr), FAT_NOT_FOUND);
    assert_int_equal(look(dir, "x"), FAT_NOT_FOUND);
    fat_put(dir);
    fat_put(again);
    assert_int_equal(unlink_at(root, "file"), FAT_OK);
    assert_int_equal(fat_sync(volume), FAT_OK);
    assert_int_equal(fat_statfs(volume, &after), FAT_OK);
    assert_int_equal(after.free_clusters, before.free_clusters);
    /* Open at the end: its clusters are free all the same. */
    n = create_at(root, "last");
    write_pattern(n, 3, 0, 9000);
    assert_int_equal(unlink_at(root, "last"), FAT_OK);
    end();
}

static void renames_follow_the_rules(void **)
{
    begin(&fat32);
    struct fat_node *a = mkdir_at(root, "a"), *b = mkdir_at(a, "b"), *c = mkdir_at(b, "c");
    assert_int_equal(rename_at(root, "a", c, "x", 0), FAT_BAD_ARGUMENT);
    assert_int_equal(rename_at(root, "a", a, "x", 0), FAT_BAD_ARGUMENT);
    assert_int_equal(rename_at(a, "b", root, "moved", 0), FAT_OK);
    assert_int_equal(rename_at(root, "a", c, "x", 0), FAT_OK); /* not below itself any more */
    assert_int_equal(rename_at(root, "moved", a, "x", 0), FAT_BAD_ARGUMENT);
    struct fat_node *f = create_at(root, "file"), *g = create_at(c, "other file with a long name");
    write_pattern(f, 1, 0, 1000);
    write_pattern(g, 2, 0, 2000);
    assert_int_equal(rename_at(root, "file", c, "x", 0), FAT_IS_DIRECTORY);
    assert_int_equal(rename_at(c, "x", root, "file", 0), FAT_NOT_DIRECTORY);
    assert_int_equal(rename_at(root, "file", c, "OTHER file with a long name", FAT_RENAME_NO_REPLACE), FAT_EXISTS);
    assert_int_equal(rename_at(root, "file", c, "OTHER file with a long name", FAT_RENAME_EXCHANGE), FAT_NOT_SUPPORTED);
    assert_int_equal(rename_at(root, "file", c, "OTHER file with a long name", 0), FAT_OK);
    assert_int_equal(look(root, "file"), FAT_NOT_FOUND);
    check_pattern(f, 1, 0, 1000); /* both nodes are what they were */
    check_pattern(g, 2, 0, 2000);
    write_pattern(f, 1, 1000, 500);
    fat_put(g);
    g = open_at(c, "other file with a long name");
    assert_ptr_equal(f, g);
    check_pattern(g, 1, 0, 1500);
    assert_int_equal(rename_at(c, "none", root, "none", 0), FAT_NOT_FOUND);
    assert_int_equal(rename_at(root, "moved", f, "none", 0), FAT_NOT_DIRECTORY);
    fat_put(f), fat_put(g), fat_put(a), fat_put(b), fat_put(c);
    end();
}

/* --- limits --- */

static void everything_is_used_and_comes_back(const struct fat_format *how)
{
    struct fat_statfs s, after;
    size_t done = 0;
    static uint8_t bytes[1 << 20];
    begin(how);
    struct fat_node *n = create_at(root, "all of it"), *m = create_at(root, "more");
    assert_int_equal(fat_statfs(volume, &s), FAT_OK);
    uint64_t room = s.free_clusters * s.cluster_bytes, at = 0;
    while (at < room) {
        assert_int_equal(fat_write(n, at, bytes, sizeof bytes, &done), FAT_OK);
        assert_true(done == sizeof bytes || at + done == room);
        at += done;
    }
    assert_int_equal(fat_write(n, at, bytes, 1, &done), FAT_NO_SPACE);
    assert_int_equal(fat_write(m, 0, bytes, 1, &done), FAT_NO_SPACE);
    assert_int_equal(fat_truncate(m, 1), FAT_NO_SPACE);
    assert_int_equal(fat_mkdir(root, "dir", 3, nullptr), FAT_NO_SPACE);
    assert_int_equal(size_of(m), 0);
    assert_int_equal(fat_truncate(n, room - s.cluster_bytes), FAT_OK);
    /* What was let go is there at once. */
    assert_int_equal(fat_write(m, 0, bytes, s.cluster_bytes + 1, &done), FAT_OK);
    assert_int_equal(done, s.cluster_bytes);
    assert_int_equal(fat_write(m, 10 * s.cluster_bytes, bytes, 1, &done), FAT_NO_SPACE);
    assert_int_equal(unlink_at(root, "all of it"), FAT_OK);
    assert_int_equal(unlink_at(root, "more"), FAT_OK);
    fat_put(n);
    fat_put(m);
    assert_int_equal(fat_sync(volume), FAT_OK);
    assert_int_equal(fat_statfs(volume, &after), FAT_OK);
    assert_int_equal(after.free_clusters, s.free_clusters);
    end();
}

static void full_disks(void **)
{
    everything_is_used_and_comes_back(&fat32);
    everything_is_used_and_comes_back(&fat16);
    everything_is_used_and_comes_back(&fat12);
}

static void the_root_of_a_fat16_is_full_at_512_slots(void **)
{
    char name[16];
    fat_status_t st = FAT_OK;
    uint32_t n = 0;
    begin(&fat16);
    for (; st == FAT_OK; n++) {
        snprintf(name, sizeof name, "F%u", n);
        st = fat_create(root, name, strlen(name), nullptr);
    }
    assert_int_equal(st, FAT_NO_SPACE);
    assert_int_equal(n - 1, 512);
    end();
}

static void a_directory_holds_65536_slots(void **)
{
    char name[64];
    static struct fat_dirent e;
    begin(&fat32);
    struct fat_node *dir = mkdir_at(root, "large");
    /* Long names make it long quickly, then every slot but two is filled by hand: looking through all of them for
     * each new name would take too long here. */
    memset(name, 'x', 60);
    fat_status_t st = FAT_OK;
    for (uint32_t i = 0; st == FAT_OK; i++) {
        char longest[256];
        memset(longest, 'l', 255);
        snprintf(longest + 247, sizeof longest - 247, "%08u", i);
        st = fat_create(dir, longest, 255, nullptr);
    }
    assert_int_equal(st, FAT_TOO_BIG);
    assert_int_equal(fat_sync(volume), FAT_OK);
    for (uint32_t i = 2; i < FAT_DIRECTORY_SLOTS; i++) {
        struct line *l;
        uint32_t sector;
        uint8_t *slot;
        assert_int_equal(directory_slot(dir, i, &l, &sector, &slot), FAT_OK);
        snprintf(name, sizeof name, "F%07u   ", i);
        memset(slot, 0, SLOT_BYTES);
        memcpy(slot, name, SHORT_BYTES);
        slot[SLOT_ATTRIBUTES] = FAT_ATTR_ARCHIVE;
        put16(slot + SLOT_MODIFIED_DATE, 1 << 5 | 1);
        line_dirty(volume, l, sector, 1, PHASE_ENTRY);
        line_put(l);
    }
    uint32_t n = 0;
    for (uint64_t cookie = 0; fat_readdir(dir, cookie, &e) == FAT_OK; cookie = e.cookie)
        n++;
    assert_int_equal(n, FAT_DIRECTORY_SLOTS - 2);
    assert_int_equal(look(dir, "f0065535"), FAT_OK);
    assert_int_equal(fat_create(dir, "ONE", 3, nullptr), FAT_TOO_BIG);
    assert_int_equal(unlink_at(dir, "F0040000"), FAT_OK);
    assert_int_equal(fat_create(dir, "a long name", 11, nullptr), FAT_TOO_BIG);
    assert_int_equal(fat_create(dir, "ONE", 3, nullptr), FAT_OK);
    fat_put(dir);
    end_without_fsck(); /* it compares each name with each other: that takes minutes */
}

static fat_status_t zero_at_once(void *, uint64_t block, uint32_t blocks)
{
    assert_true(block + blocks <= t.disk.blocks);
    return FAT_OK; /* nothing else was ever there */
}

static void a_file_holds_4_gib_less_one_byte(void **)
{
    enum : uint64_t { HUGE = UINT64_C(5) << 30 };
    const struct fat_format how = {};
    size_t done = 0;
    disk_begin(4096, 4096);
    free(t.bytes);
    t.bytes = mmap(nullptr, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(t.bytes != MAP_FAILED);
    t.disk.blocks = HUGE / 4096;
    t.disk.zero = zero_at_once;
    void *scratch = malloc(FAT_FORMAT_SCRATCH);
    assert_int_equal(fat_format(&t.disk, &how, scratch), FAT_OK);
    free(scratch);
    mount();
    struct fat_statfs s;
    assert_int_equal(fat_statfs(volume, &s), FAT_OK);
    assert_int_equal(s.bits, 32);
    struct fat_node *n = create_at(root, "large");
    assert_int_equal(fat_truncate(n, UINT64_C(1) << 32), FAT_TOO_BIG);
    assert_int_equal(fat_truncate(n, UINT32_MAX), FAT_OK);
    assert_int_equal(size_of(n), UINT32_MAX);
    assert_int_equal(fat_write(n, UINT32_MAX - 1, "xy", 2, &done), FAT_OK);
    assert_int_equal(done, 1);
    assert_int_equal(fat_write(n, UINT32_MAX, "z", 1, &done), FAT_TOO_BIG);
    assert_int_equal(fat_write(n, UINT64_MAX, "z", 1, &done), FAT_TOO_BIG);
    char byte = 0;
    assert_int_equal(fat_read(n, UINT32_MAX - 1, &byte, 5, &done), FAT_OK);
    assert_int_equal(done, 1);
    assert_int_equal(byte, 'x');
    write_pattern(n, 7, UINT64_C(3) << 30, 100'000);
    check_pattern(n, 7, UINT64_C(3) << 30, 100'000);
    fat_put(n);
    unmount();
    mount();
    fat_put(root);
    struct fat_report report;
    assert_int_equal(run_check(false, &report), FAT_OK);
    assert_true(fat_report_is_clean(&report));
    assert_int_equal(fat_unmount(volume), FAT_OK);
    munmap(t.bytes, HUGE);
    t.bytes = nullptr;
}

static void nodes_run_out(void **)
{
    struct fat_node *n[NODES], *one = nullptr;
    char name[16];
    begin(&fat32);
    for (uint32_t i = 0; i < NODES; i++) {
        snprintf(name, sizeof name, "F%u", i);
        n[i] = create_at(root, name);
    }
    assert_int_equal(fat_create(root, "F", 1, &one), FAT_TOO_MANY);
    assert_int_equal(look(root, "F"), FAT_NOT_FOUND); /* and it was not made */
    assert_int_equal(fat_create(root, "F", 1, nullptr), FAT_OK);
    assert_int_equal(look(root, "F"), FAT_TOO_MANY);
    for (uint32_t i = 0; i < NODES; i++)
        fat_put(n[i]);
    assert_int_equal(look(root, "F"), FAT_OK);
    end();
}

/* --- the volume --- */

static void the_mark_comes_and_goes(void **)
{
    begin(&fat32);
    assert_false(fat_is_dirty(volume));
    assert_int_equal(fat_create(root, "a", 1, nullptr), FAT_OK);
    assert_int_equal(fat_sync(volume), FAT_OK);
    mount(); /* without having unmounted: the power went */
    assert_true(fat_is_dirty(volume));
    fat_put(root);
    struct fat_report report;
    assert_int_equal(run_check(true, &report), FAT_OK);
    assert_true(report.dirty && !fat_report_is_serious(&report));
    mount();
    assert_false(fat_is_dirty(volume));
    assert_int_equal(fat_create(root, "b", 1, nullptr), FAT_OK);
    assert_int_equal(fat_rest(volume), FAT_OK);
    mount();
    assert_false(fat_is_dirty(volume));
    end();
}

static void a_read_only_volume_is_not_written(void **)
{
    begin(&fat32);
    struct fat_node *n = create_at(root, "file");
    write_pattern(n, 1, 0, 5000);
    fat_put(n);
    unmount();
    uint64_t writes = t.n_writes;
    size_t done;
    assert_int_equal(try_mount(FAT_MOUNT_READ_ONLY), FAT_OK);
    root = fat_root(volume);
    n = open_at(root, "file");
    check_pattern(n, 1, 0, 5000);
    assert_int_equal(fat_write(n, 0, "x", 1, &done), FAT_READ_ONLY);
    assert_int_equal(fat_truncate(n, 0), FAT_READ_ONLY);
    assert_int_equal(fat_create(root, "x", 1, nullptr), FAT_READ_ONLY);
    assert_int_equal(fat_mkdir(root, "x", 1, nullptr), FAT_READ_ONLY);
    assert_int_equal(unlink_at(root, "file"), FAT_READ_ONLY);
    assert_int_equal(rename_at(root, "file", root, "x", 0), FAT_READ_ONLY);
    fat_put(n);
    assert_int_equal(fat_sync(volume), FAT_OK);
    fat_put(root);
    assert_int_equal(fat_unmount(volume), FAT_OK);
    assert_int_equal(t.n_writes, writes);
    mount();
    end();
}

static void with_one_active_table_the_other_is_left_alone(void **)
{
    begin(&fat32);
    unmount();
    uint32_t table = 32 * 512, bytes = get32(t.bytes + BOOT_FAT_SECTORS_32) * 512;
    t.bytes[BOOT_FLAGS] = FLAGS_ONE_FAT | 1;
    memset(t.bytes + table + 12, 0x5a, bytes - 12); /* nonsense in the first */
    mount();
    struct fat_node *n = create_at(root, "file");
    write_pattern(n, 1, 0, 100'000);
    fat_put(n);
    unmount();
    for (uint32_t i = 12; i < bytes; i++)
        assert_int_equal(t.bytes[table + i], 0x5a);
    mount();
    n = open_at(root, "file");
    check_pattern(n, 1, 0, 100'000);
    fat_put(n);
    unmount();
}

static void times_and_attributes_are_kept(void **)
{
    struct fat_stat s, set = { .modified_ns = UINT64_C(1'000'000'000) * 1'000'000'000, .attributes = FAT_ATTR_HIDDEN };
    begin(&fat32);
    uint64_t now = t.now_ns;
    struct fat_node *n = create_at(root, "file");
    fat_stat(n, &s);
    assert_true(s.created_ns > now && s.created_ns <= t.now_ns);
    assert_true(s.modified_ns + UINT64_C(2'000'000'000) > now && s.modified_ns <= t.now_ns);
    assert_int_equal(fat_set_stat(n, FAT_SET_MODIFIED | FAT_SET_ATTRIBUTES, &set), FAT_OK);
    fat_put(n);
    unmount();
    mount();
    n = open_at(root, "file");
    fat_stat(n, &s);
    assert_true(s.modified_ns == set.modified_ns);
    assert_int_equal(s.attributes, FAT_ATTR_HIDDEN);
    assert_int_equal(fat_set_stat(root, FAT_SET_MODIFIED, &set), FAT_NOT_SUPPORTED);
    assert_int_equal(fat_set_stat(n, 64, &set), FAT_NOT_SUPPORTED);
    fat_put(n);
    end();
}

static void an_object_is_found_by_its_id(void **)
{
    size_t bytes;
    begin(&fat32);
    struct fat_node *a = mkdir_at(root, "a"), *b = mkdir_at(a, "b"), *f = create_at(b, "file"), *found = nullptr;
    struct fat_stat s;
    void *maps = malloc(bytes = fat_check_memory(volume));
    fat_stat(f, &s);
    *fat_tag(f) = &s;
    assert_int_equal(fat_find(volume, s.id, maps, bytes, &found), FAT_OK);
    assert_ptr_equal(found, f);
    assert_ptr_equal(*fat_tag(found), &s);
    fat_put(found);
    assert_int_equal(fat_find(volume, s.id + 1, maps, bytes, &found), FAT_NOT_FOUND);
    assert_int_equal(unlink_at(b, "file"), FAT_OK);
    assert_int_equal(fat_find(volume, s.id, maps, bytes, &found), FAT_NOT_FOUND);
    free(maps);
    fat_put(a), fat_put(b), fat_put(f);
    end();
}

static void large_pieces_go_straight_to_the_disk(void **)
{
    const struct fat_format how = { .bits = 32, .cluster_bytes = 4096 };
    enum { MANY = 1 << 20 };
    format(64 << 20, 512, &how);
    mount();
    struct fat_node *n = create_at(root, "file");
    uint64_t writes = t.n_writes;
    write_pattern(n, 1, 0, MANY);
    assert_true(t.n_writes - writes <= 6); /* one for the data, the others for the mark and the table */
    assert_int_equal(fat_sync(volume), FAT_OK);
    fat_put(n);
    unmount();
    mount();
    n = open_at(root, "file");
    uint64_t reads = t.n_reads;
    check_pattern(n, 1, 0, MANY);
    assert_true(t.n_reads - reads <= 3);
    fat_put(n);
    unmount();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_on_fat32),
        cmocka_unit_test(files_on_fat16),
        cmocka_unit_test(files_on_fat12),
        cmocka_unit_test(case_is_kept_and_does_not_count),
        cmocka_unit_test(names_alike_get_short_names_of_their_own),
        cmocka_unit_test(a_listing_sees_what_stays_exactly_once),
        cmocka_unit_test(what_is_open_lives_without_a_name),
        cmocka_unit_test(renames_follow_the_rules),
        cmocka_unit_test(full_disks),
        cmocka_unit_test(the_root_of_a_fat16_is_full_at_512_slots),
        cmocka_unit_test(a_directory_holds_65536_slots),
        cmocka_unit_test(a_file_holds_4_gib_less_one_byte),
        cmocka_unit_test(nodes_run_out),
        cmocka_unit_test(the_mark_comes_and_goes),
        cmocka_unit_test(a_read_only_volume_is_not_written),
        cmocka_unit_test(with_one_active_table_the_other_is_left_alone),
        cmocka_unit_test(times_and_attributes_are_kept),
        cmocka_unit_test(an_object_is_found_by_its_id),
        cmocka_unit_test(large_pieces_go_straight_to_the_disk),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
