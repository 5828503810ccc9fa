/* SPDX-License-Identifier: MIT
 * ls and cat, as long as there are no programs for them. */
#include "tools.h"
#include "../trap.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
    char *name;
    struct stat st;
};
struct lister {
    bool all, details;
    struct entry *entry;
    size_t n, room;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void mode_text(mode_t mode, char out[static 11])
{
    static const char letters[] = "rwxrwxrwx";
    out[0] = S_ISDIR(mode) ? 'd' : S_ISCHR(mode) ? 'c' : S_ISLNK(mode) ? 'l' : S_ISFIFO(mode) ? 'p' : '-';
    for (unsigned i = 0; i < 9; i++)
        out[i + 1] = (mode >> (8 - i) & 1) != 0 ? letters[i] : '-';
    out[10] = '\0';
}

static void print_details(const struct entry *e)
{
    char mode[11];
    mode_text(e->st.st_mode, mode);
    out_format("%s %9llu %s%s\n", mode, (unsigned long long)e->st.st_size, e->name, S_ISDIR(e->st.st_mode) ? "/" : "");
}

static void print_entries(const struct lister *l)
{
    size_t width = 1, column = 0;
    bool columns = tool_at_terminal() && !l->details;
    for (size_t i = 0; i < l->n; i++)
        if (strlen(l->entry[i].name) + 3 > width)
            width = strlen(l->entry[i].name) + 3;
    for (size_t i = 0; i < l->n; i++) {
        const struct entry *e = &l->entry[i];
        bool last = !columns || column + 2 * width > tools.columns || i + 1 == l->n;
        if (l->details) {
            print_details(e);
            continue;
        }
        out_format("%s%s", e->name, S_ISDIR(e->st.st_mode) ? "/" : "");
        for (size_t n = strlen(e->name) + (S_ISDIR(e->st.st_mode) ? 1 : 0); !last && n < width; n++)
            out_char(' ');
        column = last ? 0 : column + width;
        if (last)
            out_char('\n');
    }
}

static void add(struct lister *l, const char *name, const struct stat *st)
{
    if (l->n == l->room) {
        l->room = l->room * 2 + 16;
        struct entry *more = arena_alloc(&sh.temp, l->room * sizeof *more);
        if (l->n != 0)
            memcpy(more, l->entry, l->n * sizeof *more);
        l->entry = more;
    }
    l->entry[l->n++] = (struct entry){ arena_text(&sh.temp, name, strlen(name)), *st };
}

static int list_one(const char *path, struct lister l, bool title)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return tool_fail(1, "ls: %s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode)) {
        add(&l, path, &st);
        print_entries(&l);
        return 0;
    }
    DIR *dir = opendir(path);
    if (dir == nullptr)
        return tool_fail(1, "ls: %s: %s", path, strerror(errno));
    for (const struct dirent *e; (e = readdir(dir)) != nullptr;) {
        bool dots = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        if (dots || (e->d_name[0] == '.' && !l.all))
            continue;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            memset(&st, 0, sizeof st);
        add(&l, e->d_name, &st);
    }
    (void)closedir(dir);
    if (l.n != 0)
        qsort(l.entry, l.n, sizeof *l.entry, by_name);
    if (title)
        out_format("%s:\n", path);
    print_entries(&l);
    return 0;
}

int tool_ls(int argc, char **argv)
{
    struct lister l = {};
    int at = 1, status = 0;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++)
        for (const char *c = argv[at] + 1; *c != '\0'; c++) {
            if (*c != 'l' && *c != 'a')
                return tool_usage("ls");
            l.details |= *c == 'l';
            l.all |= *c == 'a';
        }
    if (at == argc)
        return list_one(".", l, false);
    bool title = argc - at > 1;
    for (; at < argc && !tool_interrupted(); at++)
        status |= list_one(argv[at], l, title);
    return status;
}

static int cat_one(const char *path)
{
    static char bytes[16384];
    bool input = strcmp(path, "-") == 0;
    int fd = input ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tool_fail(1, "cat: %s: %s", path, strerror(errno));
    ssize_t n = 0;
    while (!tool_interrupted()) {
        n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        out_bytes(bytes, (size_t)n);
    }
    int status = n < 0 ? tool_fail(1, "cat: %s: %s", path, strerror(errno)) : 0;
    if (!input)
        (void)close(fd);
    return status;
}

int tool_cat(int argc, char **argv)
{
    int status = 0;
    if (argc == 1)
        return cat_one("-");
    for (int i = 1; i < argc; i++)
        status |= cat_one(argv[i]);
    return status;
}
