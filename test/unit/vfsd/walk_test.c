/* SPDX-License-Identifier: MIT
 * vfsd's path walk, over two small file systems that answer at once: against a resolver that knows the whole tree, and
 * with file systems that lie. */
// sources: srv/vfsd/walk.c
// mutations: -DMUTATE_WALK_OUT
#include "../lib/host.h"
#include <srv/vfsd/vfsd.h>
#include <stdio.h>

enum { NODES = 64, ENTRIES = 8, ROUNDS = 20000 };

/* --- the tree: node 1 is the root of the first file system, node 2 of the second, which covers node `covered` --- */

static struct object {
    uint32_t mode;
    unsigned fs; /* 0, 1 */
    unsigned parent;
    char target[48];
    struct {
        char name[16];
        unsigned node;
    } entry[ENTRIES];
    unsigned n_entries;
} tree[NODES];
static unsigned n_tree, covered;
static struct mount mounts[2];
static struct connection connection;
static struct op op;
static struct vx_session session;

static unsigned add(unsigned dir, const char *name, uint32_t mode, const char *target)
{
    unsigned n = n_tree++;
    assert_true(n < NODES && tree[dir].n_entries < ENTRIES);
    tree[n] = (struct object){ .mode = mode, .fs = tree[dir].fs, .parent = dir };
    snprintf(tree[n].target, sizeof tree[n].target, "%s", target != nullptr ? target : "");
    snprintf(tree[dir].entry[tree[dir].n_entries].name, 16, "%s", name);
    tree[dir].entry[tree[dir].n_entries++].node = n;
    return n;
}

static unsigned child(unsigned dir, const char *name, size_t bytes)
{
    for (unsigned i = 0; i < tree[dir].n_entries; i++) {
        if (strlen(tree[dir].entry[i].name) == bytes && memcmp(tree[dir].entry[i].name, name, bytes) == 0)
            return tree[dir].entry[i].node;
    }
    return 0;
}

static struct place place_of(unsigned n)
{
    struct place p = { .mount = &mounts[tree[n].fs], .mode = tree[n].mode };
    if (n > 2)
        p.node = (struct node){ n, 1 };
    return p;
}

static unsigned node_at(const struct place *p)
{
    return p->node.object != 0 ? (unsigned)p->node.object : p->mount == &mounts[1] ? 2 : 1;
}

static void plant(void)
{
    memset(tree, 0, sizeof tree);
    n_tree = 3;
    tree[1] = (struct object){ .mode = VX_FS_DIR | 0755, .parent = 1 };
    tree[2] = (struct object){ .mode = VX_FS_DIR | 0755, .fs = 1, .parent = 2 };
    covered = 0;
    mounts[0] = (struct mount){ .state = MOUNT_UP, .id = 1, .root = { 1, 1 } };
    mounts[1] = (struct mount){ .state = MOUNT_UP, .id = 2, .index = 1, .root = { 2, 1 } };
    connection = (struct connection){ .session = &session, .rooted = true, .rights = VX_FS_READ };
    connection.root = place_of(1);
}

/* --- what walk.c asks of the rest --- */

static op_next *asked_then;
static bool asking, over;
static status_t result;
/* What a lying file system changes of its answer. */
static void (*lie)(struct vx_fs_reply *r, uint8_t *data);
static uint8_t data[8192];
static unsigned n_asked;

struct mount *mount_over(const struct place *p)
{
    return covered != 0 && p->mount == &mounts[0] && p->node.object == covered ? &mounts[1] : nullptr;
}

uint32_t session_with(const struct connection *, const struct mount *)
{
    return 0;
}

void ask_forget_file(struct mount *, uint32_t, uint32_t)
{
    fail();
}

void op_done(struct op *, status_t st)
{
    assert_false(over);
    over = true;
    result = st;
}

void ask(struct op *o, const struct place *about, op_next *then)
{
    assert_false(asking);
    n_asked++;
    asking = true;
    asked_then = then;
    o->question.object = node_at(about);
}

static void answer_walk(struct vx_fs_reply *r)
{
    static struct vx_fs_walked w;
    unsigned at = (unsigned)op.question.object, n = 0;
    const char *text = (const char *)op.text, *end = text + op.text_bytes;
    w = (struct vx_fs_walked){};
    while (text < end && (tree[at].mode & VX_FS_TYPE) == VX_FS_DIR) {
        const char *slash = memchr(text, '/', (size_t)(end - text));
        size_t bytes = (size_t)((slash != nullptr ? slash : end) - text);
        assert_in_range(bytes, 1, VX_FS_NAME_MAX);
        assert_false(bytes <= 2 && memcmp(text, "..", bytes) == 0);
        unsigned next = child(at, text, bytes);
        if (next == 0)
            break;
        assert_true(n < VX_FS_WALK_MAX);
        w.step[n++] = (struct vx_fs_step){ .object = next, .generation = 1, .mode = tree[next].mode };
        at = next;
        text += bytes + (slash != nullptr);
    }
    w.n = n;
    w.last = (struct vx_fs_attributes){ .object = at, .generation = 1, .mode = tree[at].mode };
    r->bytes = (uint32_t)(offsetof(struct vx_fs_walked, step) + n * sizeof w.step[0]);
    memcpy(data, &w, r->bytes);
}

static void found_it(struct op *)
{
    assert_false(over);
    over = true;
    result = OK;
}

/* Walks; what it ended in. OK: op.spot tells. */
static status_t go(const char *path, bool follow)
{
    op.connection = &connection;
    op.follow = follow;
    op.opens = false;
    over = asking = false;
    n_asked = 0;
    walk(&op, path, (uint32_t)strlen(path), found_it);
    while (!over) {
        struct vx_fs_reply r = {};
        assert_true(asking);
        asking = false;
        if (op.question.op == VX_FS_OP_READLINK) {
            r.bytes = (uint32_t)strlen(tree[op.question.object].target);
            memcpy(data, tree[op.question.object].target, r.bytes);
        } else {
            assert_int_equal(op.question.op, VX_FS_OP_WALK);
            answer_walk(&r);
        }
        if (lie != nullptr)
            lie(&r, data);
        asked_then(&op, &r, data);
    }
    assert_false(asking);
    return result;
}

static unsigned go_to(const char *path, bool follow)
{
    return go(path, follow) == OK && op.spot.exists ? node_at(&op.spot.found) : 0;
}

static int setup(void **)
{
    lie = nullptr;
    plant();
    return 0;
}

/* --- cases --- */

static void nothing_leads_above_the_root(void **)
{
    unsigned jail = add(1, "jail", VX_FS_DIR, nullptr), in = add(jail, "in", VX_FS_DIR, nullptr);
    unsigned secret = add(1, "secret", VX_FS_FILE, nullptr);
    (void)add(in, "up", VX_FS_LINK, "../../secret");
    (void)add(in, "out", VX_FS_LINK, "/secret");
    assert_int_equal(go_to("/jail/../secret", true), secret);
    connection.root = place_of(jail);
    assert_int_equal(go_to("..", true), jail);
    assert_int_equal(go_to("/../../in/..//.", true), jail);
    assert_int_equal(go("../secret", true), OK);
    assert_false(op.spot.exists);
    assert_int_equal(go("in/up", true), OK);
    assert_false(op.spot.exists);
    assert_int_equal(node_at(&op.spot.parent), jail); /* where it would be made */
    assert_int_equal(go("in/out", true), OK);
    assert_false(op.spot.exists);
    assert_int_equal(go_to("in/../../../in", true), in);
}

static void a_cover_is_crossed_both_ways(void **)
{
    unsigned a = add(1, "a", VX_FS_DIR, nullptr), at = add(a, "at", VX_FS_DIR, nullptr),
             under = add(at, "x", VX_FS_FILE, nullptr);
    unsigned over_it = add(2, "x", VX_FS_FILE, nullptr), d = add(2, "d", VX_FS_DIR, nullptr),
             b = add(a, "b", VX_FS_FILE, nullptr);
    assert_int_equal(go_to("a/at/x", true), under);
    covered = at;
    assert_int_equal(go_to("a/at/x", true), over_it);
    assert_int_equal(go_to("a/at", true), 2);
    assert_int_equal(op.spot.found.node.object, 0); /* the root of the mount, whatever its number */
    assert_int_equal(go_to("/a/at/d/../../b", true), b);
    assert_int_equal(go_to("/a/at/..", true), a);
    assert_int_equal(go_to("/a/at/d/.", true), d);
    (void)add(2, "l", VX_FS_LINK, "../b");
    assert_int_equal(go_to("/a/at/l", true), b);
    (void)add(2, "m", VX_FS_LINK, "/a/b");
    assert_int_equal(go_to("/a/at/m", true), b);
    assert_int_equal(go("/a/at", true), OK);
    assert_true(op.spot.has_name && op.spot.name_bytes == 2 && op.spot.parent.mount == &mounts[0]);
}

static void links_are_followed_so_far_and_no_further(void **)
{
    unsigned dir = add(1, "dir", VX_FS_DIR, nullptr), file = add(dir, "file", VX_FS_FILE, nullptr);
    unsigned link = add(1, "link", VX_FS_LINK, "dir");
    (void)add(1, "empty", VX_FS_LINK, "");
    assert_int_equal(go_to("link", true), dir);
    assert_int_equal(go_to("link", false), link);
    assert_int_equal(go_to("link/", false), dir); /* a slash means the directory */
    assert_int_equal(go_to("link/file", false), file);
    assert_int_equal(go("link/file/x", true), ERR_NOT_DIRECTORY);
    assert_int_equal(go("empty", true), ERR_NOT_FOUND);
    /* l0 -> l1 -> ... -> l40 -> dir: from l1 there are 40 links, from l0 one too many */
    setup(nullptr);
    unsigned last = 1;
    for (unsigned i = 0; i <= VX_FS_LINKS_MAX; i++) {
        char name[16], target[16];
        if (i % (ENTRIES - 2) == 0 && i != 0) { /* full: one deeper, as "n" */
            last = add(last, "n", VX_FS_DIR, nullptr);
        }
        snprintf(name, sizeof name, "l%u", i);
        if (i == VX_FS_LINKS_MAX)
            snprintf(target, sizeof target, "/");
        else
            snprintf(target, sizeof target, "%sl%u", (i + 1) % (ENTRIES - 2) == 0 ? "n/" : "", i + 1);
        (void)add(last, name, VX_FS_LINK, target);
    }
    assert_int_equal(go_to("l1", true), 1);
    assert_int_equal(go("l0", true), ERR_LOOP);
}

static void lengths_have_edges(void **)
{
    static char path[VX_FS_PATH_MAX + 1];
    unsigned self = add(1, "s", VX_FS_LINK, "."), end = 0;
    (void)self;
    memset(path, 'x', VX_FS_NAME_MAX + 1);
    path[VX_FS_NAME_MAX] = 0;
    assert_int_equal(go(path, true), OK);
    assert_false(op.spot.exists);
    assert_int_equal(op.spot.name_bytes, VX_FS_NAME_MAX);
    path[VX_FS_NAME_MAX] = 'x';
    path[VX_FS_NAME_MAX + 1] = 0;
    assert_int_equal(go(path, true), ERR_NAME_TOO_LONG);
    /* Down and up in a tree of one directory that has itself as its child: as deep as the chain is long, and deeper */
    unsigned d = add(1, "d", VX_FS_DIR, nullptr);
    tree[d].entry[tree[d].n_entries++].node = d;
    snprintf(tree[d].entry[0].name, 16, "d");
    for (unsigned depth = VX_FS_DEPTH_MAX - 1; depth <= VX_FS_DEPTH_MAX; depth++) {
        size_t n = 0;
        for (unsigned i = 0; i < depth; i++)
            n += (size_t)snprintf(path + n, sizeof path - n, "d/");
        assert_int_equal(go_to(path, true), d);
        for (unsigned i = 0; i < depth; i++)
            n += (size_t)snprintf(path + n, sizeof path - n, "../");
        status_t st = go(path, true);
        end += st == OK;
        assert_int_equal(st, depth < VX_FS_DEPTH_MAX ? OK : ERR_NAME_TOO_LONG);
        if (st == OK)
            assert_int_equal(node_at(&op.spot.found), 1);
    }
    assert_int_equal(end, 1);
    /* A link's text and what is left of the path are together too long */
    size_t n = (size_t)snprintf(path, sizeof path, "s/");
    memset(path + n, '/', sizeof path - 1 - n);
    path[VX_FS_PATH_MAX] = 0;
    assert_int_equal(go_to(path, true), 1);
    snprintf(tree[self].target, sizeof tree[self].target, "./.");
    assert_int_equal(go(path, true), ERR_NAME_TOO_LONG);
}

static void names_are_asked_for_many_at_a_time(void **)
{
    unsigned d = add(1, "d", VX_FS_DIR, nullptr);
    tree[d].entry[tree[d].n_entries++].node = d;
    snprintf(tree[d].entry[0].name, 16, "d");
    char path[2 * VX_FS_WALK_MAX + 8] = "";
    for (unsigned i = 0; i < VX_FS_WALK_MAX; i++)
        strcat(path, "d/");
    assert_int_equal(go_to(path, true), d);
    assert_int_equal(n_asked, 1);
    strcat(path, "d");
    assert_int_equal(go_to(path, true), d);
    assert_int_equal(n_asked, 2);
}

/* --- file systems that lie --- */

static void too_many(struct vx_fs_reply *, uint8_t *at)
{
    ((struct vx_fs_walked *)(void *)at)->n = 33;
}

static void more_than_sent(struct vx_fs_reply *r, uint8_t *)
{
    r->bytes -= (uint32_t)sizeof(struct vx_fs_step);
}

static void more_than_fits(struct vx_fs_reply *r, uint8_t *)
{
    r->bytes = sizeof(struct vx_fs_walked) + 1;
}

static void nothing_at_all(struct vx_fs_reply *r, uint8_t *)
{
    r->bytes = 3;
}

static void nul_in_link(struct vx_fs_reply *r, uint8_t *at)
{
    if (op.question.op == VX_FS_OP_READLINK) {
        r->bytes = 3;
        memcpy(at, "a\0b", 3);
    }
}

static void endless_link(struct vx_fs_reply *r, uint8_t *)
{
    if (op.question.op == VX_FS_OP_READLINK)
        r->bytes = VX_FS_PATH_MAX + 1;
}

static void stale(struct vx_fs_reply *r, uint8_t *)
{
    r->status = ERR_STALE;
}

static void what_a_file_system_says_is_not_believed(void **)
{
    static const struct {
        void (*lie)(struct vx_fs_reply *r, uint8_t *data);
        status_t st;
    } lies[] = { { too_many, ERR_IO },           { more_than_sent, ERR_IO }, { more_than_fits, ERR_IO },
                 { nothing_at_all, ERR_IO },     { nul_in_link, ERR_IO },    { stale, ERR_STALE },
                 { endless_link, ERR_NOT_FOUND } };
    (void)add(add(1, "a", VX_FS_DIR, nullptr), "l", VX_FS_LINK, "a");
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        lie = lies[i].lie;
        assert_int_equal(go("a/l", true), lies[i].st);
    }
}

/* --- against a resolver that knows everything --- */

static uint32_t seed = 1;

static uint32_t chance(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

/* The parent directory in the one tree of both file systems. */
static unsigned above(unsigned n)
{
    return n == 2 && covered != 0 ? tree[covered].parent : tree[n].parent;
}

struct resolved {
    status_t st;
    unsigned node, parent; /* node 0: it is not there */
};

static struct resolved resolve(unsigned root, unsigned at, const char *path, bool follow, unsigned *links)
{
    struct resolved r = { OK, at, above(at) };
    bool slash = *path != 0 && path[strlen(path) - 1] == '/';
    if (*path == '/')
        r.node = root;
    for (;;) {
        path += strspn(path, "/");
        size_t bytes = strcspn(path, "/");
        if (bytes == 0)
            return r;
        if ((tree[r.node].mode & VX_FS_TYPE) != VX_FS_DIR)
            return (struct resolved){ .st = ERR_NOT_DIRECTORY };
        bool last = path[bytes + strspn(path + bytes, "/")] == 0;
        if (bytes <= 2 && memcmp(path, "..", bytes) == 0) {
            if (bytes == 2 && r.node != root)
                r.node = above(r.node);
            path += bytes;
            continue;
        }
        unsigned next = child(r.node, path, bytes), dir = r.node;
        if (next != 0 && next == covered)
            next = 2;
        if (next == 0)
            return last ? (struct resolved){ OK, 0, dir } : (struct resolved){ .st = ERR_NOT_FOUND };
        path += bytes;
        if ((tree[next].mode & VX_FS_TYPE) == VX_FS_LINK && (!last || follow || slash)) {
            char rest[VX_FS_PATH_MAX + 64];
            if (++*links > VX_FS_LINKS_MAX)
                return (struct resolved){ .st = ERR_LOOP };
            snprintf(rest, sizeof rest, "%s%s", tree[next].target, path);
            return resolve(root, dir, rest, follow || slash, links);
        }
        r = (struct resolved){ OK, next, dir };
    }
}

static void any_path(char *to, size_t room)
{
    static const char *const parts[] = { "a", "b", "c", "..", ".", "/", "/", "nope", "l", "m" };
    size_t n = 0;
    to[0] = 0;
    for (unsigned i = 1 + chance(7); i != 0; i--)
        n += (size_t)snprintf(to + n, room - n, "%s%s", parts[chance(10)], chance(8) == 0 ? "" : "/");
    if (chance(2) == 0 && n > 1 && to[n - 1] == '/')
        to[n - 1] = 0;
}

static void any_tree(void)
{
    static const char *const names[] = { "a", "b", "c", "l", "m" };
    plant();
    for (unsigned i = 0; i < 24; i++) {
        unsigned dir = 1 + chance(n_tree - 1);
        const char *name = names[chance(5)];
        uint32_t mode = *name >= 'l' ? VX_FS_LINK : chance(4) == 0 ? VX_FS_FILE : VX_FS_DIR;
        char target[48];
        if ((tree[dir].mode & VX_FS_TYPE) != VX_FS_DIR || child(dir, name, 1) != 0)
            continue;
        do
            any_path(target, 24);
        while (target[0] == 0);
        (void)add(dir, name, mode, target);
    }
    for (unsigned i = 3; i < n_tree; i++) {
        if (covered == 0 && tree[i].fs == 0 && (tree[i].mode & VX_FS_TYPE) == VX_FS_DIR && chance(3) == 0)
            covered = i;
    }
}

/* Whether a resolver may begin there: what lies under the cover, or in the second file system without one, cannot be
 * reached. */
static bool reachable(unsigned n)
{
    for (unsigned i = 0; i < NODES && n != 1; i++) {
        if (n == covered || (n == 2 && covered == 0))
            return false;
        n = above(n);
    }
    return n == 1;
}

static void any_path_in_any_tree_means_what_the_resolver_says(void **)
{
    unsigned found = 0, absent = 0, loops = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char path[96];
        unsigned links = 0, root = 1;
        if (i % 20 == 0)
            any_tree();
        any_path(path, sizeof path);
        for (unsigned k = 0; k < 3 && root == 1; k++) {
            unsigned n = 1 + chance(n_tree - 1);
            if ((tree[n].mode & VX_FS_TYPE) == VX_FS_DIR && reachable(n))
                root = n;
        }
        connection.root = place_of(root);
        bool follow = chance(2) == 0;
        struct resolved want = resolve(root, root, path, follow, &links);
        status_t st = go(path, follow);
        if (st != want.st)
            fail_msg("%s: %d, not %d", path, st, want.st);
        if (st == OK && (op.spot.exists ? node_at(&op.spot.found) : 0) != want.node)
            fail_msg("%s: node %u, not %u", path, node_at(&op.spot.found), want.node);
        if (st == OK && want.node == 0 && node_at(&op.spot.parent) != want.parent)
            fail_msg("%s: to be made in %u, not %u", path, node_at(&op.spot.parent), want.parent);
        found += st == OK && want.node != 0;
        absent += st == OK && want.node == 0;
        loops += st == ERR_LOOP;
    }
    assert_true(found > ROUNDS / 10 && absent > ROUNDS / 50 && loops > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_leads_above_the_root, setup),
        cmocka_unit_test_setup(a_cover_is_crossed_both_ways, setup),
        cmocka_unit_test_setup(links_are_followed_so_far_and_no_further, setup),
        cmocka_unit_test_setup(lengths_have_edges, setup),
        cmocka_unit_test_setup(names_are_asked_for_many_at_a_time, setup),
        cmocka_unit_test_setup(what_a_file_system_says_is_not_believed, setup),
        cmocka_unit_test_setup(any_path_in_any_tree_means_what_the_resolver_says, setup),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
