/* SPDX-License-Identifier: MIT
 * What the trap handler calls when user mode was not allowed a vector register. */
#pragma once

/* Gives the current thread its zeroed vector registers. */
void fp_first_use(void);
