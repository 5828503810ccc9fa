/* SPDX-License-Identifier: MIT */
#include "shell.h"
#include "out.h"
#include "redir.h"
#include "vars.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shell sh = { .name = "sh", .trap_status = -1 };

static const struct {
    char letter;
    const char *name;
} options[OPTIONS] = {
    [OPT_ALLEXPORT] = { 'a', "allexport" },
    [OPT_NOTIFY] = { 'b', "notify" },
    [OPT_NOCLOBBER] = { 'C', "noclobber" },
    [OPT_ERREXIT] = { 'e', "errexit" },
    [OPT_NOGLOB] = { 'f', "noglob" },
    [OPT_HASHALL] = { 'h', "hashall" },
    [OPT_IGNOREEOF] = { 0, "ignoreeof" },
    [OPT_INTERACTIVE] = { 'i', "interactive" },
    [OPT_MONITOR] = { 'm', "monitor" },
    [OPT_NOEXEC] = { 'n', "noexec" },
    [OPT_NOLOG] = { 0, "nolog" },
    [OPT_STDIN] = { 's', "stdin" },
    [OPT_NOUNSET] = { 'u', "nounset" },
    [OPT_VERBOSE] = { 'v', "verbose" },
    [OPT_VI] = { 0, "vi" },
    [OPT_XTRACE] = { 'x', "xtrace" },
};

enum option option_of_letter(char c)
{
    for (unsigned i = 0; i < OPTIONS; i++)
        if (c != 0 && options[i].letter == c)
            return (enum option)i;
    return OPTIONS;
}

enum option option_of_name(const char *name)
{
    for (unsigned i = 0; i < OPTIONS; i++)
        if (strcmp(options[i].name, name) == 0)
            return (enum option)i;
    return OPTIONS;
}

const char *option_name(enum option o)
{
    return options[o].name;
}

char option_letter(enum option o)
{
    return options[o].letter;
}

/* --- errors --- */

void catch_begin(struct catcher *c)
{
    c->outer = sh.catcher;
    c->mark = arena_mark(&sh.temp);
    c->scope = sh.scope;
    c->redirs = sh.redirs;
    c->params = sh.params;
    c->capture = sh.capture;
    c->loops = sh.loops;
    c->functions = sh.functions;
    c->depth = sh.depth;
    c->tested = sh.tested;
    sh.params->users++;
    sh.catcher = c;
}

void catch_end(struct catcher *c)
{
    sh.catcher = c->outer;
    params_put(c->params);
}

void sh_throw(int status)
{
    struct catcher *c = sh.catcher;
    sh.status = status;
    if (c == nullptr)
        _exit(status); /* nobody can be told */
    redirs_unwind(c->redirs);
    scope_unwind(c->scope);
    if (sh.params != c->params) {
        params_put(sh.params);
        sh.params = c->params;
        sh.params->users++;
    }
    sh.capture = c->capture;
    sh.loops = c->loops;
    sh.functions = c->functions;
    sh.depth = c->depth;
    sh.tested = c->tested;
    arena_release(&sh.temp, c->mark);
    longjmp(c->where, 1);
}

static void warn(const char *format, va_list args)
{
    char line[1024];
    out_flush();
    int head = snprintf(line, sizeof line, "%.100s: %u: ", sh.name, sh.line);
    int n = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, args);
    size_t len =
        (size_t)head + ((size_t)n < sizeof line - (size_t)head - 1 ? (size_t)n : sizeof line - (size_t)head - 2);
    line[len++] = '\n';
    (void)fd_write(2, line, len);
}

void sh_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    warn(format, args);
    va_end(args);
}

void sh_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    warn(format, args);
    va_end(args);
    sh_throw(STATUS_ERROR);
}

void sh_no_memory(void *ctx)
{
    (void)ctx;
    static const char text[] = "sh: out of memory\n";
    (void)fd_write(2, text, sizeof text - 1);
    sh_throw(STATUS_ERROR);
}

void *sh_alloc(size_t bytes)
{
    void *at = malloc(bytes != 0 ? bytes : 1);
    if (at == nullptr)
        sh_no_memory(nullptr);
    return at;
}

void *sh_realloc(void *at, size_t bytes)
{
    void *moved = realloc(at, bytes);
    if (moved == nullptr)
        sh_no_memory(nullptr);
    return moved;
}

char *sh_copy(const char *text)
{
    size_t len = strlen(text) + 1;
    return memcpy(sh_alloc(len), text, len);
}

/* --- positional parameters --- */

void params_put(struct params *p)
{
    if (--p->users != 0)
        return;
    for (unsigned i = 0; i < p->n + p->shifted; i++)
        free(p->at[i]);
    free(p);
}

void params_set(unsigned n, char *const *values)
{
    struct params *p = sh_alloc(sizeof *p + n * sizeof p->at[0]);
    *p = (struct params){ .users = 1 };
    for (; p->n < n; p->n++) {
        size_t len = strlen(values[p->n]) + 1;
        p->at[p->n] = malloc(len);
        if (p->at[p->n] == nullptr) {
            params_put(p);
            sh_no_memory(nullptr);
        }
        memcpy(p->at[p->n], values[p->n], len);
    }
    if (sh.params != nullptr)
        params_put(sh.params);
    sh.params = p;
}
