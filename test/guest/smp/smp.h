/* SPDX-License-Identifier: MIT
 * /test/smp: what several harts could get wrong, and one must not either. Every test is bounded by a deadline. */
#pragma once
#include <test/guest/common/play.h>

void test_harts(vx_mem image);
void test_stale(vx_mem image);
void test_copies(vx_mem image);
void test_vectors(vx_mem image);
void test_accounting(vx_mem image);
void test_bands(vx_mem image);
void test_races(vx_mem image);
void test_futex(vx_mem image);

int part_stale(const char *how);
int part_user(void);
int part_echo(void);

/* --- vector registers, by architecture: {x86_64,aarch64}/vectors.c --- */

enum : uint32_t { VEC_BYTES_MAX = 32 * 64 + 128 };

/* How many bytes all vector registers and their control words take on this processor. */
uint32_t vec_bytes(void);
/* Makes bytes that can be loaded: the control words among them are legal. */
void vec_fill(uint8_t *state, uint64_t *random);
/* What a new thread must find. */
void vec_initial(uint8_t *state);
/* Loads everything, counts `spins` down, makes the call `number` with `a0` (none if it is UINT64_MAX), stores
 * everything. Answers the call's result. */
uint64_t vec_across(const uint8_t *in, uint8_t *out, uint64_t spins, uint64_t number, uint64_t a0);
/* A thread's entry: stores everything to its argument before anything else, then ends the thread. */
void vec_witness(void);
