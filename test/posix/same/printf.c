/* SPDX-License-Identifier: MIT
 * What printf makes of numbers, for comparison with this machine's C library: every conversion with every flag, and
 * floating point numbers of all sizes by a generator that is the same everywhere. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static uint64_t state = 20261123;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double any_double(void)
{
    uint64_t bits = next();
    double d;
    memcpy(&d, &bits, sizeof d);
    return isnan(d) ? 0.5 : d;
}

static void floats(void)
{
    static const char *const formats[] = { "%e",     "%.0e",   "%.17g",    "%g",      "%#g",   "%a",   "%.3a",
                                           "%+.20e", "%12.3f", "%-12.3f|", "%012.3f", "% .5f", "%.0f", "%#.0f" };
    static const double some[] = { 0.0,   -0.0,   1.0,     0.1,      0.5,     1.5,    2.5,      1e15,      1e16,
                                   1e17,  123456, 1234567, 999999.5, 0.00001, 0.0001, DBL_MAX,  DBL_MIN,   DBL_TRUE_MIN,
                                   9.995, 99.95,  0.045,   1e22,     1e23,    5e-324, INFINITY, -INFINITY, 1.0 / 3 };
    char line[512];
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
            /* The standard leaves the leading digit of %a open; glibc of 2022 prints 999999.5 by %#g as 1.e+06. */
            if ((strchr(formats[f], 'a') != NULL && (formats[f][1] == '.' || fabs(some[i]) < DBL_MIN)) ||
                (strcmp(formats[f], "%#g") == 0 && some[i] == 999999.5))
                continue;
            snprintf(line, sizeof line, formats[f], some[i]);
            puts(line);
        }
    }
    for (int i = 0; i < 400; i++) {
        double d = any_double();
        printf("%.17g %.6g %.25e %.1e\n", d, d, d, d);
    }
    for (int i = 0; i < 100; i++) {
        double d = any_double();
        if (fabs(d) < 1e40 && fabs(d) > 1e-40)
            printf("%.40f %.1f\n", d, d);
    }
}

static void integers(void)
{
    static const char *const formats[] = { "%d",     "%5d",      "%-5d|", "%05d", "%+d",   "% d", "%.3d",
                                           "%5.3d",  "%-+5.3d|", "%i",    "%u",   "%x",    "%X",  "%#x",
                                           "%#010x", "%o",       "%#o",   "%.0d", "%+.0d", "%c" };
    static const int some[] = { 0, 1, -1, 42, -42, 65, 255, 1000, INT32_MAX, INT32_MIN };
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++)
        for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
            if (strcmp(formats[f], "%c") == 0 && some[i] != 65)
                continue;
            printf(formats[f], some[i]);
            putchar('\n');
        }
    for (int i = 0; i < 200; i++) {
        uint64_t n = next() >> (next() & 63);
        printf("%" PRIu64 " %" PRId64 " %" PRIx64 " %" PRIo64 " %hhd %hd %zu %td %jd\n", n, (int64_t)n, n, n, (int)n,
               (int)n, (size_t)n, (ptrdiff_t)n, (intmax_t)n);
    }
}

static void others(void)
{
    int n = 0;
    printf("%s|%10s|%-10s|%.2s|%%|%c%n\n", "text", "right", "left", "cut", 'x', &n);
    printf("%d %*d %-*d| %.*f\n", n, 6, 7, 6, 8, 3, 2.0 / 3);
    printf("%3$s %1$s %2$s\n", "one", "two", "three");
    printf("%Lf %Le %.10Lg\n", 1.25L, 1e300L, 1.0L / 8);
    printf("%d\n", snprintf(NULL, 0, "%s%d", "length", 12345));
}

int main(void)
{
    floats();
    integers();
    others();
    return 0;
}
