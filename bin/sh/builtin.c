/* SPDX-License-Identifier: MIT
 * The special built-in commands (XCU 2.14), and where all are found. */
#include "builtin.h"
#include "exec.h"
#include "jobs.h"
#include "out.h"
#include "parse.h"
#include "redir.h"
#include "shell.h"
#include "trap.h"
#include "vars.h"
#include "hash.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <unistd.h>

/* A count as an argument; false with a message. */
static bool number_of(const char *who, const char *text, unsigned *out)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n > 1000000000) {
        sh_warn("%s: %s: not a number", who, text);
        return false;
    }
    *out = (unsigned)n;
    return true;
}

static int run_colon(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 0;
}

static int leave_loops(int argc, char **argv, enum skip skip)
{
    unsigned count = 1;
    if (argc > 1 && (!number_of(argv[0], argv[1], &count) || count == 0))
        sh_throw(STATUS_ERROR);
    if (sh.loops == 0)
        return 0;
    sh.skip = skip;
    sh.skip_count = count < sh.loops ? count : sh.loops;
    return 0;
}

static int run_break(int argc, char **argv)
{
    return leave_loops(argc, argv, SKIP_BREAK);
}

static int run_continue(int argc, char **argv)
{
    return leave_loops(argc, argv, SKIP_CONTINUE);
}

static int leave(int argc, char **argv, enum skip skip)
{
    /* Of the action of a trap itself, not of a function that it calls, `return` is said as well. */
    bool of_trap = sh.trap_status >= 0 && (skip == SKIP_EXIT || sh.functions == sh.trap_functions);
    unsigned status = (unsigned)(of_trap ? sh.trap_status : sh.status);
    if (argc > 1 && !number_of(argv[0], argv[1], &status))
        sh_throw(STATUS_ERROR);
    sh.skip = skip;
    return sh.exit_status = (int)(status & 255);
}

static int run_exit(int argc, char **argv)
{
    return leave(argc, argv, SKIP_EXIT);
}

static int run_return(int argc, char **argv)
{
    return leave(argc, argv, sh.functions > 0 ? SKIP_RETURN : SKIP_EXIT);
}

static int run_eval(int argc, char **argv)
{
    struct text t = { .arena = &sh.temp };
    for (int i = 1; i < argc; i++) {
        if (i > 1)
            text_char(&t, ' ');
        text_string(&t, argv[i]);
    }
    (void)out_flush();
    return argc > 1 ? exec_text(text_end(&t)) : 0;
}

/* --- . --- */

struct script {
    int fd;
    char bytes[2 + 4096]; /* two bytes of before, for the parser to step back */
};

static bool refill(struct source *s)
{
    struct script *f = s->ctx;
    size_t kept = (size_t)(s->end - s->begin) < 2 ? (size_t)(s->end - s->begin) : 2;
    memmove(f->bytes, s->end - kept, kept);
    ssize_t n;
    do
        n = read(f->fd, f->bytes + kept, sizeof f->bytes - kept);
    while (n < 0 && errno == EINTR);
    s->begin = f->bytes;
    s->at = s->end = f->bytes + kept;
    if (n <= 0)
        return false;
    s->end += n;
    return true;
}

/* The file that `.` means: along PATH, and readable. */
static const char *find_script(const char *name)
{
    struct stat st;
    if (strchr(name, '/') != nullptr)
        return name;
    const char *path = var_get("PATH");
    for (const char *at = path; at != nullptr && *at != '\0';) {
        size_t len = strcspn(at, ":");
        struct text t = { .arena = &sh.temp };
        text_add(&t, at, len);
        if (len != 0)
            text_char(&t, '/');
        text_string(&t, name);
        const char *file = text_end(&t);
        if (stat(file, &st) == 0 && S_ISREG(st.st_mode))
            return file;
        at += len + (at[len] == ':');
    }
    return nullptr;
}

static int run_dot(int argc, char **argv)
{
    if (argc < 2)
        sh_error(".: a file is missing");
    const char *path = find_script(argv[1]);
    int fd = path != nullptr ? fd_own(open(path, O_RDONLY | O_CLOEXEC)) : -1;
    if (fd < 0)
        sh_error(".: %s: %s", argv[1], path != nullptr ? strerror(errno) : "not found");
    struct script *f = malloc(sizeof *f);
    if (f == nullptr) {
        (void)close(fd);
        sh_no_memory(nullptr);
    }
    f->fd = fd;
    struct source s = { .begin = f->bytes, .at = f->bytes, .end = f->bytes, .refill = refill, .ctx = f };
    struct catcher c;
    volatile int status = 0;
    volatile bool thrown = false;
    sh.functions++; /* `return` ends the file */
    if (CATCH(&c) == 0)
        status = exec_source(&s);
    else
        thrown = true;
    catch_end(&c);
    sh.functions--;
    (void)close(fd);
    free(f);
    if (thrown)
        sh_throw(sh.status);
    if (sh.skip == SKIP_RETURN)
        sh.skip = SKIP_NONE;
    return status;
}

static int run_exec(int argc, char **argv)
{
    int at = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    if (argc == at)
        return 0;
    int status = spawn_instead(argv + at);
    if (sh.skip == SKIP_NONE && !sh.option[OPT_INTERACTIVE]) {
        sh.skip = SKIP_EXIT;
        sh.exit_status = status;
    }
    return status;
}

/* --- variables --- */

struct listing {
    const char *word;
    uint8_t flag;
};

static void print_variable(void *ctx, const struct symbol *s)
{
    const struct listing *l = ctx;
    if (l->flag != 0 && (s->flags & l->flag) == 0)
        return;
    if (s->text == nullptr && l->flag == 0)
        return;
    if (l->word != nullptr)
        out_format("%s ", l->word);
    out_text(s->name);
    if (s->text != nullptr) {
        out_char('=');
        out_quoted(s->text);
    }
    out_char('\n');
}

static int flag_variables(int argc, char **argv, uint8_t flag)
{
    struct listing l = { argv[0], flag };
    int at = 1;
    bool list = argc == 1;
    if (argc > 1 && strcmp(argv[1], "-p") == 0) {
        at++;
        list = true;
    }
    if (at < argc && strcmp(argv[at], "--") == 0)
        at++;
    if (list && at == argc)
        symbols_visit(TABLE_VARS, print_variable, &l);
    for (; at < argc; at++) {
        size_t len = strcspn(argv[at], "=");
        if (!is_name(argv[at], len))
            sh_error("%s: %s: not a name", argv[0], argv[at]);
        const char *name = arena_text(&sh.temp, argv[at], len);
        if (argv[at][len] == '=')
            var_set(name, argv[at] + len + 1);
        var_set_flags(name, flag);
    }
    return 0;
}

static int run_export(int argc, char **argv)
{
    return flag_variables(argc, argv, SYMBOL_EXPORT);
}

static int run_readonly(int argc, char **argv)
{
    return flag_variables(argc, argv, SYMBOL_READONLY);
}

static int run_unset(int argc, char **argv)
{
    bool functions = false;
    int at = 1, status = 0;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (strspn(argv[at] + 1, "fv") != strlen(argv[at] + 1))
            sh_error("unset: %s: no such option", argv[at]);
        functions = strchr(argv[at], 'f') != nullptr;
    }
    for (; at < argc; at++)
        if (functions) {
            function_unset(argv[at]);
        } else if (!is_name(argv[at], strlen(argv[at]))) {
            sh_error("unset: %s: not a name", argv[at]);
        } else if (!var_unset(argv[at])) {
            sh_error("unset: %s: is read only", argv[at]);
        }
    return status;
}

static int run_shift(int argc, char **argv)
{
    unsigned count = 1;
    if (argc > 1 && !number_of("shift", argv[1], &count))
        sh_throw(STATUS_ERROR);
    if (count > sh.params->n)
        sh_error("shift: there are only %u", sh.params->n);
    if (sh.params->users > 1) {
        params_set(sh.params->n - count, sh.params->at + sh.params->shifted + count);
        return 0;
    }
    sh.params->shifted += count;
    sh.params->n -= count;
    return 0;
}

static void print_time(clock_t ticks, char after)
{
    long per_second = sysconf(_SC_CLK_TCK);
    long hundredths = (long)(ticks * 100 / per_second);
    out_format("%ldm%ld.%02lds%c", hundredths / 6000, hundredths / 100 % 60, hundredths % 100, after);
}

static int run_times(int argc, char **argv)
{
    struct tms t;
    (void)argc, (void)argv;
    (void)times(&t);
    print_time(t.tms_utime, ' ');
    print_time(t.tms_stime, '\n');
    print_time(t.tms_cutime, ' ');
    print_time(t.tms_cstime, '\n');
    return 0;
}

static int run_trap(int argc, char **argv)
{
    int at = 1, status = 0;
    if (at < argc && strcmp(argv[at], "--") == 0)
        at++;
    if (at == argc) {
        traps_print();
        return 0;
    }
    const char *action = argv[at];
    bool resets = strcmp(action, "-") == 0;
    if (argv[at][strspn(argv[at], "0123456789")] == '\0' && argv[at][0] != '\0')
        resets = true; /* `trap 2`: a signal and no action */
    else
        at++;
    if (at == argc && !resets) { /* `trap INT` */
        at--;
        resets = true;
    }
    for (; at < argc; at++) {
        int signal = signal_number(argv[at]);
        if (signal < 0) {
            sh_warn("trap: %s: no such signal", argv[at]);
            status = 1;
            continue;
        }
        (void)trap_set(signal, resets ? nullptr : action);
    }
    return status;
}

const struct builtin builtins_special[] = {
    { ".", run_dot, .special = true },
    { ":", run_colon, .special = true, .only_writes = true },
    { "break", run_break, .special = true },
    { "continue", run_continue, .special = true },
    { "eval", run_eval, .special = true },
    { "exec", run_exec, .special = true },
    { "exit", run_exit, .special = true },
    { "export", run_export, .special = true, .only_writes = true },
    { "readonly", run_readonly, .special = true, .only_writes = true },
    { "return", run_return, .special = true },
    { "set", builtin_set, .special = true, .only_writes = true },
    { "shift", run_shift, .special = true },
    { "times", run_times, .special = true, .only_writes = true },
    { "trap", run_trap, .special = true },
    { "unset", run_unset, .special = true },
    {},
};

static int run_false(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 1;
}

const struct builtin builtins_posix[] = {
    { "[", builtin_test, .only_writes = true },
    { "alias", builtin_alias, .only_writes = true },
    { .name = "bg", .run = builtin_bg },
    { .name = "cd", .run = builtin_cd },
    { .name = "command", .run = builtin_command },
    { "echo", builtin_echo, .only_writes = true },
    { "false", run_false, .only_writes = true },
    { .name = "fg", .run = builtin_fg },
    { "getopts", builtin_getopts, .only_writes = true },
    { "hash", builtin_hash, .only_writes = true },
    { .name = "jobs", .run = builtin_jobs },
    { .name = "kill", .run = builtin_kill },
    { .name = "local", .run = builtin_local },
    { "printf", builtin_printf, .only_writes = true },
    { "pwd", builtin_pwd, .only_writes = true },
    { .name = "read", .run = builtin_read },
    { "test", builtin_test, .only_writes = true },
    { "true", run_colon, .only_writes = true },
    { "type", builtin_type, .only_writes = true },
    { "ulimit", builtin_ulimit, .only_writes = true },
    { "umask", builtin_umask, .only_writes = true },
    { "unalias", builtin_unalias, .only_writes = true },
    { .name = "wait", .run = builtin_wait },
    {},
};

const struct builtin *builtin_at(unsigned index)
{
    static const struct builtin *const tables[] = { builtins_special, builtins_posix, builtins_system };
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct builtin *b = tables[t]; b->name != nullptr; b++)
            if (index-- == 0)
                return b;
    return nullptr;
}

const struct builtin *builtin_find(const char *name)
{
    const struct builtin *b;
    for (unsigned i = 0; (b = builtin_at(i)) != nullptr; i++)
        if (strcmp(b->name, name) == 0)
            return b;
    return nullptr;
}
