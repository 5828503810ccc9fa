/* SPDX-License-Identifier: MIT
 * Which physical addresses are memory: all of it, the kernel's own and the firmware's included. */
#pragma once
#include <stdint.h>

struct machine;
/* Remembers the machine's RAM regions. Call once; the description outlives the kernel. */
void ram_init(const struct machine *m);
/* True when any byte of the range is RAM, whoever owns it. */
bool ram_touches(uint64_t base, uint64_t len_bytes);
