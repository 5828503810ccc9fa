/* SPDX-License-Identifier: MIT
 * Compares the mathematical functions with a table of values that libm.py computed to many digits. The error is counted
 * in units of the last place of the result's type. How much is allowed is in the table below: nothing for those that
 * are exact or correctly rounded by definition, one unit for most, and more where the library's authors promise less.
 * On x86_64 expm1l, and what is made from it, is x87 code of upstream's that multiplies by log2(e) in a long double: it
 * loses six bits for large arguments, on any processor.
 *
 * On aarch64 a long double has 113 bits, and the library computes several of its functions only as precisely as a
 * double; there those are held to a double's last place. */
#define _GNU_SOURCE
#include "../check.h"
#include <float.h>
#include <math.h>

typedef long double real;

struct function {
    const char *name;
    int n; /* arguments */
    union {
        double (*d1)(double);
        double (*d2)(double, double);
        double (*d3)(double, double, double);
    } d;
    union {
        float (*f1)(float);
        float (*f2)(float, float);
        float (*f3)(float, float, float);
    } f;
    union {
        real (*l1)(real);
        real (*l2)(real, real);
        real (*l3)(real, real, real);
    } l;
    double allowed; /* float and double */
    double wide;    /* long double */
};

#define F1(name, allowed, wide) { #name, 1, { .d1 = name }, { .f1 = name##f }, { .l1 = name##l }, allowed, wide }
#define F2(name, allowed, wide) { #name, 2, { .d2 = name }, { .f2 = name##f }, { .l2 = name##l }, allowed, wide }
#define F3(name, allowed, wide) { #name, 3, { .d3 = name }, { .f3 = name##f }, { .l3 = name##l }, allowed, wide }
/* The Bessel functions have no form for long double. */
#define BESSEL(name, allowed) { #name, 1, { .d1 = name }, { .f1 = name##f }, { .l1 = nullptr }, allowed, 0 }

static const struct function functions[] = {
    F1(ceil, 0, 0),      F1(floor, 0, 0), F1(trunc, 0, 0),    F1(round, 0, 0),    F1(rint, 0, 0),
    F1(nearbyint, 0, 0), F1(fabs, 0, 0),  F1(logb, 0, 0),     F2(fmod, 0, 0),     F2(remainder, 0, 0),
    F2(fmax, 0, 0),      F2(fmin, 0, 0),  F2(copysign, 0, 0), F1(sqrt, 0.5, 0.5), F2(fdim, 0.5, 0.5),
    F3(fma, 0.5, 0.5),   F1(acos, 1, 2),  F1(asin, 1, 2),     F1(atan, 1, 2),     F1(acosh, 4, 4),
    F1(asinh, 2, 2),     F1(atanh, 2, 4), F1(cbrt, 1, 2),     F1(cos, 1, 2),      F1(sin, 1, 2),
    F1(tan, 1, 2),       F1(cosh, 2, 64), F1(sinh, 2, 64),    F1(tanh, 2.5, 4),   F1(erf, 1, 2),
    F1(erfc, 4, 4),      F1(exp, 1, 2),   F1(exp2, 1, 2),     F1(exp10, 2, 2),    F1(expm1, 1, 64),
    F1(log, 1, 2),       F1(log10, 2, 2), F1(log2, 1, 2),     F1(log1p, 1, 2),    F1(lgamma, 3, 3),
    F1(tgamma, 10, 10),  F2(atan2, 1, 2), F2(hypot, 1, 2),    F2(pow, 1, 2),      BESSEL(j0, 4),
    BESSEL(j1, 4),       BESSEL(y0, 4),   BESSEL(y1, 4),
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static struct {
    double worst;
    unsigned looked_at;
} seen[FUNCTIONS][3];

static real call(const struct function *fn, char kind, const double x[3])
{
    switch (kind) {
    case 'd':
        return fn->n == 1 ? fn->d.d1(x[0]) : fn->n == 2 ? fn->d.d2(x[0], x[1]) : fn->d.d3(x[0], x[1], x[2]);
    case 'f':
        return fn->n == 1   ? fn->f.f1((float)x[0])
               : fn->n == 2 ? fn->f.f2((float)x[0], (float)x[1])
                            : fn->f.f3((float)x[0], (float)x[1], (float)x[2]);
    default:
        return fn->n == 1 ? fn->l.l1(x[0]) : fn->n == 2 ? fn->l.l2(x[0], x[1]) : fn->l.l3(x[0], x[1], x[2]);
    }
}

/* The distance of the result from the value h + m + l, in units of the last of `digits` bits. */
static double error_of(real got, const double value[3], int digits)
{
    int exponent;
    if (value[0] == 0)
        return got == 0 ? 0 : HUGE_VAL;
    (void)frexp(value[0], &exponent);
    real off = ((got - value[0]) - value[1]) - value[2];
    return (double)fabsl(ldexpl(off, digits - exponent));
}

static int digits_of(const struct function *fn, char kind)
{
    int wanted = LDBL_MANT_DIG == 113 && fn->allowed > 0.5 ? DBL_MANT_DIG : LDBL_MANT_DIG;
    return kind == 'd' ? DBL_MANT_DIG : kind == 'f' ? FLT_MANT_DIG : wanted;
}

/* "name kind x [y [z]] = h m l"; false: not such a line. */
static int look_at(char *line)
{
    char *name = strtok(line, " "), *kind = strtok(nullptr, " "), *word;
    double x[3] = { 0 }, value[3] = { 0 };
    int n = 0, i = 0;
    size_t f = 0;
    if (name == nullptr || kind == nullptr || strchr("dfl", *kind) == nullptr)
        return 0;
    while ((word = strtok(nullptr, " \n")) != nullptr && *word != '=' && n < 3)
        x[n++] = strtod(word, nullptr);
    while ((word = strtok(nullptr, " \n")) != nullptr && i < 3)
        value[i++] = strtod(word, nullptr);
    while (f < FUNCTIONS && strcmp(functions[f].name, name) != 0)
        f++;
    if (f == FUNCTIONS || functions[f].n != n || i != 3)
        return 0;
    if (*kind == 'l' && functions[f].l.l1 == nullptr)
        return 1;
    double error = error_of(call(&functions[f], *kind, x), value, digits_of(&functions[f], *kind));
    int k = (int)(strchr("dfl", *kind) - "dfl");
    seen[f][k].looked_at++;
    if (!(error <= seen[f][k].worst))
        seen[f][k].worst = error;
    return 1;
}

int main(int argc, char *argv[])
{
    static const char *const suffix[] = { "", "f", "l" };
    char line[256];
    unsigned lines = 0, bad = 0;
    FILE *table = argc > 1 ? fopen(argv[1], "r") : nullptr;
    if (table == nullptr) {
        printf("not ok 1 - the table can be read\n# done: 0 passed, 1 failed\n");
        return 1;
    }
    while (fgets(line, sizeof line, table) != nullptr) {
        lines++;
        bad += !look_at(line);
    }
    fclose(table);
    printf("# %u lines\n", lines);
    CHECK_IS(bad, 0);
    for (size_t f = 0; f < FUNCTIONS; f++)
        for (int k = 0; k < 3; k++) {
            char text[96];
            double allowed = k == 2 ? functions[f].wide : functions[f].allowed;
            if (k == 2 && functions[f].l.l1 == nullptr)
                continue;
            snprintf(text, sizeof text, "%s%s: %.3f units in the last place, %g allowed, %u values", functions[f].name,
                     suffix[k], seen[f][k].worst, allowed, seen[f][k].looked_at);
            check_at(__LINE__, seen[f][k].looked_at >= 20 && seen[f][k].worst <= allowed, text);
        }
    return check_done();
}
