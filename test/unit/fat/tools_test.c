/* SPDX-License-Identifier: MIT
 * With other people's tools, in both directions: what mkfs.fat makes and mcopy fills is read byte for byte; what is
 * written here passes fsck.fat and is read by mtype and mdir; volumes that fat_format makes are theirs, too. (mtools
 * know no characters beyond 16 bits, and sectors of 512 bytes alone.) */
// sources: lib/libfat/boot.c lib/libfat/cache.c lib/libfat/check.c lib/libfat/directory.c lib/libfat/file.c
// sources: lib/libfat/format.c lib/libfat/intent.c lib/libfat/name.c lib/libfat/node.c lib/libfat/table.c
// sources: lib/libfat/time.c lib/libfat/tree.c
// flags: -D_GNU_SOURCE
#include "disk.h"

struct kind {
    const char *line; /* of mkfs.fat; nullptr: fat_format makes it */
    struct fat_format how;
    uint64_t bytes;
    uint32_t block_bytes;
};

static const struct kind kinds[] = {
    { "mkfs.fat -F 32 -s 1 -n OTHERS '%s'", {}, 40 << 20, 512 },
    { "mkfs.fat -F 32 -s 8 '%s'", {}, 300 << 20, 512 },
    { "mkfs.fat -F 32 -S 4096 -s 1 '%s'", {}, 64 << 20, 4096 },
    { "mkfs.fat -F 32 -S 2048 -s 2 '%s'", {}, 64 << 20, 512 },
    { "mkfs.fat -F 32 -s 1 -a -f 1 '%s'", {}, 41 << 20, 512 },
    { "mkfs.fat -F 16 '%s'", {}, 32 << 20, 512 },
    { "mkfs.fat -F 12 '%s'", {}, 4 << 20, 512 },
    { nullptr, { .label = "OURS" }, UINT64_C(600) << 20, 512 },
    { nullptr, { .bits = 32 }, 64 << 20, 4096 },
    { nullptr, { .bits = 32, .sector_bytes = 1024 }, 100 << 20, 512 },
    { nullptr, {}, 64 << 20, 512 },
    { nullptr, {}, 4 << 20, 512 },
    { nullptr, { .bits = 16, .cluster_bytes = 4096 }, 64 << 20, 512 },
};

static const uint32_t sizes[] = { 0, 1, 511, 512, 4097, 100'000, 1'234'567 };
static const char *const names[] = { "SHORT.TXT",
                                     "lower.c",
                                     "Mixed.Case",
                                     "a long name.tar.gz",
                                     "\xc3\xa9t\xc3\xa9 \xe2\x82\xac.txt",
                                     "\xe4\xb8\xad\xe6\x96\x87 name",
                                     ".profile" };
enum { FILES = 7 };
static char said[65536];

static void run(const char *line)
{
    int status = tool(line, said, sizeof said);
    if (status != 0)
        fail_msg("%s: %d: %s ", line, status, said);
}

static void write_host_file(const char *path, uint32_t seed, uint32_t bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (uint32_t i = 0; i < bytes; i++)
        fputc(pattern(seed, i), f);
    fclose(f);
}

static void check_host_file(const char *path, uint32_t seed, uint32_t bytes)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (uint32_t i = 0; i < bytes; i++)
        assert_int_equal(fgetc(f), pattern(seed, i));
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
}

static void make(const struct kind *k)
{
    if (k->line == nullptr) {
        format(k->bytes, k->block_bytes, &k->how);
        to_file(t.bytes);
        return;
    }
    disk_begin(k->bytes, k->block_bytes);
    to_file(t.bytes);
    run(k->line);
    from_file();
}

/* mcopy fills it, also a directory in a directory; we read. */
static void they_write_we_read(void)
{
    char host[80], line[400];
    snprintf(host, sizeof host, "%s.host", t.path);
    run("mmd -i '%s' ::/theirs '::/theirs/deep directory'");
    for (uint32_t i = 0; i < FILES; i++) {
        write_host_file(host, i, sizes[i]);
        snprintf(line, sizeof line, "mcopy -i '%%s' '%s' '::/%s%s'", host, i % 2 == 0 ? "theirs/deep directory/" : "",
                 names[i]);
        run(line);
    }
    unlink(host);
    from_file();
    mount();
    struct fat_node *theirs = open_at(root, "theirs"), *deep = open_at(theirs, "Deep Directory");
    for (uint32_t i = 0; i < FILES; i++) {
        struct fat_node *n = open_at(i % 2 == 0 ? deep : root, names[i]);
        assert_int_equal(size_of(n), sizes[i]);
        check_pattern(n, i, 0, sizes[i]);
        fat_put(n);
    }
    static struct fat_dirent e;
    uint32_t seen = 0;
    for (uint64_t cookie = 0; fat_readdir(deep, cookie, &e) == FAT_OK; cookie = e.cookie, seen++) {
        bool known = false;
        for (uint32_t i = 0; i < FILES; i += 2)
            known = known || strcmp(e.name, names[i]) == 0;
        if (!known)
            fail_msg("a name nobody gave: %s", e.name);
    }
    assert_int_equal(seen, (FILES + 1) / 2);
    fat_put(deep);
    fat_put(theirs);
}

/* We write; fsck.fat, mdir and mcopy read. What they wrote is changed, renamed and taken away, too. */
static void we_write_they_read(void)
{
    char host[80], line[400];
    struct fat_node *ours = mkdir_at(root, "ours and a long name"), *theirs = open_at(root, "theirs"),
                    *deep = open_at(theirs, "deep directory");
    for (uint32_t i = 0; i < FILES; i++) {
        struct fat_node *n = create_at(ours, names[i]);
        write_pattern(n, 10 + i, 0, sizes[i]);
        fat_put(n);
    }
    assert_int_equal(rename_at(theirs, "deep directory", ours, "moved", 0), FAT_OK);
    assert_int_equal(unlink_at(root, names[3]), FAT_OK);
    struct fat_node *n = open_at(deep, names[4]);
    write_pattern(n, 4, sizes[4], 5000);
    fat_put(n);
    fat_put(deep);
    fat_put(theirs);
    fat_put(ours);
    unmount();
    fsck_is_happy();
    snprintf(host, sizeof host, "%s.host", t.path);
    for (uint32_t i = 0; i < FILES; i++) {
        snprintf(line, sizeof line, "rm -f '%s'; mcopy -i '%%s' '::/ours and a long name/%s' '%s'", host, names[i],
                 host);
        run(line);
        check_host_file(host, 10 + i, sizes[i]);
    }
    snprintf(line, sizeof line, "mtype -i '%%s' '::/ours and a long name/moved/%s' > '%s'", names[4], host);
    run(line);
    check_host_file(host, 4, sizes[4] + 5000);
    run("mdir -b -i '%s' '::/ours and a long name'");
    for (uint32_t i = 0; i < FILES; i++)
        assert_non_null(strstr(said, names[i]));
    snprintf(line, sizeof line, "mdir -i '%%s' '::/%s'", names[3]);
    assert_int_not_equal(tool(line, said, sizeof said), 0);
    unlink(host);
}

static void both_ways(void **)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        make(&kinds[i]);
        if (kinds[i].block_bytes == 4096 || kinds[i].how.sector_bytes > 512 ||
            (kinds[i].line != nullptr && strstr(kinds[i].line, "-S ") != nullptr)) {
            /* mtools read sectors of 512 bytes alone. */
            mount();
            fat_put(mkdir_at(root, "theirs"));
            struct fat_node *theirs = open_at(root, "theirs"), *n = create_at(theirs, "a file with a long name");
            write_pattern(n, 1, 0, 1'000'000);
            fat_put(n);
            fat_put(theirs);
            unmount();
            fsck_is_happy();
            mount();
            theirs = open_at(root, "theirs");
            n = open_at(theirs, "a file with a long name");
            check_pattern(n, 1, 0, 1'000'000);
            fat_put(n);
            fat_put(theirs);
            unmount();
            continue;
        }
        they_write_we_read();
        we_write_they_read();
    }
    remove_file();
}

/* The sizes at which the shape of a volume changes; dosfstools says what is in the boot sector. */
static void volumes_of_many_sizes(void **)
{
    static const uint32_t mib[] = { 1, 2, 3, 8, 15, 16, 31, 33, 127, 128, 255, 259, 261, 511, 512, 513, 1000 };
    for (size_t i = 0; i < sizeof mib / sizeof *mib; i++) {
        const struct fat_format how = { .serial = 0x12345678, .label = "SIZES" };
        struct fat_statfs s;
        format((uint64_t)mib[i] << 20, 512, &how);
        mount();
        assert_int_equal(fat_statfs(volume, &s), FAT_OK);
        assert_int_equal(s.bits == 32, mib[i] >= 512);
        assert_int_equal(s.serial, 0x12345678);
        assert_string_equal(s.label, "SIZES");
        fat_put(create_at(root, "a file"));
        unmount();
        fsck_is_happy();
    }
    remove_file();
}

static void what_cannot_be_formatted(void **)
{
    uint8_t *scratch = malloc(FAT_FORMAT_SCRATCH);
    disk_begin(1 << 20, 512);
    assert_int_equal(fat_format(&t.disk, &(struct fat_format){ .bits = 16 }, scratch), FAT_BAD_ARGUMENT);
    assert_int_equal(fat_format(&t.disk, &(struct fat_format){ .bits = 13 }, scratch), FAT_BAD_ARGUMENT);
    assert_int_equal(fat_format(&t.disk, &(struct fat_format){ .cluster_bytes = 700 }, scratch), FAT_BAD_ARGUMENT);
    assert_int_equal(fat_format(&t.disk, &(struct fat_format){ .sector_bytes = 8192 }, scratch), FAT_BAD_ARGUMENT);
    assert_int_equal(fat_format(&t.disk, &(struct fat_format){ .label = "twelve chars" }, scratch), FAT_BAD_NAME);
    assert_int_equal(fat_format(&t.disk, &(struct fat_format){ .label = "a:b" }, scratch), FAT_BAD_NAME);
    t.disk.blocks = UINT64_C(1) << 32;
    assert_int_equal(fat_format(&t.disk, &(struct fat_format){}, scratch), FAT_TOO_BIG);
    t.disk.blocks = 4;
    assert_int_equal(fat_format(&t.disk, &(struct fat_format){}, scratch), FAT_BAD_ARGUMENT);
    t.disk.blocks = 2048;
    assert_int_equal(try_mount(0), FAT_NOT_FAT);
    free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(volumes_of_many_sizes),
        cmocka_unit_test(what_cannot_be_formatted),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
