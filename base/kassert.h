/* SPDX-License-Identifier: MIT
 * Assertions about our own code, which stay on in release builds. They never depend on what a user passes in: that is a
 * status, not an assertion. */
#pragma once

[[noreturn]] void kassert_fail(const char *expr, const char *file, int line);

#define kassert(cond) (__builtin_expect(!!(cond), 1) ? (void)0 : kassert_fail(#cond, __FILE__, __LINE__))
