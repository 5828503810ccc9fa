/* SPDX-License-Identifier: MIT
 * Built-ins that need nothing but the shell itself. */
#include "sh.h"
#include <base/format.h>

static uint32_t run_help(uint32_t argc, const char *const *argv)
{
    const struct sh_builtin *b;
    for (uint32_t i = 1; i < argc; i++) {
        if ((b = sh_builtin_find(argv[i])) == nullptr)
            return sh_fail(1, "help: %s is not built in", argv[i]);
        vx_printf("%s %s\n    %s\n", b->name, b->usage, b->what);
    }
    if (argc > 1)
        return 0;
    vx_printf("Programs in /bin, /sbin and /test run by name. Built in:\n");
    for (uint32_t i = 0; (b = sh_builtin_at(i)) != nullptr; i++) {
        char left[40];
        (void)format_into(left, sizeof left, "%s %s", b->name, b->usage);
        vx_printf("  %-34s %s\n", left, b->what);
    }
    vx_printf("This is the small shell, for images without a C library. Also: ; && || & ! # ' \" \\ $NAME ${NAME} $? "
              "$$ $! NAME=VALUE\n");
    return 0;
}

static uint32_t run_echo(uint32_t argc, const char *const *argv)
{
    uint32_t first = argc > 1 && vx_streq(argv[1], "-n") ? 2 : 1;
    char line[1024];
    size_t n = 0;
    for (uint32_t i = first; i <= argc; i++) {
        const char *text = i < argc ? argv[i] : first == 2 ? "" : "\n";
        size_t len = strlen(text) + (i > first && i < argc);
        if (n + len > sizeof line) {
            (void)vx_out(line, n);
            n = 0;
        }
        if (i > first && i < argc)
            line[n++] = ' ';
        if (strlen(text) > sizeof line - n) {
            (void)vx_out(line, n);
            (void)vx_out(text, strlen(text));
            n = 0;
            continue;
        }
        memcpy(line + n, text, strlen(text));
        n += strlen(text);
    }
    return vx_out(line, n) == OK ? 0 : 1;
}

static uint32_t run_true(uint32_t argc, const char *const *argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static uint32_t run_false(uint32_t argc, const char *const *argv)
{
    (void)argc;
    (void)argv;
    return 1;
}

static uint32_t run_exit(uint32_t argc, const char *const *argv)
{
    uint64_t status = sh.status;
    if (argc > 2 || (argc == 2 && !vx_parse_u64(argv[1], strlen(argv[1]), &status)))
        return sh_usage("exit");
    sh.exiting = true;
    return (uint32_t)(status & 255);
}

static uint32_t run_clear(uint32_t argc, const char *const *argv)
{
    (void)argv;
    if (argc != 1)
        return sh_usage("clear");
    return vx_puts("\x1b[H\x1b[2J") == OK ? 0 : 1;
}

/* "2", "0.25": seconds. */
static bool parse_seconds(const char *text, uint64_t *ns)
{
    size_t whole = 0, len = strlen(text);
    while (whole < len && text[whole] != '.')
        whole++;
    uint64_t s = 0, fraction = 0, unit = VX_NS_PER_S;
    if (whole > 0 && !vx_parse_u64(text, whole, &s))
        return false;
    for (size_t i = whole + 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        unit /= 10;
        fraction += (uint64_t)(text[i] - '0') * unit;
    }
    if (s > 1000000000 || len == 0 || (whole == 0 && len == 1))
        return false;
    *ns = s * VX_NS_PER_S + fraction;
    return true;
}

static uint32_t run_sleep(uint32_t argc, const char *const *argv)
{
    uint64_t ns;
    if (argc != 2 || !parse_seconds(argv[1], &ns))
        return sh_usage("sleep");
    return sh_pause(ns) ? SH_STATUS_INTERRUPTED : 0;
}

static uint32_t run_env(uint32_t argc, const char *const *argv)
{
    (void)argv;
    if (argc != 1)
        return sh_usage("env");
    for (uint32_t at = 0; at < sh.vars.len; at += (uint32_t)strlen(sh.vars.text + at) + 1)
        vx_printf("%s\n", sh.vars.text + at);
    return 0;
}

static uint32_t run_set(uint32_t argc, const char *const *argv)
{
    if (argc == 1)
        return run_env(argc, argv);
    for (uint32_t i = 1; i < argc; i++) {
        size_t name = sh_assignment_name(argv[i], strlen(argv[i]));
        if (name == 0)
            return sh_usage("set");
        if (!sh_vars_set(&sh.vars, argv[i], name, argv[i] + name + 1, strlen(argv[i] + name + 1)))
            return sh_fail(1, "set: no room for %s", argv[i]);
    }
    return 0;
}

static uint32_t run_unset(uint32_t argc, const char *const *argv)
{
    if (argc < 2)
        return sh_usage("unset");
    for (uint32_t i = 1; i < argc; i++)
        (void)sh_vars_unset(&sh.vars, argv[i], strlen(argv[i]));
    return 0;
}

/* --- test --- */

static bool file_test(char kind, const char *path)
{
    char full[SH_PATH_MAX];
    if (!sh_path_join(sh.cwd, path, full))
        return false;
    sh_kind_t found = sh_fs_stat(full).kind;
    return kind == 'e' ? found != SH_NOTHING : kind == 'f' ? found == SH_FILE : found == SH_DIRECTORY;
}

static bool parse_signed(const char *text, int64_t *out)
{
    bool minus = text[0] == '-';
    uint64_t value;
    if (!vx_parse_u64(text + minus, strlen(text + minus), &value) || value > INT64_MAX)
        return false;
    *out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

static uint32_t number_test(const char *left, const char *op, const char *right)
{
    int64_t a, b;
    if (!parse_signed(left, &a) || !parse_signed(right, &b))
        return sh_fail(SH_STATUS_USAGE, "test: '%s %s %s' wants numbers", left, op, right);
    static const char *const ops[] = { "-eq", "-ne", "-lt", "-le", "-gt", "-ge" };
    const bool truth[] = { a == b, a != b, a<b, a <= b, a> b, a >= b };
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (vx_streq(op, ops[i]))
            return !truth[i];
    return sh_fail(SH_STATUS_USAGE, "test: there is no operator '%s'", op);
}

static uint32_t run_test(uint32_t argc, const char *const *argv)
{
    bool negate = false;
    if (vx_streq(argv[0], "[")) {
        if (!vx_streq(argv[argc - 1], "]"))
            return sh_fail(SH_STATUS_USAGE, "[: the ']' is missing");
        argc--;
    }
    for (argc--, argv++; argc > 1 && vx_streq(argv[0], "!"); argc--, argv++)
        negate = !negate;
    uint32_t status = SH_STATUS_USAGE;
    if (argc == 0)
        status = 1;
    else if (argc == 1)
        status = argv[0][0] == '\0';
    else if (argc == 2 && vx_streq(argv[0], "-n"))
        status = argv[1][0] == '\0';
    else if (argc == 2 && vx_streq(argv[0], "-z"))
        status = argv[1][0] != '\0';
    else if (argc == 2 && argv[0][0] == '-' && strchr("efd", argv[0][1]) != nullptr && argv[0][1] != '\0' &&
             argv[0][2] == '\0')
        status = !file_test(argv[0][1], argv[1]);
    else if (argc == 3 && vx_streq(argv[1], "="))
        status = !vx_streq(argv[0], argv[2]);
    else if (argc == 3 && vx_streq(argv[1], "!="))
        status = vx_streq(argv[0], argv[2]);
    else if (argc == 3)
        status = number_test(argv[0], argv[1], argv[2]);
    else
        return sh_usage("test");
    return status > 1 ? status : status ^ negate;
}

const struct sh_builtin sh_builtins_basic[] = {
    { "help", run_help, "[NAME...]", "what there is" },
    { "echo", run_echo, "[-n] [TEXT...]", "print the arguments; -n: without a newline" },
    { "true", run_true, "", "succeed" },
    { "false", run_false, "", "fail" },
    { "test", run_test, "EXPRESSION", "-n -z TEXT; A = B; A != B; A -eq -ne -lt -le -gt -ge B; -e -f -d PATH; !" },
    { "[", run_test, "EXPRESSION ]", "as test" },
    { "sleep", run_sleep, "SECONDS", "wait, for example 0.5" },
    { "env", run_env, "", "the variables" },
    { "set", run_set, "[NAME=VALUE...]", "set variables, or list them" },
    { "unset", run_unset, "NAME...", "forget variables" },
    { "clear", run_clear, "", "clear the screen" },
    { "exit", run_exit, "[STATUS]", "leave the shell" },
    {},
};
