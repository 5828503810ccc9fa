/* SPDX-License-Identifier: MIT
 * The queue of a session, used by any number of threads: one of them takes replies from the Ring, for all; when it has
 * its own, another one goes on. Everybody else sleeps on `turn`. */
#include "client.h"
#include <vectra/string.h>
#include <vectra/time.h>

enum { FREE = 0, WAITING = 1, DONE = 2, ABANDONED = 3 };
enum { CLOSES_MAX = 8 };

static void turn_over(struct fs_session *s)
{
    /* release: pairs with the acquire in sleep(); what changed was changed under the lock */
    atomic_fetch_add_explicit(&s->turn, 1, memory_order_release);
    (void)vx_sys_futex_wake((uintptr_t)&s->turn, UINT32_MAX, 0, 0, nullptr);
}

/* Until something changed since `turn` was read under the lock, which is released. */
static status_t sleep(struct fs_session *s, uint32_t turn, uint64_t deadline)
{
    vx_mutex_unlock(&s->lock);
    status_t st = vx_sys_futex_wait((uintptr_t)&s->turn, turn, deadline);
    vx_mutex_lock(&s->lock);
    return st == ERR_WOULD_BLOCK ? OK : st;
}

static uint32_t turn_of(struct fs_session *s)
{
    return atomic_load_explicit(&s->turn, memory_order_acquire); /* pairs with the release in turn_over */
}

/* --- pieces --- */

static uint64_t run_mask(unsigned first, unsigned n)
{
    return (n == FS_BUFFER_UNITS ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1) << first;
}

/* The longest free run of up to `wanted` units. 0: nothing is free. */
static unsigned find_run(uint64_t taken, unsigned wanted, unsigned *first)
{
    if (taken == 0) {
        *first = 0;
        return wanted;
    }
    for (unsigned n = wanted; n != 0; n = n > 1 ? n / 2 : 0) {
        for (unsigned at = 0; at + n <= FS_BUFFER_UNITS; at++) {
            if ((taken & run_mask(at, n)) == 0) {
                *first = at;
                return n;
            }
        }
    }
    return 0;
}

status_t fs_piece_get(struct fs_session *s, size_t wanted, struct fs_piece *out)
{
    uint64_t deadline = VX_FOREVER;
    size_t units = (wanted + s->unit_bytes - 1) / s->unit_bytes;
    unsigned n, first = 0;
    units = units == 0 ? 1 : units > FS_BUFFER_UNITS ? FS_BUFFER_UNITS : units;
    vx_mutex_lock(&s->lock);
    while ((n = find_run(s->units, (unsigned)units, &first)) == 0) {
        if (deadline == VX_FOREVER)
            deadline = vx_deadline_in(FS_PATIENCE_NS);
        status_t st = s->broken ? ERR_PEER_CLOSED : sleep(s, turn_of(s), deadline);
        if (st != OK && st != ERR_INTERRUPTED) {
            vx_mutex_unlock(&s->lock);
            return st;
        }
    }
    s->units |= run_mask(first, n);
    vx_mutex_unlock(&s->lock);
    *out = (struct fs_piece){ .first = (uint8_t)first,
                              .units = (uint8_t)n,
                              .at = s->at + (size_t)first * s->unit_bytes,
                              .bytes = n * s->unit_bytes };
    return OK;
}

static void piece_put_locked(struct fs_session *s, unsigned first, unsigned units)
{
    if (units != 0)
        s->units &= ~run_mask(first, units);
}

void fs_piece_put(struct fs_session *s, const struct fs_piece *p)
{
    if (p->units == 0)
        return;
    vx_mutex_lock(&s->lock);
    bool full = find_run(s->units, 1, &(unsigned){ 0 }) == 0;
    piece_put_locked(s, p->first, p->units);
    vx_mutex_unlock(&s->lock);
    if (full)
        turn_over(s);
}

/* --- replies --- */

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle);
}

static void pending_free(struct fs_session *s, struct fs_pending *p)
{
    drop(p->cap); /* nobody took it */
    p->cap = VX_HANDLE_NONE;
    p->state = FREE;
    s->n_pending--;
    s->n_waits -= p->waits;
}

/* Whoever sent it finds it, and the capability that came along. True: somebody else waits for this one. */
static bool deliver(struct fs_session *s, const struct vx_message *m, vx_handle_t cap, const struct fs_pending *mine)
{
    struct vx_fs_reply r;
    memcpy(&r, m, sizeof r);
    uint64_t index = (r.tag & 0xffff) - 1;
    struct fs_pending *p = index < FS_REQUESTS_MAX ? &s->pending[index] : nullptr;
    if (p == nullptr || p->generation != r.tag >> 16 || (p->state != WAITING && p->state != ABANDONED)) {
        s->broken = true; /* what answers what nobody asked is no file system */
        drop(cap);
        return true;
    }
    p->cap = cap;
    if (p->state == ABANDONED) {
        piece_put_locked(s, p->first, p->n_units);
        pending_free(s, p);
        return true; /* a place is free */
    }
    p->reply = r;
    p->state = DONE;
    return p != mine;
}

static void leave_receiving(struct fs_session *s)
{
    s->receiving = false;
    if (s->n_pending > 1)
        turn_over(s);
}

/* Takes one reply. Its lock is held, and free while it waits. */
static status_t receive_one(struct fs_session *s, const struct fs_pending *mine, struct vx_message *send,
                            uint64_t deadline)
{
    struct vx_message m;
    vx_handle_t got = VX_HANDLE_NONE;
    vx_mutex_unlock(&s->lock);
    status_t st = send != nullptr ? vx_sys_ring_call(s->tx, send, s->rx, &m, deadline, &got)
                                  : vx_sys_ring_recv_cap(s->rx, &m, deadline, &got);
    vx_mutex_lock(&s->lock);
    if (st == OK) {
        if (deliver(s, &m, got, mine))
            turn_over(s);
    } else if (st != ERR_TIMED_OUT && st != ERR_INTERRUPTED && st != ERR_WOULD_BLOCK) {
        s->broken = true;
        turn_over(s);
    }
    return st;
}

/* Until `p` is answered, or the session ends, or the deadline passes. With the lock. */
static status_t await(struct fs_session *s, struct fs_pending *p, struct vx_message *send, bool waits,
                      uint64_t deadline)
{
    bool receiver = send != nullptr; /* the caller took the part over */
    status_t st = OK;
    while (p->state == WAITING && !s->broken) {
        if (!receiver && !s->receiving)
            receiver = s->receiving = true;
        st = receiver ? receive_one(s, p, send, deadline) : sleep(s, turn_of(s), deadline);
        send = nullptr;
        if (st == ERR_TIMED_OUT || st == ERR_WOULD_BLOCK || (st == ERR_INTERRUPTED && waits))
            break;
    }
    if (receiver)
        leave_receiving(s);
    if (p->state == DONE)
        return OK;
    return s->broken ? ERR_PEER_CLOSED : st == ERR_WOULD_BLOCK ? ERR_TIMED_OUT : st;
}

/* --- requests --- */

static status_t send_only(struct fs_session *s, struct vx_message *m)
{
    uint64_t deadline = vx_deadline_in(FS_PATIENCE_NS);
    status_t st;
    while ((st = vx_sys_ring_send(s->tx, m, deadline)) == ERR_BUSY || st == ERR_INTERRUPTED)
        (void)vx_sys_yield(); /* another thread waits for room */
    return st;
}

/* Those that wait for others leave half of the places to the rest, and wait here if they are more. */
static status_t place_get(struct fs_session *s, bool waits, uint64_t deadline, struct fs_pending **out)
{
    for (;;) {
        if (s->broken)
            return ERR_PEER_CLOSED;
        bool room = s->n_pending < s->depth && !(waits && s->n_waits >= (s->depth + 1) / 2);
        for (unsigned i = 0; i < FS_REQUESTS_MAX && room; i++) {
            struct fs_pending *p = &s->pending[i];
            if (p->state != FREE)
                continue;
            *p = (struct fs_pending){ .state = WAITING, .waits = waits, .generation = (uint16_t)(p->generation + 1) };
            s->n_pending++;
            s->n_waits += waits;
            *out = p;
            return OK;
        }
        status_t st = sleep(s, turn_of(s), deadline);
        if (st != OK && (st != ERR_INTERRUPTED || waits))
            return st;
    }
}

/* The file system is told to give up a request that waits; it is answered then, if only with INTERRUPTED. */
static void cancel(struct fs_session *s, uint64_t tag)
{
    struct vx_fs_request q = { .op = VX_FS_OP_CANCEL, .argument = tag };
    struct fs_piece none = {};
    struct vx_fs_reply r;
    (void)fs_request(s, &q, &none, false, vx_deadline_in(FS_PATIENCE_NS), &r);
}

static status_t outcome(const struct vx_fs_reply *r)
{
    return r->status <= OK && r->status > -4096 ? (status_t)r->status : ERR_IO;
}

status_t fs_request(struct fs_session *s, struct vx_fs_request *q, struct fs_piece *piece, bool waits,
                    uint64_t deadline, struct vx_fs_reply *out)
{
    return fs_request_cap(s, q, piece, waits, deadline, out, nullptr);
}

status_t fs_request_cap(struct fs_session *s, struct vx_fs_request *q, struct fs_piece *piece, bool waits,
                        uint64_t deadline, struct vx_fs_reply *out, vx_handle_t *cap)
{
    struct vx_message m;
    struct fs_pending *p = nullptr;
    vx_mutex_lock(&s->lock);
    status_t st = place_get(s, waits, deadline, &p);
    if (st != OK) {
        vx_mutex_unlock(&s->lock);
        return st;
    }
    q->tag = (uint64_t)p->generation << 16 | (uint64_t)(p - s->pending + 1);
    q->data_at = (uint32_t)piece->first * s->unit_bytes;
    p->first = piece->first;
    p->n_units = piece->units;
    memcpy(&m, q, sizeof m);
    s->n_closes = 0;
    bool receiver = !s->receiving;
    s->receiving = true;
    if (!receiver) {
        vx_mutex_unlock(&s->lock);
        st = send_only(s, &m);
        vx_mutex_lock(&s->lock);
        s->broken = s->broken || (st != OK && st != ERR_TIMED_OUT);
    }
    st = await(s, p, receiver ? &m : nullptr, waits, deadline);
    if (st == OK) {
        *out = p->reply;
        st = outcome(out);
    } else if (p->state == WAITING && !s->broken) {
        if (waits) { /* its reply is on its way once it is cancelled, and is what counts */
            vx_mutex_unlock(&s->lock);
            cancel(s, q->tag);
            vx_mutex_lock(&s->lock);
            status_t late = await(s, p, nullptr, false, vx_deadline_in(FS_PATIENCE_NS));
            if (late == OK && outcome(&p->reply) != ERR_INTERRUPTED) {
                *out = p->reply;
                st = outcome(out);
            }
        }
        if (p->state == WAITING && !s->broken) {
            p->state = ABANDONED;
            piece->units = 0;
            p = nullptr;
        }
    }
    if (p != nullptr && st == OK && cap != nullptr) {
        *cap = p->cap;
        p->cap = VX_HANDLE_NONE;
    }
    if (p != nullptr)
        pending_free(s, p);
    bool crowded = s->n_pending + 1 >= s->depth || s->n_pending + 1 >= FS_REQUESTS_MAX ||
                   (waits && s->n_waits + 1 >= (s->depth + 1) / 2);
    vx_mutex_unlock(&s->lock);
    if (crowded)
        turn_over(s);
    return st;
}

void fs_send_close(struct fs_session *s, struct vx_fs_request *q)
{
    struct vx_message m;
    vx_mutex_lock(&s->lock);
    bool answered = ++s->n_closes >= CLOSES_MAX; /* so that they never fill the Ring */
    bool broken = s->broken;
    vx_mutex_unlock(&s->lock);
    if (broken)
        return;
    if (answered) {
        struct fs_piece none = {};
        struct vx_fs_reply r;
        (void)fs_request(s, q, &none, false, vx_deadline_in(FS_PATIENCE_NS), &r);
        return;
    }
    q->tag = 0;
    memcpy(&m, q, sizeof m);
    (void)send_only(s, &m);
}
