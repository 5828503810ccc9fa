/* SPDX-License-Identifier: MIT
 * Vector state. A thread's state is `arch_fp_bytes()` bytes, 64-byte aligned. Saved and restored eagerly at switches.
 */
#pragma once
#include <isa/frame.h>
#include <stddef.h>
#include <stdint.h>

#define ARCH_FP_BYTES_MAX 3072
size_t arch_fp_bytes(void);                      /* decided at boot; at most ARCH_FP_BYTES_MAX */
void arch_fp_clear(void *state);                 /* the state of a thread that never used a vector register */
void arch_fp_switch(void *from, const void *to); /* from may be null (the thread is gone). Inline on some isas */
void arch_fp_clobber(void);                      /* overwrites every one; debug kernels alone have it */
