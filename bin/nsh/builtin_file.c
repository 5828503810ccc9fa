/* SPDX-License-Identifier: MIT
 * Built-ins over the initial RAM disk: ls cat cd pwd source. */
#include "sh.h"
#include <base/format.h>

struct lister {
    bool all, details;
    uint32_t column, width; /* widest name plus the gap; 0: one name a line */
};

static void measure(void *ctx, const char *name, const struct sh_file *file)
{
    struct lister *l = ctx;
    uint32_t len = (uint32_t)strlen(name) + (file->kind == SH_DIRECTORY) + 2;
    if (len > l->width)
        l->width = len;
}

static void mode_text(const struct sh_file *f, char out[static 11])
{
    static const char letters[] = "rwxrwxrwx";
    out[0] = f->kind == SH_DIRECTORY ? 'd' : '-';
    for (unsigned i = 0; i < 9; i++)
        out[i + 1] = (f->mode >> (8 - i) & 1) != 0 ? letters[i] : '-';
    out[10] = '\0';
}

static void print_name(void *ctx, const char *name, const struct sh_file *file)
{
    struct lister *l = ctx;
    const char *mark = file->kind == SH_DIRECTORY ? "/" : "";
    if (name[0] == '.' && !l->all)
        return;
    if (l->details) {
        char mode[11];
        mode_text(file, mode);
        vx_printf("%s %9llu %s%s\n", mode, (unsigned long long)file->len, name, mark);
        return;
    }
    char cell[SH_PATH_MAX + 8];
    uint32_t len = (uint32_t)format_into(cell, sizeof cell, "%s%s", name, mark);
    bool last = l->width == 0 || l->column + 2 * l->width > 80;
    vx_printf("%s%*s%s", cell, last || len >= l->width ? 0 : (int)(l->width - len), "", last ? "\n" : "");
    l->column = last ? 0 : l->column + l->width;
}

static uint32_t list_one(const char *word, struct lister l, bool title)
{
    char path[SH_PATH_MAX];
    if (!sh_path_join(sh.cwd, word, path))
        return sh_fail(1, "ls: %s: the path is too long", word);
    struct sh_file file = sh_fs_stat(path);
    if (file.kind == SH_NOTHING)
        return sh_fail(1, "ls: %s: not found", word);
    if (file.kind == SH_FILE) {
        l.width = 0;
        print_name(&l, word, &file);
        return 0;
    }
    if (title)
        vx_printf("%s:\n", word);
    if (sh.interactive && !l.details)
        (void)sh_fs_list(path, measure, &l);
    bool good = sh_fs_list(path, print_name, &l);
    if (l.column > 0)
        (void)vx_puts("\n");
    return good ? 0 : sh_fail(1, "ls: %s: the list is not complete", word);
}

static uint32_t run_ls(uint32_t argc, const char *const *argv)
{
    struct lister l = {};
    uint32_t at = 1, status = 0;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++)
        for (const char *c = argv[at] + 1; *c != '\0'; c++) {
            if (*c != 'l' && *c != 'a')
                return sh_usage("ls");
            l.details |= *c == 'l';
            l.all |= *c == 'a';
        }
    if (at == argc)
        return list_one(".", l, false);
    bool title = argc - at > 1;
    for (; at < argc && !sh_interrupted(); at++)
        status |= list_one(argv[at], l, title);
    return status;
}

static uint32_t run_cat(uint32_t argc, const char *const *argv)
{
    uint32_t status = 0;
    if (argc < 2)
        return sh_usage("cat");
    for (uint32_t i = 1; i < argc; i++) {
        char path[SH_PATH_MAX];
        struct sh_file f = {};
        if (sh_path_join(sh.cwd, argv[i], path))
            f = sh_fs_stat(path);
        if (f.kind != SH_FILE) {
            status = sh_fail(1, "cat: %s: %s", argv[i], f.kind == SH_NOTHING ? "not found" : "is a directory");
            continue;
        }
        for (size_t at = 0; at < f.len && !sh_interrupted();) {
            size_t piece = f.len - at < 4096 ? f.len - at : 4096;
            if (vx_out(f.data + at, piece) != OK)
                return 1;
            at += piece;
        }
    }
    return status;
}

static uint32_t run_cd(uint32_t argc, const char *const *argv)
{
    if (argc > 2)
        return sh_usage("cd");
    const char *to = argc == 2 ? argv[1] : "/";
    char path[SH_PATH_MAX];
    if (!sh_path_join(sh.cwd, to, path))
        return sh_fail(1, "cd: %s: the path is too long", to);
    sh_kind_t kind = sh_fs_stat(path).kind;
    if (kind != SH_DIRECTORY)
        return sh_fail(1, "cd: %s: %s", to, kind == SH_NOTHING ? "not found" : "not a directory");
    (void)vx_strcopy(sh.cwd, sizeof sh.cwd, path);
    (void)sh_vars_set(&sh.vars, "PWD", 3, path, strlen(path));
    return 0;
}

static uint32_t run_pwd(uint32_t argc, const char *const *argv)
{
    (void)argv;
    if (argc != 1)
        return sh_usage("pwd");
    vx_printf("%s\n", sh.cwd);
    return 0;
}

static uint32_t run_source(uint32_t argc, const char *const *argv)
{
    static uint32_t depth;
    if (argc != 2)
        return sh_usage("source");
    char path[SH_PATH_MAX];
    struct sh_file f = {};
    if (sh_path_join(sh.cwd, argv[1], path))
        f = sh_fs_stat(path);
    if (f.kind != SH_FILE)
        return sh_fail(1, "source: %s: not found", argv[1]);
    if (depth == 16)
        return sh_fail(1, "source: %s: more than 16 files deep", argv[1]);
    depth++;
    sh.status = 0;
    for (size_t at = 0; at < f.len && !sh.exiting;) {
        const char *line = (const char *)f.data + at, *end = memchr(line, '\n', f.len - at);
        size_t len = end != nullptr ? (size_t)(end - line) : f.len - at;
        (void)sh_run_text(argv[1], line, len);
        at += len + 1;
    }
    depth--;
    return sh.status;
}

const struct sh_builtin sh_builtins_file[] = {
    { "ls", run_ls, "[-la] [PATH...]", "names in a directory of the initial RAM disk; -l: mode and size" },
    { "cat", run_cat, "PATH...", "print files" },
    { "cd", run_cd, "[PATH]", "change the current directory" },
    { "pwd", run_pwd, "", "the current directory" },
    { "source", run_source, "PATH", "run the lines of a file" },
    {},
};
