/* SPDX-License-Identifier: MIT
 * What the interpreter asks of a library that edits lines. */
#pragma once

extern const char *rl_readline_name;
/* A line without its end, to be freed; NULL at the end of the input. */
char *readline(const char *prompt);
