/* SPDX-License-Identifier: MIT
 * Further harts: their memory, how they are started, and their first C.
 *
 * A hart that was given up may come at any later time. So the page and the tables it starts with stay for ever, it goes
 * on only with a struct hart of its own id, and no two of those share a stack: then it finds that it was abandoned. */
#include "x86.h"
#include <arch/hart.h>
#include <arch/timer.h>
#include <isa/plat.h>

uint64_t x86_trampoline_pa;
const struct hart *_Atomic x86_starting; /* read by start.S */

/* One block for each hart; zeroed. */
struct hart_memory {
    struct x86_hart x86;
    struct hart hart;
};
static constexpr uint32_t MEMORY_ORDER = 2, STACK_ORDER = 2, IST_ORDER = 1;
static_assert(sizeof(struct hart_memory) <= ARCH_PAGE_SIZE << MEMORY_ORDER);
static_assert(X86_STACK_BYTES == ARCH_PAGE_SIZE << STACK_ORDER && X86_IST_STACK_BYTES == ARCH_PAGE_SIZE << IST_ORDER);

struct hart *arch_hart_create(uint32_t id, uint64_t hw_id)
{
    struct hart_memory *m = kernel_boot_pages(MEMORY_ORDER);
    const void *stack = kernel_boot_pages(STACK_ORDER), *ist = kernel_boot_pages(IST_ORDER);
    if (m == nullptr || stack == nullptr || ist == nullptr)
        return nullptr;
    m->hart.self = &m->hart;
    m->hart.id = id;
    m->hart.hw_id = hw_id;
    m->hart.scratch[1] = (uint64_t)&m->x86;
    m->hart.kernel_stack_top = x86_map_stack(stack, X86_STACK_BYTES);
    m->x86.tss.ist[0] = x86_map_stack(ist, X86_IST_STACK_BYTES);
    return m->x86.tss.ist[0] != 0 ? &m->hart : nullptr;
}

static void wait_ns(uint64_t ns)
{
    for (uint64_t end = arch_timer_now_ns() + ns; arch_timer_now_ns() < end;)
        arch_relax();
}

/* [SDM-3] "MP Initialization Protocol Algorithm". The first pause is 10 ms there, for processors older than any that
 * has XSAVE; these need none. A hart that runs already takes no notice of the second message. */
status_t arch_hart_start(struct hart *h)
{
    static constexpr uint64_t XAPIC_ID_END = 255; /* that one is: everybody */
    if (x86_trampoline_pa == 0 || (h->hw_id >= XAPIC_ID_END && !x86_cpu.x2apic))
        return ERR_NOT_SUPPORTED;
    atomic_store_explicit(&x86_starting, h, memory_order_release); /* pairs with the load there */
    x86_lapic_send(h->hw_id, X86_ICR_INIT);
    for (int i = 0; i < 2; i++) {
        wait_ns(200'000);
        x86_lapic_send(h->hw_id, X86_ICR_STARTUP | (uint32_t)(x86_trampoline_pa >> ARCH_PAGE_SHIFT));
    }
    return OK;
}

void arch_ipi_send(const struct hart *h)
{
    x86_lapic_send(h->hw_id, X86_ICR_FIXED | X86_VECTOR_IPI);
}

/* From start.S, on the hart's own stack. */
void x86_hart_main(struct hart *h)
{
    arch_hart_set_self(h);
    x86_mmu_enter();
    arch_hart_local_init();
    x86_lapic_local_init();
#ifdef VECTRA_DEBUG
    x86_hart_check();
#endif
    kernel_hart_main(h);
}
