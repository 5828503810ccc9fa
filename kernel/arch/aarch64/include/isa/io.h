/* SPDX-License-Identifier: MIT
 * Device registers by plain loads and stores with a base register only: a hypervisor that emulates a device gets a
 * decodable syndrome for these and not for pre- or post-indexed ones ([Arm-ARM] "ISS encoding for an exception from a
 * Data Abort", ISV). */
#pragma once
#include <stdint.h>

static inline uint32_t mmio_read32(const volatile void *p)
{
    uint32_t v;
    __asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
    return v;
}

static inline uint64_t mmio_read64(const volatile void *p)
{
    uint64_t v;
    __asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(p) : "memory");
    return v;
}

static inline void mmio_write32(volatile void *p, uint32_t v)
{
    __asm__ volatile("str %w0, [%1]" ::"r"(v), "r"(p) : "memory");
}

static inline void mmio_write64(volatile void *p, uint64_t v)
{
    __asm__ volatile("str %0, [%1]" ::"r"(v), "r"(p) : "memory");
}

static inline void io_barrier(void)
{
    __asm__ volatile("dsb sy" ::: "memory");
}
