/* SPDX-License-Identifier: MIT
 * One hart: how a further one starts, its protection features, its idle loop, its source of entropy, and the frames of
 * the threads it runs. */
#include "boot.h"
#include <abi/status.h>
#include <arch/boot.h>
#include <arch/frame.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <base/string.h>
#include <isa/layout.h>
#include <isa/plat.h>
#include <kernel/entropy.h>
#include <kernel/gate.h>
#include <kernel/kmap.h>

#define WRITE(reg, value) __asm__ volatile("msr " reg ", %0" ::"r"((uint64_t)(value)) : "memory")

/* A four-bit field of an identification register. */
static unsigned field(uint64_t id, unsigned shift)
{
    return (unsigned)(id >> shift & 15);
}

void arch_hart_local_init(void)
{
    uint64_t pfr0 = ISA_READ("id_aa64pfr0_el1"), dfr0 = ISA_READ("id_aa64dfr0_el1");
    WRITE("vbar_el1", (uintptr_t)vectors);
    WRITE("cpacr_el1", 1 << 20);  /* FP: the kernel's, user mode traps; SVE and SME: off */
    WRITE("cntkctl_el1", 1 << 1); /* user mode may read the virtual counter and nothing else of the timer */
    WRITE("mdscr_el1", 0);
    WRITE("tpidr_el0", 0);
    WRITE("tpidrro_el0", 0);
    if (field(dfr0, 8) != 0 && field(dfr0, 8) != 15)
        WRITE("pmuserenr_el0", 0);
    if (field(pfr0, 44) != 0)
        WRITE("S3_3_C13_C2_3", 0); /* AMUSERENR_EL0 */
    isa_timer_quiet();

    uint64_t sctlr = SCTLR_ON | SCTLR_WXN | (ISA_READ("sctlr_el1") & SCTLR_PAC);
    if (field(ISA_READ("id_aa64pfr1_el1"), 0) != 0)
        sctlr |= SCTLR_BT1;
    if (field(ISA_READ("id_aa64mmfr1_el1"), 20) != 0) {
        sctlr &= ~(uint64_t)SCTLR_SPAN;
        __asm__ volatile(".arch_extension pan\n\tmsr pan, #1" ::: "memory");
    }
    WRITE("sctlr_el1", sctlr);
    if (field(ISA_READ("id_aa64mmfr2_el1"), 60) !=
        0) /* E0PD: user mode faults on kernel addresses without a walk to time */
        WRITE("tcr_el1", ISA_READ("tcr_el1") | UINT64_C(1) << 56);
    __asm__ volatile("isb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

/* A pending interrupt ends WFI even while it is masked ([Arm-ARM] "Wait For Interrupt"), so none is ever taken here. */
void arch_idle_wait(void)
{
    __asm__ volatile("dsb sy\n\twfi" ::: "memory");
    gate_enter(arch_hart_self());
    plat_irq();
}

void arch_irq_window(void)
{
    if (ISA_READ("isr_el1") != 0) /* something is pending */
        plat_irq();
}

void arch_halt(void)
{
    __asm__ volatile("msr daifset, #15");
    for (;;)
        __asm__ volatile("wfi");
}

bool arch_random(uint64_t *word)
{
    uint64_t ok = 0;
    if (field(ISA_READ("id_aa64isar0_el1"), 60) != 0) /* RNDR; Z: it had none */
        __asm__ volatile("mrs %0, S3_3_C2_C4_0\n\tcset %1, ne" : "=r"(*word), "=r"(ok)::"cc");
    return ok != 0;
}

void arch_frame_init(struct arch_frame *f, uaddr_t pc, uaddr_t sp, uint64_t arg0, uint64_t arg1)
{
    *f = (struct arch_frame){ .x = { arg0, arg1 }, .sp = sp.raw, .pc = pc.raw };
}

void arch_frame_get_regs(const struct arch_frame *f, struct vx_frame *out)
{
    *out = (struct vx_frame){ .arch = 183, .count = 34 };
    memcpy(out->reg, f, 34 * sizeof out->reg[0]);
}

status_t arch_frame_set_regs(struct arch_frame *f, const struct vx_frame *in)
{
    /* What user mode can set itself: NZCV, TCO, DIT, SSBS, BTYPE. The rest would be another mode or a masked interrupt.
     */
    constexpr uint64_t pstate_user = UINT64_C(0xf3001c00);
    if (in->arch != 183 || in->count != 34 || (in->reg[33] & ~pstate_user) != 0)
        return ERR_BAD_ARGUMENT;
    memcpy(f, in->reg, 34 * sizeof in->reg[0]);
    return OK;
}

/* One block of memory, and a slot of address space of the same layout: the struct hart, which is reached through the
 * direct map, the guard page, both stacks. A slot is never used again: its hart may still come, too late. */
static constexpr unsigned SLOT_ORDER = 3;
static constexpr uint64_t SLOT_BYTES = ARCH_PAGE_SIZE << SLOT_ORDER, SLOT_STACK = 2 * ARCH_PAGE_SIZE;
static_assert(sizeof(struct hart) <= ARCH_PAGE_SIZE && SLOT_STACK + STACK_BYTES + EMERGENCY_BYTES == SLOT_BYTES);

struct hart *arch_hart_create(uint32_t id, uint64_t hw_id)
{
    static uint64_t slot = LAYOUT_STACKS; /* the boot hart creates all others */
    struct hart *h = kernel_boot_pages(SLOT_ORDER);
    if (h == nullptr)
        return nullptr;
    if (!kmap_add(slot + SLOT_STACK, arch_virt_to_phys(h).raw + SLOT_STACK, SLOT_BYTES - SLOT_STACK,
                  VX_PROT_READ | VX_PROT_WRITE, MEM_NORMAL))
        return nullptr;
    h->self = h;
    h->id = id;
    h->hw_id = hw_id;
    h->kernel_stack_top = slot + SLOT_STACK + STACK_BYTES;
    entropy_fill(h->arch_key, sizeof h->arch_key);
    h->arch_word = arch_virt_to_phys(kernel_root).raw; /* head.S takes it from here */
    slot += SLOT_BYTES;
    return h;
}

status_t arch_hart_start(struct hart *h)
{
    /* Its caches are off: what head.S reads must be in memory. Lines have at least 16 bytes. */
    for (unsigned at = 0; at < 128; at += 16)
        __asm__ volatile("dc cvac, %0" ::"r"((char *)h + at) : "memory");
    __asm__ volatile("dsb sy" ::: "memory");
    return plat_hart_on(h->hw_id, arch_virt_to_phys((const void *)(uintptr_t)hart_entry).raw, arch_virt_to_phys(h).raw);
}

void hart_begins(struct hart *h)
{
    /* TCR_EL1 and the ASIDs say what the boot hart can do: one that has fewer address bits must not run. */
    if ((ISA_READ("id_aa64mmfr0_el1") & 0xff) != mmu_features)
        arch_halt();
    arch_aspace_activate(nullptr); /* the identity map goes */
    arch_hart_local_init();
    plat_hart_init();
    kernel_hart_main(h);
}
