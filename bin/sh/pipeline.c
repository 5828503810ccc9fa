/* SPDX-License-Identifier: MIT
 * Pipelines and commands in the background, without fork (decision 0016). Stages are begun from left to right:
 *
 *   - a program is started, with the pipes as its descriptors;
 *   - a command of the shell that only writes (echo, printf) runs at once, into memory, which is then fed to the next;
 *   - the last stage, if it is a command of the shell, runs here, as a subshell;
 *   - so does one in front of nothing but programs, when those have been started;
 *   - any other runs in a shell of its own that is given this one's state.
 *
 * So at most one stage runs in this process at a time, and everything that it waits for runs by itself. */
#include "builtin.h"
#include "exec.h"
#include "expand.h"
#include "feed.h"
#include "jobs.h"
#include "out.h"
#include "shell.h"
#include "subshell.h"
#include "vars.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stage {
    const struct node *node;
    int in, out; /* descriptors of the pipes, or -1; this stage closes them */
    bool last, programs_behind;
    bool background;
    struct job *job;
    pid_t *group; /* of the job: -1 none, 0 not yet known */
    int status;   /* of a stage that ran here */
    bool ran;
};

static bool runs_commands(const struct word *list)
{
    for (const struct word *w = list; w != nullptr; w = w->next)
        for (const struct part *part = w->parts; part != nullptr; part = part->next)
            if (part->kind == PART_COMMAND || (part->word != nullptr && runs_commands(part->word)))
                return true;
    return false;
}

/* A simple command with words, of which nothing runs commands to become text. */
static bool expands_alone(const struct node *n)
{
    if (n->kind != NODE_SIMPLE || n->words == nullptr || runs_commands(n->words))
        return false;
    for (const struct assign *a = n->assigns; a != nullptr; a = a->next)
        if (runs_commands(a->value))
            return false;
    for (const struct redir *r = n->redirs; r != nullptr; r = r->next)
        if (r->word != nullptr && runs_commands(r->word))
            return false;
    return true;
}

/* True if it is sure, before anything is expanded, that the stage is a program that is started at once. */
static bool surely_program(const struct node *n)
{
    if (!expands_alone(n))
        return false;
    const char *name = word_literal(n->words);
    return name != nullptr && strpbrk(name, "*?[~") == nullptr && command_kind(name) == COMMAND_PROGRAM;
}

static void connect(struct stage *s)
{
    if (s->in >= 0)
        redirs_take(0, s->in);
    if (s->out >= 0)
        redirs_take(1, s->out);
    s->in = s->out = -1;
}

static void add_process(struct stage *s, pid_t pid)
{
    if (*s->group == 0) {
        *s->group = pid;
        s->job->group = pid;
    }
    job_add(s->job, pid);
}

static bool runs_here(const struct stage *s)
{
    return !s->background && (s->last || s->programs_behind);
}

/* A program of a pipeline: its assignments and redirections are undone with the subshell. */
static int start_program(struct stage *s, char **argv)
{
    int status = STATUS_ERROR;
    for (const struct assign *a = s->node->assigns; a != nullptr; a = a->next) {
        var_set(a->name, expand_assignment(a->value));
        var_set_flags(a->name, SYMBOL_EXPORT);
    }
    if (!redirs_for_program(s->node->redirs))
        return status;
    capture_need_descriptor();
    pid_t pid = spawn_program(argv, *s->group, s->background, &status);
    if (pid == 0 && s->background && s->last) { /* `$!` is to have the status all the same */
        char number[12];
        (void)snprintf(number, sizeof number, "%d", status);
        pid = spawn_shell(nullptr, (char *[]){ "exit", number, nullptr }, nullptr, *s->group, true);
    }
    if (pid == 0)
        return status;
    add_process(s, pid);
    s->ran = false;
    return 0;
}

static int start_shell(struct stage *s, char **argv)
{
    if (argv != nullptr && !redirs_for_program(s->node->redirs))
        return STATUS_ERROR;
    capture_need_descriptor();
    pid_t pid = argv != nullptr ? spawn_shell(nullptr, argv, s->node, *s->group, s->background)
                                : spawn_shell(s->node, nullptr, nullptr, *s->group, s->background);
    if (pid == 0)
        return STATUS_CANNOT;
    add_process(s, pid);
    s->ran = false;
    return 0;
}

/* Runs a built-in that only writes: what it wrote goes into the pipe, however large. */
static int write_here(struct stage *s, const struct command *c)
{
    struct capture capture;
    int out = s->out;
    s->out = -1;
    connect(s);
    capture_begin(&capture);
    struct catcher catcher;
    volatile int status = 0;
    if (CATCH(&catcher) == 0)
        status = exec_command(c);
    else
        status = sh.status;
    catch_end(&catcher);
    capture_end(&capture);
    feed(out, capture.text, capture.len);
    free(capture.text);
    return status;
}

/* In the stage's subshell. */
static int run_stage(void *ctx)
{
    struct stage *s = ctx;
    const struct node *n = s->node;
    struct command c = { .node = n };
    s->ran = true;
    if (n->kind != NODE_SIMPLE || n->words == nullptr) {
        connect(s);
        return runs_here(s) ? exec_node(n) : start_shell(s, nullptr);
    }
    size_t argc = 0;
    sh.line = n->line;
    bool reads = s->in >= 0 && runs_commands(n->words); /* what is expanded may read what comes through the pipe */
    if (reads) {
        redirs_take(0, s->in);
        s->in = -1;
    }
    c.argv = expand_arguments(n->words, &argc);
    c.argc = (int)argc;
    if (argc == 0) {
        connect(s);
        return exec_node(n);
    }
    enum command_kind kind = command_kind(c.argv[0]);
    const struct builtin *b = kind == COMMAND_BUILTIN || kind == COMMAND_SPECIAL ? builtin_find(c.argv[0]) : nullptr;
    if (b != nullptr && b->only_writes && s->out >= 0)
        return write_here(s, &c);
    connect(s);
    if (kind == COMMAND_PROGRAM)
        return start_program(s, c.argv);
    return runs_here(s) ? exec_command(&c) : start_shell(s, c.argv);
}

static void begin_stage(struct stage *s)
{
    struct subshell sub;
    subshell_begin(&sub);
    s->status = subshell_finish(&sub, run_stage, s);
    /* what was not connected, because an error came first */
    if (s->in >= 0)
        (void)close(s->in);
    if (s->out >= 0)
        (void)close(s->out);
}

/* Beginning the stages waits for nothing: none but those that get a shell of their own run commands to know their
 * words. */
static bool begin_at_once(const struct item *i)
{
    for (; i != nullptr; i = i->next)
        if (i->node->kind == NODE_SIMPLE && !expands_alone(i->node))
            return false;
    return true;
}

static bool only_programs(const struct item *i)
{
    for (; i != nullptr; i = i->next)
        if (!surely_program(i->node))
            return false;
    return true;
}

/* Starts all stages; a stage that is to run here when the others run is begun last. Its index, or that of the last. */
static bool begin_stages(const struct node *n, struct stage *stages, struct job *j, pid_t *group, bool background)
{
    unsigned at = 0, deferred = 0;
    bool has_deferred = false;
    int in = -1;
    for (const struct item *i = n->items; i != nullptr; i = i->next, at++) {
        int ends[2] = { -1, -1 };
        if (i->next != nullptr && !fd_pipe(ends)) {
            sh_warn("cannot make a pipe: %s", strerror(errno));
            if (in >= 0)
                (void)close(in);
            if (has_deferred) {
                (void)close(stages[deferred].out);
                if (stages[deferred].in >= 0)
                    (void)close(stages[deferred].in);
            }
            return false;
        }
        stages[at] = (struct stage){ .node = i->node,
                                     .in = in,
                                     .out = ends[1],
                                     .last = i->next == nullptr,
                                     .background = background,
                                     .job = j,
                                     .group = group };
        in = ends[0];
        if (!background && i->next != nullptr && !has_deferred && !surely_program(i->node) && only_programs(i->next)) {
            stages[at].programs_behind = true;
            has_deferred = true;
            deferred = at;
            continue;
        }
        begin_stage(&stages[at]);
    }
    if (has_deferred)
        begin_stage(&stages[deferred]);
    return true;
}

static unsigned count(const struct node *n)
{
    unsigned stages = 0;
    for (const struct item *i = n->items; i != nullptr; i = i->next)
        stages++;
    return stages;
}

int exec_pipeline(const struct node *n)
{
    struct arena_mark mark = arena_mark(&sh.temp);
    unsigned stages = count(n);
    struct stage *stage = arena_zero(&sh.temp, stages * sizeof *stage);
    pid_t group = sh.option[OPT_MONITOR] ? 0 : -1;
    struct job *j = job_new();
    (void)out_flush();
    capture_need_descriptor();
    spawn_leads = only_programs(n->items); /* what runs here may want to read the terminal */
    bool good = begin_stages(n, stage, j, &group, false);
    spawn_leads = false;
    bool here = stage[stages - 1].ran;
    int last = stage[stages - 1].status;
    j->node = n;
    int status = job_wait(j);
    arena_release(&sh.temp, mark);
    return !good ? STATUS_ERROR : here ? last : status;
}

/* --- the background --- */

static void take_null(void)
{
    int null = fd_own(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (null >= 0)
        redirs_take(0, null);
}

struct background {
    const struct node *node;
    struct job *job;
    pid_t group;
    unsigned stages;
    bool good;
};

static int start_background(void *ctx)
{
    struct background *b = ctx;
    const struct node *n = b->node;
    capture_need_descriptor();
    if (b->group < 0)
        take_null();
    if (n->kind == NODE_PIPE && begin_at_once(n->items)) { /* `$!` is its last command */
        struct stage *stage = arena_zero(&sh.temp, b->stages * sizeof *stage);
        b->good = begin_stages(n, stage, b->job, &b->group, true);
        return 0;
    }
    struct stage s = { .node = n, .in = -1, .out = -1, .background = true, .job = b->job, .group = &b->group };
    /* A program is to be the job itself, so that `kill $!` is about it. What runs commands to know its words does so
     * behind: nobody waits for them here. */
    return expands_alone(n) ? run_stage(&s) : start_shell(&s, nullptr);
}

int exec_background(const struct node *n)
{
    struct subshell sub;
    struct arena_mark mark = arena_mark(&sh.temp);
    struct background b = { .node = n,
                            .job = job_new(),
                            .group = sh.option[OPT_MONITOR] ? 0 : -1,
                            .stages = n->kind == NODE_PIPE ? count(n) : 1 };
    subshell_begin(&sub);
    int status = subshell_finish(&sub, start_background, &b);
    arena_release(&sh.temp, mark);
    if (b.job->n == 0) {
        job_forget(b.job);
        return sh.status = status;
    }
    job_background(b.job, n);
    return sh.status = 0;
}
