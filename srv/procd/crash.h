/* SPDX-License-Identifier: MIT
 * What is said on the console of a process that a fault ends: why, where, and who called whom. */
#pragma once
#include "table.h"

/* In place of a vx_cause_t: it gave up by itself. */
enum : uint32_t { CRASH_ABORTED = UINT32_MAX };

/* The signal that a program sees for a cause (vx_cause_t). */
uint32_t crash_signal(uint32_t cause);
/* Its threads are stopped, or soon will be for ever; the memory is read where it is. */
void crash_report(const struct proc *p, uint32_t thread, uint32_t cause, uint64_t address, const struct vx_frame *f);
