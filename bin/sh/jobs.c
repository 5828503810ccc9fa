/* SPDX-License-Identifier: MIT
 * The table of jobs, and waiting. */
#include "jobs.h"
#include "exec.h"
#include "out.h"
#include "shell.h"
#include "terminal.h"
#include "trap.h"
#include "vars.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum : unsigned { DISOWNED = ~0u };
/* A ^C that came while a job was started may have missed it. Nobody means two of them within this time. */
enum : uint64_t { STARTING_MS = 50 };

static struct job *all;
bool jobs_pass_interrupts;

struct job *job_new(void)
{
    struct job *j = sh_alloc(sizeof *j);
    *j = (struct job){ .next = all, .depth = sh.subshells };
    return all = j;
}

void job_add(struct job *j, pid_t pid)
{
    if (j->n == j->room) {
        unsigned room = j->room * 2 + 1;
        j->process = sh_realloc(j->process, room * sizeof *j->process);
        j->room = room;
    }
    j->process[j->n++] = (struct process){ .pid = pid };
}

void job_forget(struct job *j)
{
    for (struct job **at = &all; *at != nullptr; at = &(*at)->next)
        if (*at == j) {
            *at = j->next;
            break;
        }
    free(j->process);
    free(j->text);
    free(j);
}

enum job_state job_state(const struct job *j)
{
    enum job_state state = JOB_DONE;
    for (unsigned i = 0; i < j->n; i++) {
        if (j->process[i].state == JOB_RUNS)
            return JOB_RUNS;
        if (j->process[i].state == JOB_STOPPED)
            state = JOB_STOPPED;
    }
    return state;
}

static int exit_status(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    return STATUS_SIGNAL + (WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
}

int job_status(const struct job *j)
{
    return j->n == 0 ? 0 : exit_status(j->process[j->n - 1].status);
}

struct job *job_of_pid(pid_t pid)
{
    for (struct job *j = all; j != nullptr; j = j->next)
        for (unsigned i = 0; i < j->n; i++)
            if (j->process[i].pid == pid && j->depth == sh.subshells)
                return j;
    return nullptr;
}

static void note(pid_t pid, int status)
{
    for (struct job *j = all; j != nullptr; j = j->next)
        for (unsigned i = 0; i < j->n; i++) {
            struct process *p = &j->process[i];
            if (p->pid != pid || p->state == JOB_DONE)
                continue;
            p->status = status;
            p->state = WIFSTOPPED(status) ? JOB_STOPPED : JOB_DONE;
            j->told = false;
            return;
        }
}

/* Nobody is there to wait for: whatever is still noted as running was taken by somebody else. */
static void note_all_gone(void)
{
    for (struct job *j = all; j != nullptr; j = j->next)
        for (unsigned i = 0; i < j->n; i++)
            if (j->process[i].state == JOB_RUNS) {
                j->process[i].state = JOB_DONE;
                j->process[i].status = STATUS_NOT_FOUND << 8;
            }
}

/* Takes one change. False: interrupted by a signal, or (without waiting) there is none. */
static bool look(bool wait)
{
    int status = 0;
    pid_t pid = waitpid(-1, &status, (wait ? 0 : WNOHANG) | (sh.option[OPT_MONITOR] ? WUNTRACED : 0));
    if (pid < 0 && errno == ECHILD) {
        note_all_gone();
        return wait;
    }
    if (pid <= 0)
        return false;
    note(pid, status);
    return true;
}

static void free_disowned(void)
{
    for (struct job *j = all, *next; j != nullptr; j = next) {
        next = j->next;
        if (j->depth == DISOWNED && job_state(j) == JOB_DONE)
            job_forget(j);
    }
}

void jobs_disown(unsigned depth)
{
    for (struct job *j = all; j != nullptr; j = j->next)
        if (j->depth >= depth)
            j->depth = DISOWNED;
    free_disowned();
}

/* --- the terminal --- */

static pid_t shell_group, group_before;
static bool has_terminal;

bool jobs_have_terminal(void)
{
    return has_terminal;
}

/* Only from the front: who is behind has no say. A shell that is not the leader of its group becomes one, so that what
 * is typed for its jobs and for itself is not the business of whoever started it. */
static void take_terminal(void)
{
    pid_t front = tcgetpgrp(2);
    if (front <= 0 || front != getpgrp())
        return;
    group_before = front;
    shell_group = getpid();
    if (front != shell_group && setpgid(0, 0) != 0)
        return;
    has_terminal = tcsetpgrp(2, shell_group) == 0;
}

static void give_back_terminal(void)
{
    has_terminal = false;
    if (group_before != shell_group) {
        (void)tcsetpgrp(2, group_before);
        (void)setpgid(0, group_before);
    }
}

void jobs_monitor(bool on)
{
    if (!on && has_terminal)
        give_back_terminal();
    sh.option[OPT_MONITOR] = on;
    traps_arrange_keys();
    if (on && !has_terminal)
        take_terminal();
    if (sh.option[OPT_INTERACTIVE] && !has_terminal) {
        sh.option[OPT_MONITOR] = false;
        traps_arrange_keys();
    }
}

static void give_terminal(pid_t group)
{
    if (has_terminal && group > 0)
        (void)tcsetpgrp(2, group);
}

static void signal_job(const struct job *j, int signal)
{
    if (j->group > 0 && kill(-j->group, signal) == 0)
        return;
    for (unsigned i = 0; i < j->n; i++)
        if (j->process[i].state != JOB_DONE)
            (void)kill(j->process[i].pid, signal);
}

/* --- waiting --- */

static const char *text_of(const struct job *j)
{
    return j->text != nullptr ? j->text : "";
}

static void tell_end(const struct job *j)
{
    int status = j->process[j->n - 1].status;
    if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGPIPE)
        return;
    const char *what = strsignal(WTERMSIG(status));
    (void)out_flush();
    (void)fd_write(2, what, strlen(what));
    (void)fd_write(2, "\n", 1);
}

static unsigned next_number(void)
{
    unsigned number = 1;
    for (const struct job *j = all; j != nullptr; j = j->next)
        if (j->number >= number && j->depth == sh.subshells)
            number = j->number + 1;
    return number;
}

static void describe(struct job *j, const struct node *n)
{
    struct arena_mark mark = arena_mark(&sh.temp);
    struct text t = { .arena = &sh.temp };
    if (n != nullptr && j->text == nullptr) {
        unparse(&t, n, true);
        j->text = sh_copy(text_end(&t));
    }
    arena_release(&sh.temp, mark);
}

static void tell_stopped(struct job *j)
{
    char line[64];
    describe(j, j->node);
    if (j->number == 0)
        j->number = next_number();
    int n = snprintf(line, sizeof line, "\n[%u] + Stopped  ", j->number);
    (void)fd_write(2, line, (size_t)n);
    (void)fd_write(2, text_of(j), strlen(text_of(j)));
    (void)fd_write(2, "\n", 1);
}

static uint64_t milliseconds(void)
{
    struct timespec now = {};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int job_wait(struct job *j)
{
    struct termios settings;
    bool in_front = has_terminal && j->n > 0 && tcgetattr(2, &settings) == 0;
    /* The keys come to the shell alone, or they came before the job had the terminal: it is to have them. What is in
     * the shell's own group has got them as the shell did. */
    bool pass = jobs_pass_interrupts || j->group > 0;
    uint64_t began = milliseconds();
    give_terminal(j->group);
    while (job_state(j) == JOB_RUNS) {
        bool came_before = pass && trap_interrupt_pending(); /* while it was started */
        if ((!came_before && look(true)) || !trap_interrupt_pending())
            continue;
        if (pass)
            trap_forget_interrupt();
        else if (milliseconds() - began > STARTING_MS)
            continue;
        began = 0;
        signal_job(j, SIGINT);
    }
    give_terminal(shell_group);
    int status = job_status(j);
    if (in_front && (job_state(j) == JOB_STOPPED || WIFSIGNALED(j->process[j->n - 1].status)))
        (void)tcsetattr(2, TCSADRAIN, &settings); /* it had no time to put them back */
    if (job_state(j) == JOB_STOPPED) {
        tell_stopped(j);
        j->node = nullptr;
        return status;
    }
    if (j->n > 0)
        tell_end(j);
    bool interrupted = status == STATUS_SIGNAL + SIGINT && (sh.option[OPT_INTERACTIVE] || trap_interrupt_pending());
    /* A script whose program made something of its own of ^C goes on: that was what it was for. */
    if (!interrupted && j->n > 0 && !sh.option[OPT_INTERACTIVE])
        (void)trap_interrupted();
    job_forget(j);
    free_disowned();
    if (interrupted) {
        if (sh.option[OPT_INTERACTIVE])
            (void)fd_write(2, "\n", 1);
        trap_forget_interrupt();
        sh_throw(status);
    }
    return status;
}

void job_background(struct job *j, const struct node *n)
{
    describe(j, n);
    j->number = next_number();
    sh.background = j->process[j->n - 1].pid;
    if (sh.option[OPT_INTERACTIVE] && sh.subshells == 0) {
        out_format("[%u] %d\n", j->number, (int)sh.background);
        (void)out_flush();
    }
}

/* --- telling --- */

static void print_job(const struct job *j, bool pids, bool only_pid)
{
    enum job_state state = job_state(j);
    int status = job_status(j);
    bool current = j->number + 1 == next_number();
    if (only_pid) {
        out_format("%d\n", (int)(j->group > 0 ? j->group : j->n > 0 ? j->process[0].pid : 0));
        return;
    }
    out_format("[%u] %c ", j->number, current ? '+' : j->number + 2 == next_number() ? '-' : ' ');
    if (pids)
        out_format("%d ", (int)(j->n > 0 ? j->process[0].pid : 0));
    if (state == JOB_RUNS)
        out_text("Running");
    else if (state == JOB_STOPPED)
        out_text("Stopped");
    else if (status > STATUS_SIGNAL && j->n > 0 && WIFSIGNALED(j->process[j->n - 1].status))
        out_text(strsignal(status - STATUS_SIGNAL));
    else if (status != 0)
        out_format("Done(%d)", status);
    else
        out_text("Done");
    out_format("  %s\n", text_of(j));
}

static struct job *by_number(unsigned number)
{
    for (struct job *j = all; j != nullptr; j = j->next)
        if (j->number == number && j->depth == sh.subshells)
            return j;
    return nullptr;
}

void jobs_look(bool tell)
{
    while (look(false))
        ;
    unsigned end = next_number();
    for (unsigned number = 1; number < end && sh.option[OPT_INTERACTIVE]; number++) {
        struct job *j = by_number(number);
        if (j == nullptr || job_state(j) != JOB_DONE)
            continue;
        if (tell)
            print_job(j, false, false);
        job_forget(j);
    }
    (void)out_flush();
    free_disowned();
}

struct job *job_named(const char *name, const char *who)
{
    struct job *found = nullptr;
    unsigned end = next_number();
    const char *what = name[0] == '%' ? name + 1 : name;
    if (what[0] == '\0' || strcmp(what, "+") == 0 || strcmp(what, "%") == 0) {
        found = by_number(end - 1);
    } else if (strcmp(what, "-") == 0) {
        found = by_number(end - 2);
    } else if (what[0] >= '0' && what[0] <= '9') {
        found = by_number((unsigned)strtoul(what, nullptr, 10));
    } else {
        for (struct job *j = all; j != nullptr && found == nullptr; j = j->next)
            if (j->depth == sh.subshells && j->number != 0 &&
                (what[0] == '?' ? strstr(text_of(j), what + 1) != nullptr
                                : strncmp(text_of(j), what, strlen(what)) == 0))
                found = j;
    }
    if (found == nullptr)
        sh_warn("%s: %s: no such job", who, name);
    return found;
}

/* --- built-in commands --- */

int builtin_jobs(int argc, char **argv)
{
    bool pids = false, only_pids = false;
    int at = 1, status = 0;
    for (; at < argc && argv[at][0] == '-'; at++) {
        pids |= strchr(argv[at], 'l') != nullptr;
        only_pids |= strchr(argv[at], 'p') != nullptr;
    }
    while (look(false))
        ;
    unsigned end = next_number();
    for (unsigned number = 1; at == argc && number < end; number++) {
        struct job *j = by_number(number);
        if (j == nullptr)
            continue;
        print_job(j, pids, only_pids);
        if (job_state(j) == JOB_DONE)
            job_forget(j);
    }
    for (; at < argc; at++) {
        const struct job *j = job_named(argv[at], "jobs");
        if (j != nullptr)
            print_job(j, pids, only_pids);
        else
            status = 1;
    }
    return status;
}

static void resume(struct job *j)
{
    for (unsigned i = 0; i < j->n; i++)
        if (j->process[i].state == JOB_STOPPED)
            j->process[i].state = JOB_RUNS;
    signal_job(j, SIGCONT);
}

int builtin_fg(int argc, char **argv)
{
    struct job *j = job_named(argc > 1 ? argv[1] : "%+", "fg");
    if (j == nullptr)
        return 1;
    out_format("%s\n", text_of(j));
    (void)out_flush();
    give_terminal(j->group);
    resume(j);
    return job_wait(j);
}

int builtin_bg(int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i == 1 || i < argc; i++) {
        struct job *j = job_named(i < argc ? argv[i] : "%+", "bg");
        if (j == nullptr) {
            status = 1;
            continue;
        }
        out_format("[%u] %s\n", j->number, text_of(j));
        resume(j);
    }
    return status;
}

/* Until the job has ended; -1 when a trapped signal came first. */
static int wait_for(struct job *j)
{
    while (job_state(j) != JOB_DONE) {
        if (trap_interrupt_pending())
            return STATUS_SIGNAL + SIGINT;
        if (traps_first_due() != 0)
            return STATUS_SIGNAL + traps_first_due();
        (void)look(true);
    }
    int status = job_status(j);
    job_forget(j);
    return status;
}

int builtin_wait(int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc; i++) {
        struct job *j =
            argv[i][0] == '%' ? job_named(argv[i], "wait") : job_of_pid((pid_t)strtol(argv[i], nullptr, 10));
        if (argv[i][0] != '%' && argv[i][strspn(argv[i], "0123456789")] != '\0') {
            sh_warn("wait: %s: not a process", argv[i]);
            return STATUS_ERROR;
        }
        status = j != nullptr ? wait_for(j) : STATUS_NOT_FOUND;
    }
    for (struct job *j = all; argc == 1 && j != nullptr;) {
        if (j->depth != sh.subshells || j->number == 0) {
            j = j->next;
            continue;
        }
        int answer = wait_for(j);
        if (answer > STATUS_SIGNAL && (traps_first_due() != 0 || trap_interrupt_pending()))
            return answer;
        j = all;
    }
    return status;
}

static int list_signals(int argc, char **argv)
{
    if (argc == 0)
        for (int i = 1; i < TRAP_MAX; i++)
            if (signal_name(i) != nullptr)
                out_format("%s\n", signal_name(i));
    for (int i = 0; i < argc; i++) {
        int number = signal_number(argv[i]);
        if (number > STATUS_SIGNAL)
            number -= STATUS_SIGNAL;
        if (argv[i][0] >= '0' && argv[i][0] <= '9' && atoi(argv[i]) > STATUS_SIGNAL)
            number = atoi(argv[i]) - STATUS_SIGNAL;
        const char *name = number > 0 ? signal_name(number) : nullptr;
        if (name == nullptr) {
            sh_warn("kill: %s: no such signal", argv[i]);
            return 1;
        }
        if (argv[i][0] >= '0' && argv[i][0] <= '9')
            out_format("%s\n", name);
        else
            out_format("%d\n", number);
    }
    return 0;
}

static int kill_one(const char *who, int signal)
{
    char *end;
    if (who[0] == '%') {
        const struct job *j = job_named(who, "kill");
        if (j != nullptr)
            signal_job(j, signal);
        return j == nullptr;
    }
    long pid = strtol(who, &end, 10);
    if (*end != '\0' || end == who) {
        sh_warn("kill: %s: not a process", who);
        return STATUS_ERROR;
    }
    if (kill((pid_t)pid, signal) == 0 || (pid > 0 && signal != 0 && system_kill((pid_t)pid)))
        return 0;
    sh_warn("kill: %s: %s", who, strerror(errno));
    return 1;
}

int builtin_kill(int argc, char **argv)
{
    int signal = SIGTERM, at = 1, status = 0;
    if (argc > 1 && strcmp(argv[1], "-l") == 0)
        return list_signals(argc - 2, argv + 2);
    if (argc > 2 && strcmp(argv[1], "-s") == 0) {
        signal = signal_number(argv[2]);
        at = 3;
    } else if (argc > 1 && argv[1][0] == '-' && argv[1][1] != '\0' && strcmp(argv[1], "--") != 0) {
        signal = signal_number(argv[1] + 1);
        at = 2;
    }
    if (at < argc && strcmp(argv[at], "--") == 0)
        at++;
    if (signal < 0 || at == argc) {
        sh_warn("kill: usage: kill [-s SIGNAL | -SIGNAL] PROCESS... | -l [STATUS]");
        return STATUS_ERROR;
    }
    while (look(false)) /* a child that has ended is none any more */
        ;
    for (; at < argc; at++)
        status |= kill_one(argv[at], signal);
    return status;
}
