/* SPDX-License-Identifier: MIT
 * test and [: by the number of arguments where POSIX says how, else by precedence: ! ( ) -a -o. */
#include "builtin.h"
#include "shell.h"
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct test {
    char **at, **end;
    unsigned depth;
    bool bad;
};

enum : unsigned { TEST_DEPTH_MAX = 200 };

static bool complain(struct test *t, const char *text, const char *what)
{
    if (!t->bad)
        sh_warn("test: %s%s%s", text, text[0] != '\0' ? ": " : "", what);
    t->bad = true;
    return false;
}

static bool number(struct test *t, const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    while (*end == ' ' || *end == '\t')
        end++;
    if (end == text || *end != '\0' || errno != 0)
        return complain(t, text, "not a number");
    return true;
}

static bool file_test(struct test *t, char kind, const char *path)
{
    struct stat st;
    int64_t fd;
    switch (kind) {
    case 't':
        return number(t, path, &fd) && isatty((int)fd);
    case 'h':
    case 'L':
        return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
    case 'r':
        return access(path, R_OK) == 0;
    case 'w':
        return access(path, W_OK) == 0;
    case 'x':
        return access(path, X_OK) == 0;
    default:
        break;
    }
    if (stat(path, &st) != 0)
        return false;
    switch (kind) {
    case 'b':
        return S_ISBLK(st.st_mode);
    case 'c':
        return S_ISCHR(st.st_mode);
    case 'd':
        return S_ISDIR(st.st_mode);
    case 'f':
        return S_ISREG(st.st_mode);
    case 'g':
        return (st.st_mode & S_ISGID) != 0;
    case 'k':
        return (st.st_mode & S_ISVTX) != 0;
    case 'p':
        return S_ISFIFO(st.st_mode);
    case 's':
        return st.st_size > 0;
    case 'S':
        return S_ISSOCK(st.st_mode);
    case 'u':
        return (st.st_mode & S_ISUID) != 0;
    case 'O':
        return st.st_uid == geteuid();
    case 'G':
        return st.st_gid == getegid();
    default:
        return true; /* -e */
    }
}

static bool is_unary(const char *op)
{
    return op[0] == '-' && op[1] != '\0' && op[2] == '\0' && strchr("bcdefghkLnOGprsStuwxz", op[1]) != nullptr;
}

static bool unary(struct test *t, const char *op, const char *text)
{
    if (op[1] == 'n')
        return text[0] != '\0';
    if (op[1] == 'z')
        return text[0] == '\0';
    return file_test(t, op[1], text);
}

static const char *const binaries[] = { "=",   "!=",  "-eq", "-ne", "-gt", "-ge", "-lt",
                                        "-le", "-nt", "-ot", "-ef", "<",   ">" };

static bool is_binary(const char *op)
{
    for (size_t i = 0; i < sizeof binaries / sizeof binaries[0]; i++)
        if (strcmp(op, binaries[i]) == 0)
            return true;
    return false;
}

static bool newer(const char *a, const char *b)
{
    struct stat x, y;
    if (stat(a, &x) != 0)
        return false;
    if (stat(b, &y) != 0)
        return true;
    return x.st_mtim.tv_sec != y.st_mtim.tv_sec ? x.st_mtim.tv_sec > y.st_mtim.tv_sec
                                                : x.st_mtim.tv_nsec > y.st_mtim.tv_nsec;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool binary(struct test *t, const char *a, const char *op, const char *b)
{
    int64_t x, y;
    if (strcmp(op, "=") == 0)
        return strcmp(a, b) == 0;
    if (strcmp(op, "!=") == 0)
        return strcmp(a, b) != 0;
    if (strcmp(op, "<") == 0)
        return strcmp(a, b) < 0;
    if (strcmp(op, ">") == 0)
        return strcmp(a, b) > 0;
    if (strcmp(op, "-nt") == 0)
        return newer(a, b);
    if (strcmp(op, "-ot") == 0)
        return newer(b, a);
    if (strcmp(op, "-ef") == 0)
        return same_file(a, b);
    if (!number(t, a, &x) || !number(t, b, &y))
        return false;
    switch (op[1] == 'e' ? 0 : op[1] == 'n' ? 1 : (op[1] == 'g' ? 2 : 4) + (op[2] == 'e')) {
    case 0:
        return x == y;
    case 1:
        return x != y;
    case 2:
        return x > y;
    case 3:
        return x >= y;
    case 4:
        return x < y;
    default:
        return x <= y;
    }
}

static bool either(struct test *t);

static bool primary(struct test *t)
{
    size_t left = (size_t)(t->end - t->at);
    if (left == 0)
        return complain(t, "", "an argument is missing");
    if (left >= 3 && is_binary(t->at[1])) {
        t->at += 3;
        return binary(t, t->at[-3], t->at[-2], t->at[-1]);
    }
    if (strcmp(t->at[0], "(") == 0 && left > 1) {
        if (++t->depth > TEST_DEPTH_MAX)
            return complain(t, "(", "nested too deep");
        t->at++;
        bool answer = either(t);
        t->depth--;
        if (t->at == t->end || strcmp(*t->at, ")") != 0)
            return complain(t, "", "')' is missing");
        t->at++;
        return answer;
    }
    if (left >= 2 && is_unary(t->at[0])) {
        t->at += 2;
        return unary(t, t->at[-2], t->at[-1]);
    }
    return (*t->at++)[0] != '\0';
}

static bool negated(struct test *t)
{
    bool negate = false;
    while (t->end - t->at > 1 && strcmp(*t->at, "!") == 0 && !(t->end - t->at >= 3 && is_binary(t->at[1]))) {
        negate = !negate;
        t->at++;
    }
    return primary(t) != negate;
}

static bool both(struct test *t)
{
    bool answer = negated(t);
    while (!t->bad && t->at < t->end && strcmp(*t->at, "-a") == 0) {
        t->at++;
        answer = negated(t) && answer;
    }
    return answer;
}

static bool either(struct test *t)
{
    bool answer = both(t);
    while (!t->bad && t->at < t->end && strcmp(*t->at, "-o") == 0) {
        t->at++;
        answer = both(t) || answer;
    }
    return answer;
}

/* Up to four arguments mean what XCU test says, whatever they look like. */
static bool by_count(struct test *t, char **a, size_t n)
{
    if (n == 0)
        return false;
    if (n == 1)
        return a[0][0] != '\0';
    if (n == 3 && is_binary(a[1]))
        return binary(t, a[0], a[1], a[2]);
    if (n == 3 && strcmp(a[1], "-a") == 0)
        return a[0][0] != '\0' && a[2][0] != '\0';
    if (n == 3 && strcmp(a[1], "-o") == 0)
        return a[0][0] != '\0' || a[2][0] != '\0';
    if (n <= 4 && strcmp(a[0], "!") == 0)
        return !by_count(t, a + 1, n - 1);
    if ((n == 3 || n == 4) && strcmp(a[0], "(") == 0 && strcmp(a[n - 1], ")") == 0)
        return by_count(t, a + 1, n - 2);
    if (n == 2 && is_unary(a[0]))
        return unary(t, a[0], a[1]);
    if (n == 2)
        return complain(t, a[0], "no such operator");
    t->at = a;
    t->end = a + n;
    bool answer = either(t);
    if (!t->bad && t->at != t->end)
        return complain(t, *t->at, "unexpected");
    return answer;
}

int builtin_test(int argc, char **argv)
{
    struct test t = {};
    if (strcmp(argv[0], "[") == 0) {
        if (strcmp(argv[argc - 1], "]") != 0) {
            sh_warn("[: the ']' is missing");
            return STATUS_ERROR;
        }
        argc--;
    }
    bool answer = by_count(&t, argv + 1, (size_t)(argc > 0 ? argc - 1 : 0));
    return t.bad ? STATUS_ERROR : !answer;
}
