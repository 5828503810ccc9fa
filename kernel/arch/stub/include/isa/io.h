/* SPDX-License-Identifier: MIT
 * The inline part of arch/io.h: volatile accesses. */
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
