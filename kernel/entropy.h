/* SPDX-License-Identifier: MIT
 * The kernel's random generator: ChaCha20 with fast key erasure, one state per hart, fed by whoever has something to
 * add. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Credit at which the generator counts as seeded. */
#define ENTROPY_SEEDED_BITS 256u

/* Those that add answer how many bits were credited. This one starts anew, with what the processor's generator gives.
 */
uint32_t entropy_init(void);
/* Mixes bytes in: nothing that anybody adds can make the output weaker. `credit_bits` is what a careful person believes
 * is unpredictable in them; more than 8 * len is not believed. */
uint32_t entropy_add(const void *bytes, size_t len, uint32_t credit_bits);
/* The same while harts run, from somebody who is trusted to know: all of it counts. The first time the log says so. */
void entropy_contribute(const void *bytes, size_t len);
/* Mixes in readings of the cycle counter taken at moments that vary, and credits what their differences justify. */
uint32_t entropy_add_jitter(const uint64_t *samples, size_t n);
bool entropy_seeded(void);
/* Any number of random bytes. What was returned cannot be computed from the state that is left. */
void entropy_fill(void *out, size_t len);

/* The block function of [RFC8439] "The ChaCha20 Block Function": sixteen words, little endian when read as bytes. */
void chacha20_block(const uint32_t key[static 8], uint32_t counter, const uint32_t nonce[static 3],
                    uint32_t out[static 16]);
