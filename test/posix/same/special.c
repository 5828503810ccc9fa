/* SPDX-License-Identifier: MIT
 * What the mathematical functions answer for zeros, infinities and the like: Annex F of the C standard says it exactly,
 * so this machine's C library must agree. A NaN is a NaN, whatever its sign. */
#define _GNU_SOURCE
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

static const double some[] = { 0.0, -0.0, 1.0,      -1.0,      0.5, -0.5,    2.0,     -2.0,
                               3.0, -3.0, INFINITY, -INFINITY, NAN, DBL_MAX, -DBL_MAX };
enum { SOME = sizeof some / sizeof some[0] };

static void show(const char *name, double x, double y, double value)
{
    if (isnan(value))
        printf("%s(%a, %a) nan\n", name, x, y);
    else if (value == 0 || isinf(value) || (fabs(value) < 1e6 && value == rint(value)))
        printf("%s(%a, %a) %a\n", name, x, y, value);
    else
        printf("%s(%a, %a) %.12g\n", name, x, y, value);
}

#define ONE(f) { #f, f }
static const struct {
    const char *name;
    double (*f)(double);
} ones[] = { ONE(acos), ONE(asin),  ONE(atan), ONE(acosh), ONE(asinh), ONE(atanh), ONE(cbrt),
             ONE(ceil), ONE(cosh),  ONE(erf),  ONE(erfc),  ONE(exp),   ONE(exp2),  ONE(expm1),
             ONE(fabs), ONE(floor), ONE(log),  ONE(log10), ONE(log1p), ONE(log2),  ONE(logb),
             ONE(rint), ONE(round), ONE(sinh), ONE(sqrt),  ONE(tanh),  ONE(trunc), ONE(nearbyint) };
static const struct {
    const char *name;
    double (*f)(double, double);
} twos[] = { ONE(atan2), ONE(copysign), ONE(fdim),      ONE(fmax), ONE(fmin),
             ONE(fmod),  ONE(hypot),    ONE(nextafter), ONE(pow),  ONE(remainder) };

int main(void)
{
    for (size_t f = 0; f < sizeof ones / sizeof ones[0]; f++)
        for (int i = 0; i < SOME; i++)
            show(ones[f].name, some[i], 0, ones[f].f(some[i]));
    for (size_t f = 0; f < sizeof twos / sizeof twos[0]; f++)
        for (int i = 0; i < SOME; i++)
            for (int k = 0; k < SOME; k++) {
                /* which zero the larger or smaller of two zeros is, is left open */
                if ((twos[f].f == fmax || twos[f].f == fmin) && some[i] == 0 && some[k] == 0)
                    continue;
                show(twos[f].name, some[i], some[k], twos[f].f(some[i], some[k]));
            }
    for (int i = 0; i < SOME; i++) {
        int e = 0;
        double whole = 0, part = modf(some[i], &whole);
        printf("modf %a %a\n", part == part ? part : 0.25, whole == whole ? whole : 0.25);
        double m = frexp(some[i], &e);
        if (isfinite(some[i]))
            printf("frexp %a %d %ld %lld\n", m, e, lrint(some[i] / 1e300), llround(some[i] / 1e300));
        printf("%d %d %d %d\n", fpclassify(some[i]) == FP_ZERO, fpclassify(some[i]) == FP_NORMAL, isinf(some[i]) != 0,
               isnan(some[i]) ? 0 : signbit(some[i]) != 0);
    }
    static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
    for (int i = 0; i < 4; i++) {
        fesetround(modes[i]);
        volatile double third = 1.0, three = 3.0;
        printf("%a %a %a %.3f\n", third / three, rint(2.5), rint(-1.5), 0.0625);
    }
    return 0;
}
