/* SPDX-License-Identifier: MIT
 * First a line of numbers, then $0 in a line of quoted text, then commands. */
#include "state.h"
#include "exec.h"
#include "expand.h"
#include "feed.h"
#include "redir.h"
#include "shell.h"
#include "vars.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_variable(void *ctx, const struct symbol *s)
{
    struct text *t = ctx;
    bool exported = (s->flags & SYMBOL_EXPORT) != 0, readonly = (s->flags & SYMBOL_READONLY) != 0;
    if (s->text == nullptr && !exported && !readonly)
        return;
    if (exported || readonly)
        text_string(t, readonly ? "readonly " : "export ");
    text_string(t, s->name);
    if (s->text != nullptr) {
        text_char(t, '=');
        unparse_quoted(t, s->text);
    }
    if (exported && readonly) {
        text_string(t, "\nexport ");
        text_string(t, s->name);
    }
    text_char(t, '\n');
}

static void add_function(void *ctx, const struct symbol *s)
{
    struct text *t = ctx;
    if (s->node == nullptr)
        return;
    text_string(t, s->name);
    text_string(t, "()\n");
    unparse(t, s->node, false);
    text_char(t, '\n');
}

static void add_words(struct text *t, char *const *words)
{
    for (; *words != nullptr; words++) {
        text_char(t, ' ');
        unparse_quoted(t, *words);
    }
}

static void add_options(struct text *t)
{
    text_string(t, "set +m");
    for (unsigned o = 0; o < OPTIONS; o++)
        if (sh.option[o] && o != OPT_INTERACTIVE && o != OPT_MONITOR && o != OPT_STDIN) {
            text_string(t, " -o ");
            text_string(t, option_name((enum option)o));
        }
    text_char(t, '\n');
}

void state_write(struct text *t, const struct node *n, char **argv, const struct node *assigns)
{
    char head[96];
    (void)snprintf(head, sizeof head, "%d %d %d %u %u %u\n", (int)sh.pid, (int)sh.background, sh.status, sh.functions,
                   sh.tested, sh.line);
    text_string(t, head);
    for (const char *c = sh.name; *c != '\0'; c++)
        text_char(t, *c == '\n' ? ' ' : *c);
    text_char(t, '\n');
    symbols_visit(TABLE_VARS, add_variable, t);
    symbols_visit(TABLE_FUNCTIONS, add_function, t);
    text_string(t, "set --");
    for (unsigned i = 0; i < sh.params->n; i++) {
        text_char(t, ' ');
        unparse_quoted(t, sh.params->at[sh.params->shifted + i]);
    }
    text_char(t, '\n');
    add_options(t);
    if (n != nullptr) {
        unparse(t, n, false);
    } else {
        for (const struct assign *a = assigns != nullptr ? assigns->assigns : nullptr; a != nullptr; a = a->next) {
            text_string(t, a->name);
            text_char(t, '=');
            unparse_quoted(t, expand_assignment(a->value));
            text_char(t, ' ');
        }
        add_words(t, argv);
    }
    text_char(t, '\n');
}

static char *read_all(int fd)
{
    size_t len = 0, room = 4096;
    char *text = malloc(room + 1);
    while (text != nullptr) {
        ssize_t n = read(fd, text + len, room - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        len += (size_t)n;
        if (len == room) {
            room *= 2;
            char *more = realloc(text, room + 1);
            if (more == nullptr) {
                free(text);
                return nullptr;
            }
            text = more;
        }
    }
    if (text != nullptr)
        text[len] = '\0';
    return text;
}

int state_run(int fd)
{
    int pid = 0, background = 0, status = 0;
    unsigned functions = 0, tested = 0, line = 0;
    char *text = read_all(fd);
    (void)close(fd);
    char *name = text != nullptr ? strchr(text, '\n') : nullptr;
    char *commands = name != nullptr ? strchr(name + 1, '\n') : nullptr;
    if (commands == nullptr ||
        sscanf(text, "%d %d %d %u %u %u", &pid, &background, &status, &functions, &tested, &line) != 6) {
        sh_warn("%s is how shells start each other", STATE_OPTION);
        return STATUS_ERROR;
    }
    *commands++ = '\0';
    sh.name = name + 1;
    sh.pid = pid;
    sh.background = background;
    sh.functions = functions;
    sh.status = status;
    /* The last command is what there is to do; `$?` is as it was until then. The rest sets things up. */
    struct source s = { .begin = commands, .at = commands, .end = commands + strlen(commands) };
    struct parser p;
    parser_init(&p, &s);
    int answer = 0;
    for (struct program *program; sh.skip == SKIP_NONE;) {
        enum parse got = parse_command(&p, &program);
        if (got == PARSE_END)
            break;
        if (got != PARSE_COMMAND) {
            sh_warn("the state of the other shell cannot be read: %s", p.message);
            return STATUS_ERROR;
        }
        bool last = s.at == s.end;
        if (last) {
            sh.tested = tested;
            sh.status = status;
        }
        exec_program = program;
        answer = exec_node(program->node);
        program_put(program);
    }
    return sh.skip == SKIP_EXIT || sh.skip == SKIP_RETURN ? sh.exit_status : answer;
}
