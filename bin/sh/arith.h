/* SPDX-License-Identifier: MIT
 * Arithmetic expansion (XCU 2.6.4): signed 64 bits, the operators of C but sizeof and those with side effects other
 * than assignment; also ++ and -- and the comma. Overflow wraps. Pure but for the variables it is given. */
#pragma once
#include <stdint.h>

struct arith {
    /* A variable's value; nullptr: none. */
    const char *(*get)(void *ctx, const char *name);
    void (*set)(void *ctx, const char *name, int64_t value);
    void *ctx;
    char message[96]; /* after false */
};
bool arith_eval(struct arith *a, const char *text, int64_t *out);
enum : unsigned { ARITH_DEPTH_MAX = 200, ARITH_NAME_MAX = 255 };
