/* SPDX-License-Identifier: MIT
 * Exceptions that are no system call: named, sorted into enum vx_cause, and handed to the portable kernel.
 * Source: [Arm-ARM] "ESR_EL1", exception classes and fault status codes. */
#include "boot.h"
#include <abi/status.h>
#include <arch/boot.h>
#include <arch/frame.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <isa/layout.h>
#include <kernel/entry.h>

static_assert(sizeof(struct arch_frame) == FRAME_BYTES && offsetof(struct arch_frame, sp) == 248);
static_assert(offsetof(struct arch_frame, pc) == FRAME_PC && offsetof(struct arch_frame, pstate) == FRAME_PC + 8);
static_assert(offsetof(struct hart, frame) == HART_FRAME && offsetof(struct hart, kernel_stack_top) == HART_STACK_TOP);
static_assert(offsetof(struct hart, syscalls) == HART_SYSCALLS && HART_SYSCALLS == HART_STACK_TOP + 8);
static_assert(offsetof(struct hart, need_switch) == HART_NEED_SWITCH && offsetof(struct hart, self) == HART_SELF);
static_assert(offsetof(struct hart, aspace) == HART_ASPACE && offsetof(struct arch_aspace, ttbr) == ASPACE_TTBR);
static_assert(offsetof(struct hart, arch_key) == HART_KEY && offsetof(struct arch_aspace, key) == ASPACE_KEY);
static_assert(offsetof(struct hart, arch_word) == HART_ARCH_WORD && offsetof(struct hart, gate) == HART_GATE);

[[noreturn]] void trap_from_user(uint64_t kind);
uint64_t trap_from_kernel(const struct arch_frame *f, uint64_t kind);

enum exception_class : uint32_t {
    EC_FP = 0x07,
    EC_INSTRUCTION_ABORT_USER = 0x20,
    EC_INSTRUCTION_ABORT = 0x21,
    EC_PC_ALIGNMENT = 0x22,
    EC_DATA_ABORT_USER = 0x24,
    EC_DATA_ABORT = 0x25,
    EC_SP_ALIGNMENT = 0x26,
};

// clang-format off
static const struct class_name {
    const char *name; /* nullptr: unknown */
    uint32_t cause;
} class_names[64] = {
    /* the others are reserved, not for EL1, or of what stays off */
    [0x00] = { "undefined instruction", VX_CAUSE_ILLEGAL },
    [EC_FP] = { "trapped floating-point instruction", VX_CAUSE_ILLEGAL },
    [0x0a] = { "trapped 64-byte access", VX_CAUSE_ILLEGAL },
    [0x0d] = { "branch target", VX_CAUSE_ILLEGAL },
    [0x0e] = { "illegal execution state", VX_CAUSE_ILLEGAL },
    [0x15] = { "system call", VX_CAUSE_ILLEGAL }, /* only from the kernel itself */
    [0x18] = { "trapped system register", VX_CAUSE_ILLEGAL },
    [0x19] = { "trapped SVE instruction", VX_CAUSE_ILLEGAL },
    [0x1c] = { "pointer authentication", VX_CAUSE_ILLEGAL },
    [0x1d] = { "trapped SME instruction", VX_CAUSE_ILLEGAL },
    [EC_INSTRUCTION_ABORT_USER ... EC_INSTRUCTION_ABORT] = { "instruction abort", VX_CAUSE_PAGE_FAULT },
    [EC_PC_ALIGNMENT] = { "misaligned program counter", VX_CAUSE_ALIGNMENT },
    [EC_DATA_ABORT_USER ... EC_DATA_ABORT] = { "data abort", VX_CAUSE_PAGE_FAULT },
    [EC_SP_ALIGNMENT] = { "misaligned stack pointer", VX_CAUSE_ALIGNMENT },
    [0x2c] = { "floating-point exception", VX_CAUSE_ARITHMETIC },
    [0x3c] = { "breakpoint instruction", VX_CAUSE_BREAKPOINT },
};
// clang-format on

/* Refines what an abort was, by its fault status code. */
static void describe_abort(struct trap *t, bool fetch)
{
    unsigned status = t->code & 0x3f;
    bool cache_op = (t->code >> 8 & 1) != 0, write = (t->code >> 6 & 1) != 0;
    t->access = fetch ? VX_PROT_EXEC : write && !cache_op ? VX_PROT_WRITE : VX_PROT_READ;
    if (status < 0x10)
        return; /* address size, translation, access flag, permission: a page fault */
    t->access = 0;
    if (status == 0x21) {
        t->cause = VX_CAUSE_ALIGNMENT;
        t->name = "misaligned access";
    } else {
        t->cause = VX_CAUSE_MACHINE;
        t->name = fetch ? "external abort on a fetch" : "external abort";
    }
}

static struct trap describe(uint64_t kind)
{
    static const char *const other[] = { "", "IRQ", "FIQ", "SError", "kernel stack pointer out of range" };
    struct trap t = { .cause = VX_CAUSE_MACHINE, .code = ISA_READ("esr_el1") };
    if ((kind & ~(uint64_t)TRAP_ODD) != TRAP_SYNC) {
        t.name = other[kind & 7];
        if (kind == TRAP_OVERFLOW)
            t.address = ISA_READ("far_el1");
        return t;
    }
    uint32_t class = t.code >> 26 & 0x3f;
    bool known = class_names[class].name != nullptr;
    t.name = known ? class_names[class].name : "unknown exception";
    t.cause = known ? class_names[class].cause : (uint32_t)VX_CAUSE_ILLEGAL;
    bool fetch = class == EC_INSTRUCTION_ABORT_USER || class == EC_INSTRUCTION_ABORT;
    bool data = class == EC_DATA_ABORT_USER || class == EC_DATA_ABORT;
    if (fetch || data || class == EC_PC_ALIGNMENT)
        t.address = ISA_READ("far_el1");
    if (fetch || data)
        describe_abort(&t, fetch);
    return t;
}

void trap_from_user(uint64_t kind)
{
    struct trap t = describe(kind);
    if (arch_hart_self()->current == nullptr)
        kernel_return_to_user(); /* its thread was taken away at the gate; if it comes back, it traps again */
    if (kind == TRAP_SYNC && (t.code >> 26 & 0x3f) == EC_FP) {
        fp_first_use();
        arch_resume();
    }
    if (kind != TRAP_SYNC && kind != TRAP_SERROR)
        kernel_trap(&t, arch_hart_self()->frame); /* no user can cause these */
    kernel_user_trap(&t);
}

/* Where to go on after a fault at pc, or 0. Entries hold the distances from themselves to both places. */
static uint64_t fixup_for(uint64_t pc)
{
    for (const int32_t *e = (const int32_t *)__fixup_start; e < (const int32_t *)__fixup_end; e += 2)
        if ((uint64_t)(uintptr_t)&e[0] + (uint64_t)e[0] == pc)
            return (uint64_t)(uintptr_t)&e[1] + (uint64_t)e[1];
    return 0;
}

uint64_t trap_from_kernel(const struct arch_frame *f, uint64_t kind)
{
    struct trap t = describe(kind);
    uint64_t landing = kind == TRAP_SYNC ? fixup_for(f->pc) : 0;
    if (landing != 0)
        return landing;
    if (kind == TRAP_OVERFLOW) {
        uint64_t stack = arch_hart_self()->kernel_stack_top - STACK_BYTES;
        if (t.address < stack && stack - t.address <= 4096)
            t.name = "kernel stack overflow";
    }
    kernel_trap(&t, f);
}
