/* SPDX-License-Identifier: MIT
 * Lines about the calls of this process, for people: with VECTRA_TRACE=1 in the environment that it starts with, a line
 * for each call, its arguments and what came of it, on the kernel's console. So do programs that it starts. */
#pragma once
#include "posix.h"

extern bool px_tracing;
/* env: strings, each with its NUL. */
void px_trace_init(const char *env, size_t len);
void px_trace_call(long number, const long arguments[static 6], long answer);
/* A call that may not come back. */
void px_trace_begins(long number, const long arguments[static 6]);
void px_trace_spawn(const char *path, char *const *argv, long answer);
void px_trace_signal(int signal);
