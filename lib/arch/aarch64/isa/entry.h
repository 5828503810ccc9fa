/* SPDX-License-Identifier: MIT
 * Entering the kernel on AArch64: svc #0, number in x8, arguments x0 to x4, results x0 and x1; all else survives. */
#pragma once
#include <stdint.h>
#include <vectra/result.h>

static inline struct vx_result vx_enter(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                                        uint64_t a4)
{
    register uint64_t x8 __asm__("x8") = number;
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    register uint64_t x3 __asm__("x3") = a3;
    register uint64_t x4 __asm__("x4") = a4;
    __asm__ volatile("svc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x8) /* RING_CALL loses these */
                     : "r"(x3), "r"(x4)
                     : "memory");
    return (struct vx_result){ .value = x0, .second = x1 };
}

/* The virtual counter behind the time page, ordered after earlier instructions. */
static inline uint64_t vx_counter(void)
{
    uint64_t value;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
    return value;
}

static inline void vx_relax(void)
{
    __asm__ volatile("yield" ::: "memory");
}
