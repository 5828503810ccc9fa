/* SPDX-License-Identifier: MIT
 * The Ring calls. A message is copied once, between the user's buffer and the slot, or past the slot from one Task's
 * memory to another's; a counter moves only after the copy, so a bad pointer changes nothing. Calls that must wait
 * leave no trace before they are run again. Locking: the Ring's lock from the first look at its counters to the waking
 * of the other end. A copy under it that faults gives it up and starts again when the page is there; what moves or
 * drops a capability starts again alone. */
#include <base/likely.h>
#include <abi/syscalls.h>
#include <kernel/ring.h>
#include <kernel/syscall.h>
#include <kernel/sched_switch.h>

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Room for messages, or ERR_PEER_CLOSED when the consumer is gone or the shared counters make no sense. */
static inline status_t ring_room(const struct ring *r, uint32_t *head, uint32_t *room)
{
    /* acquire: pairs with the consumer's release of tail, so the slot we reuse has been read. */
    uint32_t tail = atomic_load_explicit(&r->shared->tail, memory_order_acquire);
    *head = atomic_load_explicit(&r->shared->head, memory_order_relaxed);
    uint32_t used = *head - tail;
    if (unlikely(!r->rx_open || used > r->slots))
        return ERR_PEER_CLOSED;
    *room = r->slots - used;
    return OK;
}

static inline status_t ring_waiting(const struct ring *r, uint32_t *tail, uint32_t *used)
{
    /* acquire: pairs with the producer's release of head, so the slots it announces are written. */
    uint32_t head = atomic_load_explicit(&r->shared->head, memory_order_acquire);
    *tail = atomic_load_explicit(&r->shared->tail, memory_order_relaxed);
    *used = head - *tail;
    if (unlikely(*used > r->slots || (*used == 0 && !r->tx_open)))
        return ERR_PEER_CLOSED;
    return OK;
}

static inline struct vx_message *ring_slot(const struct ring *r, uint32_t counter)
{
    return &r->shared->slot[counter & (r->slots - 1)];
}

/* What is in the place of message number `counter`: to a sender, what an earlier one left there (G3); nullptr: nothing.
 */
static inline struct cap *stale_at(const struct ring *r, uint32_t counter)
{
    if (r->inflight == nullptr)
        return nullptr;
    struct cap *c = &r->inflight[counter & (r->slots - 1)];
    return c->type != VX_CAP_NONE ? c : nullptr;
}

static inline struct sysret ring_done(struct ring *r, struct sysret result)
{
    lock_release(&r->lock, LOCK_RING);
    return result;
}

static inline struct sysret ring_alone(struct ring *r)
{
    lock_release(&r->lock, LOCK_RING);
    return sys_alone();
}

/* The end of a call whose user copy faulted: again, once the pages are there. */
[[gnu::noinline]] static struct sysret ring_faulted(struct ring *r, uint64_t address, size_t len, uint32_t access)
{
    lock_release(&r->lock, LOCK_RING);
    status_t st = user_touch(address, len, access);
    return st == OK ? thread_rerun_call() : sys_status(st);
}

static inline void publish(struct vx_ring_shared *shared, uint32_t head)
{
    /* release: the message is visible before the counter that announces it. model: test/model/ring.pml */
    atomic_store_explicit(&shared->head, head, memory_order_release);
}

static inline struct cap *carried(const struct ring *r, uint32_t tail)
{
    struct cap *c = stale_at(r, tail);
    return c != nullptr && c->handle == tail ? c : nullptr;
}

/* Waits at the producer's end. The mark tells a consumer in user code to enter the kernel after taking. */
static struct sysret wait_for_room(struct ring *r, uint64_t deadline)
{
    if (waitq_first(&r->tx_wait) != nullptr)
        return sys_status(ERR_BUSY);
    atomic_store_explicit(&r->shared->producer_asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* mark before the last look: model ring.pml, "sleep" */
    uint32_t head, room;
    if (ring_room(r, &head, &room) != OK || room != 0) {
        atomic_store_explicit(&r->shared->producer_asleep, 0, memory_order_relaxed);
        return thread_rerun_call();
    }
    return thread_block_call(&r->tx_wait, &r->lock, deadline);
}

/* With the counters at `tail`; lets the lock go. is_receive: in RING_RECV or RING_RECV_CAP, into `message`. */
[[gnu::always_inline]] static inline struct sysret wait_for_message(struct thread *self, struct ring *r, uint32_t tail,
                                                                    uint64_t deadline, bool is_receive,
                                                                    uint64_t message)
{
    struct vx_ring_shared *shared = r->shared;
    if (waitq_first(&r->rx_wait) != nullptr)
        return ring_done(r, sys_status(ERR_BUSY));
    atomic_store_explicit(&shared->consumer_asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* mark before the last look: model ring.pml, "sleep" */
    if (unlikely(atomic_load_explicit(&shared->head, memory_order_relaxed) != tail)) {
        atomic_store_explicit(&shared->consumer_asleep, 0, memory_order_relaxed);
        return ring_done(r, thread_rerun_call());
    }
    if (unlikely(deadline != VX_FOREVER || self->interrupted))
        return ring_done(r, thread_block_call(&r->rx_wait, &r->lock, deadline));
    thread_park(self);
    if (is_receive) /* T6 */
        self->receives = self->affinity == UINT64_MAX && message <= VX_UADDR_LIMIT - sizeof(struct vx_message);
    list_push_only(&r->rx_wait.threads, &self->wait);
    lock_release(&r->lock, LOCK_RING);
    return thread_parked();
}

/* A consumer that works on a call does so in its caller's band, if that is more urgent; asking for the next message
 * ends it. A caller that finds the consumer waiting lends its band at once (in_service 2); one that does not leaves it
 * with the Ring. */
[[gnu::always_inline]] static inline void end_service(struct thread *t)
{
    if (likely(t->in_service == 0))
        return;
    if (--t->in_service == 0)
        sched_set_band(t, t->band);
}

static inline void lend_band(const struct thread *caller, struct thread *consumer)
{
    if (caller->effective_band < consumer->effective_band) { /* it waits, so it is on no queue that goes by band */
        consumer->effective_band = caller->effective_band;
        consumer->in_service = 2;
    }
}

[[gnu::always_inline]] static inline void begin_service(struct ring *r, struct thread *t)
{
    if (likely(r->call_band == VX_BAND_COUNT))
        return;
    if (r->call_band < t->effective_band) {
        t->in_service = 1;
        sched_set_band(t, r->call_band);
    }
    if (ring_used(r) == 0)
        r->call_band = VX_BAND_COUNT;
}

static inline void took_from(struct ring *r, uint32_t tail)
{
    ring_took(r->shared, tail);
    if (unlikely(waitq_first(&r->tx_wait) != nullptr)) {
        atomic_store_explicit(&r->shared->producer_asleep, 0, memory_order_relaxed);
        ring_notify_producer(r);
    }
}

/* What is left of the RING_CALL in the frame. */
static inline void become_receive(struct arch_frame *f)
{
    arch_frame_set_syscall(f, VX_SYS_ring_recv_cap);
    arch_frame_set_arg(f, 0, arch_frame_arg(f, 2));
    arch_frame_set_arg(f, 1, arch_frame_arg(f, 3));
    arch_frame_set_arg(f, 2, arch_frame_arg(f, 4));
}

static status_t ring_begin(uint64_t reticle, uint32_t slots, bool with_caps, struct cap **tx)
{
    struct cap_table *table = &current_task()->caps;
    struct reticle *home;
    struct ring *r;
    status_t st = resolve_reticle(reticle, &home);
    if (st == OK)
        st = cap_reserve(table, tx);
    if (st != OK)
        return st;
    if ((st = ring_create(home, slots, with_caps, &r)) == OK)
        (void)cap_make(*tx, &r->obj, VX_CAP_RING_TX, 0, 0, 0);
    else
        cap_unreserve(table, *tx);
    return st;
}

struct sysret sys_ring_create(uint64_t reticle, uint64_t slots, uint64_t flags)
{
    struct thread *t = current_thread();
    struct cap_table *table = &t->task->caps;
    struct cap *tx, *rx;
    if (slots == 0)
        slots = RING_SLOTS_DEFAULT;
    if (slots > RING_SLOTS_MAX)
        return sys_status(ERR_TOO_BIG);
    if ((slots & (slots - 1)) != 0 || (flags & ~(uint64_t)VX_RING_CAPS) != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    status_t st = making_take(&tx);
    if (st == OK && tx == nullptr)
        st = ring_begin(reticle, (uint32_t)slots, (flags & VX_RING_CAPS) != 0, &tx);
    if (st != OK)
        return sys_status(st);
    struct ring *r = ring_of(tx->obj);
    if (!ring_make_some(r)) {
        t->making = tx->handle;
        return thread_rerun_call();
    }
    if ((st = cap_reserve(table, &rx)) != OK) {
        cap_delete(table, tx);
        return sys_status(st);
    }
    constexpr vx_rights_t both = VX_R_SIGNAL | VX_R_MOVE | VX_R_INSPECT | VX_R_DESTROY;
    tx->rights = both | VX_R_SEND;
    return sys_ok(tx->handle, cap_make(rx, &r->obj, VX_CAP_RING_RX, both | VX_R_RECV | VX_R_BIND | VX_R_WAIT, 0, 0));
}

static bool stale_among(const struct ring *r, uint32_t head, uint32_t n)
{
    for (uint32_t i = 0; r->inflight != nullptr && i < n; i++)
        if (stale_at(r, head + i) != nullptr)
            return true;
    return false;
}

/* Between user memory and the slots from `counter` on, in at most two pieces: up to the end of the slots, then from
 * their start. False: it faulted. */
[[gnu::always_inline]] static inline bool copy_burst(const struct ring *r, uint32_t counter, uint64_t user, uint32_t n,
                                                     bool is_send)
{
    for (uint32_t done = 0; done < n;) {
        uint32_t at = (counter + done) & (r->slots - 1), piece = min_u32(n - done, r->slots - at);
        uint64_t address = user + (uint64_t)done * sizeof(struct vx_message);
        size_t len = (size_t)piece * sizeof(struct vx_message);
        if (!(is_send ? user_copy_in(&r->shared->slot[at], address, len)
                      : user_copy_out(address, &r->shared->slot[at], len)))
            return false;
        done += piece;
    }
    return true;
}

/* The body of the sends that carry nothing. A burst is of as many messages as there is room for, and never waits. */
[[gnu::always_inline]] static inline struct sysret send(uint64_t tx, uint64_t messages, uint64_t count,
                                                        uint64_t deadline, bool is_burst)
{
    struct cap *c;
    status_t st = cap_get(&current_task()->caps, tx, VX_CAP_RING_TX, VX_R_SEND, &c);
    if (st != OK)
        return sys_status(st);
    if (count == 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if (count > RING_BURST_MAX)
        return sys_status(ERR_TOO_BIG);
    struct ring *r = ring_of(c->obj);
    uint32_t head, room;
    lock_take(&r->lock, LOCK_RING);
    if ((st = ring_room(r, &head, &room)) != OK)
        return ring_done(r, sys_status(st));
    if (room == 0)
        return ring_done(r, is_burst ? sys_status(ERR_WOULD_BLOCK) : wait_for_room(r, deadline));
    uint32_t n = min_u32((uint32_t)count, room);
    bool stale = stale_among(r, head, n);
    if (unlikely(stale) && !arch_hart_self()->alone)
        return ring_alone(r);
    if (unlikely(!(is_burst ? copy_burst(r, head, messages, n, true)
                            : copy_message_from_user(ring_slot(r, head), messages) == OK)))
        return ring_faulted(r, messages, n * sizeof(struct vx_message), VX_PROT_READ);
    publish(r->shared, head + n);
    ring_notify_consumer(r);
    lock_release(&r->lock, LOCK_RING);
    for (uint32_t i = 0; unlikely(stale) && i < n; i++)
        if ((c = stale_at(r, head + i)) != nullptr)
            cap_delete(nullptr, c);
    return sys_ok(is_burst ? n : 0, 0);
}

struct sysret sys_ring_send(uint64_t tx, uint64_t message, uint64_t deadline)
{
    return send(tx, message, 1, deadline, false);
}

struct sysret sys_ring_send_burst(uint64_t tx, uint64_t messages, uint64_t count)
{
    return send(tx, messages, count, VX_POLL, true);
}

enum receive : uint8_t { PLAIN, WITH_CAP, BURST };

/* The body of every receive. WITH_CAP: hand over what the message carries. A burst is of as many messages as there are,
 * and ends before one that carries something. Without a place for the message a single one is left to user code that
 * has the Ring mapped. */
[[gnu::always_inline]] static inline struct sysret receive(uint64_t rx, uint64_t messages, uint64_t count,
                                                           uint64_t deadline, enum receive how)
{
    struct thread *self = current_thread();
    struct cap_table *table = &self->task->caps;
    struct cap *c, *slot = nullptr;
    status_t st = cap_get(table, rx, VX_CAP_RING_RX, VX_R_RECV, &c);
    if (st != OK)
        return sys_status(st);
    if (count == 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if (count > RING_BURST_MAX)
        return sys_status(ERR_TOO_BIG);
    struct ring *r = ring_of(c->obj);
    end_service(self);
    uint32_t tail, used;
    lock_take(&r->lock, LOCK_RING);
    st = ring_waiting(r, &tail, &used);
    if (st != OK)
        return ring_done(r, sys_status(st));
    if (used == 0)
        return wait_for_message(self, r, tail, deadline, how != BURST, messages);
    if (how != BURST && messages == 0) {
        atomic_store_explicit(&r->shared->consumer_asleep, 0, memory_order_relaxed);
        return ring_done(r, sys_ok(0, 0));
    }
    struct cap *gift = carried(r, tail);
    if (gift != nullptr) {
        if (how != WITH_CAP)
            return ring_done(r, sys_status(ERR_WRONG_TYPE));
        if (!gate_is_alone(arch_hart_self()))
            return ring_alone(r);
        if (gift->obj != nullptr && (st = cap_reserve(table, &slot)) != OK)
            return ring_done(r, sys_status(st));
    }
    uint32_t n = min_u32((uint32_t)count, used);
    for (uint32_t i = 1; how == BURST && r->inflight != nullptr && i < n; i++)
        if (carried(r, tail + i) != nullptr)
            n = i;
    if (unlikely(!(how == BURST ? copy_burst(r, tail, messages, n, false)
                                : copy_message_to_user(messages, ring_slot(r, tail)) == OK))) {
        if (slot != nullptr)
            cap_unreserve(table, slot);
        return ring_faulted(r, messages, n * sizeof(struct vx_message), VX_PROT_WRITE);
    }
    uint64_t handle = 0;
    if (slot != nullptr) {
        handle = cap_move(nullptr, slot, gift);
        if (slot->type == VX_CAP_RING_RX)
            slot->offset = 0; /* G4 */
    } else if (gift != nullptr) {
        gift->type = VX_CAP_NONE; /* what it carried died on the way */
    }
    took_from(r, tail + n);
    begin_service(r, self);
    return ring_done(r, sys_ok(how == BURST ? n : handle, 0));
}

struct sysret sys_ring_recv(uint64_t rx, uint64_t message, uint64_t deadline)
{
    return sys_last(receive(rx, message, 1, deadline, PLAIN));
}

struct sysret sys_ring_try_recv(uint64_t rx, uint64_t message)
{
    return receive(rx, message, 1, VX_POLL, PLAIN);
}

struct sysret sys_ring_recv_cap(uint64_t rx, uint64_t message, uint64_t deadline)
{
    return sys_last(receive(rx, message, 1, deadline, WITH_CAP));
}

struct sysret sys_ring_try_recv_cap(uint64_t rx, uint64_t message)
{
    return receive(rx, message, 1, VX_POLL, WITH_CAP);
}

struct sysret sys_ring_recv_burst(uint64_t rx, uint64_t messages, uint64_t count, uint64_t deadline)
{
    return sys_last(receive(rx, messages, count, deadline, BURST));
}

struct sysret sys_ring_send_cap(uint64_t tx, uint64_t message, uint64_t handle, uint64_t deadline)
{
    struct hart *h = arch_hart_self();
    struct cap_table *table = &h->current->task->caps;
    struct cap *c, *gift;
    if (!gate_is_alone(h))
        return sys_alone();
    status_t st = cap_get(table, tx, VX_CAP_RING_TX, VX_R_SEND, &c);
    if (st != OK)
        return sys_status(st);
    struct ring *r = ring_of(c->obj);
    gift = cap_slot(table, handle);
    if (unlikely(gift->handle != handle || gift->obj == nullptr)) /* C1 */
        return sys_status(cap_get_any(table, handle, 0, false, &c));
    if ((gift->rights & (VX_R_COPY | VX_R_MOVE)) == 0)
        return sys_status(ERR_NO_RIGHTS);
    if (unlikely(gift->type == VX_CAP_RING_RX || gift->obj == &r->obj) && (st = ring_may_carry(r, gift)) != OK)
        return sys_status(st);
    if (r->places == nullptr)
        return sys_status(ERR_NOT_SUPPORTED);
    uint32_t head, room;
    if ((st = ring_room(r, &head, &room)) != OK)
        return sys_status(st);
    if (room == 0)
        return wait_for_room(r, deadline);
    if (unlikely(copy_message_from_user(ring_slot(r, head), message) != OK) &&
        (st = copy_from_user_raw(ring_slot(r, head), message, sizeof(struct vx_message))) != OK)
        return sys_status(st);
    struct cap *place = &r->places[head & (r->slots - 1)];
    if (unlikely(place->type != VX_CAP_NONE) && !h->alone)
        return sys_alone();
    /* --- commit: nothing below can fail --- */
    r->inflight = r->places;
    if (unlikely(place->type != VX_CAP_NONE))
        cap_delete(nullptr, place); /* G3 */
    place->handle = head;           /* the rest is set by either of these */
    if ((gift->rights & VX_R_COPY) != 0)
        cap_derive(place, gift, gift->rights, gift->offset, gift->length);
    else
        cap_move(table, place, gift);
    if (place->type == VX_CAP_RING_TX || place->type == VX_CAP_RING_RX)
        place->rights &= (vx_rights_t)~VX_R_DESTROY; /* both ends end only for whoever made them */
    if (place->type == VX_CAP_RING_RX)
        place->offset = (uint64_t)r; /* G4 */
    publish(r->shared, head + 1);
    ring_notify_consumer(r);
    return sys_ok(0, 0);
}

/* Send, or without a message only ring, then become a RING_RECV_CAP. The receiving half is checked before the sending
 * half commits, so a call that cannot be completed sends nothing. */
[[gnu::noinline]] static struct sysret call_general(struct thread *self)
{
    struct arch_frame *f = &self->frame;
    uint64_t tx = arch_frame_arg(f, 0), message = arch_frame_arg(f, 1), rx = arch_frame_arg(f, 2);
    uint64_t reply = arch_frame_arg(f, 3), deadline = arch_frame_arg(f, 4);
    struct cap_table *table = &self->task->caps;
    struct cap *ctx, *crx;
    status_t st = cap_get(table, tx, VX_CAP_RING_TX, VX_R_SEND, &ctx);
    if (st != OK)
        return sys_status(st);
    if ((st = cap_get(table, rx, VX_CAP_RING_RX, VX_R_RECV, &crx)) != OK)
        return sys_status(st);
    struct ring *out = ring_of(ctx->obj), *in = ring_of(crx->obj);
    uint32_t head, room;
    lock_take(&out->lock, LOCK_RING);
    if ((st = ring_room(out, &head, &room)) != OK)
        return ring_done(out, sys_status(st));
    if (room == 0 && message != 0)
        return ring_done(out, wait_for_room(out, deadline));
    if (waitq_first(&in->rx_wait) != nullptr)
        return ring_done(out, sys_status(ERR_BUSY));
    struct cap *stale = message != 0 ? stale_at(out, head) : nullptr;
    if (stale != nullptr && !arch_hart_self()->alone)
        return ring_alone(out);
    if (message != 0 && copy_message_from_user(ring_slot(out, head), message) != OK)
        return ring_faulted(out, message, sizeof(struct vx_message), VX_PROT_READ);
    if (!urange_ok(reply, sizeof(struct vx_message)))
        return ring_done(out, sys_status(ERR_BAD_ADDRESS));
    /* --- commit: the message goes, and what is left of the call is RING_RECV_CAP(rx, reply, deadline) --- */
    if (message != 0)
        publish(out->shared, head + 1);
    become_receive(&self->frame);
    struct thread *consumer = waitq_first(&out->rx_wait);
    if (out->rx_binding.task != nullptr)
        binding_post(&out->rx_binding);
    if (consumer != nullptr) {
        lend_band(self, consumer);
        sched_hand_over(consumer);
    } else if (message != 0 && self->effective_band < out->call_band) {
        out->call_band = self->effective_band;
    }
    lock_release(&out->lock, LOCK_RING);
    if (stale != nullptr)
        cap_delete(nullptr, stale);
    return sys_ring_recv_cap(rx, reply, deadline);
}

/* Whether the hart can go straight to the consumer: it waits as T6 says, and nobody wants the hart more. By the holder
 * of the lock. */
[[gnu::always_inline]] static inline bool may_go_to(const struct hart *h, const struct ring *out,
                                                    const struct thread *consumer)
{
    return consumer != nullptr &&
           /* acquire: as in sched_may_switch_to() */
           atomic_load_explicit(&consumer->readiness, memory_order_acquire) == THREAD_TAKES &&
#if __has_feature(thread_sanitizer) /* it pairs accesses of one size only */
           !atomic_load_explicit(&consumer->on_hart, memory_order_acquire) &&
#endif
           out->rx_binding.task == nullptr &&
           likely(h->sched.mask == 0 || (h->sched.mask & ((1u << consumer->effective_band) - 1)) == 0);
}

/* Sends by putting the message into the hands of a consumer that waits at an empty Ring. False: that is not so, or a
 * copy faulted. Else the hart is in the consumer's address space. */
[[gnu::always_inline]] static inline bool deliver(struct ring *out, const struct thread *consumer, uint64_t message)
{
    struct vx_ring_shared *shared = out->shared;
    uint32_t head = atomic_load_explicit(&shared->head, memory_order_relaxed);
    if (unlikely(head != atomic_load_explicit(&shared->tail, memory_order_relaxed) || stale_at(out, head) != nullptr ||
                 arch_copy_message_across(&consumer->task->vm.as, (uaddr_t){ arch_frame_arg(&consumer->frame, 1) },
                                          (uaddr_t){ message }) != OK))
        return false;
    publish(shared, head + 1);
    ring_took(shared, head + 1);
    return true;
}

/* The same for messages that are in the mapped Ring already, for a consumer that takes them itself. */
[[gnu::always_inline]] static inline bool ring_bell(struct ring *out, const struct thread *consumer)
{
    uint32_t tail, used;
    if (unlikely(arch_frame_arg(&consumer->frame, 1) != 0 || ring_waiting(out, &tail, &used) != OK || used == 0))
        return false;
    atomic_store_explicit(&out->shared->consumer_asleep, 0, memory_order_relaxed);
    arch_aspace_activate(&consumer->task->vm.as);
    return true;
}

/* self waits for the answer, unless it is there already or somebody else waits for it. */
[[gnu::always_inline]] static inline bool park_for_answer(struct thread *self, struct ring *in)
{
    struct vx_ring_shared *shared = in->shared;
    lock_take(&in->lock, LOCK_RING);
    atomic_store_explicit(&shared->consumer_asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* mark before the last look: model ring.pml, "sleep" */
    /* acquire: pairs with the producer's release */
    bool waits = likely(atomic_load_explicit(&shared->head, memory_order_acquire) ==
                        atomic_load_explicit(&shared->tail, memory_order_relaxed)) &&
                 waitq_first(&in->rx_wait) == nullptr && in->tx_open;
    if (likely(waits)) {
        thread_park(self);
        self->receives = true;
        list_push_only(&in->rx_wait.threads, &self->wait);
    }
    lock_release(&in->lock, LOCK_RING);
    return waits;
}

/* The usual case, where the message goes from the caller's memory to that of a consumer that waits for it, or is in the
 * mapped Ring already, and the hart goes with it. Nothing has changed yet when that turns out not to be it. */
struct sysret sys_ring_call(uint64_t tx, uint64_t message, uint64_t rx, uint64_t reply, uint64_t deadline)
{
    struct hart *h = arch_hart_self();
    struct thread *self = h->current;
    constexpr uint64_t last = VX_UADDR_LIMIT - sizeof(struct vx_message);
    struct object *to = cap_peek(&self->task->caps, tx, VX_CAP_RING_TX, VX_R_SEND);
    if (unlikely(to == nullptr))
        return call_general(self);
    struct object *from = cap_peek(&self->task->caps, rx, VX_CAP_RING_RX, VX_R_RECV);
    if (unlikely(from == nullptr || deadline != VX_FOREVER || message > last || reply > last || self->interrupted ||
                 h->unusual != 0))
        return call_general(self);
    struct ring *out = ring_of(to), *in = ring_of(from);
    lock_take(&out->lock, LOCK_RING);
    struct thread *consumer = waitq_first(&out->rx_wait);
    if (unlikely(!may_go_to(h, out, consumer) || waitq_first(&in->rx_wait) != nullptr ||
                 !(likely(message != 0) ? deliver(out, consumer, message) : ring_bell(out, consumer)))) {
        lock_release(&out->lock, LOCK_RING);
        return call_general(self);
    }
    /* --- committed: the hart is in the consumer's address space --- */
    list_init(&out->rx_wait.threads); /* the consumer was alone in it */
    thread_complete(consumer, 0, 0);
    lock_release(&out->lock, LOCK_RING);
    become_receive(&self->frame);
    if (unlikely(self->effective_band != consumer->effective_band || self->in_service != 0)) {
        if (self->effective_band < consumer->effective_band) { /* it works for self from now on */
            consumer->effective_band = self->effective_band;
            consumer->in_service = 1;
        }
        end_service(self);
        sched_set_urgency(h, consumer->effective_band);
    }
    if (likely(park_for_answer(self, in))) {
        sched_charge(h, self);
        sched_switch_state(h, self, consumer);
        sched_set_current(h, consumer);
        if (likely(h->need_switch == 0))
            arch_resume();
        sched_run(); /* something came meanwhile, or was there and is not less urgent any more */
    }
    if (h->aspace != &self->task->vm.as)
        arch_aspace_activate(&self->task->vm.as);
    sched_set_urgency(h, self->effective_band);
    list_init(&consumer->wait); /* it is in no queue any more */
    sched_hand_over(consumer);
    return sys_ring_recv_cap(arch_frame_arg(&self->frame, 0), arch_frame_arg(&self->frame, 1), VX_FOREVER);
}

struct sysret sys_ring_map(uint64_t end)
{
    struct cap *c;
    uint64_t progress = progress_take();
    status_t st = cap_get_any(&current_task()->caps, end, 0, false, &c);
    if (st != OK)
        return sys_status(st);
    if (c->type != VX_CAP_RING_TX && c->type != VX_CAP_RING_RX)
        return sys_status(ERR_WRONG_TYPE);
    struct ring *r = ring_of(c->obj);
    if (!ring_is_made(r))
        return sys_status(ERR_NOT_FOUND);
    for (struct list_node *n = r->obj.maps.next; n != &r->obj.maps; n = n->next) {
        const struct vma *a = container_of(n, struct vma, maps);
        if (a->cap == c && a->maker == 0)
            return sys_ok(a->node.key - a->offset, 0);
    }
    uint64_t bytes = (uint64_t)ARCH_PAGE_SIZE << r->order;
    struct vm_spec spec = vm_of_object(&r->obj, c, ring_frame, 0, bytes, VX_PROT_READ | VX_PROT_WRITE);
    return thread_map(&spec, progress);
}
