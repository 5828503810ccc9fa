/* SPDX-License-Identifier: MIT
 * The time page and the wall clock. */
#pragma once
#include <base/addr.h>
#include <stdint.h>

/* Fills the time page from the timer's parameters; so many harts run. Call once, before the first Task. */
void wallclock_init(uint32_t harts);
paddr_t wallclock_page(void);
