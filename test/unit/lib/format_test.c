/* SPDX-License-Identifier: MIT
 * lib/libvectra/format.c against the C library's printf: every conversion, flag, width, precision and length together.
 */
// sources: lib/libvectra/format.c lib/libvectra/format_into.c
#include "host.h"
#include <base/format.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The formats are made at run time, which is the point here. */
#pragma clang diagnostic ignored "-Wformat-nonliteral"
#pragma clang diagnostic ignored "-Wformat-security"

#define SAME(format, ...)                                                                                              \
    do {                                                                                                               \
        char want[256], got[256];                                                                                      \
        int n = snprintf(want, sizeof want, format, __VA_ARGS__);                                                      \
        memset(got, 0x77, sizeof got);                                                                                 \
        size_t m = format_into(got, sizeof got, format, __VA_ARGS__);                                                  \
        if (n < 0 || (size_t)n != m || strcmp(want, got) != 0)                                                         \
            fail_msg("format \"%s\": wanted \"%s\" (%d), got \"%s\" (%zu)", format, want, n, got, m);                  \
    } while (0)

static void integers(void **)
{
    static const char *const flags[] = { "", "-", "0", "+", " ", "-0", "0+", "- ", "+-" };
    static const char *const widths[] = { "", "1", "7", "20", "30" };
    static const char *const precisions[] = { "", ".0", ".1", ".5", ".22" };
    static const char *const lengths[] = { "", "l", "ll", "z", "h", "hh" };
    static const uint64_t values[] = { 0,
                                       1,
                                       9,
                                       10,
                                       255,
                                       4096,
                                       INT_MAX,
                                       (uint64_t)INT_MIN,
                                       UINT_MAX,
                                       INT64_MAX,
                                       (uint64_t)INT64_MIN,
                                       UINT64_MAX,
                                       0x123456789abcdef0 };
    char format[40];
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t p = 0; p < sizeof precisions / sizeof *precisions; p++)
                for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
                    for (const char *c = f == 0 || strpbrk(flags[f], "+ ") == nullptr ? "diuxXo" : "di"; *c != '\0';
                         c++)
                        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
                            snprintf(format, sizeof format, "<%%%s%s%s%s%c>", flags[f], widths[w], precisions[p],
                                     lengths[l], *c);
                            if (lengths[l][0] == 'l' || lengths[l][0] == 'z')
                                SAME(format, values[v]);
                            else
                                SAME(format, (unsigned)values[v]);
                        }
}

static void text_and_characters(void **)
{
    static const char *const formats[] = { "%s", "%-10s|", "%10s|", "%.3s|", "%-8.2s|", "%8.0s|", "%.20s" };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        SAME(formats[i], "");
        SAME(formats[i], "vectra");
        SAME(formats[i], "a longer text than any of the widths");
    }
    static const char unterminated[4] = { 'a', 'b', 'c', 'd' };
    SAME("%.4s", unterminated);
    SAME("%c%c|%4c|%-4c|", 'x', '%', 'y', 'z');
    SAME("%*d|%-*d|%.*s|%*s", 6, 42, 6, 43, 2, "abc", -5, "l");
    SAME("100%% of %s, %d/%u %#x %p", "it", -3, 7u, 48u, (void *)(uintptr_t)0xdead0000);
}

static void a_short_buffer_is_cut_and_the_length_told(void **)
{
    for (size_t room = 1; room < 20; room++) {
        char want[32], got[32];
        memset(want, 0x55, sizeof want);
        memset(got, 0x55, sizeof got);
        snprintf(want, room, "%s %d %x", "cut", -12345, 0xbeefu);
        assert_int_equal(format_into(got, room, "%s %d %x", "cut", -12345, 0xbeefu), 15);
        assert_memory_equal(want, got, sizeof got);
    }
}

static void what_is_no_conversion_is_printed_as_it_stands(void **)
{
    char got[64];
    static const char *const odd[] = { "%", "a%", "%q", "%5", "%-", "50%!" };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        size_t n = format_into(got, sizeof got, odd[i]);
        assert_int_equal(n, strlen(got));
        assert_string_equal(got, odd[i]);
    }
    format_into(got, sizeof got, "%s", (const char *)nullptr);
    assert_string_equal(got, "(null)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(text_and_characters),
        cmocka_unit_test(a_short_buffer_is_cut_and_the_length_told),
        cmocka_unit_test(what_is_no_conversion_is_printed_as_it_stands),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
