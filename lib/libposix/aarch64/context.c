/* SPDX-License-Identifier: MIT
 * A frame's registers (x0-x30, sp, pc, pstate) as a ucontext_t has them, and back; vectors are a record of their own in
 * it, as elsewhere. */
#define _GNU_SOURCE
#include "../landing.h"
#include <signal.h>
#include <ucontext.h>

enum { SP = 31, PC = 32, PSTATE = 33 };

uintptr_t px_frame_stack(const struct vx_frame *f)
{
    return f->reg[SP];
}

uintptr_t px_frame_pc(const struct vx_frame *f)
{
    return f->reg[PC];
}

void px_landed_tell(const struct px_landed *l, void *ucontext)
{
    ucontext_t *u = ucontext;
    memcpy(u->uc_mcontext.regs, l->frame.reg, sizeof u->uc_mcontext.regs);
    u->uc_mcontext.sp = l->frame.reg[SP];
    u->uc_mcontext.pc = l->frame.reg[PC];
    u->uc_mcontext.pstate = l->frame.reg[PSTATE];
    u->uc_mcontext.fault_address = l->cause != VX_LANDING_ASKED ? l->address : 0;
    memcpy(u->uc_mcontext.__reserved, l->vectors, sizeof(struct fpsimd_context)); /* a record of zeroes is behind it */
}

void px_landed_take(struct px_landed *l, const void *ucontext)
{
    const ucontext_t *u = ucontext;
    memcpy(l->frame.reg, u->uc_mcontext.regs, sizeof u->uc_mcontext.regs);
    l->frame.reg[SP] = u->uc_mcontext.sp;
    l->frame.reg[PC] = u->uc_mcontext.pc;
    l->frame.reg[PSTATE] = u->uc_mcontext.pstate;
    memcpy(l->vectors, u->uc_mcontext.__reserved, sizeof(struct fpsimd_context));
}
