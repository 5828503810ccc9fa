/* SPDX-License-Identifier: MIT
 * Entering the kernel on x86-64: number in rax, arguments rdi rsi rdx r10 r8, results rax and rdx; rcx and r11 are
 * lost. */
#pragma once
#include <stdint.h>
#include <vectra/result.h>

static inline struct vx_result vx_enter(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                                        uint64_t a4)
{
    register uint64_t r10 __asm__("r10") = a3;
    register uint64_t r8 __asm__("r8") = a4;
    struct vx_result r = { .value = number, .second = a2 };
    __asm__ volatile("syscall"
                     : "+a"(r.value), "+d"(r.second), "+D"(a0), "+S"(a1) /* RING_CALL loses its first arguments */
                     : "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return r;
}

/* The cycle counter behind the time page, ordered after earlier loads. */
static inline uint64_t vx_counter(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static inline void vx_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}
