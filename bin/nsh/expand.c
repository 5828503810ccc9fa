/* SPDX-License-Identifier: MIT */
#include "expand.h"
#include <base/string.h>

struct expander {
    const struct sh_context *c;
    struct sh_args *out;
    const char *word;
    size_t len, at;
    uint32_t start; /* of the argument being built, in out->text */
    bool open;      /* an argument is being built, even an empty one */
    bool quoted;    /* inside double quotes */
    bool split;
    sh_expand_t error;
};

void sh_args_clear(struct sh_args *a)
{
    a->n = 0;
    a->len = 0;
    a->arg[0] = nullptr;
}

static void put(struct expander *x, char c)
{
    if (x->out->len + 1 >= SH_ARGS_BYTES) { /* always room for the terminator */
        x->error = SH_EXPAND_TOO_LONG;
        return;
    }
    x->out->text[x->out->len++] = c;
    x->open = true;
}

static void end_argument(struct expander *x)
{
    if (!x->open)
        return;
    if (x->out->n == SH_ARGS_MAX || x->out->len >= SH_ARGS_BYTES) {
        x->error = SH_EXPAND_TOO_LONG;
        return;
    }
    x->out->text[x->out->len++] = '\0';
    x->out->arg[x->out->n++] = x->out->text + x->start;
    x->out->arg[x->out->n] = nullptr;
    x->start = x->out->len;
    x->open = false;
}

static void put_value(struct expander *x, const char *value)
{
    for (; *value != '\0' && x->error == SH_EXPAND_OK; value++) {
        bool blank = *value == ' ' || *value == '\t' || *value == '\n';
        if (blank && x->split && !x->quoted)
            end_argument(x);
        else
            put(x, *value);
    }
}

static void put_number(struct expander *x, uint32_t number)
{
    char digits[10];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (n > 0)
        put(x, digits[--n]);
}

static size_t name_length(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && sh_name_ok(text, n + 1))
        n++;
    return n;
}

/* At a `$`. A dollar that begins nothing is itself. */
static void dollar(struct expander *x)
{
    const char *rest = x->word + x->at + 1;
    size_t left = x->len - x->at - 1;
    size_t skip = 0; /* bytes around the name */
    if (left > 0 && (*rest == '?' || *rest == '$' || *rest == '!')) {
        uint32_t number = *rest == '?' ? x->c->status : *rest == '$' ? x->c->self : x->c->background;
        if (*rest != '!' || number != 0)
            put_number(x, number);
        x->at += 2;
        return;
    }
    if (left > 0 && *rest == '{') {
        rest++;
        left--;
        skip = 2;
    }
    size_t n = name_length(rest, left);
    if (skip != 0 && (n == 0 || n >= left || rest[n] != '}')) {
        x->error = SH_EXPAND_BAD_DOLLAR;
        return;
    }
    if (n == 0) {
        put(x, '$');
        x->at++;
        return;
    }
    const char *value = sh_vars_get(x->c->vars, rest, n);
    if (value != nullptr)
        put_value(x, value);
    x->at += 1 + skip + n;
}

static void single_quoted(struct expander *x)
{
    x->open = true;
    for (x->at++; x->at < x->len && x->word[x->at] != '\''; x->at++)
        put(x, x->word[x->at]);
    x->at++;
}

static bool escapes_in_quotes(char c)
{
    return c == '$' || c == '"' || c == '\\' || c == '`' || c == '\n';
}

static void backslash(struct expander *x)
{
    x->at++;
    if (x->at >= x->len) {
        put(x, '\\');
        return;
    }
    char c = x->word[x->at++];
    if (x->quoted && !escapes_in_quotes(c))
        put(x, '\\');
    if (c != '\n') /* a quoted newline joins two lines */
        put(x, c);
}

static sh_expand_t expand(struct expander *x)
{
    uint32_t n = x->out->n, len = x->out->len;
    x->start = len;
    while (x->at < x->len && x->error == SH_EXPAND_OK) {
        char c = x->word[x->at];
        if (c == '\\') {
            backslash(x);
        } else if (c == '$') {
            dollar(x);
        } else if (c == '"') {
            x->quoted = !x->quoted;
            x->open = true;
            x->at++;
        } else if (c == '\'' && !x->quoted) {
            single_quoted(x);
        } else {
            put(x, c);
            x->at++;
        }
    }
    if (!x->split)
        x->open = true;
    if (x->error == SH_EXPAND_OK)
        end_argument(x);
    if (x->error != SH_EXPAND_OK) {
        x->out->n = n;
        x->out->len = len;
        x->out->arg[n] = nullptr;
    }
    return x->error;
}

sh_expand_t sh_expand_word(const struct sh_context *c, const char *word, size_t len, struct sh_args *out)
{
    struct expander x = { .c = c, .out = out, .word = word, .len = len, .split = true };
    return expand(&x);
}

sh_expand_t sh_expand_value(const struct sh_context *c, const char *word, size_t len, struct sh_args *out)
{
    struct expander x = { .c = c, .out = out, .word = word, .len = len, .split = false };
    return expand(&x);
}
