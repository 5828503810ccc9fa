/* SPDX-License-Identifier: MIT
 * The shell's variables, which are also the environment of its children. Pure; one thread.
 * Stored as NUL-terminated NAME=VALUE strings one after another: the form in which a Bundle carries them.
 * Invariant: text[0..len) is a sequence of such strings, each name once. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum : uint32_t { SH_VARS_BYTES = 16384 };

struct sh_vars {
    uint32_t len;
    char text[SH_VARS_BYTES];
};

/* True for a letter or underscore followed by letters, digits and underscores. */
bool sh_name_ok(const char *name, size_t len);
/* The length of NAME if `word` begins with NAME=, else 0. */
size_t sh_assignment_name(const char *word, size_t len);
/* The value, NUL-terminated, or nullptr. Good until the next change. */
const char *sh_vars_get(const struct sh_vars *v, const char *name, size_t len);
/* False when there is no room or the name is not one; nothing has changed then. */
bool sh_vars_set(struct sh_vars *v, const char *name, size_t name_len, const char *value, size_t value_len);
/* False when there is no such variable. */
bool sh_vars_unset(struct sh_vars *v, const char *name, size_t len);
/* Takes over a Bundle's "env"; strings that are no assignment, or do not fit, are left out. Answers how many were. */
uint32_t sh_vars_load(struct sh_vars *v, const char *text, size_t len);
