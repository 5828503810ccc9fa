/* SPDX-License-Identifier: MIT */
#include "trap.h"
#include "exec.h"
#include "out.h"
#include "shell.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Set by handlers, and by whoever watches the terminal in another thread. */
static _Atomic int noted[TRAP_MAX], any, interrupt;
static bool ignored_at_start[TRAP_MAX];
static bool heeds_interrupt;
static struct traps base;

static const struct {
    const char *name;
    int number;
} signals[] = {
    { "EXIT", 0 },           { "HUP", SIGHUP },   { "INT", SIGINT },     { "QUIT", SIGQUIT }, { "ILL", SIGILL },
    { "TRAP", SIGTRAP },     { "ABRT", SIGABRT }, { "BUS", SIGBUS },     { "FPE", SIGFPE },   { "KILL", SIGKILL },
    { "USR1", SIGUSR1 },     { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },   { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },
    { "TERM", SIGTERM },     { "CHLD", SIGCHLD }, { "CONT", SIGCONT },   { "STOP", SIGSTOP }, { "TSTP", SIGTSTP },
    { "TTIN", SIGTTIN },     { "TTOU", SIGTTOU }, { "URG", SIGURG },     { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
    { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF }, { "WINCH", SIGWINCH }, { "SYS", SIGSYS },
};

int signal_number(const char *name)
{
    if (name[0] >= '0' && name[0] <= '9') {
        char *end;
        unsigned long n = strtoul(name, &end, 10);
        return *end == '\0' && n < TRAP_MAX ? (int)n : -1;
    }
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (strcasecmp(signals[i].name, name) == 0)
            return signals[i].number;
    return -1;
}

const char *signal_name(int signal)
{
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (signals[i].number == signal)
            return signals[i].name;
    return nullptr;
}

void trap_note(int signal)
{
    noted[signal] = 1;
    any = 1;
    if (signal == SIGINT)
        interrupt = 1;
}

static void dispose(int signal, void (*handler)(int))
{
    struct sigaction a = { .sa_handler = handler };
    (void)sigemptyset(&a.sa_mask);
    (void)sigaction(signal, &a, nullptr);
}

/* What the signal does to this process now. */
static void arrange(int signal)
{
    const char *action = sh.traps->action[signal];
    if (signal == SIGKILL || signal == SIGSTOP || signal == 0 || ignored_at_start[signal])
        return;
    if (action != nullptr) {
        dispose(signal, action[0] == '\0' ? SIG_IGN : trap_note);
    } else if (heeds_interrupt && signal == SIGINT) {
        dispose(signal, trap_note);
    } else if (signal == SIGPIPE || (sh.option[OPT_INTERACTIVE] && (signal == SIGQUIT || signal == SIGTERM)) ||
               (sh.option[OPT_MONITOR] && (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU))) {
        dispose(signal, SIG_IGN);
    } else {
        dispose(signal, SIG_DFL);
    }
}

void traps_init(bool interactive)
{
    sh.traps = &base;
    for (int signal = 1; signal < TRAP_MAX && !interactive; signal++) {
        struct sigaction a;
        if (sigaction(signal, nullptr, &a) == 0)
            ignored_at_start[signal] = a.sa_handler == SIG_IGN;
    }
    static const int own[] = { SIGPIPE, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU };
    heeds_interrupt = interactive;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (interactive || own[i] == SIGPIPE)
            arrange(own[i]);
}

void traps_push(struct traps *t)
{
    *t = (struct traps){ .outer = sh.traps, .fresh = true };
    for (int i = 1; i < TRAP_MAX; i++)
        if (sh.traps->action[i] != nullptr && sh.traps->action[i][0] == '\0')
            t->action[i] = sh_copy("");
    sh.traps = t;
}

void traps_pop(struct traps *t)
{
    sh.traps = t->outer;
    for (int i = 0; i < TRAP_MAX; i++) {
        bool was_ignored = t->action[i] != nullptr && t->action[i][0] == '\0';
        bool is_ignored = sh.traps->action[i] != nullptr && sh.traps->action[i][0] == '\0';
        free(t->action[i]);
        if (!t->fresh && (was_ignored != is_ignored || sh.traps->action[i] != nullptr))
            arrange(i);
    }
}

bool trap_set(int signal, const char *action)
{
    struct traps *t = sh.traps;
    if (signal != 0 && ignored_at_start[signal])
        return false;
    char *copy = action != nullptr ? sh_copy(action) : nullptr;
    if (t->fresh && t->outer != nullptr)
        for (int i = 0; i < TRAP_MAX; i++) /* what the parent caught has its default effect from here on */
            if (i != signal && t->outer->action[i] != nullptr && t->action[i] == nullptr)
                arrange(i);
    t->fresh = false;
    free(t->action[signal]);
    t->action[signal] = copy;
    arrange(signal);
    return true;
}

void traps_print(void)
{
    const struct traps *t = sh.traps;
    while (t->fresh && t->outer != nullptr)
        t = t->outer;
    for (int i = 0; i < TRAP_MAX; i++)
        if (t->action[i] != nullptr) {
            out_text("trap -- ");
            out_quoted(t->action[i]);
            if (signal_name(i) != nullptr)
                out_format(" %s\n", signal_name(i));
            else
                out_format(" %d\n", i);
        }
}

bool traps_due(void)
{
    return any != 0;
}

int traps_first_due(void)
{
    for (int i = 1; i < TRAP_MAX && any != 0; i++)
        if (noted[i] != 0 && sh.traps->action[i] != nullptr)
            return i;
    return 0;
}

void traps_heed_interrupt(void)
{
    heeds_interrupt = true;
    arrange(SIGINT);
}

bool trap_interrupt_pending(void)
{
    return interrupt != 0 && heeds_interrupt && sh.traps->action[SIGINT] == nullptr;
}

bool trap_interrupted(void)
{
    bool pending = trap_interrupt_pending();
    if (pending)
        trap_forget_interrupt();
    return pending;
}

bool trap_interrupt_noted(void)
{
    return interrupt != 0;
}

void traps_arrange_keys(void)
{
    arrange(SIGTSTP);
    arrange(SIGTTIN);
    arrange(SIGTTOU);
}

void trap_forget_interrupt(void)
{
    interrupt = 0;
    noted[SIGINT] = 0;
}

/* `exit` without a status, and `return` where the action itself says it, are about what was before the action. */
static void action_begin(int status)
{
    sh.trap_status = status;
    sh.trap_functions = sh.functions;
}

void traps_run(void)
{
    static bool running[TRAP_MAX];
    if (any == 0)
        return;
    any = 0;
    for (int i = 1; i < TRAP_MAX; i++) {
        if (noted[i] == 0 || running[i])
            continue;
        if (sh.traps->action[i] == nullptr) {
            any |= sh.subshells > 0; /* for the shell around this subshell */
            continue;
        }
        noted[i] = 0;
        if (i == SIGINT)
            interrupt = 0;
        int status = sh.status;
        char *action = sh_copy(sh.traps->action[i]);
        const int outer_status = sh.trap_status;
        const unsigned outer_functions = sh.trap_functions;
        running[i] = true;
        struct catcher c;
        volatile bool thrown = false;
        action_begin(status);
        if (CATCH(&c) == 0)
            (void)exec_text(action);
        else
            thrown = true;
        catch_end(&c);
        sh.trap_status = outer_status;
        sh.trap_functions = outer_functions;
        running[i] = false;
        any |= noted[i]; /* it came again meanwhile, and was passed over */
        free(action);
        if (thrown)
            sh_throw(sh.status);
        if (sh.skip == SKIP_NONE)
            sh.status = status;
    }
}

int traps_run_exit(int status)
{
    char *action = sh.traps->action[0];
    if (action == nullptr)
        return status;
    sh.traps->action[0] = nullptr;
    sh.status = sh.exit_status = status;
    sh.skip = SKIP_NONE;
    struct catcher c;
    volatile int answer = status;
    action_begin(status);
    if (CATCH(&c) == 0) {
        (void)exec_text(action);
        if (sh.skip == SKIP_EXIT)
            answer = sh.exit_status;
    } else {
        answer = sh.status;
    }
    catch_end(&c);
    sh.trap_status = -1;
    sh.skip = SKIP_NONE;
    free(action);
    return answer;
}

void traps_for_child(sigset_t *defaults)
{
    static const int own[] = { SIGPIPE, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU };
    (void)sigemptyset(defaults);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        const char *action = sh.traps->action[own[i]];
        if (!ignored_at_start[own[i]] && (action == nullptr || action[0] != '\0') &&
            (own[i] == SIGPIPE || sh.option[OPT_INTERACTIVE]))
            (void)sigaddset(defaults, own[i]);
    }
}
