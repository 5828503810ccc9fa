/* SPDX-License-Identifier: MIT
 * sh [OPTIONS] [FILE [ARGUMENT...]] · sh -c [OPTIONS] COMMAND [NAME [ARGUMENT...]] · sh -s [ARGUMENT...]
 *
 * The interpreter runs on a stack of its own: scripts nest deeper than a program's first stack is meant for. */
#include "builtin.h"
#include "builtin_file.h"
#include "exec.h"
#include "expand.h"
#include "feed.h"
#include "jobs.h"
#include "out.h"
#include "redir.h"
#include "shell.h"
#include "state.h"
#include "subshell.h"
#include "terminal.h"
#include "trap.h"
#include "vars.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum : size_t { STACK_BYTES = 32 << 20 };

struct start {
    int argc;
    char **argv;
    const char *text; /* -c */
    int fd;           /* the script; -1: none */
    int state;        /* --state; -1: none */
};

/* --- input --- */

struct input {
    struct parser *parser;
    int fd;
    bool whole; /* a file: read in blocks. Else a byte at a time: commands may read on where the line ends */
    char bytes[2 + 4096];
};

static size_t read_some(struct input *in, char *to, size_t room)
{
    size_t n = 0;
    while (n < room) {
        ssize_t got = read(in->fd, to + n, in->whole ? room : 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
        if (in->whole || to[n - 1] == '\n')
            break;
    }
    return n;
}

static bool refill(struct source *s)
{
    struct input *in = s->ctx;
    size_t kept = (size_t)(s->end - s->begin) < 2 ? (size_t)(s->end - s->begin) : 2;
    memmove(in->bytes, s->end - kept, kept);
    s->begin = in->bytes;
    s->at = s->end = in->bytes + kept;
    size_t n = read_some(in, in->bytes + kept, sizeof in->bytes - kept);
    if (sh.option[OPT_VERBOSE])
        (void)fd_write(2, s->at, n);
    s->end += n;
    return n != 0;
}

/* PS1 and PS2 are expanded as text between double quotes is, parameters only. */
static const char *prompt(bool more)
{
    const char *text = var_get(more ? "PS2" : "PS1");
    return text != nullptr ? expand_prompt(text) : "";
}

static bool refill_typed(struct source *s)
{
    struct input *in = s->ctx;
    const char *line;
    size_t len;
    static char *kept;
    if (!in->parser->unfinished)
        jobs_look(true);
    if (!system_line(prompt(in->parser->unfinished), &line, &len))
        return false;
    char *copy = malloc(len + 2);
    if (copy == nullptr)
        return false;
    size_t before = s->end > s->begin ? 1 : 0;
    if (before != 0)
        copy[0] = s->end[-1];
    memcpy(copy + before, line, len);
    free(kept);
    kept = copy;
    s->begin = copy;
    s->at = copy + before;
    s->end = s->at + len;
    return true;
}

/* --- running --- */

/* Reads commands, runs them. Errors end a script; a person gets the next prompt. */
static int run(struct source *s, struct parser *p)
{
    static struct catcher c;
    struct program *volatile program = nullptr;
    volatile int status = 0;
    parser_init(p, s);
    p->find_alias = alias_find;
    while (sh.skip != SKIP_EXIT) {
        if (CATCH(&c) != 0) {
            catch_end(&c);
            if (program != nullptr)
                program_put(program);
            program = nullptr;
            status = sh.status;
            sh.skip = SKIP_NONE;
            if (!sh.option[OPT_INTERACTIVE])
                return status;
            continue;
        }
        struct program *next = nullptr;
        enum parse got = parse_command(p, &next);
        if (got == PARSE_END) {
            catch_end(&c);
            if (sh.option[OPT_INTERACTIVE] && sh.option[OPT_IGNOREEOF]) {
                sh_warn("use `exit` to leave");
                continue;
            }
            break;
        }
        if (got == PARSE_COMMAND) {
            program = next;
            exec_program = next;
            if (next->node != nullptr)
                status = exec_node(next->node);
            sh.skip = sh.skip == SKIP_EXIT ? SKIP_EXIT : SKIP_NONE;
            program = nullptr;
            program_put(next);
            catch_end(&c);
            continue;
        }
        sh.line = p->line;
        if (got == PARSE_NO_MEMORY)
            sh_no_memory(nullptr);
        sh_warn("syntax error: %s", p->message);
        sh_throw(STATUS_ERROR);
    }
    return sh.skip == SKIP_EXIT ? sh.exit_status : status;
}

static int run_input(const struct start *start)
{
    static struct input in;
    static struct parser p;
    struct source s = { .ctx = &in, .refill = refill, .begin = in.bytes, .at = in.bytes, .end = in.bytes };
    in.parser = &p;
    in.fd = start->fd >= 0 ? start->fd : 0;
    in.whole = start->fd >= 0;
    if (start->text != nullptr) {
        s = (struct source){ .begin = start->text, .at = start->text, .end = start->text + strlen(start->text) };
    } else if (sh.option[OPT_INTERACTIVE] && start->fd < 0) {
        s.refill = refill_typed;
    }
    int status = run(&s, &p);
    parser_fini(&p);
    return status;
}

static int run_guarded(void *ctx)
{
    const struct start *start = ctx;
    if (start->state < 0)
        return run_input(start);
    struct catcher c;
    volatile int status;
    if (CATCH(&c) == 0)
        status = state_run(start->state);
    else
        status = sh.status;
    catch_end(&c);
    return status;
}

/* --- the beginning --- */

static void set_variables(void)
{
    char path[4096], number[16];
    var_import(environ);
    var_set("IFS", " \t\n");
    var_set("OPTIND", "1");
    (void)snprintf(number, sizeof number, "%d", (int)getppid());
    var_set("PPID", number);
    if (var_get("PS1") == nullptr)
        var_set("PS1", "$ ");
    if (var_get("PS2") == nullptr)
        var_set("PS2", "> ");
    if (var_get("PS4") == nullptr)
        var_set("PS4", "+ ");
    if (var_get("PATH") == nullptr)
        var_set("PATH", "/bin:/sbin:/usr/bin:/usr/sbin");
    if (getcwd(path, sizeof path) != nullptr && !is_current_directory(var_get("PWD")))
        var_set("PWD", path);
}

/* False with the status to end with. */
static bool take_arguments(struct start *s, int *status)
{
    bool command = false;
    int at = options_take(s->argc, s->argv, 1, &command);
    *status = STATUS_ERROR;
    if (at < 0)
        return false;
    if (command) {
        if (at == s->argc) {
            sh_warn("-c wants a command");
            return false;
        }
        s->text = s->argv[at++];
        if (at < s->argc)
            sh.name = s->argv[at++];
    } else if (at < s->argc && !sh.option[OPT_STDIN]) {
        sh.name = s->argv[at];
        s->fd = fd_own(open(s->argv[at], O_RDONLY | O_CLOEXEC));
        if (s->fd < 0) {
            *status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT;
            sh_warn("cannot open %s: %s", s->argv[at], strerror(errno));
            return false;
        }
        at++;
    }
    params_set((unsigned)(s->argc - at), s->argv + at);
    return true;
}

static int shell(struct start *s)
{
    int status = 0;
    sh.temp.fail = sh_no_memory;
    sh.pid = getpid();
    params_set(0, nullptr);
    s->fd = s->state = -1;
    if (s->argc == 3 && strcmp(s->argv[1], STATE_OPTION) == 0)
        s->state = atoi(s->argv[2]);
    else if (!take_arguments(s, &status))
        return status;
    if (s->text == nullptr && s->fd < 0 && s->state < 0) {
        sh.option[OPT_STDIN] = true;
        if (isatty(0) && isatty(2))
            sh.option[OPT_INTERACTIVE] = true;
    }
    traps_init(sh.option[OPT_INTERACTIVE]);
    set_variables();
    if (sh.option[OPT_INTERACTIVE])
        jobs_monitor(true);
    system_begin(sh.option[OPT_INTERACTIVE]);
    status = run_guarded(s);
    status = traps_run_exit(status);
    (void)out_flush();
    jobs_monitor(false);
    feed_finish();
    return status;
}

static void *run_thread(void *ctx)
{
    exit(shell(ctx));
    return ctx;
}

int main(int argc, char **argv)
{
    static struct start s;
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all;
    s.argc = argc;
    s.argv = argv;
    if (argc > 0)
        sh.name = argv[0];
    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, STACK_BYTES) != 0)
        return STATUS_ERROR;
    /* signals are for the interpreter: its waits are what they interrupt */
    if (pthread_create(&thread, &attributes, run_thread, &s) != 0) {
        static const char text[] = "sh: not enough memory to start\n";
        (void)fd_write(2, text, sizeof text - 1);
        return STATUS_ERROR;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, nullptr);
    (void)pthread_join(thread, nullptr);
    return STATUS_ERROR;
}
