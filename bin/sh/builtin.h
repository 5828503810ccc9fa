/* SPDX-License-Identifier: MIT
 * Commands of the shell itself. */
#pragma once

struct builtin {
    const char *name;
    int (*run)(int argc, char **argv);
    bool special;             /* XCU 2.14 */
    bool only_writes;         /* reads no input and waits for nothing: may run at once in a pipeline */
    bool late;                /* only if there is no program of that name */
    const char *usage, *what; /* for `help`; nullptr: the POSIX text says it */
};
const struct builtin *builtin_find(const char *name);
/* One after another, from 0; nullptr ends. */
const struct builtin *builtin_at(unsigned index);

/* The tables, each ended by a name of nullptr. builtins_system is empty where there is nothing to add. */
extern const struct builtin builtins_special[], builtins_posix[], builtins_system[];

/* builtin_*.c */
int builtin_alias(int argc, char **argv);
int builtin_cd(int argc, char **argv);
int builtin_command(int argc, char **argv);
int builtin_echo(int argc, char **argv);
int builtin_getopts(int argc, char **argv);
int builtin_hash(int argc, char **argv);
int builtin_local(int argc, char **argv);
int builtin_printf(int argc, char **argv);
int builtin_pwd(int argc, char **argv);
int builtin_read(int argc, char **argv);
int builtin_set(int argc, char **argv);
int builtin_test(int argc, char **argv);
int builtin_type(int argc, char **argv);
int builtin_ulimit(int argc, char **argv);
int builtin_umask(int argc, char **argv);
int builtin_unalias(int argc, char **argv);
/* Options as `set` and the shell's own arguments have them: the index of the first word that is none, or -1 with a
 * message. *c: the shell was given -c. */
int options_take(int argc, char **argv, int at, bool *c);
