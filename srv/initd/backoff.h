/* SPDX-License-Identifier: MIT
 * When a service that ended starts again: pauses double from first to max, a stable run resets them, and too many ends
 * within a window stop it for good. Pure: time comes in as an argument. */
#pragma once
#include <abi/service_limits.h>
#include <stdint.h>

struct backoff {
    uint64_t first_ns, max_ns, stable_ns, window_ns;
    uint32_t limit; /* 0: none */
    uint64_t pause_ns;
    uint32_t n_ends;                    /* ends ever counted since the last reset */
    uint64_t end_ns[GRAPH_CRASHES_MAX]; /* the last `limit` of them, as a ring */
};

void backoff_init(struct backoff *b, uint64_t first_ns, uint64_t max_ns, uint64_t stable_ns, uint32_t limit,
                  uint64_t window_ns);
/* It ran from started_ns and ended at now_ns. True: start it again at *again_ns. False: it ended too often. */
bool backoff_ended(struct backoff *b, uint64_t started_ns, uint64_t now_ns, uint64_t *again_ns);
/* Forgets all ends. */
void backoff_reset(struct backoff *b);
