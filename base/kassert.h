/* SPDX-License-Identifier: MIT
 * Assertions about our own code. kassert stays on in release builds; kassert_debug is for checks that cost more than
 * the thing checked. Neither may ever depend on what a user passes in: that is a status, not an assertion. */
#pragma once

[[noreturn]] void kassert_fail(const char *expr, const char *file, int line);

#define kassert(cond) (__builtin_expect(!!(cond), 1) ? (void)0 : kassert_fail(#cond, __FILE__, __LINE__))
#ifdef VECTRA_DEBUG
#define kassert_debug(cond) kassert(cond)
#else
#define kassert_debug(cond) ((void)sizeof(cond))
#endif
