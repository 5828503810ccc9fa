/* SPDX-License-Identifier: MIT
 * The process's surroundings: cd, pwd, umask, ulimit. */
#include "builtin_file.h"
#include "builtin.h"
#include "out.h"
#include "shell.h"
#include "subshell.h"
#include "vars.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- cd --- */

bool is_current_directory(const char *path)
{
    struct stat there, here;
    return path != nullptr && path[0] == '/' && stat(path, &there) == 0 && stat(".", &here) == 0 &&
           there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

static const char *real_directory(void)
{
    char path[PATH_MAX];
    return getcwd(path, sizeof path) != nullptr ? arena_text(&sh.temp, path, strlen(path)) : nullptr;
}

/* Where the shell thinks that it is. */
static const char *directory(void)
{
    const char *pwd = var_get("PWD");
    return pwd != nullptr && pwd[0] == '/' ? pwd : real_directory();
}

/* The path with its dots taken out (XCU cd, step 8), from the directory that it is relative to. */
static const char *logical(const char *path)
{
    struct text t = { .arena = &sh.temp };
    const char *base = path[0] != '/' ? directory() : nullptr;
    const char *parts[] = { base != nullptr ? base : "", path };
    for (size_t i = 0; i < 2; i++)
        for (const char *at = parts[i]; *at != '\0';) {
            size_t len = strcspn(at, "/");
            if (len == 2 && at[0] == '.' && at[1] == '.') {
                while (t.len > 0 && t.at[--t.len] != '/')
                    ;
            } else if (len > 0 && !(len == 1 && at[0] == '.')) {
                text_char(&t, '/');
                text_add(&t, at, len);
            }
            at += len + (at[len] == '/');
        }
    if (t.len == 0)
        text_char(&t, '/');
    return text_end(&t);
}

static bool change(const char *path, bool physical)
{
    const char *before = directory(), *target = physical ? path : logical(path);
    subshell_before_cd();
    if (chdir(target) != 0 && (physical || chdir(path) != 0))
        return false;
    const char *now = physical || !is_current_directory(target) ? real_directory() : target;
    var_set("OLDPWD", before);
    var_set("PWD", now != nullptr ? now : target);
    return true;
}

/* Along CDPATH; true in *say if a directory of it was used. */
static bool change_along(const char *to, bool physical, bool *say)
{
    const char *path = var_get("CDPATH");
    bool plain = to[0] == '/' || strcmp(to, ".") == 0 || strcmp(to, "..") == 0 || strncmp(to, "./", 2) == 0 ||
                 strncmp(to, "../", 3) == 0;
    for (; !plain && path != nullptr && *path != '\0';) {
        size_t len = strcspn(path, ":");
        struct text t = { .arena = &sh.temp };
        struct stat st;
        text_add(&t, path, len);
        if (len != 0)
            text_char(&t, '/');
        text_string(&t, to);
        *say = len != 0;
        const char *candidate = text_end(&t);
        if (stat(candidate, &st) == 0 && S_ISDIR(st.st_mode) && change(candidate, physical))
            return true;
        path += len + (path[len] == ':');
    }
    *say = false;
    return change(to, physical);
}

/* -L and -P: the last one counts. The index behind them, or -1. */
static int links_options(int argc, char **argv, bool *physical)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        if (strcmp(argv[at], "--") == 0)
            return at + 1;
        if (strspn(argv[at] + 1, "LP") != strlen(argv[at] + 1)) {
            sh_warn("%s: %s: no such option", argv[0], argv[at]);
            return -1;
        }
        *physical = argv[at][strlen(argv[at]) - 1] == 'P';
    }
    return at;
}

int builtin_cd(int argc, char **argv)
{
    bool physical = false, say = false;
    int at = links_options(argc, argv, &physical);
    if (at < 0)
        return STATUS_ERROR;
    const char *to = at < argc ? argv[at] : var_get("HOME");
    if (to == nullptr)
        to = "/";
    if (strcmp(to, "-") == 0) {
        to = var_get("OLDPWD");
        if (to == nullptr) {
            sh_warn("cd: OLDPWD is not set");
            return STATUS_ERROR;
        }
        say = true;
        to = arena_text(&sh.temp, to, strlen(to));
        if (!change(to, physical)) {
            sh_warn("cd: %s: %s", to, strerror(errno));
            return STATUS_ERROR;
        }
    } else if (to[0] == '\0') {
        return 0;
    } else if (!change_along(to, physical, &say)) {
        sh_warn("cd: %s: %s", to, strerror(errno));
        return STATUS_ERROR;
    }
    if (say)
        out_format("%s\n", var_get("PWD"));
    return 0;
}

int builtin_pwd(int argc, char **argv)
{
    bool physical = false;
    if (links_options(argc, argv, &physical) < 0)
        return STATUS_ERROR;
    const char *path = directory();
    if (physical || !is_current_directory(path))
        path = real_directory();
    if (path == nullptr) {
        sh_warn("pwd: %s", strerror(errno));
        return 1;
    }
    out_format("%s\n", path);
    return 0;
}

/* --- umask --- */

static mode_t current_mask(void)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return mask;
}

static unsigned bits_of(char c)
{
    return c == 'r' ? 0444 : c == 'w' ? 0222 : c == 'x' ? 0111 : 0;
}

/* u=rwx,g+w,...: what is allowed, so the opposite of the mask. */
static bool symbolic(const char *text, mode_t *mask)
{
    unsigned allowed = ~*mask & 0777;
    while (*text != '\0') {
        unsigned who = 0, bits = 0;
        for (; *text != '\0' && strchr("ugoa", *text) != nullptr; text++)
            who |= *text == 'u' ? 0700 : *text == 'g' ? 0070 : *text == 'o' ? 0007 : 0777;
        if (who == 0)
            who = 0777;
        char op = *text++;
        if (op != '+' && op != '-' && op != '=')
            return false;
        for (; bits_of(*text) != 0; text++)
            bits |= bits_of(*text);
        bits &= who;
        allowed = op == '+' ? allowed | bits : op == '-' ? allowed & ~bits : (allowed & ~who) | bits;
        if (*text == ',')
            text++;
        else if (*text != '\0')
            return false;
    }
    *mask = ~allowed & 0777;
    return true;
}

static void print_symbolic(mode_t mask)
{
    static const char *const who[] = { "u=", ",g=", ",o=" };
    for (unsigned i = 0; i < 3; i++) {
        unsigned allowed = ~mask >> (6 - 3 * i) & 7;
        out_text(who[i]);
        if ((allowed & 4) != 0)
            out_char('r');
        if ((allowed & 2) != 0)
            out_char('w');
        if ((allowed & 1) != 0)
            out_char('x');
    }
    out_char('\n');
}

int builtin_umask(int argc, char **argv)
{
    mode_t mask = current_mask();
    if (argc == 1) {
        out_format("%04o\n", (unsigned)mask);
        return 0;
    }
    if (strcmp(argv[1], "-S") == 0 && argc == 2) {
        print_symbolic(mask);
        return 0;
    }
    const char *text = strcmp(argv[1], "--") == 0 && argc > 2 ? argv[2] : argv[1];
    if (text[0] >= '0' && text[0] <= '7') {
        char *end;
        unsigned long value = strtoul(text, &end, 8);
        if (*end != '\0' || value > 0777) {
            sh_warn("umask: %s: not a mask", text);
            return STATUS_ERROR;
        }
        mask = (mode_t)value;
    } else if (!symbolic(text, &mask)) {
        sh_warn("umask: %s: not a mask", text);
        return STATUS_ERROR;
    }
    subshell_before_umask();
    (void)umask(mask);
    return 0;
}

/* --- ulimit --- */

static const struct limit {
    char letter;
    int resource;
    rlim_t unit;
    const char *text;
} limits[] = {
    { 'f', RLIMIT_FSIZE, 512, "file(blocks)" },    { 't', RLIMIT_CPU, 1, "time(seconds)" },
    { 'd', RLIMIT_DATA, 1024, "data(kbytes)" },    { 's', RLIMIT_STACK, 1024, "stack(kbytes)" },
    { 'c', RLIMIT_CORE, 512, "coredump(blocks)" }, { 'v', RLIMIT_AS, 1024, "vmemory(kbytes)" },
    { 'n', RLIMIT_NOFILE, 1, "nofiles" },
};

static void print_limit(const struct limit *l, bool hard)
{
    struct rlimit r;
    if (getrlimit(l->resource, &r) != 0) {
        sh_warn("ulimit: %s", strerror(errno));
        return;
    }
    rlim_t value = hard ? r.rlim_max : r.rlim_cur;
    if (value == RLIM_INFINITY)
        out_text("unlimited\n");
    else
        out_format("%llu\n", (unsigned long long)(value / l->unit));
}

static int set_limit(const struct limit *l, const char *text, bool hard, bool soft)
{
    struct rlimit r;
    char *end;
    rlim_t value = RLIM_INFINITY;
    if (strcmp(text, "unlimited") != 0) {
        value = strtoull(text, &end, 10) * l->unit;
        if (*end != '\0' || text[0] < '0' || text[0] > '9') {
            sh_warn("ulimit: %s: not a number", text);
            return STATUS_ERROR;
        }
    }
    if (getrlimit(l->resource, &r) == 0) {
        if (hard)
            r.rlim_max = value;
        if (soft)
            r.rlim_cur = value;
        if (setrlimit(l->resource, &r) == 0)
            return 0;
    }
    sh_warn("ulimit: %s", strerror(errno));
    return STATUS_ERROR;
}

int builtin_ulimit(int argc, char **argv)
{
    const struct limit *chosen = &limits[0];
    bool hard = false, soft = false, everything = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++)
        for (const char *c = argv[at] + 1; *c != '\0'; c++) {
            const struct limit *found = nullptr;
            for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
                if (limits[i].letter == *c)
                    found = &limits[i];
            hard |= *c == 'H';
            soft |= *c == 'S';
            everything |= *c == 'a';
            if (found != nullptr)
                chosen = found;
            else if (strchr("HSa", *c) == nullptr) {
                sh_warn("ulimit: -%c: no such option", *c);
                return STATUS_ERROR;
            }
        }
    if (everything) {
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
            out_format("%-20s ", limits[i].text);
            print_limit(&limits[i], hard);
        }
        return 0;
    }
    if (at < argc)
        return set_limit(chosen, argv[at], hard || !soft, soft || !hard);
    print_limit(chosen, hard);
    return 0;
}
