/* SPDX-License-Identifier: MIT
 * vfsd's mount table: how many there are, what covers what, what is forgotten when one goes, and a file system that is
 * not there yet. The file systems never answer. */
// sources: srv/vfsd/mounts.c lib/libvectra/string.c
#define _DEFAULT_SOURCE /* anonymous mappings */
#include "../lib/host.h"
#include <sys/mman.h>
#include <srv/vfsd/vfsd.h>
#include <vectra/io.h>
#include <vectra/time.h>

struct vfsd vfsd;
static struct op ops[VFS_MOUNTS_MAX];
static unsigned n_done, n_forgotten, n_connects, n_changes;
static status_t done_with, connects;

/* --- what mounts.c needs of the rest --- */

status_t vx_connect(const char *name, struct vx_client *c)
{
    assert_non_null(name);
    n_connects++;
    *c = (struct vx_client){ .tx = { 5 }, .rx = { 6 } };
    return connects;
}

void vx_client_close(struct vx_client *c)
{
    *c = (struct vx_client){};
}

status_t vx_rpc_start(struct vx_client *, struct vx_message *, vx_handle_t, uint64_t)
{
    return OK;
}

status_t vx_rpc_finish(struct vx_client *, struct vx_message *, vx_handle_t *, uint64_t)
{
    return ERR_WOULD_BLOCK;
}

void vx_printf(const char *, ...)
{
}

void op_done(struct op *op, status_t st)
{
    assert_non_null(op);
    n_done++;
    done_with = st;
}

void op_session_done(struct op *, status_t, uint32_t, uint32_t, uint32_t, vx_mem)
{
    fail();
}

void mounts_changed(void)
{
    n_changes++;
}

void shortcuts_flush(struct mount *)
{
    fail(); /* none was given */
}

void ask_flush(struct mount *)
{
}

void ask_answer(struct mount *, const struct vx_fs_reply *)
{
    fail();
}

void ask_failed(struct mount *)
{
}

void ops_forget_mount(const struct mount *m)
{
    assert_true(m->leaving);
    n_forgotten++;
}

/* As ask.c does it, for one that waits. */
void ask_forget(struct op *op)
{
    for (struct op **at = &op->asked->waiting; *at != nullptr; at = &(*at)->next) {
        if (*at == op) {
            *at = op->next;
            break;
        }
    }
    op->asked = nullptr;
}

/* Every call succeeds. */
struct vx_result vx_enter(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t)
{
    return (struct vx_result){};
}

static uint64_t counter;

uint64_t vx_counter(void)
{
    return counter += 1000;
}

static int setup(void **)
{
    memset(&vfsd, 0, sizeof vfsd);
    memset(ops, 0, sizeof ops);
    n_done = n_forgotten = n_connects = n_changes = 0;
    connects = OK;
    return 0;
}

static struct mount *mounted(const char *source, const struct place *cover)
{
    struct mount *m = nullptr;
    assert_int_equal(mount_add(source, "/x", cover, false, false, &m), OK);
    return m;
}

/* --- cases --- */

static void the_table_has_its_limit(void **)
{
    struct mount *m = nullptr, *first = mounted("root", nullptr);
    struct place at = { .mount = first, .mode = VX_FS_DIR };
    for (unsigned i = 1; i < VFS_MOUNTS_MAX; i++) {
        at.node = (struct node){ 10 + i, 1 };
        assert_ptr_equal(mounted("more", &at), &vfsd.mount[i]);
    }
    assert_int_equal(mount_add("one", "/y", &at, false, false, &m), ERR_TABLE_FULL);
    assert_null(m);
    mount_remove(&vfsd.mount[7]);
    assert_int_equal(mount_add("one", "/y", &at, true, false, &m), OK);
    assert_ptr_equal(m, &vfsd.mount[7]);
    assert_true(m->read_only);
}

static void a_number_is_never_used_again(void **)
{
    struct mount *root = mounted("root", nullptr);
    struct place at = { .mount = root, .node = { 3, 1 }, .mode = VX_FS_DIR };
    struct mount *m = mounted("a", &at);
    uint32_t old = m->id;
    assert_ptr_equal(mount_by_id(old), m);
    assert_int_equal(n_changes, 2); /* shortcuts end with each change of the table */
    mount_remove(m);
    assert_int_equal(n_changes, 3);
    assert_null(mount_by_id(old));
    assert_ptr_equal(mounted("b", &at), m);
    assert_int_not_equal(m->id, old);
    assert_null(mount_by_id(old));
    assert_null(mount_by_id(0));
}

static void an_object_is_covered_and_no_other(void **)
{
    struct mount *root = mounted("root", nullptr);
    root->volume = 77;
    struct place at = { .mount = root, .node = { 3, 5 }, .mode = VX_FS_DIR }, other = at;
    struct mount *m = mounted("a", &at);
    assert_ptr_equal(mount_over(&at), m);
    other.node.object = 4;
    assert_null(mount_over(&other));
    other = at;
    other.node.generation = 6; /* the number, used again */
    assert_null(mount_over(&other));
    other = at;
    other.mount = m;
    assert_null(mount_over(&other));
    root->volume = 78; /* started anew, and forgot everything */
    assert_null(mount_over(&at));
    root->volume = 77;
    m->leaving = true;
    assert_null(mount_over(&at));
}

static void the_root_of_a_mount_is_covered_whatever_its_volume(void **)
{
    struct mount *root = mounted("root", nullptr);
    struct place at = { .mount = root, .mode = VX_FS_DIR };
    struct mount *m = mounted("a", &at);
    root->volume = 99;
    assert_ptr_equal(mount_over(&at), m);
    assert_null(mount_over(&(struct place){ .mount = m, .mode = VX_FS_DIR }));
}

static void one_that_is_not_there_covers_nothing_until_it_is(void **)
{
    struct mount *m = nullptr, *root = mounted("root", nullptr);
    struct place at = { .mount = root, .node = { 3, 1 }, .mode = VX_FS_DIR };
    connects = ERR_NOT_FOUND;
    assert_int_equal(mount_add("later", "/data", &at, false, true, &m), OK);
    assert_true(m->absent);
    assert_null(mount_over(&at));
    assert_true(n_connects >= 2); /* looked for again when somebody came by */
    connects = OK;
    assert_ptr_equal(mount_over(&at), m);
    assert_false(m->absent);
}

static void one_that_goes_ends_what_waits_for_it(void **)
{
    struct mount *root = mounted("root", nullptr);
    struct place at = { .mount = root, .node = { 3, 1 }, .mode = VX_FS_DIR };
    struct mount *m = mounted("a", &at);
    for (unsigned i = 0; i < 3; i++) {
        ops[i].asked = m;
        ops[i].next = i < 2 ? &ops[i + 1] : nullptr;
    }
    m->waiting = &ops[0];
    mount_remove(m);
    assert_int_equal(n_forgotten, 1);
    assert_int_equal(n_done, 3);
    assert_int_equal(done_with, ERR_NOT_FOUND);
    assert_null(m->waiting);
    assert_int_equal(m->state, MOUNT_FREE);
}

static void one_that_does_not_answer_is_looked_for_anew(void **)
{
    struct mount *m = mounted("slow", nullptr);
    assert_int_equal(m->state, MOUNT_ASKING);
    mounts_deadline(m->setup.deadline - 1);
    assert_int_equal(m->state, MOUNT_ASKING);
    assert_int_equal(vfsd.service.deadline_ns, m->setup.deadline); /* which is when to look again */
    mounts_deadline(m->setup.deadline);
    assert_int_equal(m->state, MOUNT_DOWN);
    assert_int_equal(vfsd.service.deadline_ns, m->retry_at);
    n_connects = 0;
    mounts_deadline(m->retry_at);
    assert_int_equal(n_connects, 1);
    assert_int_equal(m->state, MOUNT_ASKING);
}

int main(void)
{
    struct vx_time_page *time = mmap((void *)(uintptr_t)VX_TIME_PAGE_ADDRESS, 4096, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_ptr_equal(time, (void *)(uintptr_t)VX_TIME_PAGE_ADDRESS);
    time->mult = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_table_has_its_limit, setup),
        cmocka_unit_test_setup(a_number_is_never_used_again, setup),
        cmocka_unit_test_setup(an_object_is_covered_and_no_other, setup),
        cmocka_unit_test_setup(the_root_of_a_mount_is_covered_whatever_its_volume, setup),
        cmocka_unit_test_setup(one_that_is_not_there_covers_nothing_until_it_is, setup),
        cmocka_unit_test_setup(one_that_goes_ends_what_waits_for_it, setup),
        cmocka_unit_test_setup(one_that_does_not_answer_is_looked_for_anew, setup),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
