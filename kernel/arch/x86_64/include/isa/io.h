/* SPDX-License-Identifier: MIT
 * x86-64: device registers in memory and in port space. Memory-mapped registers are mapped UC, which the processor
 * neither reorders nor merges; volatile keeps the compiler from it. */
#pragma once
#include <stdint.h>

#define X86_MMIO(width)                                                                                                \
    static inline uint##width##_t mmio_read##width(const volatile void *p)                                             \
    {                                                                                                                  \
        return *(const volatile uint##width##_t *)p;                                                                   \
    }                                                                                                                  \
    static inline void mmio_write##width(volatile void *p, uint##width##_t value)                                      \
    {                                                                                                                  \
        *(volatile uint##width##_t *)p = value;                                                                        \
    }
X86_MMIO(8)
X86_MMIO(16)
X86_MMIO(32)
X86_MMIO(64)
#undef X86_MMIO

static inline void io_barrier(void)
{
    __asm__ volatile("mfence" ::: "memory");
}

#define X86_PORT(width, suffix)                                                                                        \
    static inline uint##width##_t port_read##width(uint16_t port)                                                      \
    {                                                                                                                  \
        uint##width##_t v;                                                                                             \
        __asm__ volatile("in" suffix " %1, %0" : "=a"(v) : "Nd"(port));                                                \
        return v;                                                                                                      \
    }                                                                                                                  \
    static inline void port_write##width(uint16_t port, uint##width##_t v)                                             \
    {                                                                                                                  \
        __asm__ volatile("out" suffix " %0, %1" ::"a"(v), "Nd"(port));                                                 \
    }
X86_PORT(8, "b")
X86_PORT(16, "w")
X86_PORT(32, "l")
#undef X86_PORT
