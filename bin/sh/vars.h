/* SPDX-License-Identifier: MIT
 * Variables, functions and aliases: three tables of symbols, and scopes, which put back what was changed in them.
 *
 *  1. A symbol is never removed, so pointers to one stay good; one that is unset has no text and no program.
 *  2. Before a symbol changes, `touch` writes it down in the innermost subshell's scope, once. */
#pragma once
#include "shell.h"

enum : uint8_t { SYMBOL_EXPORT = 1, SYMBOL_READONLY = 2 };

struct symbol {
    struct symbol *next;
    char *text;              /* a variable's value, an alias's text */
    struct program *program; /* a function: the tree that `node` lies in */
    const struct node *node;
    uint8_t flags;
    uint32_t saved_in; /* the serial of the scope of a subshell that has written it down */
    char name[];
};

enum scope_kind : uint8_t { SCOPE_FUNCTION, SCOPE_COMMAND, SCOPE_SUBSHELL };
struct scope {
    struct scope *outer;
    enum scope_kind kind;
    uint32_t serial;
    struct saved *saved;
    struct program *program; /* of the function that runs in it, so that it may be redefined meanwhile */
};
void scope_push(struct scope *s, enum scope_kind kind);
void scope_pop(struct scope *s);
/* Pops everything inside `outer`. */
void scope_unwind(struct scope *outer);

/* Lookup by a name that need not be terminated. */
struct symbol *var_find(const char *name, size_t len);
const char *var_get(const char *name);
/* Throws for a readonly variable. A nullptr value leaves it without one. */
void var_set(const char *name, const char *value);
void var_set_flags(const char *name, uint8_t flags);
/* Sets in the innermost scope, whatever kind it is: an assignment before a command, exported. */
void var_set_for_command(const char *name, const char *value);
/* False: readonly. */
bool var_unset(const char *name);
/* `local`: false outside of functions. */
bool var_local(const char *name);
/* NAME=VALUE of everything that is exported, ended by nullptr, in the temporary arena. */
char **var_environment(void);
/* Takes the environment over. */
void var_import(char **environment);
/* Calls visit for all that are set or have a flag, sorted by name. */
void symbols_visit(int table, void (*visit)(void *ctx, const struct symbol *s), void *ctx);
enum : int { TABLE_VARS, TABLE_FUNCTIONS, TABLE_ALIASES, TABLES };

const struct symbol *function_find(const char *name);
void function_set(const char *name, struct program *program, const struct node *node);
void function_unset(const char *name);
const char *alias_find(const char *name);
void alias_set(const char *name, const char *text); /* nullptr: unset */
