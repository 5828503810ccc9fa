/* SPDX-License-Identifier: MIT
 * The register frame that vectors.S saves, and the inline part of arch/frame.h. */
#pragma once
#include <stdint.h>

struct arch_frame {
    alignas(16) uint64_t x[31]; /* SP points here in user mode, and must be 16-byte aligned */
    uint64_t sp;
    uint64_t pc;
    uint64_t pstate;
};

static inline uint64_t arch_frame_pc(const struct arch_frame *f)
{
    return f->pc;
}

static inline uint64_t arch_frame_sp(const struct arch_frame *f)
{
    return f->sp;
}

static inline uint64_t arch_frame_syscall_nr(const struct arch_frame *f)
{
    return f->x[8];
}

static inline uint64_t arch_frame_arg(const struct arch_frame *f, unsigned i)
{
    return f->x[i];
}

static inline void arch_frame_set_syscall(struct arch_frame *f, uint64_t nr)
{
    f->x[8] = nr;
}

static inline void arch_frame_set_arg(struct arch_frame *f, unsigned i, uint64_t value)
{
    f->x[i] = value;
}

static inline void arch_frame_set_result(struct arch_frame *f, uint64_t first, uint64_t second)
{
    f->x[0] = first;
    f->x[1] = second;
}

/* svc is four bytes long, as every instruction. */
static inline void arch_frame_restart(struct arch_frame *f)
{
    f->pc -= 4;
}

static inline uint64_t arch_tls_get(void)
{
    uint64_t address;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(address));
    return address;
}

static inline void arch_tls_set(uint64_t address)
{
    __asm__ volatile("msr tpidr_el0, %0" ::"r"(address));
}

/* e_machine of executables for this architecture. */
#define ARCH_ELF_MACHINE 183
