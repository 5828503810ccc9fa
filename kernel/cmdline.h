/* SPDX-License-Identifier: MIT
 * The kernel command line: words NAME=VALUE separated by spaces; the last of a name counts. docs/boot.md lists the
 * names. */
#pragma once
#include <stddef.h>

/* Copies the value of `name` (cut at room - 1). False, and out unchanged, if the word is not there. */
bool cmdline_get(const char *cmdline, const char *name, char *out, size_t room);
