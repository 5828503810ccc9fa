/* SPDX-License-Identifier: MIT
 * base/string.c, under other names, against the C library: every length, alignment and overlap up to some hundred
 * bytes. */
// sources:
// mutations: string-always-up
#include "cmocka_kassert.h"
#include <string.h>

#define memcpy our_memcpy
#define memmove our_memmove
#define memset our_memset
#define memcmp our_memcmp
#define strlen our_strlen
#define strncmp our_strncmp
#include <base/string.c>
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strncmp

static unsigned char src[400], got[400], want[400];

static void fill(void)
{
    for (size_t i = 0; i < sizeof src; i++) {
        src[i] = (unsigned char)(i * 167 + 13);
        got[i] = want[i] = (unsigned char)(i * 29 + 7);
    }
}

static void copies_and_fills_touch_exactly_what_they_should(void **)
{
    for (size_t len = 0; len < 200; len++) {
        for (size_t to = 0; to < 9; to++) {
            for (size_t from = 0; from < 9; from++) {
                fill();
                assert_ptr_equal(our_memcpy(got + to, src + from, len), got + to);
                memcpy(want + to, src + from, len);
                assert_memory_equal(got, want, sizeof got);
            }
            fill();
            assert_ptr_equal(our_memset(got + to, (int)len + 0x7f00, len), got + to);
            memset(want + to, (int)(len & 0xff), len);
            assert_memory_equal(got, want, sizeof got);
        }
    }
}

static void overlapping_moves(void **)
{
    for (size_t len = 0; len < 150; len++) {
        for (size_t to = 0; to < 90; to++) {
            fill();
            assert_ptr_equal(our_memmove(got + to, got + 45, len), got + to);
            memmove(want + to, want + 45, len);
            assert_memory_equal(got, want, sizeof got);
        }
    }
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void comparisons_and_lengths(void **)
{
    for (size_t len = 0; len < 40; len++) {
        for (size_t at = 0; at < 40; at++) {
            char a[48] = {}, b[48] = {};
            memset(a, 'x', len);
            memset(b, 'x', len);
            b[at] = (char)0xe4;
            assert_int_equal(our_strlen(a), len);
            for (size_t n = 0; n < 44; n++) {
                assert_int_equal(sign(our_memcmp(a, b, n)), sign(memcmp(a, b, n)));
                assert_int_equal(sign(our_memcmp(b, a, n)), sign(memcmp(b, a, n)));
                assert_int_equal(sign(our_strncmp(a, b, n)), sign(strncmp(a, b, n)));
                assert_int_equal(sign(our_strncmp(b, a, n)), sign(strncmp(b, a, n)));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_fills_touch_exactly_what_they_should),
        cmocka_unit_test(overlapping_moves),
        cmocka_unit_test(comparisons_and_lengths),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
