/* SPDX-License-Identifier: MIT
 * Handlers for what does not wait for a call: faults, and signals for threads that only compute. Another Task must take
 * such a thread out of its course, since its registers are the kernel's: procd, which lets it go on at px_landing_entry
 * with the registers that it had in a record (abi/landing.h). From there it runs the handlers like a call that ended,
 * and asks for its registers back.
 *
 *  1. A thread inside libposix (`busy`) is not reached: it comes to a safe point by itself. A fault is not asked.
 *  2. The record's own stack is used only to find the stack that the handler gets: the program's, below what it uses,
 * or the other one that it asked for. Everything of the interrupted code is then copied there, so handlers nest and
 * jump out like any others.
 *  3. Vector registers are saved before the first line of C and restored by the last ones of assembly; the rest is in
 * the frame, which a handler may change through its ucontext_t. */
#pragma once
#include "signal.h"
#include <abi/landing.h>

/* Of a thread that landed, on the stack of its handlers. landing.S knows the first two. */
struct px_landed {
    struct vx_frame frame; /* as it was; what it goes on with */
    void *vectors;
    uint32_t cause;
    bool was_busy;
    uint64_t address;
};

/* Makes it known to the process service, once; nothing happens where there is none. */
void px_landing_open(void);
/* A signal may wait for a thread that makes no call: the keeper has a look. */
void px_reach_wanted(void);
/* The keeper's part: reaches who is to be reached. When to come again. */
uint64_t px_reach_run(void);

/* Of a frame. */
uintptr_t px_frame_stack(const struct vx_frame *f);
uintptr_t px_frame_pc(const struct vx_frame *f);
/* What is told through a ucontext_t, and taken back from it. */
void px_landed_tell(const struct px_landed *l, void *ucontext);
void px_landed_take(struct px_landed *l, const void *ucontext);

/* landing.S, and what it calls */
struct px_landed *px_landed(struct vx_landing *record, const void *vectors);
void px_landed_run(struct px_landed *l);
void px_landing_entry(void);
void px_landing_resume(void);
[[noreturn]] void px_landing_give_up(struct vx_landing *record);
size_t px_vectors_bytes(void);
