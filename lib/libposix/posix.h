/* SPDX-License-Identifier: MIT
 * libposix: what the C library's calls are made of. This header is its inside; programs never see it.
 *
 * A call is a row of calls.def. dispatch.c finds its function, px_NAME, which answers a value or a negated errno.
 *
 *  1. Nothing here uses errno, malloc, stdio, threads or anything else of the C library but memory and string
 * functions.
 *  2. All authority comes from the Bundle: what it does not hold, no call can reach.
 *  3. Signals are delivered with no lock held, when a call ends or was interrupted (signal.c).
 *  4. A lock is held for a bounded time and never while a thread waits for the outside world, except the lock of an
 *     open file's own transfer (file.h).
 *
 * Locks, outermost first: a file's lock, the terminal's, the descriptor table's, the children's, the timers', the
 * connection to the process service, the thread list's, what is pending. */
#pragma once
#include "calls.h"
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <vectra/bundle.h>
#include <vectra/posix_hooks.h>
#include <vectra/string.h>
#include <vectra/syscall.h>
#include <vectra/thread.h>
#include <vectra/time.h>

enum : size_t { PX_PAGE = 4096 };

/* The negated errno for what a system call or a service answered; OK is 0. */
long px_error(status_t st);
/* Whole pages of zeroed memory for libposix itself; nullptr when there is none. */
void *px_pages(size_t bytes);
void px_pages_free(void *at, size_t bytes);

static inline size_t px_page_up(size_t bytes)
{
    return (bytes + PX_PAGE - 1) & ~(PX_PAGE - 1);
}

/* What the C library calls when it makes a system call, with each call's arguments in six registers. */
typedef long px_call(long a, long b, long c, long d, long e, long f);
