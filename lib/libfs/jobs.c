/* SPDX-License-Identifier: MIT
 * Requests: taken from the sessions' Rings, checked, carried to the file system's functions and back, answered. A slow
 * file system has a thread of its own for that; between it and this one are two chains under a lock. */
#include "parts.h"
#include <vectra/rpc_fs.h>
#include <vectra/string.h>
#include <vectra/thread.h>

enum { REQUESTS_PER_TURN = 16, WORKER_STACK = 65536 };

static struct fs_job jobs[FS_SERVER_JOBS_MAX], *free_jobs;
static uint32_t n_free;

/* What the thread of a slow file system has to do, and has done. */
static struct {
    struct vx_mutex lock;
    struct fs_job *first, **end, *done, **done_end;
    _Atomic uint32_t ticket; /* grows with each job: what the thread sleeps on */
    struct vx_thread thread;
} worker;

/* --- what is allowed, and what it needs --- */

enum { CHANGES = 1, PIECE = 2, OPENS = 4 };
struct rule {
    uint8_t kind, access, traits; /* kind of session; access of the file, one of which is enough */
};

static const struct rule *rule_of(uint8_t op)
{
    static const struct rule rules[FS_OPS] = {
        [VX_FS_OP_READ] = { VX_FS_FILES, VX_FS_READ, PIECE },
        [VX_FS_OP_WRITE] = { VX_FS_FILES, VX_FS_WRITE, PIECE | CHANGES },
        [VX_FS_OP_APPEND] = { VX_FS_FILES, VX_FS_WRITE, PIECE | CHANGES },
        [VX_FS_OP_GETATTR] = { VX_FS_FILES, 0, PIECE },
        [VX_FS_OP_SETATTR] = { VX_FS_FILES, VX_FS_WRITE | VX_FS_CHANGE, PIECE | CHANGES },
        [VX_FS_OP_ALLOCATE] = { VX_FS_FILES, VX_FS_WRITE, CHANGES },
        [VX_FS_OP_SEEK] = { VX_FS_FILES, VX_FS_READ | VX_FS_WRITE, 0 },
        [VX_FS_OP_LIST] = { VX_FS_FILES, VX_FS_READ, PIECE },
        [VX_FS_OP_SYNC] = { VX_FS_FILES, 0, 0 },
        [VX_FS_OP_LOCK] = { VX_FS_FILES, 0, PIECE },
        [VX_FS_OP_WATCH] = { VX_FS_FILES, VX_FS_READ, 0 },
        [VX_FS_OP_CANCEL] = { VX_FS_FILES, 0, 0 },
        [VX_FS_OP_CLOSE] = { VX_FS_FILES, 0, 0 },
        [VX_FS_OP_GETXATTR] = { VX_FS_FILES, 0, PIECE },
        [VX_FS_OP_SETXATTR] = { VX_FS_FILES, VX_FS_WRITE | VX_FS_CHANGE, PIECE | CHANGES },
        [VX_FS_OP_LISTXATTR] = { VX_FS_FILES, 0, PIECE },
        [VX_FS_OP_FIND] = { VX_FS_FILES, 0, PIECE },
        [VX_FS_OP_MAP] = { VX_FS_FILES, VX_FS_READ, 0 },
        [VX_FS_OP_MEET] = { VX_FS_FILES, VX_FS_READ | VX_FS_WRITE, 0 },
        [VX_FS_OP_WALK] = { VX_FS_NAMESPACE, 0, PIECE | OPENS },
        [VX_FS_OP_CREATE] = { VX_FS_NAMESPACE, 0, PIECE | CHANGES | OPENS },
        [VX_FS_OP_LINK] = { VX_FS_NAMESPACE, 0, PIECE | CHANGES },
        [VX_FS_OP_UNLINK] = { VX_FS_NAMESPACE, 0, PIECE | CHANGES },
        [VX_FS_OP_RENAME] = { VX_FS_NAMESPACE, 0, PIECE | CHANGES },
        [VX_FS_OP_READLINK] = { VX_FS_NAMESPACE, 0, PIECE },
        [VX_FS_OP_OPEN] = { VX_FS_NAMESPACE, 0, OPENS },
        [VX_FS_OP_STATFS] = { VX_FS_NAMESPACE, 0, PIECE },
        [VX_FS_OP_SYNC_ALL] = { VX_FS_NAMESPACE, 0, 0 },
        [VX_FS_OP_STAT] = { VX_FS_NAMESPACE, 0, PIECE },
        [VX_FS_OP_CHANGE] = { VX_FS_NAMESPACE, 0, PIECE | CHANGES },
        [VX_FS_OP_FORGET] = { VX_FS_NAMESPACE, 0, 0 },
        [VX_FS_OP_WHICH] = { VX_FS_NAMESPACE, 0, PIECE },
    };
    return op < FS_OPS && rules[op].kind != 0 ? &rules[op] : nullptr;
}

static bool opens(const struct fs_job *j, const struct rule *r)
{
    return (r->traits & OPENS) != 0 && (j->n.op == VX_FS_OP_OPEN || (j->n.flags & VX_FS_OPEN) != 0);
}

/* Everything of a request that can be said before its object is looked at. */
static status_t check(struct fs_job *j, const struct rule *r)
{
    struct fs_server_session *s = j->session;
    if (r == nullptr)
        return ERR_NOT_SUPPORTED;
    if (r->kind != s->kind || j->q.reserved != 0)
        return ERR_BAD_ARGUMENT;
    uint32_t at = j->q.data_at, bytes = j->q.data_bytes; /* both kinds of request have them there */
    if ((r->traits & PIECE) != 0 && (at > s->bytes || bytes > s->bytes - at || at % 8 != 0))
        return ERR_BAD_ARGUMENT;
    j->data = s->at + at;
    if ((r->traits & CHANGES) != 0 && (fs_server.backend->flags & VX_FS_IS_READ_ONLY) != 0)
        return ERR_READ_ONLY;
    if (opens(j, r) && fs_session_find(j->n.session) == nullptr)
        return ERR_STALE;
    return OK;
}

static status_t close_file(struct fs_job *j, struct fs_server_session *s, struct fs_server_file *f)
{
    struct fs_open *o = f->open;
    o->pins++;
    if ((j->q.flags & VX_FS_UNLOCK_OWNER) != 0)
        fs_open_unlock(o, s, &j->q.argument);
    fs_file_remove(s, f);
    bool other = false;
    for (uint32_t i = 0; i < s->n_files && !other && o->locks != nullptr; i++)
        other = s->files[i].open == o;
    if (!other)
        fs_open_unlock(o, s, nullptr); /* the session has it open no more */
    fs_open_put(o);
    return OK;
}

static status_t forget(struct fs_job *j, bool *answered)
{
    struct fs_server_session *s = fs_session_find(j->n.session);
    if (j->n.session == 0) {
        fs_server.names_epoch++;
        *answered = true;
        return OK;
    }
    struct fs_server_file *f = s != nullptr ? fs_file_find(s, j->n.access) : nullptr;
    if (f == nullptr)
        return ERR_NOT_FOUND;
    j->node = f->node;
    j->n.flags = 0;
    return close_file(j, s, f);
}

/* What a number in a session means. One that was opened for names alone is nobody's to ask about. */
static status_t which(struct fs_job *j)
{
    struct fs_server_session *s = fs_session_find(j->n.session);
    const struct fs_server_file *f = s != nullptr ? fs_file_find(s, j->n.access) : nullptr;
    if (f == nullptr || f->names != 0)
        return ERR_NOT_FOUND;
    j->node = f->node;
    j->value = f->access;
    return OK;
}

/* What may be looked for by that number, and, if it is to be opened, with which access. The rest of the request is then
 * as that of a WALK: for a session, which is its own. */
static status_t may_find(struct fs_job *j, const struct fs_server_file *f)
{
    uint64_t wanted = j->q.argument;
    if (f->names == 0)
        return ERR_NO_RIGHTS;
    if (f->names_since != fs_server.names_epoch)
        return ERR_STALE;
    if ((j->q.flags & VX_FS_OPEN) == 0)
        return OK;
    if (wanted == 0 || (wanted & ~(uint64_t)(VX_FS_READ | VX_FS_WRITE)) != 0)
        return ERR_BAD_ARGUMENT;
    if ((wanted & ~(uint64_t)f->names) != 0)
        return ERR_NO_RIGHTS;
    j->n.session = fs_session_number(j->session);
    j->n.access = (uint32_t)wanted | (f->names & VX_FS_CHANGE);
    return OK;
}

/* OK: perform it. VX_RPC_LATER: it waits. Anything else, or OK with *answered: that is the answer. */
static status_t prepare(struct fs_job *j, bool *answered)
{
    struct fs_server_session *s = j->session;
    const struct rule *r = rule_of(j->q.op);
    status_t st = check(j, r);
    if (st != OK)
        return st;
    if (j->n.op == VX_FS_OP_FORGET)
        return forget(j, answered);
    if (j->n.op == VX_FS_OP_WHICH)
        return which(j);
    if (s->kind == VX_FS_NAMESPACE) {
        j->node = (struct fs_node){ j->n.object, j->n.generation };
        return OK;
    }
    *answered = true;
    if (j->q.op == VX_FS_OP_CANCEL)
        return fs_open_cancel(s, j->q.argument);
    struct fs_server_file *f = fs_file_find(s, j->q.file);
    if (f == nullptr)
        return ERR_BAD_HANDLE;
    if (r->access != 0 && (f->access & r->access) == 0)
        return ERR_NO_RIGHTS;
    j->node = f->node;
    j->open = f->open;
    j->open->pins++;
    switch (j->q.op) {
    case VX_FS_OP_FIND:
        *answered = false;
        return may_find(j, f);
    case VX_FS_OP_LOCK:
        return fs_open_lock(j);
    case VX_FS_OP_WATCH:
        return fs_open_watch(j);
    case VX_FS_OP_CLOSE:
        *answered = false;
        return close_file(j, s, f);
    case VX_FS_OP_MAP:
        *answered = false;
        return j->q.argument != VX_FS_READ && j->q.argument != (VX_FS_READ | VX_FS_WRITE) ? ERR_BAD_ARGUMENT
               : (j->q.argument & ~(uint64_t)f->access) != 0                              ? ERR_NO_RIGHTS
                                                                                          : OK;
    default:
        *answered = false;
        return OK;
    }
}

/* --- the answer --- */

static void job_free(struct fs_job *j)
{
    struct fs_server_session *s = j->session;
    if (j->open != nullptr)
        fs_open_put(j->open);
    s->n_waits -= j->waits;
    fs_server.n_waits -= j->waits;
    j->next = free_jobs;
    free_jobs = j;
    if (n_free++ == 0 || s->left) /* whose requests there was no room for are looked at again */
        (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << FS_BIT_DONE);
    if (--s->busy == 0 && s->ended)
        fs_session_idle(s);
}

static status_t send(const struct fs_job *j, status_t status, vx_handle_t cap)
{
    struct fs_server_session *s = j->session;
    struct vx_message m = {};
    const struct vx_fs_reply r = { .tag = j->q.tag,
                                   .status = status,
                                   .bytes = status == OK ? j->bytes : 0,
                                   .value = status == OK ? j->value : 0,
                                   .epoch = fs_server.epoch };
    memcpy(&m, &r, sizeof r);
    return cap != VX_HANDLE_NONE ? vx_sys_ring_send_cap(s->tx, &m, cap, VX_POLL) : vx_sys_ring_send(s->tx, &m, VX_POLL);
}

static void reply(const struct fs_job *j, status_t status)
{
    struct fs_server_session *s = j->session;
    vx_handle_t cap = status == OK ? j->cap : VX_HANDLE_NONE;
    bool silent = s->ended || (j->q.op == VX_FS_OP_CLOSE && j->q.tag == 0);
    status_t st = silent ? ERR_PEER_CLOSED : send(j, status, cap);
    if (cap != VX_HANDLE_NONE) {
        (void)vx_sys_cap_drop(cap);  /* one that moved is as good as dropped; one that may be copied was, and is here */
        if (st == ERR_NOT_SUPPORTED) /* a Ring without room for capabilities */
            st = send(j, ERR_NOT_SUPPORTED, VX_HANDLE_NONE);
    }
    if (st != OK && !silent)
        fs_session_end(s); /* it has gone, or has no room for what it asked for */
}

void fs_job_answer(struct fs_job *j, status_t status)
{
    fs_server.bytes_read += j->q.op == VX_FS_OP_READ && status == OK ? j->bytes : 0;
    fs_server.bytes_written += j->q.op == VX_FS_OP_WRITE && status == OK ? j->bytes : 0;
    reply(j, status);
    job_free(j);
}

/* Gives the file that perform opened a number in its session. False: it has to be released again. */
static bool give_number(struct fs_job *j)
{
    struct fs_server_session *s = fs_session_find(j->n.session);
    uint32_t number = 0;
    status_t st = s == nullptr ? ERR_STALE : fs_file_add(s, j->node, j->n.access, &number);
    j->value = number;
    if (st != OK)
        j->status = st;
    return st == OK;
}

static void finish(struct fs_job *j)
{
    struct fs_server_session *s = j->session;
    if (j->q.op == FS_JOB_RELEASE_ALL) {
        fs_session_free(s);
        return;
    }
    for (unsigned i = 0; i < j->n_touched; i++)
        fs_open_tell(&j->touched[i]);
    if (j->holds && !give_number(j)) {
        reply(j, j->status);
        j->q = (struct vx_fs_request){ .op = VX_FS_OP_CLOSE }; /* nobody hears of it */
        j->holds = false;
        j->n_touched = 0;
        fs_job_start(j);
        return;
    }
    fs_job_answer(j, j->status);
}

/* --- to the functions and back --- */

void fs_job_start(struct fs_job *j)
{
    if (!fs_server.backend->slow) {
        fs_job_perform(j);
        finish(j);
        return;
    }
    vx_mutex_lock(&worker.lock);
    j->next = nullptr;
    *worker.end = j;
    worker.end = &j->next;
    vx_mutex_unlock(&worker.lock);
    /* release: pairs with the acquire in work(); the chain was written under the lock */
    atomic_fetch_add_explicit(&worker.ticket, 1, memory_order_release);
    (void)vx_sys_futex_wake((uintptr_t)&worker.ticket, 1, 0, 0, nullptr);
}

static struct fs_job *chain_take(struct fs_job **first, struct fs_job ***end)
{
    vx_mutex_lock(&worker.lock);
    struct fs_job *j = *first;
    if (j != nullptr && (*first = j->next) == nullptr)
        *end = first;
    vx_mutex_unlock(&worker.lock);
    return j;
}

static uint32_t work(void *)
{
    for (;;) {
        /* acquire: pairs with the release in fs_job_start */
        uint32_t ticket = atomic_load_explicit(&worker.ticket, memory_order_acquire);
        struct fs_job *j = chain_take(&worker.first, &worker.end);
        if (j == nullptr) {
            (void)vx_sys_futex_wait((uintptr_t)&worker.ticket, ticket, VX_FOREVER);
            continue;
        }
        fs_job_perform(j);
        vx_mutex_lock(&worker.lock);
        j->next = nullptr;
        *worker.done_end = j;
        worker.done_end = &j->next;
        vx_mutex_unlock(&worker.lock);
        (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << FS_BIT_DONE);
    }
}

status_t fs_jobs_init(void)
{
    for (unsigned i = 0; i < FS_SERVER_JOBS_MAX; i++) {
        jobs[i].next = free_jobs;
        free_jobs = &jobs[i];
    }
    n_free = FS_SERVER_JOBS_MAX;
    worker.end = &worker.first;
    worker.done_end = &worker.done;
    return fs_server.backend->slow ? vx_thread_create(&worker.thread, work, nullptr, WORKER_STACK) : OK;
}

/* --- the Rings --- */

static void handle(struct fs_server_session *s, const struct vx_message *m)
{
    struct fs_job *j = free_jobs;
    bool answered = false;
    free_jobs = j->next;
    n_free--;
    *j = (struct fs_job){ .session = s };
    memcpy(&j->q, m, sizeof j->q);
    s->busy++;
    fs_server.requests++;
    status_t st = prepare(j, &answered);
    if (st == VX_RPC_LATER)
        return;
    if (st != OK || answered)
        fs_job_answer(j, st);
    else
        fs_job_start(j);
}

/* A bounded number at a time, so that no program keeps the others waiting. Fewer than asked for means that the Ring was
 * empty: what comes later posts the bit again. */
void fs_session_take(struct fs_server_session *s)
{
    struct vx_message m[REQUESTS_PER_TURN];
    uint64_t n = 0;
    uint32_t room = s->depth - s->busy < REQUESTS_PER_TURN ? s->depth - s->busy : REQUESTS_PER_TURN;
    room = room < n_free ? room : n_free;
    s->left = room == 0; /* what is there waits for an answer to be given */
    if (room == 0)
        return;
    status_t st = vx_sys_ring_recv_burst(s->rx, m, room, VX_POLL, &n);
    if (st == ERR_WOULD_BLOCK)
        return;
    if (st != OK) {
        fs_session_end(s);
        return;
    }
    for (uint64_t i = 0; i < n && s->serving; i++)
        handle(s, &m[i]);
    if (n == room && s->serving) {
        s->left = true;
        (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << FS_BIT_DONE);
    }
}

static bool collect(void)
{
    bool any = false;
    for (struct fs_job *j; (j = chain_take(&worker.done, &worker.done_end)) != nullptr; any = true)
        finish(j);
    return any;
}

void fs_jobs_turn(uint64_t bits)
{
    bool all = (bits & UINT64_C(1) << FS_BIT_DONE) != 0 && (collect() || true);
    for (uint32_t i = 0; i < fs_server.n_used; i++) {
        struct fs_server_session *s = fs_server.session[i];
        if (s != nullptr && s->serving &&
            ((all && s->left) || (bits & UINT64_C(1) << (FS_BIT_FIRST + i % FS_BITS)) != 0))
            fs_session_take(s);
    }
}
