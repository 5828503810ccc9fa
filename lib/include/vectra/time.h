/* SPDX-License-Identifier: MIT
 * Both clocks from the time page, without entering the kernel. */
#pragma once
#include <abi/timepage.h>
#include <vectra/syscall.h>

#define VX_NS_PER_US UINT64_C(1000)
#define VX_NS_PER_MS UINT64_C(1000000)
#define VX_NS_PER_S UINT64_C(1000000000)

static inline uint64_t vx_time_page_ns(const struct vx_time_page *t, uint64_t counter)
{
    uint64_t ticks = counter - t->counter_base;
    unsigned __int128 product = (unsigned __int128)ticks * t->mult;
    uint32_t shift = t->shift & 63; /* it is: said so that no code stands by for 64 and more */
    return t->offset_ns + ((uint64_t)product >> shift | (uint64_t)(product >> 64) << 1 << (63 - shift));
}

/* Nanoseconds since boot; never goes back. The scale never changes after boot, so no sequence is read. */
static inline uint64_t vx_clock_monotonic_ns(void)
{
    return vx_time_page_ns((const struct vx_time_page *)VX_TIME_PAGE_ADDRESS, vx_counter());
}

/* Nanoseconds since 1970-01-01 UTC. */
static inline uint64_t vx_clock_realtime_ns(void)
{
    const struct vx_time_page *t = (const struct vx_time_page *)VX_TIME_PAGE_ADDRESS;
    for (;;) {
        /* acquire: pairs with the kernel's release of an even sequence */
        uint32_t before = atomic_load_explicit(&t->sequence, memory_order_acquire);
        uint64_t ns = vx_time_page_ns(t, vx_counter()) + t->realtime_base_ns;
        atomic_thread_fence(memory_order_acquire);
        if ((before & 1) == 0 && before == atomic_load_explicit(&t->sequence, memory_order_relaxed))
            return ns;
        vx_relax();
    }
}

/* The deadline that lies `ns` from now. */
static inline uint64_t vx_deadline_in(uint64_t ns)
{
    uint64_t at;
    return __builtin_add_overflow(vx_clock_monotonic_ns(), ns, &at) ? VX_FOREVER : at;
}

static inline void vx_sleep_ns(uint64_t ns)
{
    (void)vx_sys_nanosleep(vx_deadline_in(ns));
}
