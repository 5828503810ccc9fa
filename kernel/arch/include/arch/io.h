/* SPDX-License-Identifier: MIT
 * Device registers: plain loads and stores of exactly the given width, never merged or torn. Inline in <isa/io.h>:
 *   uint8_t/16/32/64 mmio_read8/16/32/64(const volatile void *), mmio_write8/16/32/64(volatile void *, value)
 *   void io_barrier(void)   orders device accesses before it against those after it */
#pragma once
#include <isa/io.h>
