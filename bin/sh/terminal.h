/* SPDX-License-Identifier: MIT
 * What the language leaves to the system that the shell runs on. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

/* Before anything else; the terminal of an interactive shell, or of one that a session began with. */
void system_begin(bool interactive);
/* Reads a line for an interactive shell, with its newline. False: the end of the input. */
bool system_line(const char *prompt, const char **line, size_t *len);
/* Ends a process that is none of ours as kill() sees it, if there is another authority over it. */
bool system_kill(pid_t pid);
