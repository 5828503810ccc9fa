/* SPDX-License-Identifier: MIT
 * Where randomised tests get their choices from: a fuzzer's bytes, or a generator started by a seed. */
#pragma once
#include <stdint.h>

struct choices {
    const uint8_t *at, *end; /* out of bytes: zeroes */
    uint64_t seed;           /* not 0: a generator instead of bytes */
};

static inline uint64_t choose_raw(struct choices *c, int bytes)
{
    uint64_t x = 0;
    if (c->seed != 0) { /* xorshift64* */
        c->seed ^= c->seed >> 12;
        c->seed ^= c->seed << 25;
        c->seed ^= c->seed >> 27;
        x = c->seed * UINT64_C(0x2545f4914f6cdd1d);
        return bytes == 8 ? x : x >> (64 - 8 * bytes);
    }
    for (int i = 0; i < bytes && c->at < c->end; i++)
        x = x << 8 | *c->at++;
    return x;
}

static inline uint32_t choose(struct choices *c, uint32_t below)
{
    return (uint32_t)(choose_raw(c, below > 65536 ? 4 : below > 256 ? 2 : 1) % below);
}
