/* SPDX-License-Identifier: MIT
 * Who runs next: each hart has six strict bands, round robin inside one, a one-shot timer for slices and deadlines. */
#pragma once
#include <kernel/entry.h>
#include <kernel/task.h>

/* Threads let go at a stretch, with interrupts masked, by whoever wakes a crowd. */
static constexpr uint32_t WAKES_AT_ONCE = 32;

/* Of this hart. */
void sched_init(void);
/* Lets t, which nobody else may wake (see thread_wake), run somewhere: READY at the end of its band. */
void sched_ready(struct thread *t);
void sched_start(struct thread *t);  /* the same for a new one, which may start on any hart */
void sched_remove(struct thread *t); /* off the run queue; by the owner of the gate */
/* No hart runs it any more: it will not run again, and its registers are lost, unless `keep` says that the frame and
 * the vector state must be complete. By the owner of the gate. */
void sched_forget(struct thread *t, bool keep);
/* Current to the end of its band, its call done with result 0. Returns only if nobody is READY who may go first. */
void sched_next_turn(void);
/* The hart goes straight to t (its wait is over, and nobody else may wake it), if it can; current, if still running,
 * stays READY. */
void sched_hand_over(struct thread *t);
/* The last act of a call whose thread was parked: straight to the next thread. Not while `rerunning`: the
 * loop of sched_run() goes on then, or each call that is run again would leave its stack frames behind. */
[[noreturn]] void sched_leave(void);
/* What follows sched_switch() to t: the call that it was parked in is run again, if it was; then user mode. */
[[noreturn]] void sched_go_on(struct hart *h, struct thread *t);
/* Nobody is more urgent than t, its wait can end like this, and no other hart has anything of it. */
static inline bool sched_may_switch_to(const struct hart *h, const struct thread *t)
{
    return (h->sched.mask & ((1u << t->effective_band) - 1)) == 0 && h->sched.handover == nullptr && !t->stop_pending &&
           !t->timer.in_tree && (t->affinity >> h->id & 1) != 0 &&
           /* acquire: pairs with the release in sched_switch() and idle(): its state has been saved. */
           !atomic_load_explicit(&t->on_hart, memory_order_acquire);
}
void sched_arm_slice(struct hart *h);
void sched_set_deadline(struct thread *t, uint64_t deadline_ns);
void sched_set_band(struct thread *t, uint8_t effective_band);
void sched_set_urgency(struct hart *h, uint32_t band);
void sched_ipi(struct hart *h);    /* another hart sent threads, or wants some */
[[noreturn]] void sched_run(void); /* picks and resumes; idles when there is nothing */
uint64_t sched_cycles_to_ns(uint64_t cycles);
