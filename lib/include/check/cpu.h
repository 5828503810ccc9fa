/* SPDX-License-Identifier: MIT
 * What the guest's test programs need of the processor they run on: instructions that no program may use, a little code
 * to make at run time, and all vector registers across a system call. lib/libcheck/ISA/cpu.c. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Each of these ends the Task; they return only on a broken system. */
void cpu_undefined(void);
void cpu_breakpoint(void);
void cpu_privileged(void);
/* Reaches for a device or a control register without a capability. */
void cpu_touch_device(void);

/* What the processor adds to a code address with this Task's key; 0 where it has no such keys. */
uint64_t cpu_sign(uint64_t address);

/* Machine code of a function that returns 42. */
extern const uint8_t cpu_code_42[];
extern const size_t cpu_code_42_len;

enum : uint32_t { CPU_VECTORS_MAX = 32 };
struct cpu_vectors {
    alignas(16) uint64_t half[CPU_VECTORS_MAX][2];
};
extern const uint32_t cpu_n_vectors;

/* Loads all vector registers from `in`, makes the call `number` with `a0`, stores them to `out`; nothing stands between
 * that a compiler could move. Answers the call's first result. */
uint64_t cpu_vectors_across_call(const struct cpu_vectors *in, struct cpu_vectors *out, uint64_t number, uint64_t a0);

/* Uses a vector register, so that the thread has some to save. */
void cpu_vectors_touch(void);

/* A pattern that is different in every register and for every seed. */
void cpu_vectors_fill(struct cpu_vectors *v, uint64_t seed);
bool cpu_vectors_same(const struct cpu_vectors *a, const struct cpu_vectors *b);
