/* SPDX-License-Identifier: MIT
 * Waiting until something that is looked for holds: what poll, select and epoll share. */
#pragma once
#include "posix.h"
#include <time.h>

/* Calls look(ctx) until it answers something other than 0, or the deadline has passed (0), or a signal came (-EINTR).
 * again: what is looked for may come without a word from this process, so it is looked for every few milliseconds.
 * With a mask, signals that it lets through are delivered before the old one is back. */
long px_wait_until(long (*look)(void *ctx), void *ctx, bool again, uint64_t deadline, const uint64_t *mask);
long px_poll_deadline(const struct timespec *timeout, uint64_t *deadline);
