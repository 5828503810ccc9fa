/* SPDX-License-Identifier: MIT
 * Threads that are taken out of their course: those that fault, and those that their process wants to reach although
 * they make no call. Both go on in the process's own code, with their registers in a record of the process
 * (abi/landing.h); and it is from there that they get them back.
 *
 *  1. Only the process's own Task is touched, with authority that its parent handed over, and for nobody but itself.
 *  2. A process that has not said where to land, or whose landing fails, ends by the signal of its fault: no thread
 * stays stopped behind a fault. */
#pragma once
#include "table.h"

enum : uint32_t { LANDING_BIT = VX_SERVICE_BIT_FIRST + 16 }; /* posted by faults */

/* The process has a Task now: its faults come here. */
void landing_watch(const struct proc *p);
/* Its Task is about to be somebody else's business. */
void landing_unwatch(const struct proc *p);
/* NOT_SUPPORTED: there is no Task. */
status_t landing_set(struct proc *p, const struct landing *where);
status_t landing_reach(struct proc *p, uint32_t thread, uint64_t busy, uint32_t *reached);
/* The bit was posted. */
void landing_faults(void);
/* That thread, which waits for our answer, gave up: reports it and ends the process. */
status_t landing_aborted(struct proc *p, uint32_t thread, uint64_t pc, uint64_t record);
