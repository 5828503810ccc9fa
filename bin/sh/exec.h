/* SPDX-License-Identifier: MIT
 * Running commands: XCU 2.9. */
#pragma once
#include "ast.h"
#include "parse.h"
#include <sys/types.h>

/* Runs a tree; nullptr does nothing and is true. sh.status is the answer too. */
int exec_node(const struct node *n);
/* Parses and runs text in this environment: eval, traps, -c. */
int exec_text(const char *text);
/* Runs a source to its end (or until something is left: sh.skip). Errors are thrown. */
int exec_source(struct source *s);
/* The program that is running: function definitions keep it. */
extern struct program *exec_program;

/* A simple command whose words have been expanded, with what stands around it. */
struct command {
    int argc;
    char **argv;             /* ended by nullptr */
    const struct node *node; /* assignments and redirections */
};
/* Runs it here: a function or a built-in; programs are started and waited for. */
int exec_command(const struct command *c);

/* What a name is, in the order in which it is looked for. */
enum command_kind { COMMAND_SPECIAL, COMMAND_FUNCTION, COMMAND_BUILTIN, COMMAND_PROGRAM };
enum command_kind command_kind(const char *name);

/* pipeline.c */
int exec_pipeline(const struct node *n);
/* Starts n without waiting for it. */
int exec_background(const struct node *n);

/* spawn.c: starts the program of argv[0]; its id, or 0 with a message and *status. It has the descriptors 0 to 9 that
 * are open now and what is exported. group: -1 that of the shell, 0 its own, else that one. */
pid_t spawn_program(char **argv, pid_t group, bool background, int *status);
/* A shell of its own, which goes on with the state of this one and runs n (or, if that is nullptr, argv). */
pid_t spawn_shell(const struct node *n, char **argv, const struct node *assigns, pid_t group, bool background);
/* Whether the program that is being started is not waited for. */
extern bool spawn_in_background;
/* Whether a program that leads a group of its own has the terminal from its first moment on. */
extern bool spawn_leads;
/* `exec`: does not come back unless it fails. */
int spawn_instead(char **argv);
/* The path of the program; nullptr with a message and *status. */
const char *spawn_find(const char *name, int *status);

/* unparse.c: the command as text. One line for people; else text that parses to the same tree. */
void unparse(struct text *t, const struct node *n, bool one_line);
void unparse_quoted(struct text *t, const char *text);
