/* SPDX-License-Identifier: MIT
 * The scheduler's state of one hart, inside struct hart so that one register reaches it all. Only kernel/sched.c and
 * its headers touch it, each hart its own; others only what stands behind `inbox`, and the owner of the gate. */
#pragma once
#include <abi/types.h>
#include <arch/timer.h>
#include <base/list.h>
#include <base/tree.h>
#include <stdatomic.h>

struct thread;

/* What has become of the system call that the hart runs. */
enum call_outcome : uint8_t {
    CALL_RETURNS, /* its results go to the frame */
    CALL_PARKED,  /* the thread waits; its frame is no longer this hart's */
    CALL_AGAIN,   /* user mode makes it again at once */
};

struct hart_sched {
    struct list_node queue[VX_BAND_COUNT];
    uint32_t mask;    /* others read it as a hint */
    bool slice_armed; /* S4 */
    struct thread *handover;
    struct thread *only; /* S1 */
    struct thread *mail; /* what came out of the inbox and is on no queue yet, first come first, by inbox_next */
    const struct list_node
        *first;            /* in the queue of the running thread's band at the last look; nullptr: had its turn */
    uint64_t first_cycles; /* since when */
    struct tree deadlines;
    uint64_t armed_ns;        /* when the timer fires */
    uint64_t switched_cycles; /* when current was switched in, or nobody was */
    uint64_t slice_cycles;
    uint64_t domain; /* the harts of its coherence domain, itself included */
    struct arch_time time;
    alignas(64) _Atomic(struct thread *) inbox; /* threads that others sent here, last first, by inbox_next */
    _Atomic uint32_t urgency;                   /* band of the thread it runs; VX_BAND_COUNT: it is idle */
};
