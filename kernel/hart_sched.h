/* SPDX-License-Identifier: MIT
 * The scheduler's state of one hart, inside struct hart so that one register reaches it all. Only kernel/sched.c and
 * its headers touch it. */
#pragma once
#include <abi/types.h>
#include <arch/timer.h>
#include <base/list.h>
#include <base/tree.h>

struct thread;

struct hart_sched {
    struct list_node queue[VX_BAND_COUNT];
    uint32_t mask;
    bool slice_armed;
    bool rerunning; /* inside a call that sched_run() runs again */
    struct thread *handover;
    struct thread *loaded;
    struct tree deadlines;
    uint64_t armed_ns;        /* when the timer fires */
    uint64_t switched_cycles; /* when current was switched in */
    uint64_t accounted_cycles;
    uint64_t idle_cycles;
    uint64_t ticks;
    uint64_t slice_cycles;
    struct arch_time time;
};
