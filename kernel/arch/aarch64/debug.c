/* SPDX-License-Identifier: MIT
 * Backtraces and register dumps. A frame record is the caller's x29 and the return address ([AAPCS64] "The Frame
 * Pointer"). */
#include "boot.h"
#include <abi/status.h>
#include <arch/debug.h>
#include <arch/frame.h>
#include <arch/hart.h>
#include <isa/layout.h>
#include <kernel/entry.h>
#include <kernel/kmap.h>

static bool in_text(uint64_t pc)
{
    return pc >= (uint64_t)(uintptr_t)image_start && pc < (uint64_t)(uintptr_t)text_end;
}

size_t arch_backtrace(uint64_t *out, size_t max, const struct arch_frame *from)
{
    uint64_t top = arch_hart_self()->kernel_stack_top + EMERGENCY_BYTES;
    uint64_t low = arch_hart_self()->kernel_stack_top - STACK_BYTES;
    uint64_t fp = from != nullptr ? from->x[29] : (uint64_t)(uintptr_t)__builtin_frame_address(0);
    size_t n = 0;
    if (from != nullptr && n < max && in_text(from->pc))
        out[n++] = from->pc;
    while (n < max && fp >= low && fp <= top - 16 && fp % 16 == 0) {
        const uint64_t *record = (const uint64_t *)(uintptr_t)fp;
        uint64_t pc = record[1] | ~UINT64_C(0) << 48; /* without its signature */
        if (!in_text(pc))
            break;
        out[n++] = pc;
        low = fp + 16; /* records lie ever higher: a loop cannot keep us here */
        fp = record[0];
    }
    return n;
}

void arch_frame_dump(const struct arch_frame *f)
{
    for (unsigned i = 0; i < 31; i++)
        kprintf("x%u%s %016llx%s", i, i < 10 ? " " : "", (unsigned long long)f->x[i], i % 4 == 3 ? "\n" : "  ");
    kprintf("sp  %016llx\npc  %016llx  pstate %llx\n", (unsigned long long)f->sp, (unsigned long long)f->pc,
            (unsigned long long)f->pstate);
}
