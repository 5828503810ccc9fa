/* SPDX-License-Identifier: MIT
 * A whole Bundle specification, as SPAWN checks it in steps. */
#pragma once
#include <kernel/bundle.h>

/* *out is written only on OK. */
static inline status_t bundle_check(struct vx_bundle *b, uint64_t bytes, struct bundle_plan *out)
{
    struct bundle_plan plan;
    status_t st = bundle_begin(b, bytes, &plan);
    for (uint32_t i = 0; st == OK && i < b->n_slots; i++)
        st = bundle_take(b, i, &plan);
    if (st == OK)
        *out = plan;
    return st;
}
