/* SPDX-License-Identifier: MIT
 * Objects that are open: their locks, and what is told of them to those who watch. Only the serving thread comes here.
 */
#include "parts.h"
#include <vectra/alloc.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { CHAINS = 256, WAITS_MAX = 64 };

static struct fs_open *chains[CHAINS];

static struct fs_open **chain_of(struct fs_node n)
{
    return &chains[(n.object ^ n.object >> 8 ^ n.object >> 32) % CHAINS];
}

static struct fs_open *find(struct fs_node n)
{
    struct fs_open *o = *chain_of(n);
    while (o != nullptr && (o->node.object != n.object || o->node.generation != n.generation))
        o = o->next;
    return o;
}

struct fs_open *fs_open_get(struct fs_node n)
{
    struct fs_open *o = find(n);
    if (o == nullptr) {
        o = vx_alloc_zero(1, sizeof *o);
        if (o == nullptr)
            return nullptr;
        struct fs_open **chain = chain_of(n);
        o->node = n;
        o->version = vx_clock_monotonic_ns(); /* beyond any that an earlier record of it had reached */
        o->next = *chain;
        *chain = o;
    }
    o->pins++;
    return o;
}

void fs_open_put(struct fs_open *o)
{
    if (--o->pins != 0)
        return;
    struct fs_open **at = chain_of(o->node);
    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    vx_free(o);
}

/* --- waiting --- */

static status_t wait_add(struct fs_open *o, struct fs_job *j)
{
    struct fs_server_session *s = j->session;
    struct fs_job **at = &o->waiting;
    if (s->n_waits >= (s->depth + 1) / 2 || fs_server.n_waits >= FS_SERVER_WAITS_MAX)
        return ERR_TABLE_FULL;
    j->waits = true;
    s->n_waits++;
    fs_server.n_waits++;
    while (*at != nullptr)
        at = &(*at)->next;
    j->next = nullptr;
    *at = j;
    return VX_RPC_LATER;
}

/* Whether the owner `wants` would, in the end, wait for itself: each waiter waits for one holder, so it is a walk. */
static bool would_wait_for_itself(const struct fs_range *wants, const struct fs_range *blocker)
{
    const void *session = blocker->session;
    uint64_t owner = blocker->owner;
    for (unsigned n = 0; n < WAITS_MAX; n++) {
        const struct fs_job *next = nullptr;
        if (session == wants->session && owner == wants->owner)
            return true;
        for (unsigned c = 0; c < CHAINS && next == nullptr; c++) {
            for (const struct fs_open *o = chains[c]; o != nullptr && next == nullptr; o = o->next) {
                for (next = o->waiting; next != nullptr; next = next->next) {
                    if (next->q.op == VX_FS_OP_LOCK && next->session == session && next->lock.owner == owner)
                        break;
                }
            }
        }
        if (next == nullptr)
            return false;
        session = next->blocker;
        owner = next->blocker_owner;
    }
    return false; /* a longer chain is not followed: its locks end with their sessions at the latest */
}

/* --- locks --- */

static void free_ranges(struct fs_range *r)
{
    while (r != nullptr) {
        struct fs_range *next = r->next;
        ((struct fs_server_session *)r->session)->n_ranges--;
        fs_server.n_ranges--;
        vx_free(r);
        r = next;
    }
}

static struct fs_range *new_range(struct fs_server_session *s)
{
    struct fs_range *r = s->n_ranges < FS_SERVER_LOCKS_MAX ? vx_alloc_zero(1, sizeof *r) : nullptr;
    if (r == nullptr)
        return nullptr;
    r->session = s;
    s->n_ranges++;
    fs_server.n_ranges++;
    return r;
}

/* What is there, and not in the way of anybody any more: waiters that can have theirs now get it. */
static void retry_locks(struct fs_open *o);

static status_t set_range(struct fs_open *o, struct fs_server_session *s, const struct fs_range *wanted)
{
    struct fs_range *spare[2] = { new_range(s), new_range(s) }, *freed = nullptr;
    if (spare[0] == nullptr || spare[1] == nullptr) {
        for (int i = 0; i < 2; i++) {
            if (spare[i] != nullptr)
                spare[i]->next = nullptr;
            free_ranges(spare[i]);
        }
        return ERR_TABLE_FULL;
    }
    fs_locks_set(&o->locks, wanted, spare, &freed);
    free_ranges(freed);
    for (int i = 0; i < 2; i++) {
        if (spare[i] != nullptr)
            spare[i]->next = nullptr;
        free_ranges(spare[i]);
    }
    return OK;
}

static struct fs_range range_of(const struct fs_job *j)
{
    struct fs_range r = { .session = j->session, .owner = j->lock.owner, .kind = j->lock.kind, .pid = j->lock.pid };
    (void)fs_range_of(j->lock.offset, j->lock.length, &r.first, &r.last);
    return r;
}

static void retry_locks(struct fs_open *o)
{
    for (struct fs_job **at = &o->waiting; *at != nullptr;) {
        struct fs_job *j = *at;
        struct fs_range wanted = range_of(j);
        const struct fs_range *conflict = j->q.op == VX_FS_OP_LOCK ? fs_locks_conflict(o->locks, &wanted) : nullptr;
        if (j->q.op != VX_FS_OP_LOCK || conflict != nullptr) {
            if (conflict != nullptr) {
                j->blocker = conflict->session;
                j->blocker_owner = conflict->owner;
            }
            at = &j->next;
            continue;
        }
        *at = j->next;
        fs_job_answer(j, set_range(o, j->session, &wanted));
        at = &o->waiting; /* an answer may have ended a session, and its waits */
    }
}

static void tell_holder(struct fs_job *j, const struct fs_range *r)
{
    struct vx_fs_lock l = { .kind = VX_FS_UNLOCK };
    if (r != nullptr)
        l = (struct vx_fs_lock){ .owner = r->owner,
                                 .offset = r->first,
                                 .length = r->last == UINT64_MAX ? 0 : r->last - r->first + 1,
                                 .kind = r->kind,
                                 .pid = r->pid };
    memcpy(j->data, &l, sizeof l);
    j->bytes = sizeof l;
}

status_t fs_open_lock(struct fs_job *j)
{
    struct fs_open *o = j->open;
    uint64_t first, last;
    if (j->q.data_bytes < sizeof j->lock)
        return ERR_BAD_ARGUMENT;
    memcpy(&j->lock, j->data, sizeof j->lock); /* once */
    if (j->lock.kind > VX_FS_LOCK_EXCLUSIVE || !fs_range_of(j->lock.offset, j->lock.length, &first, &last))
        return ERR_BAD_ARGUMENT;
    struct fs_range wanted = range_of(j);
    const struct fs_range *r = wanted.kind == VX_FS_UNLOCK ? nullptr : fs_locks_conflict(o->locks, &wanted);
    if ((j->q.flags & VX_FS_TEST) != 0) {
        tell_holder(j, r);
        return OK;
    }
    if (r == nullptr) {
        status_t st = set_range(o, j->session, &wanted);
        if (st == OK)
            retry_locks(o); /* less may be locked than before */
        return st;
    }
    if ((j->q.flags & VX_FS_WAIT) == 0)
        return ERR_WOULD_BLOCK;
    if (would_wait_for_itself(&wanted, r))
        return ERR_DEADLOCK;
    j->blocker = r->session;
    j->blocker_owner = r->owner;
    return wait_add(o, j);
}

void fs_open_unlock(struct fs_open *o, struct fs_server_session *s, const uint64_t *owner)
{
    struct fs_range *gone = fs_locks_remove(&o->locks, s, owner);
    bool any = gone != nullptr;
    free_ranges(gone);
    if (any)
        retry_locks(o);
}

/* --- watching --- */

static uint32_t events_since(const struct fs_open *o, uint64_t version)
{
    uint32_t events = 0;
    for (unsigned i = 0; i < FS_EVENTS; i++)
        events |= o->last[i] > version ? 1u << i : 0;
    return events;
}

status_t fs_open_watch(struct fs_job *j)
{
    struct fs_open *o = j->open;
    uint32_t wanted = (uint32_t)j->q.argument;
    if (wanted == 0 || wanted != j->q.argument || wanted >= 1u << FS_EVENTS)
        return ERR_BAD_ARGUMENT;
    uint64_t since = j->q.offset;
    j->value = o->version;
    j->bytes = 0;
    if (since == 0)
        return OK; /* what to begin with */
    /* A version that this record has not come to is of an earlier one: something may have been missed. */
    j->bytes = since > o->version ? VX_FS_EVENT_LOST : events_since(o, since) & wanted;
    if (j->bytes != 0)
        return OK;
    return wait_add(o, j);
}

void fs_open_tell(const struct fs_touched *t)
{
    struct fs_open *o = find(t->node);
    if (o == nullptr)
        return;
    o->version++;
    for (unsigned i = 0; i < FS_EVENTS; i++) {
        if ((t->events & 1u << i) != 0)
            o->last[i] = o->version;
    }
    o->pins++; /* an answer may end the session that has it open */
    for (struct fs_job **at = &o->waiting; *at != nullptr;) {
        struct fs_job *j = *at;
        uint32_t happened = t->events & (uint32_t)j->q.argument;
        if (j->q.op != VX_FS_OP_WATCH || happened == 0) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        j->value = o->version;
        j->bytes = happened;
        fs_job_answer(j, OK);
        at = &o->waiting;
    }
    fs_open_put(o);
}

/* --- giving up --- */

status_t fs_open_cancel(struct fs_server_session *s, uint64_t tag)
{
    for (uint32_t i = 0; i < s->n_files; i++) {
        struct fs_open *o = s->files[i].open;
        for (struct fs_job **at = o != nullptr ? &o->waiting : nullptr; at != nullptr && *at != nullptr;
             at = &(*at)->next) {
            struct fs_job *j = *at;
            if (j->session != s || j->q.tag != tag)
                continue;
            *at = j->next;
            fs_job_answer(j, ERR_INTERRUPTED);
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

void fs_open_forget(struct fs_open *o, struct fs_server_session *s)
{
    for (struct fs_job **at = &o->waiting; *at != nullptr;) {
        struct fs_job *j = *at;
        if (j->session != s) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        fs_job_answer(j, ERR_INTERRUPTED);
        at = &o->waiting;
    }
}
