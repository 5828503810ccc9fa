/* SPDX-License-Identifier: MIT
 * What the trap handler calls when user mode was not allowed a vector register. */
#pragma once
#include <stdint.h>

/* Gives the current thread its zeroed vector registers. */
void fp_first_use(void);
void fp_fill(uint64_t pattern); /* fp.S: every vector register; and no modes, no flags */
