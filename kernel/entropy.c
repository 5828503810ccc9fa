/* SPDX-License-Identifier: MIT
 * Randomness. A pool, which is a 256-bit key, takes everything that is added; from it every hart draws a key of its
 * own, again whenever the pool has grown, and makes its output from that.
 *
 * E1. Fast key erasure: every block that yields output also yields the key that replaces the one it was made with,
 * before the output is handed out. E2. Mixing is key := ChaCha20(key xor input)[0..31], with length and counter as
 * nonce: whoever does not know the key learns and steers nothing, whatever the input; whoever knows all inputs but one
 * cannot compute the key. E3. Credit is only bookkeeping: output never blocks, and never depends on it. Locking: none;
 * the pool has a lock, and a hart's generator belongs to the hart. */
#include <abi/limits.h>
#include <arch/boot.h>
#include <arch/hart.h>
#include <base/string.h>
#include <kernel/entropy.h>
#include <kernel/entry.h>
#include <kernel/lock.h>

#define KEY_WORDS 8u
#define KEY_BYTES 32u
#define BLOCK_BYTES 64u
/* A reading of the counter is never credited with more than this. */
#define JITTER_BITS_PER_16 4u

/* What a nonce's first word says the block is for. */
enum purpose : uint32_t { PURPOSE_MIX = 1, PURPOSE_DRAW = 2, PURPOSE_OUTPUT = 3 };

static struct {
    uint32_t key[KEY_WORDS];
    uint64_t generation; /* rises with every addition */
    uint64_t credit;     /* bits */
} pool;
static struct spinlock pool_lock; /* LOCK_ENTROPY */

static struct generator {
    uint32_t key[KEY_WORDS];
    uint64_t generation; /* of the pool when the key was drawn */
} generators[HART_MAX];

static inline uint32_t rotl(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static inline void quarter_round(uint32_t s[static 16], unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b];
    s[d] = rotl(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotl(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotl(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotl(s[b] ^ s[c], 7);
}

void chacha20_block(const uint32_t key[static 8], uint32_t counter, const uint32_t nonce[static 3],
                    uint32_t out[static 16])
{
    const uint32_t start[16] = {
        0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, /* "expand 32-byte k" */
        key[0],     key[1],     key[2],     key[3],     key[4],   key[5],
        key[6],     key[7],     counter,    nonce[0],   nonce[1], nonce[2],
    };
    uint32_t s[16];
    memcpy(s, start, sizeof s);
    for (int round = 0; round < 20; round += 2) {
        quarter_round(s, 0, 4, 8, 12);
        quarter_round(s, 1, 5, 9, 13);
        quarter_round(s, 2, 6, 10, 14);
        quarter_round(s, 3, 7, 11, 15);
        quarter_round(s, 0, 5, 10, 15);
        quarter_round(s, 1, 6, 11, 12);
        quarter_round(s, 2, 7, 8, 13);
        quarter_round(s, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++)
        out[i] = s[i] + start[i];
}

/* Clears secrets. Volatile: the compiler would drop stores to memory that dies. Whole words only. */
static void wipe(void *p, size_t len)
{
    volatile uint32_t *word = p;
    for (size_t i = 0; i < len / sizeof *word; i++)
        word[i] = 0;
}

static void pool_mix(const uint8_t *bytes, size_t len)
{
    uint32_t chunk[KEY_WORDS] = {}, block[16];
    memcpy(chunk, bytes, len);
    for (unsigned i = 0; i < KEY_WORDS; i++)
        pool.key[i] ^= chunk[i];
    const uint32_t nonce[3] = { PURPOSE_MIX, (uint32_t)pool.generation, (uint32_t)(pool.generation >> 32) };
    chacha20_block(pool.key, (uint32_t)len, nonce, block);
    memcpy(pool.key, block, KEY_BYTES);
    pool.generation++;
    wipe(block, sizeof block);
    wipe(chunk, sizeof chunk);
}

uint32_t entropy_add(const void *bytes, size_t len, uint32_t credit_bits)
{
    const uint8_t *at = bytes;
    uint32_t credit = credit_bits < len * 8 ? credit_bits : (uint32_t)len * 8;
    pool.credit += credit;
    while (len != 0) {
        size_t n = len < KEY_BYTES ? len : KEY_BYTES;
        pool_mix(at, n);
        at += n;
        len -= n;
    }
    return credit;
}

void entropy_contribute(const void *bytes, size_t len)
{
    static bool said;
    lock_take(&pool_lock, LOCK_ENTROPY);
    uint32_t credit = entropy_add(bytes, len, UINT32_MAX);
    bool first = !said && (said = entropy_seeded());
    lock_release(&pool_lock, LOCK_ENTROPY);
    if (first)
        kprintf("entropy: seeded: %u bits from a driver\n", credit);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* A reading counts if neither the differences of readings, nor theirs, nor theirs again stood still: what grows
 * steadily, or in steps that do, is predictable. Even then it counts for a quarter of a bit. */
uint32_t entropy_add_jitter(const uint64_t *samples, size_t n)
{
    uint64_t moved = 0, d1 = 0, d2 = 0;
    for (size_t i = 1; i < n; i++) {
        uint64_t e1 = distance(samples[i], samples[i - 1]), e2 = distance(e1, d1), e3 = distance(e2, d2);
        d1 = e1;
        d2 = e2;
        if (i >= 3 && e1 != 0 && e2 != 0 && e3 != 0)
            moved++;
    }
    return entropy_add(samples, n * sizeof *samples, (uint32_t)(moved * JITTER_BITS_PER_16 / 16));
}

uint32_t entropy_init(void)
{
    wipe(&pool, sizeof pool);
    wipe(generators, sizeof generators);
    uint64_t words[8];
    size_t n = 0;
    while (n < sizeof words / sizeof words[0] && arch_random(&words[n]))
        n++;
    uint32_t credit = entropy_add(words, n * sizeof words[0], UINT32_MAX);
    wipe(words, sizeof words);
    return credit;
}

bool entropy_seeded(void)
{
    return pool.credit >= ENTROPY_SEEDED_BITS;
}

/* A new key for this hart; the pool's own moves on, so that it does not tell later what the hart was given. */
static void generator_draw(struct generator *g, uint32_t hart)
{
    uint32_t block[16];
    const uint32_t nonce[3] = { PURPOSE_DRAW, hart, (uint32_t)pool.generation };
    chacha20_block(pool.key, (uint32_t)(pool.generation >> 32), nonce, block);
    memcpy(pool.key, block, KEY_BYTES);
    for (unsigned i = 0; i < KEY_WORDS; i++)
        g->key[i] ^= block[KEY_WORDS + i];
    g->generation = pool.generation;
    wipe(block, sizeof block);
}

void entropy_fill(void *out, size_t len)
{
    uint32_t hart = arch_hart_self()->id;
    struct generator *g = &generators[hart];
    if (g->generation != pool.generation || pool.generation == 0) {
        lock_take(&pool_lock, LOCK_ENTROPY);
        if (pool.generation == 0)
            pool.generation = 1; /* nobody ever added anything: draw once all the same */
        generator_draw(g, hart);
        lock_release(&pool_lock, LOCK_ENTROPY);
    }
    const uint32_t nonce[3] = { PURPOSE_OUTPUT, 0, 0 };
    uint8_t *at = out;
    while (len != 0) { /* E1: half of each block is the next key */
        uint32_t block[16];
        size_t n = len < BLOCK_BYTES - KEY_BYTES ? len : BLOCK_BYTES - KEY_BYTES;
        chacha20_block(g->key, 0, nonce, block);
        memcpy(g->key, block, KEY_BYTES);
        memcpy(at, block + KEY_WORDS, n);
        wipe(block, sizeof block);
        at += n;
        len -= n;
    }
}
