/* SPDX-License-Identifier: MIT */
#pragma once
#include <test/guest/common/check.h>

struct attack {
    const char *name;
    bool (*run)(void); /* in the child: true when every try got the named error */
    uint32_t causes;   /* bits of vx_cause_t that may end it; 0: it must end by itself, refused */
    bool loops;        /* it never ends: it must still be running, and be ended from outside */
};
extern const struct attack attacks[];
extern const size_t n_attacks;
