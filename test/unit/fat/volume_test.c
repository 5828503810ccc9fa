// sources: lib/libfat/boot.c lib/libfat/cache.c lib/libfat/check.c lib/libfat/directory.c lib/libfat/file.c
// sources: lib/libfat/format.c lib/libfat/intent.c lib/libfat/name.c lib/libfat/node.c lib/libfat/table.c
// sources: lib/libfat/time.c lib/libfat/tree.c
// flags: -D_GNU_SOURCE
/* SPDX-License-Identifier: MIT
 * What a volume does, operation by operation, on each kind of volume; fsck.fat has the last word. */
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

/* --- against a model --- */

enum { OBJECTS = 48, OPS = 2500, MODEL_BYTES = 40'000 };

struct object {
    bool live, directory, unlinked;
    uint32_t parent; /* OBJECTS: the root */
    char name[64];
    uint32_t size;
    uint8_t *bytes;
    struct fat_node *open;
};

static struct object object[OBJECTS];
static uint64_t random_state;

static uint32_t pick(uint32_t limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % limit);
}

static struct fat_node *node_of(uint32_t i)
{
    if (i == OBJECTS)
        return fat_root(volume);
    if (object[i].open != nullptr)
        return fat_get(object[i].open);
    struct fat_node *dir = node_of(object[i].parent), *n = open_at(dir, object[i].name);
    fat_put(dir);
    return n;
}

/* A live object with a name; OBJECTS: none (or the root). */
static uint32_t some(bool directory)
{
    uint32_t choice = OBJECTS, n = 1;
    for (uint32_t i = 0; i < OBJECTS; i++)
        if (object[i].live && !object[i].unlinked && object[i].directory == directory && pick(++n) != 0)
            choice = pick(2) == 0 || choice == OBJECTS ? i : choice;
    return choice;
}

static uint32_t child_of(uint32_t dir, const char *name)
{
    for (uint32_t i = 0; i < OBJECTS; i++)
        if (object[i].live && !object[i].unlinked && object[i].parent == dir && strcasecmp(object[i].name, name) == 0)
            return i;
    return OBJECTS;
}

static bool is_empty(uint32_t dir)
{
    for (uint32_t i = 0; i < OBJECTS; i++)
        if (object[i].live && !object[i].unlinked && object[i].parent == dir)
            return false;
    return true;
}

static bool is_below(uint32_t i, uint32_t top)
{
    for (; i != OBJECTS; i = object[i].parent)
        if (i == top)
            return true;
    return false;
}

static void forget(uint32_t i)
{
    if (object[i].open != nullptr) {
        object[i].unlinked = true;
        return;
    }
    free(object[i].bytes);
    object[i] = (struct object){};
}

static void any_name(char *out)
{
    static const char *const kinds[] = { "F%u", "lower%u.c", "Mixed Name %u.Text",
                                         "much longer than eight and three %u", "x%u.tar.gz" };
    snprintf(out, 64, kinds[pick(5)], pick(30));
}

static void model_make(bool directory)
{
    uint32_t i = 0, dir = pick(3) == 0 ? OBJECTS : some(true);
    char name[64];
    while (i < OBJECTS && object[i].live)
        i++;
    if (i == OBJECTS)
        return;
    any_name(name);
    struct fat_node *d = node_of(dir), *n = nullptr;
    fat_status_t st = directory ? fat_mkdir(d, name, strlen(name), &n) : fat_create(d, name, strlen(name), &n);
    fat_put(d);
    if (child_of(dir, name) != OBJECTS) {
        assert_int_equal(st, FAT_EXISTS);
        return;
    }
    if (st == FAT_NO_SPACE && dir == OBJECTS && volume->bits != 32)
        return; /* their root has so many slots and no more */
    assert_int_equal(st, FAT_OK);
    object[i] = (struct object){ .live = true, .directory = directory, .parent = dir };
    strcpy(object[i].name, name);
    if (!directory)
        object[i].bytes = calloc(1, MODEL_BYTES);
    if (pick(4) == 0)
        object[i].open = n;
    else
        fat_put(n);
}

static void model_write(void)
{
    uint32_t i = pick(OBJECTS), at = pick(MODEL_BYTES), bytes = pick(pick(3) == 0 ? 30'000 : 700);
    struct object *o = &object[i];
    uint8_t data[30'000];
    size_t done = 0;
    if (!o->live || o->directory)
        return;
    at = pick(2) == 0 ? o->size : at;
    bytes = bytes < MODEL_BYTES - at ? bytes : MODEL_BYTES - at;
    for (uint32_t k = 0; k < bytes; k++)
        data[k] = (uint8_t)pick(256);
    struct fat_node *n = node_of(i);
    assert_int_equal(fat_write(n, at, data, bytes, &done), FAT_OK);
    assert_int_equal(done, bytes);
    fat_put(n);
    memcpy(o->bytes + at, data, bytes);
    if (bytes != 0 && at + bytes > o->size)
        o->size = at + bytes;
}

static void model_truncate(void)
{
    uint32_t i = pick(OBJECTS), size = pick(MODEL_BYTES);
    struct object *o = &object[i];
    if (!o->live || o->directory)
        return;
    struct fat_node *n = node_of(i);
    assert_int_equal(fat_truncate(n, size), FAT_OK);
    fat_put(n);
    if (size < o->size)
        memset(o->bytes + size, 0, o->size - size);
    o->size = size;
}

static void model_read(uint32_t i)
{
    struct object *o = &object[i];
    uint8_t data[MODEL_BYTES + 1];
    uint32_t at = pick(3) == 0 ? pick(MODEL_BYTES) : 0, wanted = at < o->size ? o->size - at : 0;
    size_t done = 0;
    if (!o->live || o->directory)
        return;
    struct fat_node *n = node_of(i);
    assert_int_equal(size_of(n), o->size);
    assert_int_equal(fat_read(n, at, data, sizeof data, &done), FAT_OK);
    assert_int_equal(done, wanted);
    assert_memory_equal(data, o->bytes + at, wanted);
    fat_put(n);
}

static void model_remove(void)
{
    bool directory = pick(3) == 0;
    uint32_t i = some(directory);
    if (i == OBJECTS)
        return;
    struct fat_node *d = node_of(object[i].parent);
    const char *name = object[i].name;
    if (directory && !is_empty(i)) {
        assert_int_equal(fat_rmdir(d, name, strlen(name)), FAT_NOT_EMPTY);
    } else {
        assert_int_equal(directory ? unlink_at(d, name) : fat_rmdir(d, name, strlen(name)),
                         directory ? FAT_IS_DIRECTORY : FAT_NOT_DIRECTORY);
        assert_int_equal(directory ? fat_rmdir(d, name, strlen(name)) : unlink_at(d, name), FAT_OK);
        forget(i);
    }
    fat_put(d);
}

static void model_rename(void)
{
    uint32_t i = some(pick(3) == 0), dir = pick(3) == 0 ? OBJECTS : some(true);
    char name[64];
    if (i == OBJECTS)
        return;
    any_name(name);
    uint32_t flags = pick(4) == 0 ? FAT_RENAME_NO_REPLACE : 0, target = child_of(dir, name);
    struct fat_node *from = node_of(object[i].parent), *to = node_of(dir);
    fat_status_t st = rename_at(from, object[i].name, to, name, flags), wanted = FAT_OK;
    if (object[i].directory && is_below(dir, i))
        wanted = FAT_BAD_ARGUMENT;
    else if (target != OBJECTS && target != i)
        wanted = flags != 0 ? FAT_EXISTS
                 : object[target].directory != object[i].directory
                     ? object[target].directory ? FAT_IS_DIRECTORY : FAT_NOT_DIRECTORY
                 : object[i].directory && !is_empty(target) ? FAT_NOT_EMPTY
                                                            : FAT_OK;
    fat_put(from);
    fat_put(to);
    if (st == FAT_NO_SPACE && dir == OBJECTS && volume->bits != 32)
        return;
    assert_int_equal(st, wanted);
    if (st != FAT_OK)
        return;
    if (target != OBJECTS && target != i) {
        strcpy(name, object[target].name);
        forget(target);
    }
    strcpy(object[i].name, name);
    object[i].parent = dir;
}

static void model_close(void)
{
    uint32_t i = pick(OBJECTS);
    if (!object[i].live || object[i].open == nullptr)
        return;
    fat_put(object[i].open);
    object[i].open = nullptr;
    if (object[i].unlinked)
        forget(i);
}

/* Every directory lists what the model has in it, each once. */
static void listings_agree(uint32_t dir)
{
    static struct fat_dirent e;
    uint32_t seen = 0, wanted = 0;
    struct fat_node *d = node_of(dir);
    for (uint64_t cookie = 0; fat_readdir(d, cookie, &e) == FAT_OK; cookie = e.cookie) {
        uint32_t i = child_of(dir, e.name);
        assert_true(i != OBJECTS);
        assert_string_equal(object[i].name, e.name);
        assert_int_equal((e.attributes & FAT_ATTR_DIRECTORY) != 0, object[i].directory);
        assert_int_equal(e.size, object[i].size);
        seen++;
    }
    for (uint32_t i = 0; i < OBJECTS; i++)
        wanted += object[i].live && !object[i].unlinked && object[i].parent == dir;
    assert_int_equal(seen, wanted);
    fat_put(d);
}

static void everything_agrees(void)
{
    for (uint32_t i = 0; i < OBJECTS; i++)
        model_read(i);
    listings_agree(OBJECTS);
    for (uint32_t i = 0; i < OBJECTS; i++)
        if (object[i].live && object[i].directory && !object[i].unlinked)
            listings_agree(i);
}

static void agree_with_the_model(const struct fat_format *how, uint64_t seed)
{
    random_state = seed;
    begin(how);
    for (uint32_t op = 0; op < OPS; op++) {
        uint32_t what = pick(16);
        if (what < 3)
            model_make(false);
        else if (what < 4)
            model_make(true);
        else if (what < 7)
            model_write();
        else if (what < 8)
            model_truncate();
        else if (what < 10)
            model_read(pick(OBJECTS));
        else if (what < 12)
            model_remove();
        else if (what < 14)
            model_rename();
        else if (what < 15)
            model_close();
        else if (pick(8) == 0)
            assert_int_equal(pick(2) == 0 ? fat_sync(volume) : fat_rest(volume), FAT_OK);
        if (op % 500 == 499) {
            everything_agrees();
            for (uint32_t i = 0; i < OBJECTS; i++) {
                if (object[i].open == nullptr)
                    continue;
                fat_put(object[i].open);
                object[i].open = nullptr;
                if (object[i].unlinked)
                    forget(i);
            }
            end();
            mount();
            everything_agrees();
        }
    }
    for (uint32_t i = 0; i < OBJECTS; i++)
        if (object[i].live)
            forget(i);
    memset(object, 0, sizeof object);
    end();
}

static void fat32_agrees_with_the_model(void **)
{
    agree_with_the_model(&fat32, 1);
    agree_with_the_model(&fat32, 2);
}
static void fat16_agrees_with_the_model(void **)
{
    agree_with_the_model(&fat16, 3);
}
static void fat12_agrees_with_the_model(void **)
{
    agree_with_the_model(&fat12, 4);
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
    struct name parsed;
    for (uint32_t i = 0; st == FAT_OK; i++) {
        char longest[256];
        memset(longest, 'l', 255);
        snprintf(longest, sizeof longest, "%08u", i);
        longest[8] = 'l';
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
    assert_int_equal(name_parse("ONE", 3, &parsed), FAT_OK);
    fat_put(dir);
    end();
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
        cmocka_unit_test(fat32_agrees_with_the_model),
        cmocka_unit_test(fat16_agrees_with_the_model),
        cmocka_unit_test(fat12_agrees_with_the_model),
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
        cmocka_unit_test(large_pieces_go_straight_to_the_disk),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
