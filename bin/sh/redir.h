/* SPDX-License-Identifier: MIT
 * Descriptors and redirections (XCU 2.7). Users have 0 to 9; the shell keeps its own from 10 on, closed in programs.
 * A frame remembers what the descriptors were that were redirected inside it. */
#pragma once
#include "ast.h"
#include <stddef.h>

enum : int { FD_USER = 10, FD_UNTOUCHED = -2, FD_CLOSED = -1 };

struct capture;
struct redirs {
    struct redirs *outer;
    bool subshell;           /* `exec` inside is put back at its end */
    int saved[FD_USER];      /* where the descriptor was moved to, FD_CLOSED or FD_UNTOUCHED */
    struct capture *capture; /* what descriptor 1 was kept in; set when it is redirected */
    bool has_capture;
};
void redirs_push(struct redirs *r, bool subshell);
void redirs_pop(struct redirs *r);
void redirs_unwind(struct redirs *outer);
/* Does them in order. False: one failed, a message was printed. With `keep` they stay (`exec`). */
bool redirs_do(const struct redir *list, bool keep);
/* The same for a program that is started next. A FIFO's other end is for it to wait for, since there is no fork after
 * which the shell could. */
bool redirs_for_program(const struct redir *list);

/* Puts `source` in a descriptor's place in the frame on top, and closes it. */
void redirs_take(int fd, int source);

/* A pipe whose ends are both the shell's own. */
bool fd_pipe(int ends[static 2]);
/* Moves a new descriptor out of the way of users; closes it when that fails. -1 with errno. */
int fd_own(int fd);
/* A copy of the shell's own, or FD_CLOSED. */
int fd_save(int fd);
void fd_restore(int fd, int saved);
