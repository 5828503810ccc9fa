/* SPDX-License-Identifier: MIT
 * Exceptions and interrupts: the gates, what each vector means, and who is told.
 * [SDM-3] "Interrupt and Exception Handling". */
#include "x86.h"
#include <abi/timepage.h>
#include <arch/frame.h>
#include <arch/hart.h>
#include <arch/usercopy.h>
#include <isa/plat.h>
#include <kernel/gate.h>

enum : uint8_t {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_BREAKPOINT = 3,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_MACHINE_CHECK = 18,
};
enum : uint64_t { PF_WRITE = 2, PF_RESERVED = 8, PF_FETCH = 16 };

static const struct {
    const char *name;
    uint32_t cause;
} exception[X86_VECTOR_PIC] = {
    /* the others are reserved, or not of 64-bit code, or of what stays off */
    [0] = { "divide error", VX_CAUSE_ARITHMETIC },
    [1] = { "debug", VX_CAUSE_BREAKPOINT },
    [2] = { "non-maskable interrupt", VX_CAUSE_MACHINE },
    [3] = { "breakpoint", VX_CAUSE_BREAKPOINT },
    [6] = { "invalid opcode", VX_CAUSE_ILLEGAL },
    [8] = { "double fault", VX_CAUSE_MACHINE },
    [10] = { "invalid TSS", VX_CAUSE_PROTECTION },
    [11] = { "segment not present", VX_CAUSE_PROTECTION },
    [12] = { "stack-segment fault", VX_CAUSE_PROTECTION },
    [13] = { "general protection", VX_CAUSE_PROTECTION },
    [14] = { "page fault", VX_CAUSE_PAGE_FAULT },
    [16] = { "x87 floating-point error", VX_CAUSE_ARITHMETIC },
    [17] = { "alignment check", VX_CAUSE_ALIGNMENT },
    [18] = { "machine check", VX_CAUSE_MACHINE },
    [19] = { "SIMD floating-point exception", VX_CAUSE_ARITHMETIC },
};

/* The vectors that push an error code: 8, 10 to 14, 17, 21, 29, 30. entry.S has the same list. */
static constexpr uint32_t HAS_ERROR_CODE = 0x60227d00;

/* A fault at [from, to) goes on at landing: user copies. */
struct fixup {
    uint64_t from, to, landing;
};
extern const struct fixup x86_fixup_start[], x86_fixup_end[];

void x86_trap_user(struct arch_frame *f, uint64_t how);
void x86_trap_kernel(struct arch_frame *f);
void x86_trap_ist(struct arch_frame *f);

struct gate {
    uint64_t low, high;
};
SEALED static struct gate idt[256];

void x86_idt_load(void)
{
    for (unsigned v = 0; v < 256 && idt[v].low == 0; v++) { /* the boot hart makes it; it is the same for all */
        uint64_t at = (uint64_t)x86_vectors + 8 * v;
        bool own_stack = v == VECTOR_DEBUG || v == VECTOR_NMI || v == VECTOR_DOUBLE_FAULT || v == VECTOR_MACHINE_CHECK;
        uint64_t type = v == VECTOR_BREAKPOINT ? 0xee : 0x8e; /* interrupt gate; int3 is for everybody */
        idt[v].low =
            (at & 0xffff) | SEL_KERNEL_CODE << 16 | (uint64_t)own_stack << 32 | type << 40 | (at >> 16 & 0xffff) << 48;
        idt[v].high = at >> 32;
    }
    struct [[gnu::packed]] {
        uint16_t limit;
        uint64_t base;
    } idtr = { sizeof idt - 1, (uint64_t)idt };
    __asm__ volatile("lidt %0" ::"m"(idtr));
}

static struct trap describe(const struct arch_frame *f, uint8_t vector)
{
    bool known = exception[vector].name != nullptr;
    struct trap t = {
        .cause = known ? exception[vector].cause : (uint32_t)VX_CAUSE_MACHINE,
        .name = known ? exception[vector].name : "unknown exception",
        .code = (HAS_ERROR_CODE >> vector & 1) != 0 ? f->error : 0,
    };
    if (vector == VECTOR_PAGE_FAULT) {
        __asm__ volatile("movq %%cr2, %0" : "=r"(t.address));
        t.access = (f->error & PF_FETCH) != 0   ? VX_PROT_EXEC
                   : (f->error & PF_WRITE) != 0 ? VX_PROT_WRITE
                                                : VX_PROT_READ;
    }
    return t;
}

/* Privileged instructions raise #GP as well; only their bytes tell them from a bad address or a forbidden port. A Task
 * that changes them meanwhile lies about nothing but its own end. */
static bool is_privileged_instruction(uint64_t rip)
{
    uint8_t op[2];
    if (rip >= VX_UADDR_LIMIT - sizeof op || arch_copy_from_user(op, (uaddr_t){ rip }, sizeof op) != OK)
        return false;
    if (op[0] == 0xf4 || op[0] == 0xfa || op[0] == 0xfb) /* hlt cli sti */
        return true;
    /* descriptor tables, clts, cache control, control and debug registers, model-specific registers */
    return op[0] == 0x0f &&
           (op[1] <= 0x01 || (op[1] >= 0x06 && op[1] <= 0x09) || (op[1] & 0xfc) == 0x20 || (op[1] & 0xfc) == 0x30);
}

static void interrupt(uint8_t vector)
{
    if (vector == X86_VECTOR_TIMER) {
        x86_lapic_eoi();
        kernel_timer();
    } else if (vector >= X86_VECTOR_LINE && vector < X86_VECTOR_LINE_END) {
        kernel_irq(vector - X86_VECTOR_LINE);
        x86_lapic_eoi(); /* after the kernel has masked a level line, or it would come again at once */
    } else if (vector == X86_VECTOR_IPI) {
        x86_lapic_eoi();
        kernel_ipi();
    }
    /* Spurious ones (8259 and local APIC) set no in-service bit and get no answer. */
}

/* `how` was read before the hart came in at the gate. If it waited there, its thread and with it the frame may be gone:
 * an interrupt is one all the same, and an exception nobody's any more. */
void x86_trap_user(struct arch_frame *f, uint64_t how)
{
    uint8_t vector = (uint8_t)how;
    if (vector >= X86_VECTOR_PIC)
        interrupt(vector);
    if (vector >= X86_VECTOR_PIC || arch_hart_self()->current == nullptr)
        kernel_return_to_user();
    struct trap t = describe(f, vector);
    /* A reserved bit in a page table is our mistake, not the Task's. */
    if (vector == VECTOR_PAGE_FAULT && (f->error & PF_RESERVED) != 0)
        kernel_trap(&t, f);
    if (vector == VECTOR_PROTECTION && is_privileged_instruction(f->rip))
        t.cause = VX_CAUSE_ILLEGAL;
    kernel_user_trap(&t);
}

void x86_trap_kernel(struct arch_frame *f)
{
    uint8_t vector = (uint8_t)f->how;
    if (vector >= X86_VECTOR_PIC) { /* it ended arch_idle_wait() */
        gate_enter(arch_hart_self());
        interrupt(vector);
        return;
    }
    struct trap t = describe(f, vector);
    bool by_user_address = vector == VECTOR_PROTECTION ||
                           (vector == VECTOR_PAGE_FAULT && t.address < VX_UADDR_LIMIT && (f->error & PF_RESERVED) == 0);
    for (const struct fixup *x = x86_fixup_start; by_user_address && x < x86_fixup_end; x++) {
        if (f->rip >= x->from && f->rip < x->to) {
            f->rip = x->landing;
            return;
        }
    }
    kernel_trap(&t, f);
}

/* The vectors with a stack of their own. Returns only with the frame of user code copied to where hart->frame points.
 */
void x86_trap_ist(struct arch_frame *f)
{
    uint8_t vector = (uint8_t)f->how;
    if ((f->cs & 3) == 0 || vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT) {
        struct trap t = describe(f, vector);
        kernel_trap(&t, f);
    }
    *arch_hart_self()->frame = *f;
}
