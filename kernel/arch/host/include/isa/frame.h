/* SPDX-License-Identifier: MIT
 * The host's user registers: r0-r5 hold arguments, r0 and r1 results, r8 the system call's number. */
#pragma once
#include <stdint.h>

#define HOST_REGISTERS 16u
#define HOST_SYSCALL_BYTES 4u

struct arch_frame {
    uint64_t r[HOST_REGISTERS];
    uint64_t pc, sp;
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
    return f->r[8];
}

static inline uint64_t arch_frame_arg(const struct arch_frame *f, unsigned i)
{
    return f->r[i];
}

static inline void arch_frame_set_syscall(struct arch_frame *f, uint64_t nr)
{
    f->r[8] = nr;
}

static inline void arch_frame_set_arg(struct arch_frame *f, unsigned i, uint64_t value)
{
    f->r[i] = value;
}

static inline void arch_frame_set_result(struct arch_frame *f, uint64_t first, uint64_t second)
{
    f->r[0] = first;
    f->r[1] = second;
}

static inline void arch_frame_restart(struct arch_frame *f)
{
    f->pc -= HOST_SYSCALL_BYTES;
}

/* e_machine of executables for this architecture. */
#define ARCH_ELF_MACHINE 62
