/* SPDX-License-Identifier: MIT
 * x86-64: the saved registers of a thread.
 *
 * The order is the processor's: the task state segment's stack pointer for traps points to the end of the running
 * thread's frame, so the processor itself writes ss to rip into it, and the vector's stub pushes the rest.
 *
 * Invariants:
 *  1. rip is at most VX_UADDR_LIMIT, so it is canonical: sysret and iret cannot fault in kernel mode.
 *  2. cs and ss are the user selectors; rflags has no privileged bit but IF, which is set.
 *  3. If how is X86_FRAME_SYSCALL, the thread entered by `syscall`: it gets rip in rcx and rflags in r11, whatever
 * those two fields hold, as the ABI says that they are clobbered. */
#pragma once
#include <base/likely.h>
#include <stddef.h>
#include <stdint.h>

struct arch_frame {
    alignas(16) uint64_t r15;
    uint64_t r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t how;   /* low byte: the vector it entered by; or X86_FRAME_SYSCALL */
    uint64_t error; /* the vector's error code, if it has one */
    uint64_t rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(struct arch_frame) == 176, "entry.S, and a multiple of 16: the processor aligns the trap stack");

#define X86_FRAME_SYSCALL 0x100u
#define X86_SYSCALL_INSN_BYTES 2u

static inline uint64_t arch_frame_pc(const struct arch_frame *f)
{
    return f->rip;
}

static inline uint64_t arch_frame_sp(const struct arch_frame *f)
{
    return f->rsp;
}

static inline uint64_t arch_frame_syscall_nr(const struct arch_frame *f)
{
    return f->rax;
}

static inline uint64_t *x86_frame_arg(struct arch_frame *f, unsigned i)
{
    uint64_t *const arg[] = { &f->rdi, &f->rsi, &f->rdx, &f->r10, &f->r8, &f->r9 };
    return arg[i];
}

static inline uint64_t arch_frame_arg(const struct arch_frame *f, unsigned i)
{
    return *x86_frame_arg((struct arch_frame *)(uintptr_t)f, i);
}

static inline void arch_frame_set_syscall(struct arch_frame *f, uint64_t nr)
{
    f->rax = nr;
}

static inline void arch_frame_set_arg(struct arch_frame *f, unsigned i, uint64_t value)
{
    *x86_frame_arg(f, i) = value;
}

static inline void arch_frame_set_result(struct arch_frame *f, uint64_t first, uint64_t second)
{
    f->rax = first;
    f->rdx = second;
}

static inline void arch_frame_restart(struct arch_frame *f)
{
    f->rip -= X86_SYSCALL_INSN_BYTES;
}

/* FS base as last set is in struct hart, so a switch between threads with the same one writes no register. cpu.c */
void x86_tls_change(uint64_t address);

static inline uint64_t arch_tls_get(void)
{
    uint64_t address;
    __asm__ volatile("movq %%gs:64, %0" : "=r"(address));
    return address;
}

static inline void arch_tls_set(uint64_t address)
{
    if (address != arch_tls_get())
        x86_tls_change(address);
}

/* Vector state. [SDM-1] "Managing State Using the XSAVE Feature Set" */
extern uint8_t x86_use_xsaveopt;

static inline void arch_fp_switch(void *from, const void *to)
{
    if (likely(from != nullptr && x86_use_xsaveopt != 0)) {
        __asm__ volatile("xsaveopt64 (%0)\n\txrstor64 (%1)" ::"r"(from), "r"(to), "a"(-1), "d"(-1) : "memory");
        return;
    }
    if (from != nullptr)
        __asm__ volatile("xsave64 (%0)" ::"r"(from), "a"(-1), "d"(-1) : "memory");
    __asm__ volatile("xrstor64 (%0)" ::"r"(to), "a"(-1), "d"(-1) : "memory");
}

/* e_machine of executables for this architecture. */
#define ARCH_ELF_MACHINE 62
