/* SPDX-License-Identifier: MIT
 * Locks, watching, and many threads with one client. */
#include "files.h"
#include <vectra/thread.h>

static struct fs_client other; /* as another process: its own sessions */

static bool connect_other(void)
{
    struct vx_client ends = {};
    uint32_t number;
    return fs_dup(&client, &ends, &number) == OK && fs_connect_over(&other, ends) == OK;
}

static struct vx_fs_lock range(uint64_t owner, uint64_t offset, uint64_t length, uint32_t kind)
{
    return (struct vx_fs_lock){ .owner = owner, .offset = offset, .length = length, .kind = kind, .pid = 7 };
}

static status_t lock(struct fs_file *f, uint64_t owner, uint64_t offset, uint64_t length, uint32_t kind)
{
    struct vx_fs_lock l = range(owner, offset, length, kind);
    return fs_lock(f, &l, 0, VX_FOREVER);
}

static struct fs_file theirs;
static _Atomic uint32_t waiter_status;

static uint32_t waiter(void *)
{
    struct vx_fs_lock l = range(1, 0, 10, VX_FS_LOCK_EXCLUSIVE);
    status_t st = fs_lock(&theirs, &l, VX_FS_WAIT, vx_deadline_in(5 * VX_NS_PER_S));
    atomic_store_explicit(&waiter_status, (uint32_t)(1 - st), memory_order_release);
    return 0;
}

void test_locks(void)
{
    struct fs_file mine;
    struct vx_thread t;
    CHECK("another client", connect_other());
    check_status("a file", OK, fs_open(&client, "/tmp/locks", VX_VFS_CREATE, RW, 0644, &mine, nullptr, nullptr));
    check_status("opened by the other", OK, fs_open(&other, "/tmp/locks", 0, RW, 0, &theirs, nullptr, nullptr));
    check_status("locked", OK, lock(&mine, 1, 0, 100, VX_FS_LOCK_EXCLUSIVE));
    check_status("not by the other", ERR_WOULD_BLOCK, lock(&theirs, 1, 99, 1, VX_FS_LOCK_SHARED));
    check_status("but behind it", OK, lock(&theirs, 1, 100, 1, VX_FS_LOCK_SHARED));
    struct vx_fs_lock l = range(1, 50, 0, VX_FS_LOCK_SHARED);
    check_status("who stands in the way", OK, fs_lock(&theirs, &l, VX_FS_TEST, 0));
    CHECK("is told", l.kind == VX_FS_LOCK_EXCLUSIVE && l.offset == 0 && l.length == 100 && l.pid == 7);
    check_status("the middle is given up", OK, lock(&mine, 1, 40, 20, VX_FS_UNLOCK));
    check_status("and taken", OK, lock(&theirs, 1, 40, 20, VX_FS_LOCK_EXCLUSIVE));
    check_status("the rest stands", ERR_WOULD_BLOCK, lock(&theirs, 1, 60, 1, VX_FS_LOCK_SHARED));
    l = range(1, 40, 1, VX_FS_LOCK_SHARED);
    uint64_t before = vx_clock_monotonic_ns();
    check_status("a wait has a deadline", ERR_TIMED_OUT,
                 fs_lock(&mine, &l, VX_FS_WAIT, vx_deadline_in(20 * VX_NS_PER_MS)));
    CHECK("and keeps it", vx_clock_monotonic_ns() - before >= 20 * VX_NS_PER_MS);
    check_status("a waiter", OK, vx_thread_create(&t, waiter, nullptr, 0));
    vx_sleep_ns(20 * VX_NS_PER_MS);
    check_equal("waits", atomic_load_explicit(&waiter_status, memory_order_acquire), 0);
    l = range(1, 40, 1, VX_FS_LOCK_SHARED);
    check_status("two that wait for each other are told", ERR_DEADLOCK,
                 fs_lock(&mine, &l, VX_FS_WAIT, vx_deadline_in(VX_NS_PER_S)));
    fs_close(&mine);
    check_status("joined", OK, vx_thread_join(&t, nullptr));
    check_equal("closing lets it go on", atomic_load_explicit(&waiter_status, memory_order_acquire), 1);
    check_status("opened again", OK, fs_open(&client, "/tmp/locks", 0, RW, 0, &mine, nullptr, nullptr));
    check_status("it is locked", ERR_WOULD_BLOCK, lock(&mine, 1, 0, 1, VX_FS_LOCK_SHARED));
    fs_disconnect(&other);
    l = range(1, 0, 0, VX_FS_LOCK_EXCLUSIVE);
    check_status("a client that goes leaves no lock", OK,
                 fs_lock(&mine, &l, VX_FS_WAIT, vx_deadline_in(5 * VX_NS_PER_S)));
    fs_close(&mine);
    check_status("unlink", OK, fs_unlink(&client, "/tmp/locks", 0));
}

enum { CHANGES = 40 };
static constexpr uint64_t long_enough_ns = 60 * VX_NS_PER_S; /* what is missed is missed for good, on any machine */
static _Atomic uint32_t n_seen;

/* One change after the other, each when the one before was seen: some come before the watcher waits again, some after.
 */
static uint32_t toucher(void *)
{
    struct fs_file f;
    for (uint32_t i = 0; i < CHANGES; i++) {
        status_t st = i % 2 == 0 ? fs_open(&client, "/tmp/w/new", VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr)
                                 : fs_unlink(&client, "/tmp/w/new", 0);
        if (st != OK)
            return i;
        if (i % 2 == 0)
            fs_close(&f);
        /* acquire: pairs with the release of who saw it */
        while (atomic_load_explicit(&n_seen, memory_order_acquire) == i)
            if (vx_sys_futex_wait((uintptr_t)&n_seen, i, vx_deadline_in(long_enough_ns)) == ERR_TIMED_OUT)
                return i;
    }
    return CHANGES;
}

static status_t watch(struct fs_file *d, uint32_t events, uint64_t *version, uint32_t *happened)
{
    return fs_watch(d, events, version, happened, vx_deadline_in(long_enough_ns));
}

void test_watch(void)
{
    struct fs_file d;
    struct vx_thread t;
    uint64_t version = 0;
    uint32_t happened = 0, made = 0, wrong = 0;
    check_status("mkdir", OK, fs_mkdir(&client, "/tmp/w", 0755));
    check_status("opened", OK, fs_open(&client, "/tmp/w", VX_VFS_DIRECTORY, VX_FS_READ, 0, &d, nullptr, nullptr));
    check_status("what to begin with", OK, watch(&d, VX_FS_EVENT_NAMES, &version, &happened));
    check_equal("is no event", happened, 0);
    check_status("nothing happens", ERR_TIMED_OUT,
                 fs_watch(&d, VX_FS_EVENT_NAMES, &version, &happened, vx_deadline_in(20 * VX_NS_PER_MS)));
    check_status("somebody makes and removes a file", OK, vx_thread_create(&t, toucher, nullptr, 0));
    status_t st = OK;
    for (uint32_t i = 0; i < CHANGES && st == OK; i++) {
        st = watch(&d, VX_FS_EVENT_NAMES | VX_FS_EVENT_DATA, &version, &happened);
        wrong += happened != VX_FS_EVENT_NAMES;
        atomic_store_explicit(&n_seen, i + 1, memory_order_release); /* pairs with the acquire in toucher */
        (void)vx_sys_futex_wake((uintptr_t)&n_seen, 1, 0, 0, nullptr);
    }
    check_status("each change is seen", OK, st);
    check_equal("as names", wrong, 0);
    check_status("joined", OK, vx_thread_join(&t, &made));
    check_equal("all were made", made, CHANGES);
    check_status("what happens between two looks", OK, fs_mkdir(&client, "/tmp/w/new", 0755));
    check_status("is not missed", OK, watch(&d, VX_FS_EVENT_NAMES, &version, &happened));
    check_status("nor what happens", OK, fs_unlink(&client, "/tmp/w/new", VX_VFS_DIRECTORY));
    check_status("rmdir", OK, fs_unlink(&client, "/tmp/w", VX_VFS_DIRECTORY));
    check_status("that too", OK, watch(&d, VX_FS_EVENT_GONE, &version, &happened));
    fs_close(&d);
}

/* More threads than a session has places wait for a lock that another program has: the rest of the program goes on, and
 * each of them gets it in the end. */
enum { CROWD = 24 };
static _Atomic uint32_t n_locked;

static uint32_t one_of_many(void *owner)
{
    struct vx_fs_lock l = range((uintptr_t)owner, 0, 1, VX_FS_LOCK_SHARED);
    if (fs_lock(&theirs, &l, VX_FS_WAIT, vx_deadline_in(long_enough_ns)) == OK)
        atomic_fetch_add_explicit(&n_locked, 1, memory_order_relaxed);
    return 0;
}

void test_crowd(void)
{
    static struct vx_thread t[CROWD];
    struct fs_file mine, own;
    size_t done = 0;
    uint8_t byte = 1;
    CHECK("another client", connect_other());
    check_status("a file", OK, fs_open(&client, "/tmp/crowd", VX_VFS_CREATE, RW, 0644, &mine, nullptr, nullptr));
    check_status("opened by the other", OK, fs_open(&other, "/tmp/crowd", 0, RW, 0, &theirs, nullptr, nullptr));
    check_status("locked", OK, lock(&mine, 1, 0, 1, VX_FS_LOCK_EXCLUSIVE));
    status_t st = OK;
    for (uintptr_t i = 0; i < CROWD && st == OK; i++)
        st = vx_thread_create(&t[i], one_of_many, (void *)(i + 2), 0);
    check_status("a crowd waits for it", OK, st);
    vx_sleep_ns(20 * VX_NS_PER_MS); /* most of it does by now; whoever does not comes too late to harm */
    check_status("the others open files meanwhile", OK,
                 fs_open(&other, "/tmp/crowd2", VX_VFS_CREATE, RW, 0644, &own, nullptr, nullptr));
    check_status("and write", OK, fs_write(&own, 0, &byte, 1, &done));
    check_status("nobody has it", OK, fs_write(&theirs, 0, &byte, 1, &done));
    check_equal("yet", atomic_load_explicit(&n_locked, memory_order_relaxed), 0);
    check_status("let go", OK, lock(&mine, 1, 0, 1, VX_FS_UNLOCK));
    for (unsigned i = 0; i < CROWD && st == OK; i++)
        st = vx_thread_join(&t[i], nullptr);
    check_status("joined", OK, st);
    check_equal("each has had it", atomic_load_explicit(&n_locked, memory_order_relaxed), CROWD);
    fs_close(&own);
    fs_disconnect(&other);
    fs_close(&mine);
    check_status("unlink", OK, fs_unlink(&client, "/tmp/crowd", 0));
    check_status("unlink", OK, fs_unlink(&client, "/tmp/crowd2", 0));
}

enum { THREADS = 4, ROUNDS = 60, RECORD = 5000 };
static struct fs_file shared;
static _Atomic uint32_t wrong;

/* Each appends records of its own kind, and has a file of its own besides. */
static uint32_t appender(void *argument)
{
    static uint8_t memory[THREADS][2][RECORD];
    uintptr_t me = (uintptr_t)argument;
    uint8_t *record = memory[me][0], *back = memory[me][1];
    char path[] = "/tmp/thread0";
    struct fs_file own;
    size_t done;
    uint64_t at;
    bool bad = false;
    path[11] = (char)('0' + me);
    memset(record, (int)(me + 1), RECORD);
    for (unsigned i = 0; i < ROUNDS && !bad; i++) {
        bad = fs_append(&shared, record, RECORD, &at, &done) != OK || done != RECORD || at % RECORD != 0 ||
              fs_read(&shared, at, back, RECORD, &done) != OK || done != RECORD || memcmp(record, back, RECORD) != 0;
        bad = bad || fs_open(&client, path, VX_VFS_CREATE, RW, 0600, &own, nullptr, nullptr) != OK;
        bad = bad || fs_write(&own, 0, record, 10, &done) != OK || done != 10;
        if (!bad)
            fs_close(&own);
        bad = bad || fs_unlink(&client, path, 0) != OK;
    }
    atomic_fetch_add_explicit(&wrong, bad, memory_order_relaxed);
    return 0;
}

void test_threads(void)
{
    struct vx_thread t[THREADS];
    struct vx_fs_attributes a = {};
    check_status("a file", OK, fs_open(&client, "/tmp/shared", VX_VFS_CREATE, RW, 0644, &shared, nullptr, nullptr));
    status_t st = OK;
    for (uintptr_t i = 0; i < THREADS && st == OK; i++)
        st = vx_thread_create(&t[i], appender, (void *)i, 0);
    check_status("threads", OK, st);
    for (unsigned i = 0; i < THREADS && st == OK; i++)
        st = vx_thread_join(&t[i], nullptr);
    check_status("joined", OK, st);
    check_equal("nothing went wrong", atomic_load_explicit(&wrong, memory_order_relaxed), 0);
    check_status("attributes", OK, fs_getattr(&shared, &a));
    check_equal("every record is there once", a.size, (uint64_t)THREADS * ROUNDS * RECORD);
    fs_close(&shared);
    check_status("unlink", OK, fs_unlink(&client, "/tmp/shared", 0));
}
