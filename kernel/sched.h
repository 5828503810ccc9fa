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
/* Current to the end of its band, its call done with this result. Returns only if nobody else is READY. */
void sched_yield(uint64_t first, uint64_t second);
/* The hart goes straight to t (BLOCKED, its wait is over) and current, if still running, stays READY. */
void sched_hand_over(struct thread *t);
/* The last act of a call whose thread was parked: straight to the next thread. Not while `rerunning`: the
 * loop of sched_run() goes on then, or each call that is run again would leave its stack frames behind. */
[[noreturn]] void sched_leave(void);
/* Nobody is more urgent than t, and its wait can end like this. */
static inline bool sched_may_switch_to(const struct hart *h, const struct thread *t)
{
    return (h->sched.mask & ((1u << t->effective_band) - 1)) == 0 && h->sched.handover == nullptr && !t->stop_pending &&
           !t->timer.in_tree;
}
void sched_arm_slice(uint64_t left_cycles);
void sched_set_deadline(struct thread *t, uint64_t deadline_ns);
void sched_clear_deadline(struct thread *t);
void sched_set_band(struct thread *t, uint8_t effective_band);
void sched_tick(void);             /* the timer fired: expired deadlines, end of slice */
[[noreturn]] void sched_run(void); /* picks and resumes; idles when there is nothing */
uint64_t sched_cycles_to_ns(uint64_t cycles);
uint64_t sched_ticks(void); /* timer interrupts since boot */
