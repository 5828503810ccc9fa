/* SPDX-License-Identifier: MIT
 * The generator: the cipher against published vectors, and what the construction promises (E1-E3 of kernel/entropy.c).
 */
// sources: kernel/entropy.c kernel/format.c kernel/arch/host/cpu.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// mutations: entropy-keep-key
#include "cmocka_kassert.h"
#include "no_locks.h"
#include "host_hart.h"
#include <kernel/entropy.h>
#include <string.h>

static struct hart hart;

static int start(void **)
{
    hart = (struct hart){};
    host_hart = &hart;
    host_has_random = false;
    entropy_init();
    return 0;
}

static void words_from(const char *hex, uint32_t *out, size_t n)
{
    for (size_t i = 0; i < n * 4; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        ((unsigned char *)out)[i] = (unsigned char)byte;
    }
}

static void the_block_function_meets_rfc_8439(void **)
{
    static const struct {
        const char *key, *nonce;
        uint32_t counter;
        const char *stream;
    } vectors[] = {
        /* section 2.3.2 */
        { "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "000000090000004a00000000", 1,
          "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
          "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e" },
        /* appendix A.1, vectors 1 and 2 */
        { "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", 0,
          "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
          "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586" },
        { "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", 1,
          "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
          "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f" },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint32_t key[8], nonce[3], want[16], got[16];
        words_from(vectors[i].key, key, 8);
        words_from(vectors[i].nonce, nonce, 3);
        words_from(vectors[i].stream, want, 16);
        chacha20_block(key, vectors[i].counter, nonce, got);
        assert_memory_equal(got, want, sizeof want);
    }
}

static void it_is_seeded_by_256_bits_and_says_how_many_it_believes(void **)
{
    uint8_t seed[64] = { 1 };
    assert_false(entropy_seeded());
    assert_int_equal(entropy_add(seed, 31, 247), 247);
    assert_int_equal(entropy_add(seed, 1, 1000), 8); /* a byte is never more than eight bits */
    assert_int_equal(entropy_add(seed, 0, 12), 0);
    assert_false(entropy_seeded());
    assert_int_equal(entropy_add(seed, 64, 1), 1);
    assert_true(entropy_seeded());

    host_has_random = true;
    assert_int_equal(entropy_init(), 512);
    assert_true(entropy_seeded());
    host_has_random = false;
    assert_int_equal(entropy_init(), 0);
    assert_false(entropy_seeded());
}

static void output_never_repeats_and_every_input_bit_matters(void **)
{
    static uint8_t seen[400][32];
    size_t n = 0;
    entropy_fill(seen[n++], 32); /* works even when nobody added anything */
    for (int bit = 0; bit < 256; bit += 3) {
        uint8_t seed[32] = {};
        seed[bit / 8] = (uint8_t)(1 << bit % 8);
        entropy_init();
        entropy_add(seed, sizeof seed, 0);
        entropy_fill(seen[n++], 32);
        entropy_fill(seen[n++], 32); /* the same state gives something else the second time: E1 */
    }
    for (size_t len = 0; len < 60; len++) { /* so do lengths of the same bytes */
        uint8_t seed[60] = {};
        entropy_init();
        entropy_add(seed, len, 0);
        entropy_fill(seen[n++], 32);
    }
    size_t equal = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            equal += memcmp(seen[i], seen[k], 32) == 0;
    assert_int_equal(equal, 1); /* nothing added, and zero bytes added */
}

static void the_same_inputs_give_the_same_output_whatever_the_lengths_asked(void **)
{
    uint8_t a[100], b[100];
    entropy_add("seed", 4, 0);
    entropy_fill(a, sizeof a);
    entropy_init();
    entropy_add("seed", 4, 0);
    memset(b, 0xee, sizeof b);
    for (size_t i = 0; i < 96; i += 32)
        entropy_fill(b + i, 32);
    entropy_fill(b + 96, 3);
    assert_memory_equal(a, b, 99);
    assert_int_equal(b[99], 0xee);
}

static void harts_have_streams_of_their_own(void **)
{
    uint8_t out[4][32];
    entropy_add("seed", 4, 0);
    entropy_fill(out[0], 32);
    hart.id = 63;
    entropy_fill(out[1], 32);
    entropy_add("more", 4, 0);
    entropy_fill(out[2], 32);
    hart.id = 0;
    entropy_fill(out[3], 32);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(out[i], out[k], 32);
}

static void output_looks_uniform(void **)
{
    static uint8_t out[1 << 16];
    entropy_fill(out, sizeof out);
    uint32_t count[256] = {};
    for (size_t i = 0; i < sizeof out; i++)
        count[out[i]]++;
    double chi = 0;
    for (int i = 0; i < 256; i++)
        chi += (count[i] - 256.0) * (count[i] - 256.0) / 256.0;
    assert_true(chi > 150 && chi < 390); /* 255 degrees of freedom, one in a million each way; the input is fixed */
}

static uint64_t credited(const uint64_t *samples, size_t n)
{
    entropy_init();
    return entropy_add_jitter(samples, n);
}

static void jitter_credits_only_what_is_irregular(void **)
{
    uint64_t steady[256], growing[256], uneven[256], state = 12345;
    for (uint64_t i = 0; i < 256; i++) {
        steady[i] = i * 1000;
        growing[i] = i * i * 7;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        uneven[i] = i * 1000 + state % 512;
    }
    assert_int_equal(credited(steady, 256), 0);
    assert_int_equal(credited(growing, 256), 0);
    assert_in_range(credited(uneven, 256), 40, 64);
    assert_int_equal(credited(uneven, 1), 0);
    assert_int_equal(credited(uneven, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_block_function_meets_rfc_8439, start),
        cmocka_unit_test_setup(it_is_seeded_by_256_bits_and_says_how_many_it_believes, start),
        cmocka_unit_test_setup(output_never_repeats_and_every_input_bit_matters, start),
        cmocka_unit_test_setup(the_same_inputs_give_the_same_output_whatever_the_lengths_asked, start),
        cmocka_unit_test_setup(harts_have_streams_of_their_own, start),
        cmocka_unit_test_setup(output_looks_uniform, start),
        cmocka_unit_test_setup(jitter_credits_only_what_is_irregular, start),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
