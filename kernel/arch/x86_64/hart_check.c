/* SPDX-License-Identifier: MIT
 * For debug kernels: what each hart finds out about itself. */
#include "x86.h"
#include <arch/hart.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <isa/plat.h>

static constexpr uint32_t MSR_APIC_BASE = 0x1b, MSR_PAT = 0x277;
static constexpr uint64_t BASE_X2APIC = 1 << 10, BASE_ADDRESS = 0x000ffffffffff000;

static bool is_mapped(uint64_t va)
{
    unsigned level;
    return arch_kernel_pte((vaddr_t){ va }, &level) != 0;
}

/* What each hart finds out about itself, whoever set it up. */
void x86_hart_check(void)
{
    const struct hart *h = arch_hart_self();
    uint64_t stack = h->kernel_stack_top - X86_STACK_BYTES, ist = x86_of(h)->tss.ist[0] - X86_IST_STACK_BYTES;
    if (!is_mapped(stack) || is_mapped(stack - 1) || !is_mapped(ist) || is_mapped(ist - 1))
        kernel_panic("hart %u has no page free below a stack", h->id);
    if (x86_lapic_id() != h->hw_id)
        kernel_panic("hart %u runs on local APIC 0x%x and not 0x%lx", h->id, x86_lapic_id(), h->hw_id);
    uint64_t apic = rdmsr(MSR_APIC_BASE);
    const void *registers = arch_map_device((paddr_t){ apic & BASE_ADDRESS }, ARCH_PAGE_SIZE);
    unsigned level;
    /* Device memory is what entry 3 of the hart's own attribute table makes of it: [SDM-3] "Page Attribute Table". */
    if (((rdmsr(MSR_PAT) >> 24) & 7) != 0 ||
        ((apic & BASE_X2APIC) == 0 &&
         pte_type(arch_kernel_pte((vaddr_t){ (uint64_t)registers }, &level)) != MEM_DEVICE))
        kernel_panic("the local APIC is cached");
}
