/* SPDX-License-Identifier: MIT
 * Files in memory: random operations against a slow and obvious model, running out of space, and giving all of it back.
 */
// sources: srv/ramfsd/ramfs.c srv/ramfsd/names.c srv/ramfsd/xattr.c srv/ramfsd/store.c srv/ramfsd/fifo.c
// sources: lib/libfs/copy.c lib/libvectra/string.c
// mutations: -DMUTATE_RAMFS_KEEP_TAIL -DMUTATE_RAMFS_KEEP_NODE -DMUTATE_FIFO_KEEP_MEMORY
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <srv/ramfsd/ramfs.h>

enum { ARENA = 1 << 20, NAMES = 12, STEPS = 20000, MODEL_BYTES = 40000 };

static struct ramfs fs;
static struct fs_backend b;
static void *arena;
static int64_t clock_ns;

static int64_t now_ns(void)
{
    return ++clock_ns;
}

bool fs_list_add(struct fs_listing *l, uint64_t cookie, uint64_t, uint32_t, struct fs_name name)
{
    if (l->used == l->room)
        return false;
    uint64_t *out = (uint64_t *)(void *)l->at;
    out[l->used++] = cookie << 8 | (uint8_t)name.at[0];
    return true;
}

/* Memory of FIFOs: a handle is a place here and 1. */
static struct {
    bool made;
    unsigned lent;
} fifo_place[2 * RAMFS_FIFOS_MAX];
static unsigned fifos_made, fifos_lendable = 2 * RAMFS_FIFOS_MAX;

static status_t fifo_make(vx_mem *mem)
{
    uint32_t i = 0;
    while (i < 2 * RAMFS_FIFOS_MAX && (fifo_place[i].made || fifo_place[i].lent != 0))
        i++;
    if (i == 2 * RAMFS_FIFOS_MAX)
        return ERR_NO_MEMORY;
    fifo_place[i].made = true;
    fifos_made++;
    *mem = (vx_mem){ i + 1 };
    return OK;
}

static bool fifo_is_lent(vx_mem mem)
{
    return fifo_place[mem.raw - 1].lent != 0;
}

static status_t fifo_lend(vx_mem mem, vx_handle_t *out)
{
    if (fifos_lendable == 0)
        return ERR_TABLE_FULL;
    fifo_place[mem.raw - 1].lent++;
    *out = mem.raw;
    return OK;
}

static void fifo_end(vx_mem mem)
{
    assert_true(fifo_place[mem.raw - 1].made);
    fifo_place[mem.raw - 1].made = false;
    fifos_made--;
}
static const struct ram_fifo_memory fifo_memory = { fifo_make, fifo_is_lent, fifo_lend, fifo_end };

static int begin(void **)
{
    arena = aligned_alloc(4096, ARENA);
    memset(arena, 0, ARENA);
    ramfs_init(&fs, &b, arena, ARENA, 77, now_ns, &fifo_memory);
    return 0;
}

static int end(void **)
{
    free(arena);
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

static status_t create(struct fs_node dir, const char *name, uint32_t type, struct fs_node *out)
{
    struct vx_fs_attributes a = {};
    status_t st = b.create(&b, dir, name_of(name), &(struct fs_new){ .mode = type | 0644 }, &a);
    *out = node_of(&a);
    return st;
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)rand() % limit;
}

/* --- bytes --- */

static void bytes_agree_with_an_array(void **)
{
    static uint8_t model[MODEL_BYTES], chunk[9000], back[MODEL_BYTES];
    struct fs_node f;
    size_t size = 0, done;
    srand(2);
    assert_int_equal(create(b.root, "f", VX_FS_FILE, &f), OK);
    for (unsigned step = 0; step < STEPS; step++) {
        size_t at = below(MODEL_BYTES), n = below(sizeof chunk);
        n = n < MODEL_BYTES - at ? n : MODEL_BYTES - at;
        if (below(4) != 0) {
            memset(chunk, (int)(step % 255 + 1), n);
            assert_int_equal(b.write(&b, f, at, chunk, n, &done), OK);
            assert_int_equal(done, n);
            memcpy(model + at, chunk, n);
            size = n != 0 && at + n > size ? at + n : size;
        } else if (below(2) != 0) {
            assert_int_equal(b.change(&b, f, &(struct vx_fs_change){ .mask = VX_FS_SET_SIZE, .size = at }), OK);
            if (at < size)
                memset(model + at, 0, size - at);
            size = at;
        } else if (n != 0) {
            assert_int_equal(b.allocate(&b, f, at, n, VX_FS_PUNCH | VX_FS_KEEP_SIZE), OK);
            memset(model + at, 0, n);
        }
        if (step % 16 == 0) {
            assert_int_equal(b.read(&b, f, 0, back, sizeof back, &done), OK);
            assert_int_equal(done, size);
            assert_memory_equal(back, model, size);
        }
    }
}

/* --- names --- */

static void names_agree_with_a_table(void **)
{
    static uint64_t model[2][NAMES]; /* the object behind each name of two directories, or 0 */
    struct fs_node dir[2], made;
    srand(3);
    assert_int_equal(create(b.root, "a", VX_FS_DIR, &dir[0]), OK);
    assert_int_equal(create(b.root, "b", VX_FS_DIR, &dir[1]), OK);
    for (unsigned step = 0; step < STEPS; step++) {
        uint32_t d = below(2), n = below(NAMES), e = below(2), m = below(NAMES);
        char name[2] = { (char)('a' + n), 0 }, other[2] = { (char)('a' + m), 0 };
        struct vx_fs_attributes x = {}, y = {};
        status_t st = b.lookup(&b, dir[d], name_of(name), &x);
        assert_int_equal(st, model[d][n] != 0 ? OK : ERR_NOT_FOUND);
        if (st == OK)
            assert_int_equal(x.object << 32 | x.generation, model[d][n]);
        status_t there = b.lookup(&b, dir[e], name_of(other), &y);
        switch (below(3)) {
        case 0:
            st = create(dir[d], name, VX_FS_FILE, &made);
            assert_int_equal(st, model[d][n] != 0 ? ERR_EXISTS : OK);
            if (st == OK)
                model[d][n] = made.object << 32 | made.generation;
            break;
        case 1:
            if (model[d][n] == 0)
                break;
            assert_int_equal(b.unlink(&b, dir[d], name_of(name), (struct fs_node){ 1, 1 }, false), ERR_BUSY);
            assert_int_equal(b.unlink(&b, dir[d], name_of(name), node_of(&x), false), OK);
            assert_int_equal(b.attributes(&b, node_of(&x), &x), ERR_STALE);
            model[d][n] = 0;
            break;
        default: {
            bool exchange = below(2) != 0 && there == OK;
            if (model[d][n] == 0)
                break;
            struct fs_rename r = { .from = dir[d],
                                   .to = dir[e],
                                   .name = name_of(name),
                                   .new_name = name_of(other),
                                   .child = node_of(&x),
                                   .exchange = exchange };
            if (there == OK)
                r.replaced = node_of(&y);
            assert_int_equal(b.rename(&b, &r), OK);
            uint64_t moved = model[d][n];
            model[d][n] = exchange ? model[e][m] : 0;
            model[e][m] = moved;
            break;
        }
        }
    }
}

static void a_listing_tells_what_stays_exactly_once(void **)
{
    struct fs_node dir, made;
    struct vx_fs_attributes a;
    uint64_t out[3], cookie = 0;
    unsigned seen[256] = {};
    assert_int_equal(create(b.root, "d", VX_FS_DIR, &dir), OK);
    for (char c = 'a'; c <= 'z'; c++)
        assert_int_equal(create(dir, (char[]){ c, 0 }, VX_FS_FILE, &made), OK);
    for (unsigned round = 0;; round++) {
        struct fs_listing l = { .at = (uint8_t *)out, .room = 3 };
        assert_int_equal(b.list(&b, dir, cookie, &l), OK);
        if (l.used == 0)
            break;
        for (size_t i = 0; i < l.used; i++)
            seen[out[i] & 0xff]++;
        cookie = out[l.used - 1] >> 8;
        /* B to F come and go all the time */
        char c[2] = { (char)('B' + round % 5), 0 };
        assert_int_equal(create(dir, c, VX_FS_FILE, &made), OK);
        if (round >= 2) {
            c[0] = (char)('B' + (round - 2) % 5);
            assert_int_equal(b.lookup(&b, dir, name_of(c), &a), OK);
            assert_int_equal(b.unlink(&b, dir, name_of(c), node_of(&a), false), OK);
        }
    }
    for (char c = 'a'; c <= 'z'; c++)
        assert_int_equal(seen[(uint8_t)c], 1);
}

static void links_count(void **)
{
    struct fs_node d, f, made;
    struct vx_fs_attributes a;
    assert_int_equal(create(b.root, "d", VX_FS_DIR, &d), OK);
    assert_int_equal(create(d, "e", VX_FS_DIR, &made), OK);
    assert_int_equal(b.attributes(&b, d, &a), OK);
    assert_int_equal(a.links, 3);
    assert_int_equal(create(d, "f", VX_FS_FILE, &f), OK);
    assert_int_equal(b.link(&b, b.root, name_of("g"), f), OK);
    assert_int_equal(b.link(&b, b.root, name_of("h"), d), ERR_NO_RIGHTS);
    assert_int_equal(b.attributes(&b, f, &a), OK);
    assert_int_equal(a.links, 2);
    struct fs_rename r = { .from = b.root, .to = made, .name = name_of("d"), .new_name = name_of("x"), .child = d };
    assert_int_equal(b.rename(&b, &r), ERR_BAD_ARGUMENT); /* into itself */
    assert_int_equal(b.unlink(&b, d, name_of("e"), made, true), OK);
    assert_int_equal(b.attributes(&b, d, &a), OK);
    assert_int_equal(a.links, 2);
    assert_int_equal(b.unlink(&b, b.root, name_of("d"), d, true), ERR_NOT_EMPTY);
}

static void what_is_held_lives_without_a_name(void **)
{
    struct fs_node f;
    struct vx_fs_attributes a;
    size_t done;
    assert_int_equal(create(b.root, "f", VX_FS_FILE, &f), OK);
    b.hold(&b, f);
    assert_int_equal(b.unlink(&b, b.root, name_of("f"), f, false), OK);
    assert_int_equal(b.write(&b, f, 0, "x", 1, &done), OK);
    assert_int_equal(b.attributes(&b, f, &a), OK);
    assert_int_equal(a.links, 0);
    assert_int_equal(b.link(&b, b.root, name_of("f"), f), ERR_NOT_FOUND);
    b.release(&b, f);
    assert_int_equal(b.attributes(&b, f, &a), ERR_STALE);
}

/* --- space --- */

static void a_full_file_system_says_so_and_gives_all_of_it_back(void **)
{
    static uint8_t chunk[50000];
    struct fs_node f[NAMES], more;
    struct vx_fs_space before = {}, after = {};
    size_t done = 0;
    for (unsigned round = 0; round < 3; round++) {
        status_t st = OK;
        unsigned n = 0;
        for (; n < NAMES; n++)
            assert_int_equal(create(b.root, (char[]){ (char)('a' + n), 0 }, VX_FS_FILE, &f[n]), OK);
        if (round == 1)
            assert_int_equal(b.space(&b, &before), OK);
        for (uint64_t at = 0; st == OK; at += done)
            st = b.write(&b, f[at / sizeof chunk % NAMES], at, chunk, sizeof chunk, &done);
        assert_int_equal(st, ERR_NO_SPACE);
        assert_int_equal(b.allocate(&b, f[0], 0, ARENA, 0), ERR_NO_SPACE);
        assert_int_equal(create(b.root, "more", VX_FS_DIR, &more) == OK ? OK : ERR_NO_SPACE,
                         b.unlink(&b, b.root, name_of("more"), more, true) == OK ? OK : ERR_NO_SPACE);
        for (unsigned i = 0; i < NAMES; i++)
            assert_int_equal(b.change(&b, f[i], &(struct vx_fs_change){ .mask = VX_FS_SET_SIZE }), OK);
        assert_int_equal(b.space(&b, &after), OK);
        if (round >= 1)
            assert_int_equal(after.free_blocks, before.free_blocks);
        for (unsigned i = 0; i < NAMES; i++)
            assert_int_equal(b.unlink(&b, b.root, name_of((char[]){ (char)('a' + i), 0 }), f[i], false), OK);
    }
}

static void limits(void **)
{
    struct fs_node f;
    size_t done;
    uint64_t most = STORE_TREE_PAGES * STORE_PAGE, at;
    assert_int_equal(create(b.root, "f", VX_FS_FILE, &f), OK);
    assert_int_equal(b.write(&b, f, most, "x", 1, &done), ERR_FILE_TOO_BIG);
    assert_int_equal(b.write(&b, f, most - 1, "x", 1, &done), OK);
    assert_int_equal(b.seek(&b, f, 1, false, &at), OK);
    assert_int_equal(at, most - STORE_PAGE);
    assert_int_equal(b.seek(&b, f, 1, true, &at), OK);
    assert_int_equal(at, 1);
    assert_int_equal(b.change(&b, f, &(struct vx_fs_change){ .mask = VX_FS_SET_SIZE, .size = most + 1 }),
                     ERR_FILE_TOO_BIG);
}

static void attributes_of_a_users_own_go_with_their_file(void **)
{
    struct vx_fs_attributes a = {};
    char value[VX_FS_XATTR_VALUE_MAX] = "value", name[8];
    size_t bytes = 0, used = 0;
    const struct fs_new what = { .mode = VX_FS_FILE | 0644 };
    assert_int_equal(b.create(&b, b.root, (struct fs_name){ "f", 1 }, &what, &a), OK);
    const struct fs_node n = { a.object, a.generation };
    uint64_t before = store_free_pages(&fs.store);
    for (unsigned i = 0; i < RAMFS_XATTRS_MAX; i++) {
        int len = snprintf(name, sizeof name, "n%u", i);
        const struct fs_name x = { name, (size_t)len };
        assert_int_equal(b.setxattr(&b, n, x, value, sizeof value, VX_FS_REPLACE), ERR_NOT_FOUND);
        assert_int_equal(b.setxattr(&b, n, x, value, sizeof value, VX_FS_EXCLUSIVE), OK);
        assert_int_equal(b.setxattr(&b, n, x, value, sizeof value, VX_FS_EXCLUSIVE), ERR_EXISTS);
    }
    assert_int_equal(b.setxattr(&b, n, (struct fs_name){ "x", 1 }, value, 1, 0), ERR_NO_SPACE);
    assert_int_equal(b.getxattr(&b, n, (struct fs_name){ "x", 1 }, value, 1, &bytes), ERR_NOT_FOUND);
    assert_int_equal(b.setxattr(&b, n, (struct fs_name){ "n0", 2 }, nullptr, 0, VX_FS_REMOVE), OK);
    assert_int_equal(b.setxattr(&b, n, (struct fs_name){ "n0", 2 }, nullptr, 0, VX_FS_REMOVE), ERR_NOT_FOUND);
    assert_int_equal(b.getxattr(&b, n, (struct fs_name){ "n127", 4 }, value, 2, &bytes), OK);
    assert_int_equal(bytes, sizeof value);
    assert_int_equal(b.listxattr(&b, n, RAMFS_XATTRS_MAX - 2, value, sizeof value, &used), OK);
    assert_int_equal(used, 5);
    used = 0;
    assert_int_equal(b.listxattr(&b, n, 0, value, 4, &used), ERR_TOO_BIG);
    assert_true(store_free_pages(&fs.store) < before);
    assert_int_equal(b.unlink(&b, b.root, (struct fs_name){ "f", 1 }, n, false), OK);
    assert_int_equal(store_free_pages(&fs.store), before);
}

static void those_who_have_a_fifo_share_its_memory_and_nobody_else(void **)
{
    struct fs_node n[RAMFS_FIFOS_MAX + 1];
    vx_handle_t first, second, other;
    const struct fs_new what = { .mode = VX_FS_FIFO | 0600 };
    for (unsigned i = 0; i <= RAMFS_FIFOS_MAX; i++) {
        char name[2] = { 'F', (char)('0' + i) };
        struct vx_fs_attributes a = {};
        assert_int_equal(b.create(&b, b.root, (struct fs_name){ name, 2 }, &what, &a), OK);
        n[i] = (struct fs_node){ a.object, a.generation };
    }
    assert_int_equal(b.meet(&b, n[0], &first), OK);
    assert_int_equal(b.meet(&b, n[0], &second), OK);
    assert_int_equal(b.meet(&b, n[1], &other), OK);
    assert_int_equal(first, second);
    assert_int_not_equal(first, other);
    assert_int_equal(fifos_made, 2);
    fifo_place[first - 1].lent = 1; /* one of the two let go */
    assert_int_equal(b.meet(&b, n[0], &second), OK);
    assert_int_equal(first, second);
    fifo_place[first - 1].lent = 0; /* all of them: fresh memory, and the old is given up */
    assert_int_equal(b.meet(&b, n[0], &second), OK);
    assert_int_equal(fifos_made, 2);
    for (unsigned i = 0; i < RAMFS_FIFOS_MAX; i++)
        assert_int_equal(b.meet(&b, n[i], &first), OK);
    assert_int_equal(fifos_made, RAMFS_FIFOS_MAX);
    assert_int_equal(b.meet(&b, n[RAMFS_FIFOS_MAX], &first), ERR_TABLE_FULL);
    assert_int_equal(b.meet(&b, n[3], &first), OK);
    for (unsigned i = 0; i < 2 * RAMFS_FIFOS_MAX; i++)
        fifo_place[i].lent = 0;
    fifos_lendable = 0;
    assert_int_equal(b.meet(&b, n[RAMFS_FIFOS_MAX], &first), ERR_TABLE_FULL);
    assert_int_equal(fifos_made, 0);
    fifos_lendable = 1;
    assert_int_equal(b.meet(&b, n[RAMFS_FIFOS_MAX], &first), OK);
    assert_int_equal(b.unlink(&b, b.root, (struct fs_name){ "F0", 2 }, n[0], false), OK);
    assert_int_equal(b.meet(&b, n[0], &first), ERR_STALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_agree_with_an_array, begin, end),
        cmocka_unit_test_setup_teardown(names_agree_with_a_table, begin, end),
        cmocka_unit_test_setup_teardown(a_listing_tells_what_stays_exactly_once, begin, end),
        cmocka_unit_test_setup_teardown(links_count, begin, end),
        cmocka_unit_test_setup_teardown(what_is_held_lives_without_a_name, begin, end),
        cmocka_unit_test_setup_teardown(a_full_file_system_says_so_and_gives_all_of_it_back, begin, end),
        cmocka_unit_test_setup_teardown(attributes_of_a_users_own_go_with_their_file, begin, end),
        cmocka_unit_test_setup_teardown(those_who_have_a_fifo_share_its_memory_and_nobody_else, begin, end),
        cmocka_unit_test_setup_teardown(limits, begin, end),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
