/* SPDX-License-Identifier: MIT
 * The time page: mapped read-only in every Task, so that both clocks are read without entering the kernel.
 * monotonic ns = offset_ns + (((counter - counter_base) * mult) >> shift), the product taken in 128 bits;
 * the counter is RDTSC or CNTVCT_EL0. realtime ns = monotonic + realtime_base_ns.
 * Read `sequence` (acquire) before and after; retry if it is odd or changed. It changes only when the clock is set. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

struct vx_time_page {
    _Atomic uint32_t sequence;
    uint32_t shift;
    uint64_t mult;
    uint64_t counter_base;
    uint64_t offset_ns;
    uint64_t realtime_base_ns;
    uint64_t counter_hz;
    uint32_t page_bytes; /* of the machine: 4096 */
    uint32_t harts;      /* that run */
    uint32_t hwcap;      /* bit 0: counter is invariant */
    uint32_t reserved;
};
#define VX_TIME_PAGE_ADDRESS UINT64_C(0x10000)
#define VX_BUNDLE_ADDRESS UINT64_C(0x20000)
#define VX_STACK_TOP UINT64_C(0x200000) /* main stacks up to 1 MiB end here; larger ones lie elsewhere */
/* A static-PIE image begins at a random page from the first on, of as many bytes: 18 bits of choice. */
#define VX_IMAGE_BASE UINT64_C(0x400000)
#define VX_IMAGE_SPREAD UINT64_C(0x40000000)
#define VX_MAP_BASE UINT64_C(0x100000000) /* memory without a hint is placed from here up */
#define VX_UADDR_MIN UINT64_C(0x10000)
#define VX_UADDR_LIMIT UINT64_C(0x7ffffffff000) /* one past the last user address */
