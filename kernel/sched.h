/* SPDX-License-Identifier: MIT
 * Who runs next on this hart: six strict bands, round robin inside one, one-shot timer for slices and deadlines. */
#pragma once
#include <kernel/entry.h>
#include <kernel/task.h>

void sched_init(void);
void sched_ready(
    struct thread *t); /* READY at the end of its band; asks for a switch if it is more urgent than current */
void sched_ready_front(struct thread *t);
void sched_remove(struct thread *t); /* off the run queue */
void sched_forget(struct thread *t); /* it will not run again: the hart must not save into it */
void sched_account(void);            /* charges the current thread up to now */
void sched_yield(void);              /* current to the end of its band */
/* The hart goes straight to t (BLOCKED, its wait is over) and current, if still running, stays READY. */
void sched_hand_over(struct thread *t);
/* The last act of a call whose thread waits now: the hart goes to t, which is parked in a call that `finish` completes in t's
 * address space (false: it cannot, and the call is run again). Only if sched_may_switch_to(t). */
typedef bool sched_finish_fn(struct thread *t, void *context);
[[noreturn]] void sched_switch_to(struct thread *t, sched_finish_fn *finish, void *context);
static inline bool sched_may_switch_to(const struct hart *h, const struct thread *t)
{
    return (h->sched.mask & ((1u << t->effective_band) - 1)) == 0 && h->sched.handover == nullptr && !t->stop_pending &&
           !t->timer.in_tree;
}
void sched_set_deadline(struct thread *t, uint64_t deadline_ns);
void sched_clear_deadline(struct thread *t);
void sched_set_band(struct thread *t, uint8_t effective_band);
void sched_tick(void);             /* the timer fired: expired deadlines, end of slice */
[[noreturn]] void sched_run(void); /* picks and resumes; idles when there is nothing */
uint64_t sched_cycles_to_ns(uint64_t cycles);
uint64_t sched_idle_cycles(void);
uint64_t sched_ticks(void); /* timer interrupts since boot */
