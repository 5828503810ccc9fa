/* SPDX-License-Identifier: MIT
 * Words NAME=VALUE of the kernel's command line, which initd has in its Bundle. Pure. */
#pragma once
#include <stddef.h>

/* The value of the last word NAME=VALUE, NUL-terminated. False, and out untouched: there is none, or it does not fit.
 */
bool option_find(const char *text, size_t len, const char *name, char *out, size_t room);
