/* SPDX-License-Identifier: MIT
 * A volume against a model of it: many operations, chosen by a seed, on each kind of volume; the same answers, the same
 * contents and listings, and fsck.fat has the last word. */
// sources: lib/libfat/boot.c lib/libfat/cache.c lib/libfat/check.c lib/libfat/directory.c lib/libfat/file.c
// sources: lib/libfat/format.c lib/libfat/intent.c lib/libfat/name.c lib/libfat/node.c lib/libfat/table.c
// sources: lib/libfat/time.c lib/libfat/tree.c
// flags: -D_GNU_SOURCE
#include "disk.h"
#include "../../../lib/libfat/fat.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fat32_agrees_with_the_model),
        cmocka_unit_test(fat16_agrees_with_the_model),
        cmocka_unit_test(fat12_agrees_with_the_model),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
