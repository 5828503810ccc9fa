/* SPDX-License-Identifier: MIT
 * No entry at all: a test on the building machine plays the kernel, and supplies these two. */
#pragma once
#include <stdint.h>
#include <vectra/result.h>

struct vx_result vx_enter(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);
uint64_t vx_counter(void);

static inline void vx_relax(void)
{
}
