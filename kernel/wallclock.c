/* SPDX-License-Identifier: MIT
 * The time page (abi/timepage.h) and the wall clock, read once from the clock chip at boot. */
#include <abi/timepage.h>
#include <kernel/wallclock.h>
#include <arch/boot.h>
#include <arch/mmu.h>
#include <arch/timer.h>

static union {
    struct vx_time_page page;
    alignas(ARCH_PAGE_SIZE) uint8_t bytes[ARCH_PAGE_SIZE]; /* nothing else may share the frame that user space sees */
} time_page;
static bool has_clock;

void wallclock_init(uint32_t harts)
{
    struct arch_time t;
    uint64_t seconds;
    arch_time_params(&t);
    has_clock = arch_rtc_read(&seconds) == OK;
    struct vx_time_page *p = &time_page.page;
    p->shift = t.shift;
    p->mult = t.mult;
    p->counter_base = t.counter_base;
    p->offset_ns = t.offset_ns;
    p->counter_hz = t.counter_hz;
    p->page_bytes = ARCH_PAGE_SIZE;
    p->harts = harts;
    p->hwcap = t.invariant;
    if (has_clock)
        p->realtime_base_ns = seconds * 1000000000 - arch_timer_now_ns();
}

bool wallclock_base_ns(uint64_t *out)
{
    *out = time_page.page.realtime_base_ns;
    return has_clock;
}

paddr_t wallclock_page(void)
{
    return arch_virt_to_phys(&time_page);
}
