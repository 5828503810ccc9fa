/* SPDX-License-Identifier: MIT
 * The shell. `sh` reads commands from its terminal, `sh -c COMMAND` runs one text, `sh FILE` the lines of a file in the
 * initial RAM disk; the exit status is that of the last command. It can do what its Bundle lets it do, and no more. */
#include "sh.h"
#include <base/format.h>

struct sh sh = { .cwd = "/" };

static void take_bundle(void)
{
    size_t len = 0;
    const char *env = vx_bundle_bytes("env", &len);
    if (env != nullptr && sh_vars_load(&sh.vars, env, len) > 0)
        (void)sh_fail(0, "sh: part of the environment did not fit and was left out");
    sh.tty = vx_tty();
    sh.has_init = vx_client_from_bundle(&sh.init, "init") == OK;
    const char *pwd = sh_vars_get(&sh.vars, "PWD", 3);
    char path[SH_PATH_MAX];
    if (pwd != nullptr && pwd[0] == '/' && sh_path_join("/", pwd, path))
        (void)vx_strcopy(sh.cwd, sizeof sh.cwd, path);
}

/* The measure boot_to_prompt: under QEMU's instruction counter a nanosecond is an instruction. */
static void tell_boot_time(void)
{
    static const char name[] = "BENCH";
    const char *value = sh_vars_get(&sh.vars, name, sizeof name - 1);
    if (value == nullptr || !vx_streq(value, "1"))
        return;
    unsigned long long now = vx_clock_monotonic_ns();
    vx_printf("bench kernel boot_to_prompt instructions %llu %llu %llu 1\n", now, now, now);
    (void)sh_vars_unset(&sh.vars, name, sizeof name - 1);
}

static uint32_t interactive(void)
{
    char prompt[SH_PATH_MAX + 16];
    sh.interactive = true;
    sh_watch_interrupts();
    tell_boot_time();
    while (!sh.exiting) {
        char *line;
        size_t len;
        sh_jobs_reap();
        (void)format_into(prompt, sizeof prompt, "vectra:%s# ", sh.cwd);
        if (!sh_read_line(prompt, &line, &len))
            break;
        if (len == 0)
            continue;
        (void)sh_run_text("sh", line, len);
    }
    return sh.status;
}

int main(int argc, char **argv)
{
    take_bundle();
    if (argc >= 2 && vx_streq(argv[1], "-c")) {
        if (argc != 3)
            return (int)sh_fail(SH_STATUS_USAGE, "sh: -c wants one argument, the command");
        return (int)sh_run_text("sh", argv[2], strlen(argv[2]));
    }
    if (argc == 2 && argv[1][0] != '-')
        return (int)sh_builtin_find("source")->run(2, (const char *const[]){ "source", argv[1] });
    if (argc > 1)
        return (int)sh_fail(SH_STATUS_USAGE, "usage: sh [-c COMMAND | FILE]");
    if (sh.tty == nullptr)
        return (int)sh_fail(1, "sh: there is no terminal to read from");
    return (int)interactive();
}
