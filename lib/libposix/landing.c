/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "landing.h"
#include "children.h"
#include "keeper.h"
#include "process.h"
#include <signal.h>
#include <ucontext.h>

enum : size_t { STACK_BYTES = 4 * PX_PAGE, ALIGN = 64, BELOW_THE_STACK = 128 /* x86-64: the red zone */ };
/* A signal is given this long to be taken by a call; a thread that cannot land yet is looked at less and less often. */
enum : uint64_t { FIRST_LOOK_NS = 200'000, LAST_LOOK_NS = 50'000'000 };
enum : size_t { AT_ONCE = 8 };

static struct {
    alignas(ALIGN) uint8_t stack[STACK_BYTES];
    struct vx_landing record;
} area;
static_assert(offsetof(typeof(area), record) == STACK_BYTES);

size_t px_landing_vectors; /* bytes of vector state */
static _Atomic bool open, wanted;
static struct vx_mutex open_lock;

void px_landing_open(void)
{
    if (atomic_load_explicit(&open, memory_order_acquire))
        return;
    vx_mutex_lock(&open_lock);
    px_landing_vectors = px_vectors_bytes();
    if (px_proc_land(&area.record, px_landing_entry, px_landing_resume, (void (*)(void))px_landing_give_up) == 0)
        atomic_store_explicit(&open, true, memory_order_release);
    vx_mutex_unlock(&open_lock);
}

/* --- reaching --- */

void px_reach_wanted(void)
{
    if (!atomic_load_explicit(&open, memory_order_relaxed))
        return;
    atomic_store_explicit(&wanted, true, memory_order_release);
    if (!px_is_keeper())
        px_keeper_look();
}

/* Threads with something to deliver that are not busy; answers how many have something at all. */
static size_t candidates(struct px_thread **thread, uint32_t *id, size_t *n)
{
    size_t all = 0;
    *n = 0;
    vx_mutex_lock(&px_threads_lock);
    uint64_t shared = px_signal_pending_process();
    for (struct px_thread *t = px_threads; t != nullptr; t = t->next) {
        uint64_t bits = (atomic_load_explicit(&t->pending, memory_order_acquire) | shared) & ~t->mask & ~t->not_reached;
        if (bits == 0)
            continue;
        all++;
        /* relaxed: the service looks again while the program stands still */
        if (atomic_load_explicit(&t->busy, memory_order_relaxed) != 0 || *n == AT_ONCE)
            continue;
        shared &= t->mask; /* one is enough for what the process got */
        thread[*n] = t;
        id[(*n)++] = t->kernel_id;
    }
    vx_mutex_unlock(&px_threads_lock);
    return all;
}

uint64_t px_reach_run(void)
{
    static uint64_t at = VX_FOREVER, pause;
    struct px_thread *thread[AT_ONCE];
    uint32_t id[AT_ONCE];
    size_t n;
    uint64_t now = vx_clock_monotonic_ns();
    if (atomic_exchange_explicit(&wanted, false, memory_order_acquire) && at == VX_FOREVER)
        at = now + (pause = FIRST_LOOK_NS);
    if (now < at)
        return at;
    size_t all = candidates(thread, id, &n);
    for (size_t i = 0; i < n; i++)
        (void)px_proc_reach(id[i], &thread[i]->busy); /* the record may be gone: then so is the thread */
    pause = pause < LAST_LOOK_NS ? pause * 2 : pause;
    at = all != 0 ? now + pause : VX_FOREVER;
    return at;
}

/* --- landing --- */

/* Assembly has saved the vector registers; the stack is the record's. Moves all there is to the handlers' stack. */
struct px_landed *px_landed(struct vx_landing *record, const void *vectors)
{
    struct px_thread *t = px_self();
    bool fault = record->cause != VX_LANDING_ASKED, busy = atomic_load_explicit(&t->busy, memory_order_relaxed) != 0;
    int signal = fault ? px_signal_of_cause((vx_cause_t)record->cause) : 0;
    atomic_store_explicit(&t->busy, 1, memory_order_relaxed);
    if (px_is_keeper() || (fault && !px_fault_wanted(signal)))
        px_landing_give_up(record);
    uintptr_t sp = px_frame_stack(&record->frame), low = (uintptr_t)t->alternate_at;
    bool there = t->alternate_bytes != 0 && sp - low < t->alternate_bytes;
    bool other = t->alternate_bytes != 0 && !there && px_other_stack_wanted(signal);
    constexpr size_t frames = 2048; /* the handler's siginfo_t, ucontext_t and what calls it */
    if (other && t->alternate_bytes < sizeof(struct px_landed) + px_landing_vectors + ALIGN + frames) {
        if (fault)
            px_landing_give_up(record);
        other = false;
    }
    uintptr_t top = other ? low + t->alternate_bytes : sp - BELOW_THE_STACK;
    uintptr_t vectors_at = (top - px_landing_vectors) & ~(uintptr_t)(ALIGN - 1);
    struct px_landed *l = (struct px_landed *)((vectors_at - sizeof *l) & ~(uintptr_t)(ALIGN - 1));
    /* a stack that is none faults here, a second time, and the service ends the process */
    memcpy((void *)vectors_at, vectors, px_landing_vectors);
    *l = (struct px_landed){ .frame = record->frame,
                             .vectors = (void *)vectors_at,
                             .cause = record->cause,
                             .was_busy = busy,
                             .address = record->address };
    return l;
}

/* On the handlers' stack; the record is free again. */
void px_landed_run(struct px_landed *l)
{
    struct px_thread *t = px_self();
    int delivered = t->delivered;
    struct px_landed *outer = t->landed;
    t->landed = l;
    if (atomic_load_explicit(&px_replaced, memory_order_acquire))
        px_thread_replaced();
    if (l->cause == VX_LANDING_ASKED)
        px_deliver_landed();
    else
        px_deliver_fault(px_signal_of_cause((vx_cause_t)l->cause), l);
    t->landed = outer;
    t->delivered = delivered;
    atomic_store_explicit(&t->busy, l->was_busy, memory_order_relaxed);
}
