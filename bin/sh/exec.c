/* SPDX-License-Identifier: MIT
 * Walking the tree. */
#include "exec.h"
#include "builtin.h"
#include "expand.h"
#include "hash.h"
#include "out.h"
#include "redir.h"
#include "shell.h"
#include "subshell.h"
#include "trap.h"
#include "vars.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct program *exec_program;

enum command_kind command_kind(const char *name)
{
    const struct builtin *b = builtin_find(name);
    if (b != nullptr && b->special)
        return COMMAND_SPECIAL;
    if (function_find(name) != nullptr)
        return COMMAND_FUNCTION;
    return b != nullptr && (!b->late || hash_find(name, var_get("PATH")) == nullptr) ? COMMAND_BUILTIN
                                                                                     : COMMAND_PROGRAM;
}

/* --- simple commands --- */

/* set -x: what is run, as it was expanded. */
static void trace(const struct command *c)
{
    if (!sh.option[OPT_XTRACE] || c->argc == 0)
        return;
    struct text t = { .arena = &sh.temp };
    const char *ps4 = var_get("PS4");
    text_string(&t, ps4 != nullptr ? expand_prompt(ps4) : "+ ");
    for (int i = 0; i < c->argc; i++) {
        if (i > 0)
            text_char(&t, ' ');
        if (c->argv[i][0] == '\0' || strpbrk(c->argv[i], " \t\n'\"\\$`*?[];&|<>()#~") != nullptr)
            unparse_quoted(&t, c->argv[i]);
        else
            text_string(&t, c->argv[i]);
    }
    text_char(&t, '\n');
    (void)out_flush();
    (void)fd_write(2, t.at, t.len);
}

static void trace_assignment(const char *name, const char *value)
{
    if (!sh.option[OPT_XTRACE])
        return;
    struct text t = { .arena = &sh.temp };
    const char *ps4 = var_get("PS4");
    text_string(&t, ps4 != nullptr ? expand_prompt(ps4) : "+ ");
    text_string(&t, name);
    text_char(&t, '=');
    unparse_quoted(&t, value);
    text_char(&t, '\n');
    (void)out_flush();
    (void)fd_write(2, t.at, t.len);
}

static void assign_all(const struct node *n, bool for_command)
{
    for (const struct assign *a = n != nullptr ? n->assigns : nullptr; a != nullptr; a = a->next) {
        const char *value = expand_assignment(a->value);
        trace_assignment(a->name, value);
        if (for_command)
            var_set_for_command(a->name, value);
        else
            var_set(a->name, value);
    }
}

/* The shell ignores SIGPIPE, so that writing into a pipe that nobody reads does not end more than it should. What it
 * would have ended ends here. */
static int broken_pipe(int status)
{
    struct sigaction a;
    if (sh.traps->action[SIGPIPE] != nullptr)
        return status != 0 ? status : 1;
    if (sh.subshells == 0 && !sh.option[OPT_INTERACTIVE] && sigaction(SIGPIPE, nullptr, &a) == 0) {
        (void)signal(SIGPIPE, SIG_DFL);
        (void)raise(SIGPIPE);
    }
    if (!sh.option[OPT_INTERACTIVE] || sh.subshells > 0) {
        sh.skip = SKIP_EXIT;
        sh.exit_status = STATUS_SIGNAL + SIGPIPE;
    }
    return STATUS_SIGNAL + SIGPIPE;
}

static int run_builtin(const struct builtin *b, const struct command *c)
{
    int status = b->run(c->argc, c->argv);
    errno = 0;
    if (out_flush())
        return status;
    if (errno == EPIPE)
        return broken_pipe(status);
    sh_warn("%s: cannot write: %s", b->name, strerror(errno));
    return status != 0 ? status : 1;
}

static int call_function(const struct symbol *f, const struct command *c)
{
    struct scope scope;
    struct params *params = sh.params;
    unsigned loops = sh.loops;
    const struct node *body = f->node;
    params->users++;
    scope_push(&scope, SCOPE_FUNCTION);
    if (f->program != nullptr) {
        scope.program = f->program;
        program_get(f->program);
    }
    struct program *program = exec_program;
    exec_program = f->program;
    params_set((unsigned)c->argc - 1, c->argv + 1);
    sh.functions++;
    sh.loops = 0;
    int status = exec_node(body);
    if (sh.skip == SKIP_RETURN) {
        sh.skip = SKIP_NONE;
        status = sh.exit_status;
    }
    sh.loops = loops;
    sh.functions--;
    exec_program = program;
    params_put(sh.params);
    sh.params = params;
    scope_pop(&scope);
    return status;
}

static int run_program(const struct command *c)
{
    int status = 0;
    struct job *j = job_new();
    capture_need_descriptor();
    pid_t group = sh.option[OPT_MONITOR] ? 0 : -1;
    spawn_leads = true;
    pid_t pid = spawn_program(c->argv, group, false, &status);
    spawn_leads = false;
    if (pid == 0) {
        job_forget(j);
        return status;
    }
    j->group = group == 0 ? pid : 0;
    j->node = c->node;
    job_add(j, pid);
    return job_wait(j);
}

/* A special built-in: what is set before it stays, and an error in it ends a script. */
static int exec_special(const struct command *c)
{
    struct redirs redirs;
    const struct builtin *b = builtin_find(c->argv[0]);
    bool keep = strcmp(b->name, "exec") == 0;
    assign_all(c->node, false);
    if (keep) {
        if (!redirs_do(c->node != nullptr ? c->node->redirs : nullptr, true))
            sh_throw(STATUS_ERROR);
        return run_builtin(b, c);
    }
    redirs_push(&redirs, false);
    if (!redirs_do(c->node != nullptr ? c->node->redirs : nullptr, false))
        sh_throw(STATUS_ERROR);
    int status = run_builtin(b, c);
    redirs_pop(&redirs);
    return status;
}

int exec_command(const struct command *c)
{
    struct redirs redirs;
    struct scope scope;
    int status = STATUS_ERROR;
    enum command_kind kind = command_kind(c->argv[0]);
    if (kind == COMMAND_SPECIAL)
        return exec_special(c);
    bool scoped = c->node != nullptr && c->node->assigns != nullptr;
    bool redirected = c->node != nullptr && c->node->redirs != nullptr;
    if (scoped) {
        scope_push(&scope, SCOPE_COMMAND);
        assign_all(c->node, true);
    }
    if (redirected)
        redirs_push(&redirs, false);
    if (!redirected ||
        (kind == COMMAND_PROGRAM ? redirs_for_program(c->node->redirs) : redirs_do(c->node->redirs, false))) {
        if (kind == COMMAND_FUNCTION)
            status = call_function(function_find(c->argv[0]), c);
        else if (kind == COMMAND_BUILTIN)
            status = run_builtin(builtin_find(c->argv[0]), c);
        else
            status = run_program(c);
    }
    if (redirected)
        redirs_pop(&redirs);
    if (scoped)
        scope_pop(&scope);
    return status;
}

/* Redirections and assignments without a command. */
static int exec_nothing(const struct node *n)
{
    struct redirs redirs;
    redirs_push(&redirs, false);
    bool good = redirs_do(n->redirs, false);
    redirs_pop(&redirs);
    if (!good)
        return STATUS_ERROR;
    assign_all(n, false);
    return sh.substitution_status;
}

static int exec_simple(const struct node *n)
{
    struct arena_mark mark = arena_mark(&sh.temp);
    struct command c = { .node = n };
    size_t argc = 0;
    sh.line = n->line;
    sh.substitution_status = 0;
    c.argv = expand_arguments(n->words, &argc);
    c.argc = (int)argc;
    trace(&c);
    int status = argc == 0 ? exec_nothing(n) : exec_command(&c);
    arena_release(&sh.temp, mark);
    return status;
}

/* --- compound commands --- */

/* After a loop's body: true if the loop ends. */
static bool leaves_loop(void)
{
    if (sh.skip == SKIP_BREAK || sh.skip == SKIP_CONTINUE) {
        bool outer = sh.skip_count > 1, ends = sh.skip == SKIP_BREAK || outer;
        if (outer)
            sh.skip_count--;
        else
            sh.skip = SKIP_NONE;
        return ends;
    }
    return sh.skip != SKIP_NONE;
}

static int exec_condition(const struct node *n)
{
    sh.tested++;
    int status = exec_node(n);
    sh.tested--;
    return status;
}

static int exec_loop(const struct node *n)
{
    int status = 0;
    sh.loops++;
    for (;;) {
        bool truth = exec_condition(n->a) == 0;
        if (sh.skip != SKIP_NONE) {
            if (leaves_loop())
                break;
            continue;
        }
        if (truth != (n->kind == NODE_WHILE))
            break;
        status = exec_node(n->b);
        if (leaves_loop())
            break;
    }
    sh.loops--;
    return sh.skip == SKIP_RETURN || sh.skip == SKIP_EXIT ? sh.exit_status : status;
}

static int exec_for(const struct node *n)
{
    struct arena_mark mark = arena_mark(&sh.temp);
    size_t count = sh.params->n;
    char **values;
    int status = 0;
    if (n->has_words) {
        values = expand_words(n->words, &count);
    } else {
        values = arena_alloc(&sh.temp, (count + 1) * sizeof *values);
        for (size_t i = 0; i < count; i++) {
            const char *text = sh.params->at[sh.params->shifted + i];
            values[i] = arena_text(&sh.temp, text, strlen(text));
        }
    }
    sh.loops++;
    for (size_t i = 0; i < count; i++) {
        var_set(n->name, values[i]);
        status = exec_node(n->b);
        if (leaves_loop())
            break;
    }
    sh.loops--;
    arena_release(&sh.temp, mark);
    return status;
}

static int exec_case(const struct node *n)
{
    struct arena_mark mark = arena_mark(&sh.temp);
    sh.line = n->line;
    sh.substitution_status = 0;
    const char *text = expand_string(n->words);
    size_t len = strlen(text);
    for (const struct arm *arm = n->arms; arm != nullptr; arm = arm->next)
        for (const struct word *w = arm->patterns; w != nullptr; w = w->next)
            if (pattern_match(expand_pattern(w), text, len)) {
                arena_release(&sh.temp, mark);
                return exec_node(arm->body);
            }
    arena_release(&sh.temp, mark);
    return 0;
}

static int exec_list(const struct node *n)
{
    int status = 0;
    for (const struct item *i = n->items; i != nullptr && sh.skip == SKIP_NONE; i = i->next)
        status = i->background ? exec_background(i->node) : exec_node(i->node);
    return status;
}

static int exec_kind(const struct node *n)
{
    int status;
    switch (n->kind) {
    case NODE_SIMPLE:
        return exec_simple(n);
    case NODE_PIPE:
        return exec_pipeline(n);
    case NODE_NOT:
        status = exec_condition(n->a);
        return sh.skip == SKIP_NONE ? status == 0 : status;
    case NODE_AND:
    case NODE_OR:
        status = exec_condition(n->a);
        if (sh.skip == SKIP_NONE && (status == 0) == (n->kind == NODE_AND))
            status = exec_node(n->b);
        return status;
    case NODE_LIST:
        return exec_list(n);
    case NODE_SUBSHELL:
        return subshell_run(n->a);
    case NODE_BRACE:
        return exec_node(n->a);
    case NODE_IF:
        status = exec_condition(n->a);
        if (sh.skip != SKIP_NONE)
            return status;
        return status == 0 ? exec_node(n->b) : exec_node(n->c);
    case NODE_WHILE:
    case NODE_UNTIL:
        return exec_loop(n);
    case NODE_FOR:
        return exec_for(n);
    case NODE_CASE:
        return exec_case(n);
    default:
        function_set(n->name, exec_program, n->a);
        return 0;
    }
}

static int exec_redirected(const struct node *n)
{
    struct redirs redirs;
    struct arena_mark mark = arena_mark(&sh.temp);
    int status = STATUS_ERROR;
    redirs_push(&redirs, false);
    if (redirs_do(n->redirs, false)) {
        arena_release(&sh.temp, mark);
        status = exec_kind(n);
    }
    redirs_pop(&redirs);
    return status;
}

/* True for commands that `set -e` looks at itself; in others it looked at what is inside. */
static bool counts_for_errexit(const struct node *n)
{
    return n->kind == NODE_SIMPLE || n->kind == NODE_PIPE || n->kind == NODE_SUBSHELL ||
           (n->redirs != nullptr && n->kind != NODE_FUNCTION);
}

int exec_node(const struct node *n)
{
    if (n == nullptr)
        return sh.status = 0;
    if (sh.skip != SKIP_NONE || sh.option[OPT_NOEXEC])
        return sh.status;
    if (++sh.depth > EVAL_DEPTH_MAX)
        sh_error("commands are nested deeper than %u", EVAL_DEPTH_MAX);
    if (traps_due()) {
        if (trap_interrupted())
            sh_throw(STATUS_SIGNAL + SIGINT);
        traps_run();
    }
    int status = sh.skip != SKIP_NONE                                                         ? sh.exit_status
                 : n->redirs != nullptr && n->kind != NODE_SIMPLE && n->kind != NODE_FUNCTION ? exec_redirected(n)
                                                                                              : exec_kind(n);
    sh.depth--;
    sh.status = status;
    if (traps_due() && sh.skip == SKIP_NONE) {
        if (trap_interrupted())
            sh_throw(STATUS_SIGNAL + SIGINT);
        traps_run();
        status = sh.status;
    }
    if (status != 0 && sh.option[OPT_ERREXIT] && sh.tested == 0 && sh.skip == SKIP_NONE && counts_for_errexit(n)) {
        sh.skip = SKIP_EXIT;
        sh.exit_status = status;
    }
    return status;
}

/* --- text --- */

static int run_commands(struct parser *p)
{
    struct program *program = nullptr, *outer = exec_program;
    int status = 0;
    bool any = false;
    while (sh.skip == SKIP_NONE) {
        uint32_t line = sh.line;
        enum parse got = parse_command(p, &program);
        if (got == PARSE_END)
            break;
        if (got == PARSE_NO_MEMORY)
            sh_no_memory(nullptr);
        if (got == PARSE_ERROR) {
            sh.line = p->line;
            sh_warn("syntax error: %s", p->message);
            sh.line = line;
            sh_throw(STATUS_ERROR);
        }
        if (program->node != nullptr) {
            exec_program = program;
            struct catcher c;
            volatile int answer = 0;
            volatile bool thrown = false;
            if (CATCH(&c) == 0)
                answer = exec_node(program->node);
            else
                thrown = true;
            catch_end(&c);
            status = answer;
            any = true;
            exec_program = outer;
            if (thrown) {
                program_put(program);
                sh_throw(sh.status);
            }
        }
        program_put(program);
    }
    if (!any)
        sh.status = 0;
    return sh.skip == SKIP_EXIT || sh.skip == SKIP_RETURN ? sh.exit_status : any ? status : 0;
}

int exec_source(struct source *s)
{
    struct parser p;
    struct catcher c;
    volatile int status = 0;
    volatile bool thrown = false;
    uint32_t line = sh.line;
    if (++sh.depth > EVAL_DEPTH_MAX)
        sh_error("commands are nested deeper than %u", EVAL_DEPTH_MAX);
    parser_init(&p, s);
    p.find_alias = alias_find;
    if (CATCH(&c) == 0)
        status = run_commands(&p);
    else
        thrown = true;
    catch_end(&c);
    parser_fini(&p);
    sh.line = line;
    if (thrown)
        sh_throw(sh.status);
    sh.depth--;
    return status;
}

int exec_text(const char *text)
{
    struct source s = { .begin = text, .at = text, .end = text + strlen(text) };
    return exec_source(&s);
}
