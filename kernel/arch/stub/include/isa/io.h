/* SPDX-License-Identifier: MIT
 * The inline part of arch/io.h: volatile accesses. */
#pragma once
#include <stdint.h>

#define STUB_MMIO(bits)                                                                                                \
    static inline uint##bits##_t mmio_read##bits(const volatile void *p)                                               \
    {                                                                                                                  \
        return *(const volatile uint##bits##_t *)p;                                                                    \
    }                                                                                                                  \
    static inline void mmio_write##bits(volatile void *p, uint##bits##_t v)                                            \
    {                                                                                                                  \
        *(volatile uint##bits##_t *)p = v;                                                                             \
    }
STUB_MMIO(8)
STUB_MMIO(16)
STUB_MMIO(32)
STUB_MMIO(64)
#undef STUB_MMIO

static inline void io_barrier(void)
{
}
