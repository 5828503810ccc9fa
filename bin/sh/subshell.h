/* SPDX-License-Identifier: MIT
 * Subshells without a copy of the process: what a subshell changes is put back when it ends (decision 0016).
 * Variables, functions and aliases are written down when they are first touched (vars.h), descriptors by redirections
 * (redir.h); the rest is here. */
#pragma once
#include "jobs.h"
#include "redir.h"
#include "shell.h"
#include "trap.h"
#include "vars.h"
#include <stddef.h>

struct subshell {
    struct subshell *outer;
    struct scope scope;
    struct redirs redirs;
    struct traps traps;
    struct catcher catcher;
    struct params *params;
    bool option[OPTIONS];
    pid_t background;
    int trap_status;
    unsigned functions, loops, tested;
    uint32_t line;
    int directory; /* the current directory of before, once it was changed; -1 */
    bool has_umask;
    mode_t umask;
};

/* The frame in which redirections and assignments of the subshell are undone: between them, anything may be prepared.
 */
void subshell_begin(struct subshell *s);
/* Runs body(ctx) as what the subshell does, its EXIT trap, and puts everything back; the exit status. */
int subshell_finish(struct subshell *s, int (*body)(void *ctx), void *ctx);

/* ( a ) */
int subshell_run(const struct node *n);
/* $( n ): what it wrote, in the temporary arena. sh.substitution_status is its status. */
const char *subshell_output(const struct node *n, size_t *len);

/* Before the current directory or the file mode mask changes. */
void subshell_before_cd(void);
void subshell_before_umask(void);
