/* SPDX-License-Identifier: MIT
 * The table of the system's commands, the small ones among them, and what they share. */
#include "tools.h"
#include "../builtin.h"
#include "../exec.h"
#include "../jobs.h"
#include "../trap.h"
#include "../vars.h"
#include "history.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct tools tools = { .columns = 80 };
struct sh_history tool_history_lines;

void tools_begin(void)
{
    tools.has_init = vx_client_from_bundle(&tools.init, "init") == OK;
}

int tool_fail(int status, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)out_flush();
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[len++] = '\n';
    (void)fd_write(2, line, len);
    return status;
}

int tool_usage(const char *name)
{
    const struct builtin *b = builtin_find(name);
    return tool_fail(STATUS_ERROR, "usage: %s %s", name, b != nullptr && b->usage != nullptr ? b->usage : "");
}

bool tool_out(const void *bytes, size_t len)
{
    out_bytes(bytes, len);
    return out_flush();
}

bool tool_at_terminal(void)
{
    return sh.option[OPT_INTERACTIVE] && sh.capture == nullptr && isatty(1);
}

bool tool_interrupted(void)
{
    return trap_interrupt_noted();
}

static bool pause_for(uint64_t ns)
{
    struct timespec left = { .tv_sec = (time_t)(ns / VX_NS_PER_S), .tv_nsec = (long)(ns % VX_NS_PER_S) };
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        if (trap_interrupt_noted() || traps_first_due() != 0)
            return true;
    return false;
}

bool tool_pause(uint64_t ns, bool keys)
{
    struct termios before, raw;
    struct pollfd fd = { .fd = 0, .events = POLLIN };
    if (!keys || tcgetattr(0, &before) != 0)
        return pause_for(ns);
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    (void)tcsetattr(0, TCSANOW, &raw);
    int n = poll(&fd, 1, (int)(ns / VX_NS_PER_MS));
    char key = 0;
    bool quit = n > 0 && read(0, &key, 1) == 1 && (key == 'q' || key == 'Q' || key == 3);
    (void)tcsetattr(0, TCSANOW, &before);
    return quit || trap_interrupt_noted();
}

/* --- small commands --- */

static int run_help(int argc, char **argv)
{
    const struct builtin *b;
    for (int i = 1; i < argc; i++) {
        if ((b = builtin_find(argv[i])) == nullptr)
            return tool_fail(1, "help: %s is not built in", argv[i]);
        if (b->what != nullptr)
            out_format("%s %s\n    %s\n", b->name, b->usage, b->what);
        else
            out_format("%s: as POSIX has it\n", b->name);
    }
    if (argc > 1)
        return 0;
    out_text("The shell of POSIX, and these commands for this system:\n");
    for (b = builtins_system; b->name != nullptr; b++) {
        char left[48];
        (void)snprintf(left, sizeof left, "%s %s", b->name, b->usage);
        out_format("  %-34s %s\n", left, b->what);
    }
    out_text("Programs are found along $PATH. Of POSIX are built in:");
    for (unsigned i = 0; (b = builtin_at(i)) != nullptr && b->what == nullptr; i++)
        out_format(" %s", b->name);
    out_char('\n');
    return 0;
}

static int run_clear(int argc, char **argv)
{
    (void)argc, (void)argv;
    out_text("\x1b[H\x1b[2J");
    return 0;
}

static void print_variable(void *ctx, const struct symbol *s)
{
    (void)ctx;
    if (s->text != nullptr && (s->flags & SYMBOL_EXPORT) != 0)
        out_format("%s=%s\n", s->name, s->text);
}

static int run_env(int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return tool_usage("env");
    symbols_visit(TABLE_VARS, print_variable, nullptr);
    return 0;
}

static int run_sleep(int argc, char **argv)
{
    char *end;
    double seconds = argc == 2 ? strtod(argv[1], &end) : -1;
    if (argc != 2 || end == argv[1] || *end != '\0' || !(seconds >= 0 && seconds <= 1e9))
        return tool_usage("sleep");
    return tool_pause((uint64_t)(seconds * 1e9), false) ? STATUS_SIGNAL + SIGINT : 0;
}

static int run_source(int argc, char **argv)
{
    return builtin_find(".")->run(argc, argv);
}

static int run_spawn(int argc, char **argv)
{
    if (argc < 2)
        return tool_usage("spawn");
    int status = 0;
    struct job *j = job_new();
    capture_need_descriptor();
    pid_t pid = spawn_program(argv + 1, -1, true, &status);
    if (pid == 0) {
        job_forget(j);
        return status;
    }
    job_add(j, pid);
    job_background(j, nullptr);
    j->text = sh_copy(argv[1]);
    if (!sh.option[OPT_INTERACTIVE])
        out_format("%d\n", (int)pid);
    return 0;
}

static void print_seconds(const char *label, uint64_t ns)
{
    char line[64];
    int n = snprintf(line, sizeof line, "%s %llu.%06llus\n", label, (unsigned long long)(ns / VX_NS_PER_S),
                     (unsigned long long)(ns % VX_NS_PER_S / VX_NS_PER_US));
    (void)fd_write(2, line, (size_t)n);
}

static int run_time(int argc, char **argv)
{
    struct command c = { .argc = argc - 1, .argv = argv + 1 };
    uint64_t before = 0, after = 0, begin = vx_clock_monotonic_ns();
    if (argc < 2)
        return tool_usage("time");
    (void)vx_sys_clock_get_time(VX_CLOCK_TASK_CPU, &before);
    int status = exec_command(&c);
    (void)out_flush();
    (void)vx_sys_clock_get_time(VX_CLOCK_TASK_CPU, &after);
    print_seconds("real", vx_clock_monotonic_ns() - begin);
    print_seconds("cpu ", after - before);
    return status;
}

int tool_history(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "-c") == 0) {
        sh_history_clear(&tool_history_lines);
        return 0;
    }
    if (argc != 1)
        return tool_usage("history");
    for (uint32_t back = tool_history_lines.n; back > 0; back--)
        out_format("%5u  %s\n", tool_history_lines.dropped + tool_history_lines.n - back + 1,
                   sh_history_get(&tool_history_lines, back));
    return 0;
}

/* name, function, arguments, what; `late` gives way to a program of that name. */
#define TOOL(n, f, u, w) { .name = n, .run = f, .usage = u, .what = w }
#define LATE(n, f, u, w) { .name = n, .run = f, .usage = u, .what = w, .late = true }
const struct builtin builtins_system[] = {
    TOOL("help", run_help, "[NAME...]", "what there is"),
    TOOL("history", tool_history, "[-c]", "the lines typed before; -c: forget them"),
    LATE("clear", run_clear, "", "clear the screen"),
    LATE("ls", tool_ls, "[-la] [PATH...]", "names in a directory; -l: mode and size"),
    LATE("cat", tool_cat, "[PATH...]", "print files"),
    LATE("sleep", run_sleep, "SECONDS", "wait, for example 0.5"),
    LATE("env", run_env, "", "the variables that programs are given"),
    TOOL("source", run_source, "PATH", "run the lines of a file"),
    TOOL("spawn", run_spawn, "PROGRAM [ARGUMENT...]", "start a program in the background and print its id"),
    LATE("time", run_time, "COMMAND [ARGUMENT...]", "run a command; then its real time and the shell's processor time"),
    LATE("ps", tool_ps, "", "the tasks that this shell can see"),
    LATE("top", tool_top, "", "the same, busiest first, every second"),
    LATE("free", tool_free, "", "memory"),
    LATE("uptime", tool_uptime, "", "the time, and how long the machine has been running"),
    TOOL("topo", tool_topo, "", "what the machine is made of"),
    TOOL("dmesg", tool_dmesg, "", "the kernel's log"),
    TOOL("caps", tool_caps, "[ID] [--graph]", "a task's capability table; as a graph for Graphviz"),
    TOOL("services", tool_services, "[start|stop|restart NAME]", "the services and their states; steers one"),
    TOOL("mount", tool_mount, "[-r] [DISK|SERVICE DIRECTORY]",
         "what is mounted; a disk's volume, or a service's files, over a directory; -r: read-only"),
    TOOL("umount", tool_umount, "[-f] DIRECTORY|DISK", "take it away again; -f: even if it is in use"),
    TOOL("poweroff", tool_poweroff, "", "stop everything and turn the machine off"),
    TOOL("reboot", tool_reboot, "", "stop everything and start again"),
    {},
};
