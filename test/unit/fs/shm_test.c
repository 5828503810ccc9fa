/* SPDX-License-Identifier: MIT
 * Files whose memory is lent: random operations on files that somebody maps or not, against an array; what is lent
 * stays the file's memory; the limits; and all of it given back.
 */
// sources: srv/shmd/shm.c srv/shmd/names.c lib/libfs/copy.c lib/libvectra/string.c
// mutations: -DMUTATE_SHM_KEEP_TAIL -DMUTATE_SHM_KEEP_PIECES
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <srv/shmd/shm.h>

enum { PAGE = 4096, STEPS = 20000, MODEL_BYTES = 100000, MEMORIES = 512, ROOM = 4 << 20 };

static struct shm s;
static struct fs_backend b;

/* Memory objects: a handle is a place here and 1. */
static struct {
    uint8_t *at;
    uint64_t bytes;
    unsigned lent;
    bool ours;
} memories[MEMORIES];
static uint64_t in_use;

static void memory_put(unsigned i)
{
    if (memories[i].at == NULL || memories[i].ours || memories[i].lent != 0)
        return;
    in_use -= memories[i].bytes;
    free(memories[i].at);
    memories[i].at = NULL;
}

static status_t make(uint64_t bytes, vx_mem *mem, uint8_t **at)
{
    unsigned i = 0;
    assert_int_equal(bytes % PAGE, 0);
    while (i < MEMORIES && memories[i].at != NULL)
        i++;
    if (i == MEMORIES || bytes > ROOM - in_use)
        return ERR_NO_MEMORY;
    in_use += bytes;
    memories[i].at = *at = calloc(1, bytes);
    memories[i].bytes = bytes;
    memories[i].ours = true;
    *mem = (vx_mem){ i + 1 };
    return OK;
}

static bool is_lent(vx_mem mem)
{
    return memories[mem.raw - 1].lent != 0;
}

static status_t lend(vx_mem mem, uint64_t bytes, bool writes, vx_handle_t *out)
{
    (void)writes;
    assert_true(bytes != 0 && bytes % PAGE == 0 && bytes <= memories[mem.raw - 1].bytes);
    memories[mem.raw - 1].lent++;
    *out = mem.raw;
    return OK;
}

static void end_of(vx_mem mem)
{
    memories[mem.raw - 1].ours = false;
    memory_put((unsigned)mem.raw - 1);
}

static void give_back(vx_handle_t lent)
{
    memories[lent - 1].lent--;
    memory_put((unsigned)lent - 1);
}

static void space(uint64_t *bytes, uint64_t *left)
{
    *bytes = ROOM;
    *left = ROOM - in_use;
}

static int64_t now_ns(void)
{
    static int64_t clock_ns;
    return ++clock_ns;
}

bool fs_list_add(struct fs_listing *l, uint64_t, uint64_t, uint32_t, struct fs_name)
{
    l->used++;
    return true;
}

static int begin(void **)
{
    static const struct shm_memory memory = { make, is_lent, lend, end_of, space };
    memset(&s, 0, sizeof s);
    shm_init(&s, &b, &memory, 77, now_ns);
    return 0;
}

static struct fs_name name_of(const char *text)
{
    return (struct fs_name){ text, strlen(text) };
}

static struct fs_node node_of(const struct vx_fs_attributes *a)
{
    return (struct fs_node){ a->object, a->generation };
}

static status_t create(const char *name, struct fs_node *out)
{
    struct vx_fs_attributes a = {};
    status_t st = b.create(&b, b.root, name_of(name), &(struct fs_new){ .mode = VX_FS_FILE | 0600 }, &a);
    *out = node_of(&a);
    return st;
}

static status_t resize(struct fs_node f, uint64_t size)
{
    return b.change(&b, f, &(struct vx_fs_change){ .mask = VX_FS_SET_SIZE, .size = size });
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)rand() % limit;
}

/* Every page of the file, as who maps it sees it. */
static void seen_through_maps(struct fs_node f, const uint8_t *model, uint64_t size)
{
    for (uint64_t at = 0; at < size;) {
        vx_handle_t lent = 0;
        uint64_t from = 0;
        assert_int_equal(b.map(&b, f, at, true, &lent, &from), OK);
        assert_true(from <= at && at - from < memories[lent - 1].bytes);
        uint64_t end = from + memories[lent - 1].bytes < size ? from + memories[lent - 1].bytes : size;
        assert_memory_equal(memories[lent - 1].at + (at - from), model + at, end - at);
        give_back(lent);
        at = end;
    }
}

static void agrees_with_an_array(void **)
{
    static uint8_t model[MODEL_BYTES], chunk[9000], back[MODEL_BYTES];
    vx_handle_t lent = 0;
    struct fs_node f;
    uint64_t size = 0;
    size_t done;
    srand(4);
    assert_int_equal(create("f", &f), OK);
    for (unsigned step = 0; step < STEPS; step++) {
        size_t at = below(MODEL_BYTES), n = below(sizeof chunk);
        n = n < MODEL_BYTES - at ? n : MODEL_BYTES - at;
        switch (below(6)) {
        case 0: { /* truncated, or longer: may fail while somebody maps it, and then nothing has changed */
            status_t st = resize(f, at);
            assert_true(st == OK || (st == ERR_NO_SPACE && lent != 0));
            if (st == OK) {
                if (at < size)
                    memset(model + at, 0, size - at);
                size = at;
            }
            break;
        }
        case 1:
            if (n != 0 && at < size) {
                assert_int_equal(b.allocate(&b, f, at, n, VX_FS_PUNCH | VX_FS_KEEP_SIZE), OK);
                memset(model + at, 0, at + n < size ? n : size - at);
            }
            break;
        case 2:
            if (lent != 0) {
                give_back(lent);
                lent = 0;
            } else if (size != 0) {
                uint64_t from;
                assert_int_equal(b.map(&b, f, at % size, true, &lent, &from), OK);
            }
            break;
        default: {
            memset(chunk, (int)(step % 255 + 1), n);
            status_t st = b.write(&b, f, at, chunk, n, &done);
            assert_true(st == OK || (st == ERR_NO_SPACE && lent != 0));
            if (st == OK) {
                assert_int_equal(done, n);
                memcpy(model + at, chunk, n);
                size = n != 0 && at + n > size ? at + n : size;
            }
        }
        }
        if (step % 16 != 0)
            continue;
        assert_int_equal(b.read(&b, f, 0, back, sizeof back, &done), OK);
        assert_int_equal(done, size);
        assert_memory_equal(back, model, size);
        seen_through_maps(f, model, size);
    }
    if (lent != 0)
        give_back(lent);
    assert_int_equal(b.unlink(&b, b.root, name_of("f"), f, false), OK);
    assert_int_equal(in_use, 0);
}

static void what_is_lent_outlives_the_file(void **)
{
    struct fs_node f, again;
    vx_handle_t lent;
    uint64_t from;
    assert_int_equal(create("f", &f), OK);
    assert_int_equal(b.map(&b, f, 0, false, &lent, &from), ERR_NOT_FOUND);
    assert_int_equal(resize(f, 10), OK);
    assert_int_equal(b.map(&b, f, PAGE, false, &lent, &from), ERR_NOT_FOUND);
    assert_int_equal(b.map(&b, f, 0, false, &lent, &from), OK);
    b.hold(&b, f);
    assert_int_equal(b.unlink(&b, b.root, name_of("f"), f, false), OK);
    assert_int_equal(b.link(&b, b.root, name_of("g"), f), ERR_NOT_FOUND);
    b.release(&b, f);
    assert_int_equal(b.map(&b, f, 0, false, &lent, &from), ERR_STALE);
    assert_int_equal(in_use, PAGE);
    assert_int_equal(create("f", &again), OK);
    assert_int_not_equal(again.object, f.object); /* the same place, another number */
    give_back(lent);
    assert_int_equal(in_use, 0);
}

static void names(void **)
{
    struct fs_node f, g;
    struct vx_fs_attributes a;
    assert_int_equal(create("f", &f), OK);
    assert_int_equal(create("f", &g), ERR_EXISTS);
    assert_int_equal(create("g", &g), OK);
    assert_int_equal(resize(g, PAGE), OK);
    struct fs_rename r = { b.root, b.root, name_of("f"), name_of("g"), f, {}, false, false };
    assert_int_equal(b.rename(&b, &r), ERR_BUSY);
    r.replaced = g;
    r.no_replace = true;
    assert_int_equal(b.rename(&b, &r), ERR_EXISTS);
    r.no_replace = false, r.exchange = true;
    assert_int_equal(b.rename(&b, &r), OK);
    assert_int_equal(b.lookup(&b, b.root, name_of("f"), &a), OK);
    assert_int_equal(a.object, g.object);
    r = (struct fs_rename){ b.root, b.root, name_of("g"), name_of("f"), f, g, false, false };
    assert_int_equal(b.rename(&b, &r), OK); /* g loses its name, and ends */
    assert_int_equal(b.attributes(&b, g, &a), ERR_STALE);
    assert_int_equal(in_use, 0);
    assert_int_equal(b.lookup(&b, b.root, name_of("g"), &a), ERR_NOT_FOUND);
    assert_int_equal(b.unlink(&b, b.root, name_of("f"), g, false), ERR_BUSY);
    assert_int_equal(b.unlink(&b, b.root, name_of("f"), f, true), ERR_NOT_DIRECTORY);
    assert_int_equal(b.create(&b, b.root, name_of("d"), &(struct fs_new){ .mode = VX_FS_DIR | 0700 }, &a),
                     ERR_NOT_SUPPORTED);
    assert_int_equal(b.read(&b, b.root, 0, &a, 1, &(size_t){ 0 }), ERR_IS_DIRECTORY);
}

static void limits(void **)
{
    struct fs_node f, first = {};
    char name[16];
    for (unsigned i = 0; i < SHM_OBJECTS_MAX; i++) {
        snprintf(name, sizeof name, "o%u", i);
        assert_int_equal(create(name, i == 0 ? &first : &f), OK);
    }
    assert_int_equal(create("more", &f), ERR_NO_SPACE);
    for (unsigned i = SHM_OBJECTS_MAX; i < SHM_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(b.link(&b, b.root, name_of(name), first), OK);
    }
    assert_int_equal(b.link(&b, b.root, name_of("more"), first), ERR_NO_SPACE);
    struct fs_listing all = {};
    assert_int_equal(b.list(&b, b.root, 0, &all), OK);
    assert_int_equal(all.used, SHM_NAMES_MAX);
    vx_handle_t lent;
    uint64_t from;
    assert_int_equal(resize(first, PAGE), OK);
    assert_int_equal(b.map(&b, first, 0, true, &lent, &from), OK);
    for (unsigned i = 2; i <= SHM_PIECES_MAX; i++)
        assert_int_equal(resize(first, i * PAGE), OK);
    assert_int_equal(resize(first, (SHM_PIECES_MAX + 1) * PAGE), ERR_NO_SPACE);
    give_back(lent);
    assert_int_equal(resize(first, (SHM_PIECES_MAX + 1) * PAGE), OK);
    assert_int_equal(resize(first, ROOM + 1), ERR_NO_SPACE);
    assert_int_equal(resize(first, UINT64_MAX), ERR_FILE_TOO_BIG);
    assert_int_equal(resize(first, 0), OK);
    assert_int_equal(in_use, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(agrees_with_an_array, begin),
        cmocka_unit_test_setup(what_is_lent_outlives_the_file, begin),
        cmocka_unit_test_setup(names, begin),
        cmocka_unit_test_setup(limits, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
