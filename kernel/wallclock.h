/* SPDX-License-Identifier: MIT
 * The time page and the wall clock. */
#pragma once
#include <base/addr.h>
#include <stdint.h>

/* Fills the time page from the timer's parameters. Call once. */
void wallclock_init(uint32_t harts);
void wallclock_harts(uint32_t harts); /* so many run; before the first Task */
/* Nanoseconds since 1970 at monotonic time 0. False: nobody has set the wall clock. */
bool wallclock_base_ns(uint64_t *out);
paddr_t wallclock_page(void);
