/* SPDX-License-Identifier: MIT
 * x86-64: device registers in memory and in port space. Memory-mapped registers are mapped UC, which the processor
 * neither reorders nor merges; volatile keeps the compiler from it. */
#pragma once
#include <stdint.h>

static inline uint32_t mmio_read32(const volatile void *p)
{
    return *(const volatile uint32_t *)p;
}

static inline void mmio_write32(volatile void *p, uint32_t value)
{
    *(volatile uint32_t *)p = value;
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
