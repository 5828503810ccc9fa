/* SPDX-License-Identifier: MIT
 * Where commands were found, and what else depends on a variable's value. */
#pragma once
#include <stddef.h>

/* The path of a command, by PATH; in the temporary arena. nullptr: there is none. *remembered: it was known already. */
const char *hash_find(const char *name, const char *path);
void hash_forget(void);
/* Calls visit for each path that is remembered. */
void hash_visit(void (*visit)(const char *path));
/* getopts begins with the next argument. */
void getopts_forget(void);
