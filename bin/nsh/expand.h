/* SPDX-License-Identifier: MIT
 * From a raw word to the arguments it stands for: quotes, backslashes, $NAME ${NAME} $? $$ $!. Pure.
 *
 *   '...'   literally                      "..."   $ works; \ quotes $ " \ ` and newline, else it is itself
 *   \c      c literally                    an unquoted value is split at blanks; an empty one is no argument at all
 * A value is never looked at again: what it contains is data, not shell text. */
#pragma once
#include "vars.h"

enum : uint32_t { SH_ARGS_MAX = 256, SH_ARGS_BYTES = 16384 };

/* Arguments as a Bundle wants them: NUL-terminated, one after another. */
struct sh_args {
    uint32_t n;
    uint32_t len;
    const char *arg[SH_ARGS_MAX + 1];
    char text[SH_ARGS_BYTES];
};

struct sh_context {
    const struct sh_vars *vars;
    uint32_t status;     /* $? */
    uint32_t self;       /* $$ */
    uint32_t background; /* $!; 0: none yet, and $! is empty */
};

typedef enum sh_expand : uint8_t {
    SH_EXPAND_OK,
    SH_EXPAND_TOO_LONG,   /* more than SH_ARGS_MAX arguments or SH_ARGS_BYTES bytes */
    SH_EXPAND_BAD_DOLLAR, /* ${ without } or with something that is no name */
} sh_expand_t;

void sh_args_clear(struct sh_args *a);
/* Appends what `word` stands for. After an error the arguments are as they were. */
sh_expand_t sh_expand_word(const struct sh_context *c, const char *word, size_t len, struct sh_args *out);
/* As above, but always one argument, without splitting: the value of an assignment. */
sh_expand_t sh_expand_value(const struct sh_context *c, const char *word, size_t len, struct sh_args *out);
