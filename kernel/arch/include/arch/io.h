/* SPDX-License-Identifier: MIT
 * Device registers: plain loads and stores of exactly the given width, never merged or torn. Inline in <isa/io.h>:
 *   uint32_t mmio_read32(const volatile void *), void mmio_write32(volatile void *, uint32_t)
 * and what else the boards of the isa need. */
#pragma once
#include <isa/io.h>
