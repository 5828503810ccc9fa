/* SPDX-License-Identifier: MIT
 * The shell and this system: the terminal of an interactive shell, ^C while a command runs, and what programs that it
 * starts are handed. */
#include "../terminal.h"
#include "../exec.h"
#include "../jobs.h"
#include "../trap.h"
#include "../vars.h"
#include "complete.h"
#include "edit.h"
#include "tools.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <vectra/rpc_console.h>
#include <vectra/spawn.h>
#include <vectra/spawn_hook.h>

/* --- what programs are handed --- */

enum : uint64_t { TEST_MEMORY = 16 << 20 };
static struct vx_client naming; /* of the program being started */

static bool begins(const char *text, const char *part)
{
    return strncmp(text, part, strlen(part)) == 0;
}

/* Programs that speak to services of their own: they may connect to what this shell may connect to. */
static bool asks_services(const char *path)
{
    static const char *const programs[] = { "/bin/blk", "/bin/fsck.fat", "/bin/lsblk", "/bin/lspci", "/bin/mkfs.fat" };
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (strcmp(path, programs[i]) == 0)
            return true;
    return begins(path, "/test/");
}

static void prepare(struct vx_spawn *s)
{
    s->band = VX_BAND_NORMAL + 1;
    if (begins(s->path, "/test/"))
        s->memory = TEST_MEMORY;
}

/* A line to the naming service, with this shell's authority there. */
static void give_naming(struct vx_spec *spec)
{
    vx_ring_rx requests = {};
    vx_ring_tx replies = {};
    if (!tools.has_init || vx_rpc_pair(VX_OWN_RETICLE, &naming, &requests, &replies) != OK)
        return;
    status_t st = vx_init_naming_requests(&tools.init, requests);
    if (st == OK)
        st = vx_init_naming_replies(&tools.init, replies);
    if (st != OK) {
        (void)vx_sys_cap_drop(requests.raw); /* gone already, if it was sent */
        (void)vx_sys_cap_drop(replies.raw);
        vx_client_close(&naming);
        return;
    }
    vx_spec_move(spec, "naming.tx", naming.tx.raw, VX_RIGHTS_TX);
    vx_spec_move(spec, "naming.rx", naming.rx.raw, VX_RIGHTS_RX);
}

static void grant(struct vx_spawn *s)
{
    vx_handle_t klog = vx_bundle_cap("klog", VX_CAP_MEM);
    struct vx_cap_facts facts;
    bool shell = strcmp(s->path, "/bin/sh") == 0;
    naming = (struct vx_client){};
    if ((shell || begins(s->path, "/test/")) && klog != VX_HANDLE_NONE &&
        vx_sys_cap_inspect(klog, &facts, nullptr) == OK && (facts.rights & VX_R_COPY) != 0)
        vx_spec_copy(&s->spec, "klog", klog, facts.rights);
    if (asks_services(s->path))
        give_naming(&s->spec);
}

static void done(struct vx_spawn *s, bool started)
{
    (void)s;
    if (!started && naming.tx.raw != VX_HANDLE_NONE)
        vx_client_close(&naming);
}

static bool in_front(void)
{
    return !spawn_in_background;
}

static bool leads(void)
{
    return spawn_leads && jobs_have_terminal();
}

static const struct vx_spawn_hook hook = {
    .in_front = in_front, .leads = leads, .prepare = prepare, .grant = grant, .done = done
};

/* --- ^C --- */

enum : unsigned { INTERRUPT_TRIES = 100 };

static struct vx_client interrupts; /* a session that only waits for ^C; the thread's own. Only without job control */
static _Atomic bool signalled;

static void wake(int signal)
{
    (void)signal;
}

/* A wait is ended by a signal that notes nothing; more than once, as it may come just before the wait begins. */
static void end_waits(void)
{
    for (unsigned i = 0; i < INTERRUPT_TRIES && trap_interrupt_noted(); i++) {
        signalled = true;
        (void)kill(getpid(), SIGURG);
        (void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, nullptr);
    }
}

/* With job control ^C is a signal. A loop of the interpreter that makes no call is not reached by that; this is. */
static void *watch_signal(void *ctx)
{
    sigset_t keys;
    struct sigaction now;
    int came;
    (void)sigemptyset(&keys);
    (void)sigaddset(&keys, SIGINT);
    while (sigwait(&keys, &came) == 0)
        if (sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) {
            trap_note(SIGINT);
            end_waits();
        }
    return ctx;
}

static void *watch(void *ctx)
{
    uint32_t count;
    status_t st = vx_console_wait_interrupt_start(&interrupts);
    while (st == OK) {
        status_t came = vx_console_wait_interrupt_finish(&interrupts, &count, VX_FOREVER);
        if (came == OK)
            trap_note(SIGINT); /* a loop that makes no call is not reached by a signal */
        /* At once, or the next ^C would find nobody who waits. */
        st = came == OK || came == ERR_INTERRUPTED ? vx_console_wait_interrupt_start(&interrupts) : came;
        if (came == OK)
            end_waits();
    }
    return ctx;
}

/* A signal interrupts the next wait even if it was delivered before that began, and a read of the terminal would take
 * that for a ^C of its own. So another wait comes first. */
static void absorb_interruption(void)
{
    if (signalled) {
        signalled = false;
        (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, nullptr);
    }
}

/* In a thread that blocks all signals. */
static bool start_watch(void *(*function)(void *ctx))
{
    pthread_t thread;
    sigset_t all, before;
    (void)sigaction(SIGURG, &(struct sigaction){ .sa_handler = wake }, nullptr);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    bool good = pthread_create(&thread, nullptr, function, nullptr) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return good;
}

/* Without a process service there is no job control: the terminal tells of ^C, and the shell passes it on. */
static void watch_interrupts(void)
{
    struct vx_client tty;
    uint32_t id;
    if (vx_client_from_bundle(&tty, "tty") == OK && vx_tty_dup(&tty, &interrupts, &id) == OK)
        jobs_pass_interrupts = start_watch(watch);
}

/* The session began with this shell, without a person (./vectra exec): ^C is for it and all that it starts. */
static void take_keys(void)
{
    if (getppid() == 1 && getsid(0) == getpid() && isatty(2) && tcsetpgrp(2, getpgrp()) == 0) {
        traps_heed_interrupt();
        (void)start_watch(watch_signal);
    }
}

/* --- the beginning --- */

/* The measure boot_to_prompt: under QEMU's instruction counter a nanosecond is an instruction. */
static void tell_boot_time(void)
{
    const char *value = var_get("BENCH");
    if (value == nullptr || strcmp(value, "1") != 0)
        return;
    unsigned long long now = vx_clock_monotonic_ns();
    out_format("bench kernel boot_to_prompt instructions %llu %llu %llu 1\n", now, now, now);
    (void)out_flush();
    (void)var_unset("BENCH");
}

void system_begin(bool interactive)
{
    tools_begin();
    vx_spawn_hook = &hook;
    if (!interactive) {
        take_keys();
        return;
    }
    if (strcmp(var_get("PS1"), "$ ") == 0)
        var_set("PS1", "vectra:$PWD$ ");
    if (jobs_have_terminal())
        (void)start_watch(watch_signal);
    else
        watch_interrupts();
}

bool system_kill(pid_t pid)
{
    return tool_end_task((uint32_t)pid);
}

/* --- lines --- */

static struct sh_edit editor;
static uint8_t keys[48]; /* typed and not yet used: what came after an Enter */
static size_t n_keys, next_key;

static void draw(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    (void)fd_write(2, text, len);
}

static void learn_width(void)
{
    struct winsize size;
    if (ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_col >= 2)
        tools.columns = size.ws_col;
}

static void complete(void)
{
    struct sh_completion c;
    sh_complete(editor.text, editor.cursor, &c);
    bool again = editor.after_tab;
    editor.after_tab = true;
    if (c.n_added > 0) {
        (void)sh_edit_insert(&editor, c.added, c.n_added);
        return;
    }
    if (c.matches < 2 || !again) {
        draw(nullptr, "\a", 1);
        return;
    }
    draw(nullptr, "\r\n", 2);
    sh_complete_list(editor.text, editor.cursor, tools.columns);
    sh_edit_redraw(&editor);
}

/* One byte, waiting for it. False: the terminal is gone. */
static bool next_byte(uint8_t *byte)
{
    while (next_key == n_keys) {
        next_key = n_keys = 0;
        absorb_interruption();
        ssize_t n = read(0, keys, sizeof keys);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        n_keys = (size_t)n;
    }
    *byte = keys[next_key++];
    return true;
}

bool system_line(const char *prompt, const char **line, size_t *len)
{
    struct termios before, raw;
    bool is_terminal = tcgetattr(0, &before) == 0;
    raw = before;
    if (is_terminal) {
        cfmakeraw(&raw);
        (void)tcsetattr(0, TCSANOW, &raw);
    }
    tell_boot_time();
    editor.write = draw;
    editor.history = &tool_history_lines;
    editor.prompt = prompt;
    editor.columns = tools.columns;
    sh_edit_begin(&editor);
    learn_width(); /* behind the prompt, so that the question does not stand before it in a transcript */
    editor.columns = tools.columns;
    sh_edit_event_t event;
    do {
        uint8_t byte;
        event = next_byte(&byte) ? sh_edit_feed(&editor, byte) : SH_EDIT_END;
        if (event == SH_EDIT_COMPLETE)
            complete();
    } while (event == SH_EDIT_MORE || event == SH_EDIT_COMPLETE);
    if (is_terminal)
        (void)tcsetattr(0, TCSANOW, &before);
    trap_forget_interrupt();
    if (event == SH_EDIT_END)
        return false;
    if (event == SH_EDIT_CANCEL)
        sh_throw(STATUS_SIGNAL + SIGINT);
    if (editor.len > 0)
        sh_history_add(&tool_history_lines, editor.text, editor.len);
    editor.text[editor.len] = '\n';
    *line = editor.text;
    *len = editor.len + 1;
    return true;
}
