/* SPDX-License-Identifier: MIT */
#include "backoff.h"

void backoff_init(struct backoff *b, uint64_t first_ns, uint64_t max_ns, uint64_t stable_ns, uint32_t limit,
                  uint64_t window_ns)
{
    *b = (struct backoff){ .first_ns = first_ns,
                           .max_ns = max_ns,
                           .stable_ns = stable_ns,
                           .limit = limit,
                           .window_ns = window_ns,
                           .pause_ns = first_ns };
}

void backoff_reset(struct backoff *b)
{
    backoff_init(b, b->first_ns, b->max_ns, b->stable_ns, b->limit, b->window_ns);
}

bool backoff_ended(struct backoff *b, uint64_t started_ns, uint64_t now_ns, uint64_t *again_ns)
{
    if (now_ns - started_ns >= b->stable_ns)
        b->pause_ns = b->first_ns;
    if (b->limit != 0) {
        /* The place of this end is where the end `limit` ends ago was kept. */
        uint64_t *place = &b->end_ns[b->n_ends % b->limit];
        bool full = b->n_ends >= b->limit;
        uint64_t oldest = *place;
        *place = now_ns;
        b->n_ends++;
        if (full && now_ns - oldest <= b->window_ns)
            return false;
    }
    *again_ns = now_ns + b->pause_ns;
    b->pause_ns = b->pause_ns > b->max_ns / 2 ? b->max_ns : b->pause_ns * 2;
    return true;
}
