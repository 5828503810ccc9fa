/* SPDX-License-Identifier: MIT
 * Where a thread of a POSIX program lands that procd takes out of its course: because it faulted, or because its
 * process asked for it (proc.def: land, reach). The record is the program's memory; the service writes it while nothing
 * of the program that could read it runs, and the thread goes on at the program's entry with the record's address as
 * its first argument and its stack below it.
 *
 *  1. `used` is 0 or 1. Only the service stores 1, and only over a 0, while the program stands still; only the thread
 * that landed stores 0, when it has left the record and the stack below. So one thread at a time lands.
 *  2. The service believes nothing of what it reads back: a frame is checked by the kernel, an address by the copy. */
#pragma once
#include <abi/types.h>

/* In place of a vx_cause_t: nothing went wrong. */
#define VX_LANDING_ASKED 0xffffffffu

struct vx_landing {
    uint32_t used;
    uint32_t thread; /* the kernel's id */
    uint32_t cause;  /* vx_cause_t of the fault, or VX_LANDING_ASKED */
    uint32_t reserved;
    uint64_t address; /* that the fault was about */
    struct vx_frame frame;
};
static_assert(sizeof(struct vx_landing) == 320);
