/* SPDX-License-Identifier: MIT
 * A frame's registers (DWARF order) as a ucontext_t has them, and back. */
#define _GNU_SOURCE
#include "../landing.h"
#include <signal.h>
#include <ucontext.h>

enum { RSP = 7, RIP = 16, REGISTERS = 18 };
static const uint8_t place[REGISTERS] = {
    REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
    REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP, REG_EFL,
};

uintptr_t px_frame_stack(const struct vx_frame *f)
{
    return f->reg[RSP];
}

uintptr_t px_frame_pc(const struct vx_frame *f)
{
    return f->reg[RIP];
}

void px_landed_tell(const struct px_landed *l, void *ucontext)
{
    ucontext_t *u = ucontext;
    for (unsigned i = 0; i < REGISTERS; i++)
        u->uc_mcontext.gregs[place[i]] = (greg_t)l->frame.reg[i];
    if (l->cause != VX_LANDING_ASKED)
        u->uc_mcontext.gregs[REG_CR2] = (greg_t)l->address;
    u->uc_mcontext.fpregs = l->vectors;
}

void px_landed_take(struct px_landed *l, const void *ucontext)
{
    const ucontext_t *u = ucontext;
    for (unsigned i = 0; i < REGISTERS; i++)
        l->frame.reg[i] = (uint64_t)u->uc_mcontext.gregs[place[i]];
}
