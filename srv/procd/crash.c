/* SPDX-License-Identifier: MIT */
#include "crash.h"
#include <vectra/io.h>

enum : uint32_t { EM_X86_64 = 62, CALLERS_MAX = 24 };

uint32_t crash_signal(uint32_t cause)
{
    enum : uint32_t { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };
    switch (cause) {
    case VX_CAUSE_NO_MEMORY:
    case VX_CAUSE_ALIGNMENT:
    case VX_CAUSE_MACHINE:
        return SIG_BUS;
    case VX_CAUSE_ILLEGAL:
        return SIG_ILL;
    case VX_CAUSE_ARITHMETIC:
        return SIG_FPE;
    case VX_CAUSE_BREAKPOINT:
        return SIG_TRAP;
    default:
        return SIG_SEGV;
    }
}

static bool read_words(const struct proc *p, uint64_t from, uint64_t to[2])
{
    uint64_t done = 0;
    return vx_sys_task_control(p->task, VX_TASK_READ_MEM, from, (uintptr_t)to, 16, &done, nullptr) == OK && done == 16;
}

void crash_report(const struct proc *p, uint32_t thread, uint32_t cause, uint64_t address, const struct vx_frame *f)
{
    struct vx_task_info info = {};
    bool x86 = f->arch == EM_X86_64;
    uint64_t pc = f->reg[x86 ? 16 : 32], fp = f->reg[x86 ? 6 : 29], words[2];
    (void)vx_sys_task_control(p->task, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr, nullptr);
    vx_printf("%s[%u]: %s at 0x%llx, thread %u\n", info.name, p->id, vx_cause_name((vx_cause_t)cause),
              (unsigned long long)address, thread);
    for (uint32_t n = 0; n < CALLERS_MAX; n++) {
        vx_printf("  #%u 0x%llx\n", n, (unsigned long long)pc);
        /* a caller's record lies above: hostile memory cannot make this long */
        if (fp == 0 || fp % 8 != 0 || !read_words(p, fp, words) || words[1] == 0)
            break;
        pc = words[1];
        if (words[0] <= fp && words[0] != 0)
            break;
        fp = words[0];
    }
}
