/* SPDX-License-Identifier: MIT
 * /test/fuzz: random system calls from many Tasks at once, made from the grammar of abi/syscalls.def.
 *  1. A call answers success or an error that its row lists.
 *  2. No register and no fact that comes back holds an address of the kernel's half.
 *  3. Registers that a call does not answer in are what they were.
 *  4. When all Tasks have been ended, the conductor's Reticle and table are what they were. */
#pragma once
#include <test/guest/common/play.h>

enum : uint32_t { FUZZ_REGISTERS_MAX = 32, FUZZ_THREADS = 3, FUZZ_TASKS_MAX = 16 };

/* By architecture, {x86_64,aarch64}/enter.c: all registers but the stack pointer (and x30), in an order of its own. */
void fuzz_enter(const uint64_t in[FUZZ_REGISTERS_MAX], uint64_t out[FUZZ_REGISTERS_MAX]);
void fuzz_leave(void);
/* A thread's entry: goes on in fuzz_play with its argument. */
void fuzz_begin(void);
extern const uint32_t fuzz_registers, fuzz_number;
extern const uint32_t fuzz_result[2], fuzz_argument[5];
extern const uint32_t fuzz_lost; /* registers that every call loses */

/* What a Task tells of itself; the conductor shares a page of it. */
struct fuzz_report {
    _Atomic uint64_t calls, successes;
    _Atomic uint64_t seen; /* calls that succeeded at least once */
    _Atomic uint32_t claimed, written;
    uint32_t thread, number;
    uint64_t step, argument[5], value, second;
    char what[64];
};

struct player;
[[noreturn]] void fuzz_play(struct player *p);
int fuzz_player(void);
