/* SPDX-License-Identifier: MIT
 * The gate: every hart is either outside the kernel or inside it with all others, and one hart at a time may close it
 * and be inside alone. What is alone changes the structure (capabilities, Tasks, objects, areas of other Tasks); what
 * is inside with others moves data under small locks (kernel/lock.h). model: test/model/gate.pml
 *
 * A1. A hart touches kernel data only while its gate word is GATE_IN, and user code runs only while it is not.
 * A2. Only its own hart moves a gate word between OUT and IN; only the owner between OUT and CLOSED, and from WAITING
 * to IN; and only the hart itself from IN to the two waiting states, holding nothing. A3. While one hart is the owner,
 * every other word is CLOSED or one of the waiting states. A4. When the owner opens the gate, all who wait at it come
 * in before the next owner closes it: nobody starves. */
#pragma once
#include <arch/hart.h>
#include <base/likely.h>
#include <kernel/entry.h>

enum gate_state : uint32_t {
    GATE_OUT = 0,     /* in user mode or idle */
    GATE_IN = 1,      /* in the kernel */
    GATE_CLOSED = 2,  /* outside, and must stay there */
    GATE_WAITING = 3, /* in the kernel's first lines, wants in; a thread's registers are in its frame */
    GATE_QUEUED = 4,  /* like WAITING, but wants to be the next owner */
};

/* Entry from user mode does this in assembly. Does nothing if the hart is in already. */
static inline void gate_enter(struct hart *h)
{
    if (atomic_load_explicit(&h->gate, memory_order_relaxed) == GATE_IN)
        return;
    /* acquire: pairs with the owner's release when it opened the gate. */
    if (unlikely(atomic_exchange_explicit(&h->gate, GATE_IN, memory_order_acquire) != GATE_OUT))
        kernel_gate_closed(0);
}

/* Exit to user mode does this in assembly. */
static inline void gate_leave(struct hart *h)
{
    /* release: pairs with the acquire of an owner that closes the gate: it sees all that was done here. */
    atomic_store_explicit(&h->gate, GATE_OUT, memory_order_release);
}

/* Makes this hart, which is in and holds nothing, the owner: all others stay outside or stop at the gate. While it
 * waits for that, another owner may take its thread away; false then: nothing that was known of the thread holds.
 * is_syscall: the thread is at the start of a call, which has changed nothing. */
[[nodiscard]] bool gate_close(struct hart *h, bool is_syscall);
/* The owner is one among others again. */
void gate_open(struct hart *h);
/* Brings a hart that may be in user mode to the gate: from then on its thread's frame is complete, and it looks at
 * hart->current anew when it comes in. By the owner. */
void gate_catch(struct hart *h, const struct hart *other);
/* What is alone: the owner, or the only hart there is. */
static inline bool gate_is_alone(const struct hart *h)
{
    return n_harts == 1 || h->alone;
}
/* What others have asked this hart to do: in every loop that waits for another hart. */
void harts_answer(struct hart *h);
static inline void harts_poll(struct hart *h)
{
    if (unlikely(atomic_load_explicit(&h->calls.from, memory_order_relaxed) != 0))
        harts_answer(h);
}
/* A hart reports a broken kernel; the others are to stop. */
bool kernel_is_panicking(void);
/* Starts every further hart of the machine, and reports. */
struct machine;
void harts_start(const struct machine *m);
