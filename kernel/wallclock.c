/* SPDX-License-Identifier: MIT
 * The time page (abi/timepage.h). Its first capability is initd's, which reads the clock chip and sets the wall clock.
 * The kernel keeps the scale for itself elsewhere: whatever is written here, it misleads only those who read it. */
#include <abi/timepage.h>
#include <kernel/wallclock.h>
#include <arch/mmu.h>
#include <arch/timer.h>

static union {
    struct vx_time_page page;
    alignas(ARCH_PAGE_SIZE) uint8_t bytes[ARCH_PAGE_SIZE]; /* nothing else may share the frame that user space sees */
} time_page;

void wallclock_init(uint32_t harts)
{
    struct arch_time t;
    arch_time_params(&t);
    time_page.page = (struct vx_time_page){ .shift = t.shift,
                                            .mult = t.mult,
                                            .counter_base = t.counter_base,
                                            .counter_hz = t.counter_hz,
                                            .page_bytes = ARCH_PAGE_SIZE,
                                            .harts = harts,
                                            .hwcap = t.invariant };
}

paddr_t wallclock_page(void)
{
    return arch_virt_to_phys(&time_page);
}
