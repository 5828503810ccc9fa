/* SPDX-License-Identifier: MIT
 * Register frames: making them, showing them, and the ABI's register list. Keeps the invariants of <isa/frame.h>. */
#include "x86.h"
#include <abi/timepage.h>
#include <arch/debug.h>
#include <arch/frame.h>
#include <arch/hart.h>
#include <kernel/kmap.h>

/* entry.S counts the same registers off. */
static_assert(offsetof(struct arch_frame, r15) == 0 && offsetof(struct arch_frame, rbp) == 32);
static_assert(offsetof(struct arch_frame, rax) == 80 && offsetof(struct arch_frame, rdi) == 112);
static_assert(offsetof(struct arch_frame, rip) == 136 && offsetof(struct arch_frame, rsp) == 160);

/* CF PF AF ZF SF TF DF OF AC ID: what user code can set by itself */
static constexpr uint64_t RFLAGS_USER = 0x240dd5;
static constexpr uint64_t RFLAGS_FIXED = RFLAGS_IF | 2;
enum : uint32_t { EM_X86_64 = 62, N_REGS = 18 };

void arch_frame_init(struct arch_frame *f, uaddr_t pc, uaddr_t sp, uint64_t arg0, uint64_t arg1)
{
    *f = (struct arch_frame){
        /* Beyond the last page nothing is ever mapped: the thread faults there, in user mode. */
        .rip = pc.raw < VX_UADDR_LIMIT ? pc.raw : VX_UADDR_LIMIT,
        .rsp = sp.raw,
        .rdi = arg0,
        .rsi = arg1,
        .cs = SEL_USER_CODE,
        .ss = SEL_USER_DATA,
        .rflags = RFLAGS_FIXED,
    };
}

/* DWARF order, as <abi/types.h> promises */
#define GENERAL_REGISTERS(f)                                                                                           \
    { &(f)->rax, &(f)->rdx, &(f)->rcx, &(f)->rbx, &(f)->rsi, &(f)->rdi, &(f)->rbp, &(f)->rsp,                          \
      &(f)->r8,  &(f)->r9,  &(f)->r10, &(f)->r11, &(f)->r12, &(f)->r13, &(f)->r14, &(f)->r15 }

void arch_frame_get_regs(const struct arch_frame *f, struct vx_frame *out)
{
    const uint64_t *reg[] = GENERAL_REGISTERS(f);
    *out = (struct vx_frame){ .arch = EM_X86_64, .count = N_REGS };
    for (unsigned i = 0; i < N_REGS - 2; i++)
        out->reg[i] = *reg[i];
    if (f->how == X86_FRAME_SYSCALL) {
        out->reg[2] = f->rip;
        out->reg[11] = f->rflags;
    }
    out->reg[N_REGS - 2] = f->rip;
    out->reg[N_REGS - 1] = (f->rflags & RFLAGS_USER) | RFLAGS_FIXED;
}

status_t arch_frame_set_regs(struct arch_frame *f, const struct vx_frame *in)
{
    if (in->arch != EM_X86_64 || in->count != N_REGS || in->reg[N_REGS - 2] >= VX_UADDR_LIMIT)
        return ERR_BAD_ARGUMENT;
    if ((in->reg[N_REGS - 1] & ~RFLAGS_USER) != RFLAGS_FIXED)
        return ERR_BAD_ARGUMENT;
    uint64_t *reg[] = GENERAL_REGISTERS(f);
    for (unsigned i = 0; i < N_REGS - 2; i++)
        *reg[i] = in->reg[i];
    f->rip = in->reg[N_REGS - 2];
    f->rflags = in->reg[N_REGS - 1];
    f->how = 0; /* rcx and r11 are now what was asked for, so it leaves by iret */
    f->cs = SEL_USER_CODE;
    f->ss = SEL_USER_DATA;
    return OK;
}

void arch_frame_dump(const struct arch_frame *f)
{
    kprintf("rip %016lx cs %02lx rflags %08lx rsp %016lx error %lx\n", f->rip, f->cs, f->rflags, f->rsp, f->error);
    kprintf("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
    kprintf("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
    kprintf("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
    kprintf("r13 %016lx r14 %016lx r15 %016lx\n", f->r13, f->r14, f->r15);
}

static bool on_stack(uint64_t fp, uint64_t top, uint64_t len_bytes)
{
    return fp >= top - len_bytes && fp <= top - 16 && fp % 8 == 0;
}

static bool in_text(uint64_t pc)
{
    return pc >= (uint64_t)image_start && pc < (uint64_t)text_end;
}

size_t arch_backtrace(uint64_t *out, size_t max, const struct arch_frame *from)
{
    const struct hart *h = arch_hart_self();
    const struct x86_hart *x = x86_of(h);
    uint64_t fp = (uint64_t)__builtin_frame_address(0);
    size_t n = 0;
    if (from != nullptr) {
        if ((from->cs & 3) != 0)
            return 0;
        out[n++] = from->rip;
        fp = from->rbp;
    }
    while (n < max &&
           (on_stack(fp, h->kernel_stack_top, X86_STACK_BYTES) || on_stack(fp, x->tss.ist[0], X86_IST_STACK_BYTES))) {
        const uint64_t *frame = (const uint64_t *)fp;
        if (!in_text(frame[1]))
            break;
        out[n++] = frame[1];
        if (frame[0] <= fp) /* frames of callers lie higher: this walk ends */
            break;
        fp = frame[0];
    }
    return n;
}
