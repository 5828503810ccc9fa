/* SPDX-License-Identifier: MIT
 * The host's device registers: memory that a test looks at. */
#pragma once
#include <stdint.h>

#define HOST_MMIO(width)                                                                                               \
    static inline uint##width##_t mmio_read##width(const volatile void *p)                                             \
    {                                                                                                                  \
        return *(const volatile uint##width##_t *)p;                                                                   \
    }                                                                                                                  \
    static inline void mmio_write##width(volatile void *p, uint##width##_t value)                                      \
    {                                                                                                                  \
        *(volatile uint##width##_t *)p = value;                                                                        \
    }
HOST_MMIO(8)
HOST_MMIO(16)
HOST_MMIO(32)
HOST_MMIO(64)
#undef HOST_MMIO

static inline void io_barrier(void)
{
}
