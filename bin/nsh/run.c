/* SPDX-License-Identifier: MIT
 * From a line of text to commands that have run. */
#include "sh.h"
#include <base/format.h>
#include <vectra/alloc.h>

uint32_t sh_fail(uint32_t status, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)format_into_va(line, sizeof line, format, args);
    va_end(args);
    vx_printf("%s\n", line);
    return status;
}

const struct sh_builtin *sh_builtin_at(uint32_t index)
{
    static const struct sh_builtin *const tables[] = { sh_builtins_basic, sh_builtins_file, sh_builtins_job,
                                                       sh_builtins_system };
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct sh_builtin *b = tables[t]; b->name != nullptr; b++)
            if (index-- == 0)
                return b;
    return nullptr;
}

const struct sh_builtin *sh_builtin_find(const char *name)
{
    const struct sh_builtin *b;
    for (uint32_t i = 0; (b = sh_builtin_at(i)) != nullptr; i++)
        if (vx_streq(b->name, name))
            return b;
    return nullptr;
}

uint32_t sh_usage(const char *name)
{
    const struct sh_builtin *b = sh_builtin_find(name);
    return sh_fail(SH_STATUS_USAGE, "usage: %s %s", name, b != nullptr ? b->usage : "");
}

uint32_t sh_run_args(const struct sh_args *args)
{
    if (args->n == 0)
        return 0;
    const struct sh_builtin *b = sh_builtin_find(args->arg[0]);
    if (b != nullptr)
        return b->run(args->n, args->arg);
    return sh_run_program(args->n, args->arg, nullptr);
}

static struct sh_context context(void)
{
    struct vx_result self = vx_enter(28, 0, 0, 0, 0, 0);
    return (struct sh_context){
        .vars = &sh.vars, .status = sh.status, .self = (uint32_t)self.value, .background = sh.background
    };
}

static uint32_t expand_failed(sh_expand_t why)
{
    if (why == SH_EXPAND_TOO_LONG)
        return sh_fail(SH_STATUS_USAGE, "sh: the arguments are too long (at most %u, %u bytes)", SH_ARGS_MAX,
                       SH_ARGS_BYTES);
    return sh_fail(SH_STATUS_USAGE, "sh: '${' wants a name and a '}'");
}

/* NAME=VALUE before a command (or instead of one). Sets it; false with *status set when that failed. */
static bool assign(const char *word, size_t len, struct sh_args *scratch, uint32_t *status)
{
    size_t name = sh_assignment_name(word, len);
    struct sh_context c = context();
    sh_args_clear(scratch);
    sh_expand_t e = sh_expand_value(&c, word + name + 1, len - name - 1, scratch);
    if (e != SH_EXPAND_OK) {
        *status = expand_failed(e);
        return false;
    }
    const char *value = scratch->n > 0 ? scratch->arg[0] : "";
    if (!sh_vars_set(&sh.vars, word, name, value, strlen(value))) {
        *status = sh_fail(1, "sh: no room for that variable");
        return false;
    }
    return true;
}

/* Variables set before a command hold for that command alone. */
static uint32_t run_with(struct sh_args *args, struct sh_vars *saved)
{
    uint32_t status = sh_run_args(args);
    if (saved != nullptr) {
        sh.vars = *saved;
        vx_free(saved);
    }
    return status;
}

static uint32_t run_command(const char *text, const struct sh_line *line, const struct sh_command *command,
                            struct sh_args *args)
{
    uint32_t at = command->first_word, end = at + command->n_words, status = 0;
    struct sh_vars *saved = nullptr;
    while (at < end && sh_assignment_name(text + line->word[at].at, line->word[at].len) != 0)
        at++;
    bool has_command = at < end;
    if (has_command && at > command->first_word) {
        saved = vx_alloc(sizeof *saved);
        if (saved == nullptr)
            return sh_fail(1, "sh: out of memory");
        *saved = sh.vars;
    }
    for (uint32_t i = command->first_word; i < at; i++)
        if (!assign(text + line->word[i].at, line->word[i].len, args, &status)) {
            vx_free(saved);
            return status;
        }
    struct sh_context c = context();
    sh_args_clear(args);
    for (; at < end; at++) {
        sh_expand_t e = sh_expand_word(&c, text + line->word[at].at, line->word[at].len, args);
        if (e != SH_EXPAND_OK) {
            vx_free(saved);
            return expand_failed(e);
        }
    }
    return run_with(args, saved);
}

/* The commands from `first` to `last` as text, in a shell of their own, which does not wait for them. */
static uint32_t run_in_background(const char *text, const struct sh_line *line, uint32_t first, uint32_t last,
                                  struct sh_args *args)
{
    const struct sh_command *a = &line->command[first], *b = &line->command[last];
    struct sh_context c = context();
    sh_args_clear(args);
    if (first == last && !a->negate) {
        for (uint32_t i = a->first_word; i < a->first_word + a->n_words; i++) {
            sh_expand_t e = sh_expand_word(&c, text + line->word[i].at, line->word[i].len, args);
            if (e != SH_EXPAND_OK)
                return expand_failed(e);
        }
        if (args->n > 0 && sh_builtin_find(args->arg[0]) == nullptr &&
            sh_assignment_name(args->arg[0], strlen(args->arg[0])) == 0)
            return sh_run_background(args->n, args->arg);
    }
    uint32_t begin = a->at, len = b->end - begin;
    char *copy = vx_alloc(len + 1);
    if (copy == nullptr)
        return sh_fail(1, "sh: out of memory");
    memcpy(copy, text + begin, len);
    copy[len] = '\0';
    const char *argv[] = { "/bin/sh", "-c", copy };
    uint32_t status = sh_run_background(3, argv);
    vx_free(copy);
    return status;
}

/* The last command of the and-or list that begins at `first`. */
static uint32_t list_end(const struct sh_line *line, uint32_t first)
{
    while (line->command[first].join == SH_JOIN_AND || line->command[first].join == SH_JOIN_OR)
        first++;
    return first;
}

static void run_list(const char *text, const struct sh_line *line, uint32_t first, uint32_t last, struct sh_args *args)
{
    for (uint32_t i = first; i <= last && !sh.exiting; i++) {
        if (i > first) {
            sh_join_t join = line->command[i - 1].join;
            if ((join == SH_JOIN_AND && sh.status != 0) || (join == SH_JOIN_OR && sh.status == 0))
                continue;
        }
        uint32_t status = run_command(text, line, &line->command[i], args);
        sh.status = line->command[i].negate ? status == 0 : status;
        if (sh_interrupted()) {
            sh.status = SH_STATUS_INTERRUPTED;
            return;
        }
    }
}

uint32_t sh_run_text(const char *name, const char *text, size_t len)
{
    struct sh_line *line = vx_alloc(sizeof *line);
    struct sh_args *args = vx_alloc(sizeof *args);
    if (line == nullptr || args == nullptr) {
        sh.status = sh_fail(1, "%s: out of memory", name);
        goto out;
    }
    sh_parse_t parsed = sh_parse(text, len, line);
    if (parsed != SH_PARSE_OK) {
        char why[160];
        (void)sh_parse_message(parsed, line, text, why, sizeof why);
        sh.status = sh_fail(SH_STATUS_USAGE, "%s: %s", name, why);
        goto out;
    }
    for (uint32_t i = 0; i < line->n_commands && !sh.exiting; i++) {
        uint32_t last = list_end(line, i);
        if (line->command[last].join == SH_JOIN_BACKGROUND)
            sh.status = run_in_background(text, line, i, last, args);
        else
            run_list(text, line, i, last, args);
        i = last;
        if (sh.status == SH_STATUS_INTERRUPTED && sh.interactive)
            break;
    }
out:
    vx_free(args);
    vx_free(line);
    return sh.status;
}
