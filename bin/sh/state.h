/* SPDX-License-Identifier: MIT
 * The state of this shell as shell text, for one that goes on with it elsewhere: `sh --state FD` reads it. That is how
 * commands of the shell run beside it: in pipelines and in the background (decision 0016). */
#pragma once
#include "ast.h"
#include "mem.h"

#define STATE_OPTION "--state"

/* Everything, and then n; or, if that is nullptr, the words of argv behind the assignments of a simple command. */
void state_write(struct text *t, const struct node *n, char **argv, const struct node *assigns);
/* In the new shell: takes the head over and runs the rest; the exit status. */
int state_run(int fd);
