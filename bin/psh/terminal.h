/* SPDX-License-Identifier: MIT
 * What the language leaves to the system that the shell runs on. */
#pragma once
#include <stddef.h>

/* Before anything else; the terminal of an interactive shell, if it is one. */
void system_begin(bool interactive);
/* Reads a line for an interactive shell, with its newline. False: the end of the input. */
bool system_line(const char *prompt, const char **line, size_t *len);
