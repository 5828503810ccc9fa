/* SPDX-License-Identifier: MIT
 * What strtod, strtol and sscanf make of text, for comparison with this machine's C library. */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 4711;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t bits_of(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static void one(const char *text)
{
    char *end;
    errno = 0;
    double d = strtod(text, &end);
    int range = errno == ERANGE && (d == 0 || d * 2 == d); /* of subnormals it is left open */
    printf("%s: %016" PRIx64 " after %td%s", text, bits_of(d), end - text, range ? ", out of range" : "");
    float f = strtof(text, NULL);
    printf(" %a\n", f);
}

static void decimals(void)
{
    static const char *const some[] = { "0",
                                        "-0",
                                        "1",
                                        ".5",
                                        "5.",
                                        "+.5e1",
                                        "1e",
                                        "1e+",
                                        "e5",
                                        "inf",
                                        "-INFinity",
                                        "infinit",
                                        "0x",
                                        "0x1p",
                                        "0x1.8p1",
                                        "0x.8p-1074",
                                        "1e-400",
                                        "1e400",
                                        " \t12",
                                        "1_000",
                                        "4.9406564584124654e-324",
                                        "2.4703282292062327e-324",
                                        "2.4703282292062328e-324",
                                        "2.2250738585072011e-308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623158e308",
                                        "1.7976931348623159e308",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "0.500000000000000166533453693773481063544750213623046875",
                                        "3.4028235677973366e38",
                                        "1.4e-45",
                                        "0.7e-45" };
    char text[128];
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        one(some[i]);
    for (int i = 0; i < 400; i++) {
        int digits = 1 + (int)(next() % 40), at = 0;
        for (int k = 0; k < digits; k++) {
            text[at++] = (char)('0' + next() % 10);
            if (k == 0)
                text[at++] = '.';
        }
        snprintf(text + at, sizeof text - (size_t)at, "e%d", (int)(next() % 680) - 340);
        one(text);
    }
    for (int i = 0; i < 200; i++) { /* halfway between two neighbours, and a bit off */
        double d = (double)(next() >> 11) * 0.5;
        snprintf(text, sizeof text, "%.17g%s", d, i % 3 == 0 ? "" : i % 3 == 1 ? "00000000000000000000001" : "5");
        one(text);
    }
}

static void integers(void)
{
    static const char *const some[] = { "0",
                                        "-1",
                                        "+7",
                                        "007",
                                        "0x1F",
                                        "0b11",
                                        "z",
                                        "  12ab",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "18446744073709551616",
                                        "",
                                        "-",
                                        "0x" };
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        for (int base = 0; base <= 36; base += base == 0 ? 2 : base == 2 ? 6 : base == 8 ? 2 : base == 10 ? 6 : 20) {
            char *end;
            if (base == 0 && strncmp(some[i], "0b", 2) == 0)
                continue; /* C23 and what was before differ */
            errno = 0;
            long long n = strtoll(some[i], &end, base);
            printf("%s in %d: %lld after %td%s", some[i], base, n, end - some[i],
                   errno == ERANGE ? ", out of range" : "");
            errno = 0;
            unsigned long long u = strtoull(some[i], &end, base);
            printf(" %llu%s\n", u, errno == ERANGE ? ", out of range" : "");
        }
}

static void scans(void)
{
    int a = 0, b = 0, n = 0;
    char word[16] = "", other[16] = "";
    double d = 0;
    printf("%d", sscanf("12 -0x1f rest", "%d %i %n", &a, &b, &n));
    printf(" %d %d %d\n", a, b, n);
    printf("%d", sscanf("key=value;3.5e2", "%15[^=]=%15[a-z];%lf", word, other, &d));
    printf(" %s %s %g\n", word, other, d);
    printf("%d\n", sscanf("", "%d", &a));
    printf("%d\n", sscanf("x", "%d", &a));
    printf("%d %d\n", sscanf("123456", "%3d%2d", &a, &b), a * 100 + b);
    printf("%d %s\n", sscanf("  ab", "%c%s", word, other), other);
    printf("%d\n", sscanf("5 apples", "%*d %15s", word));
    puts(word);
}

int main(void)
{
    decimals();
    integers();
    scans();
    return 0;
}
