/* SPDX-License-Identifier: MIT
 * Pathname expansion (XCU 2.13.3). */
#pragma once
#include "mem.h"
#include "pattern.h"

/* The names that match, sorted, ended by nullptr, in the arena; *n of them, 0 if there are none. */
char **glob_names(struct arena *arena, struct pattern p, size_t *n);
