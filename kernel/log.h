/* SPDX-License-Identifier: MIT
 * The kernel log: a ring of text that initd can read (abi/klog.h), echoed on the console at and above a level. */
#pragma once
#include <base/addr.h>
#include <kernel/entry.h>
#include <stdarg.h>

/* What the console gets: quiet: panics only; normal: kprintf; debug: log_debug as well. The ring gets everything. */
void log_set_level(log_level_t level);
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
/* To the ring and, whatever the level, to the console. */
#define log_urgent(...) log_at(LOG_QUIET, __VA_ARGS__)
void log_va(log_level_t at, const char *format, va_list args);
/* What a program writes: on the console alone, between the kernel's lines. */
void log_console(const char *text, size_t len);
/* The hart that ends the machine writes from now on, at the normal level, and waits for nobody who was writing. */
void log_seize(void);
paddr_t log_ring(size_t *bytes);
