/* SPDX-License-Identifier: MIT */
#pragma once
#include <test/guest/common/check.h>

#define KERNEL_ADDRESS UINT64_C(0xffff800000001000)

struct attack {
    const char *name;
    bool (*run)(void); /* in the child: true when every try got the named error */
    uint32_t causes;   /* bits of vx_cause_t that may end it; 0: it must end by itself, refused */
    bool loops;        /* it never ends: it must still be running, and be ended from outside */
};
extern const struct attack attacks[];
extern const size_t n_attacks;

/* edges.c, probes.c */
bool stray_bits(void);
bool calls_at_the_edge(void);
bool ring_through_another(void);
bool user_half(void);
bool read_only_words(void);
bool steering_oneself(void);
bool changing_image(void);
bool forbidden_instructions(void);
