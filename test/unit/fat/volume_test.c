// sources: lib/libfat/boot.c lib/libfat/cache.c lib/libfat/check.c lib/libfat/directory.c lib/libfat/file.c
// sources: lib/libfat/format.c lib/libfat/intent.c lib/libfat/name.c lib/libfat/node.c lib/libfat/table.c
// sources: lib/libfat/time.c lib/libfat/tree.c
// flags: -D_GNU_SOURCE
/* SPDX-License-Identifier: MIT
 * What a volume does, operation by operation, on each kind of volume; fsck.fat has the last word. */
#include "disk.h"

static const struct fat_format fat32 = { .bits = 32, .label = "TEST" }, fat16 = { .bits = 16 }, fat12 = { .bits = 12 };
enum { SIZE = 16 << 20 };

static void begin(const struct fat_format *how)
{
    format(how->bits == 12 ? SIZE / 4 : SIZE, 512, how);
    mount();
}

static void end(void)
{
    struct fat_report report;
    unmount();
    fsck_is_happy();
    mount();
    assert_false(fat_is_dirty(volume));
    fat_put(root);
    assert_int_equal(run_check(false, &report), FAT_OK);
    assert_true(fat_report_is_clean(&report));
    assert_int_equal(fat_unmount(volume), FAT_OK);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_on_fat32),
        cmocka_unit_test(files_on_fat16),
        cmocka_unit_test(files_on_fat12),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
