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

static inline uint8_t port_read8(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint16_t port_read16(uint16_t port)
{
    uint16_t v;
    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint32_t port_read32(uint16_t port)
{
    uint32_t v;
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void port_write8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void port_write16(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}
