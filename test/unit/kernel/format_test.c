/* SPDX-License-Identifier: MIT
 * kernel/format.c against the C library's printf: every conversion that the kernel prints with, at every length and
 * width. That it prints with no other is checked in test/tools/test_formats.py. */
// sources: kernel/format.c lib/libvectra/format_into.c
#include "cmocka_kassert.h"
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
    static const char *const widths[] = { "", "1", "7", "20", "30", "01", "07", "020", "030" };
    static const char *const lengths[] = { "", "l", "ll", "z" };
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
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
            for (const char *c = "dux"; *c != '\0'; c++)
                for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
                    snprintf(format, sizeof format, "<%%%s%s%c>", widths[w], lengths[l], *c);
                    if (lengths[l][0] != '\0')
                        SAME(format, values[v]);
                    else
                        SAME(format, (unsigned)values[v]);
                }
}

static void text(void **)
{
    static const char *const formats[] = { "%s", "%10s|" };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        SAME(formats[i], "");
        SAME(formats[i], "vectra");
        SAME(formats[i], "a longer text than any of the widths");
    }
    SAME("all of %s, %d/%u", "it", -3, 7u);
}

static void what_is_no_conversion_is_printed_as_it_stands(void **)
{
    char got[64];
    static const char *const odd[] = { "%",  "a%", "%q",   "%c",   "%%",
                                       "%5", "%-", "50%!", "%.3s", "%99999999999999999999999" };
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
        cmocka_unit_test(text),
        cmocka_unit_test(what_is_no_conversion_is_printed_as_it_stands),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
