/* SPDX-License-Identifier: MIT
 * The smallest frame that a system call needs, and the inline part of arch/frame.h. */
#pragma once
#include <stdint.h>

struct arch_frame {
    uint64_t x[9];
    uint64_t sp;
    uint64_t pc;
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

/* Every instruction is four bytes long, for no reason. */
static inline void arch_frame_restart(struct arch_frame *f)
{
    f->pc -= 4;
}

/* e_machine of executables for this architecture. */
#define ARCH_ELF_MACHINE 183
