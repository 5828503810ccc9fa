/* SPDX-License-Identifier: MIT
 * Word expansion: the shell does it, in a process that is spawned; there is no fork. What the shell is not to be asked
 * at all (a character that would be more than words, a command where there may be none) is found before.
 *
 * On an error *we is as it was. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

extern char **environ;

/* The words behind one that is always there: without it the shell got no further than reading them. */
#define WORDS "eval \"printf '%s\\\\0' x $1\""

enum { PART = 4096 };

/* Where what begins behind s[at - 1], a quote or `$(` or `${` or a backquote, ends; the end of the text if it does not.
 */
static size_t skip(const char *s, size_t at, char end)
{
    for (; s[at] && s[at] != end; at++) {
        char c = s[at], inner = 0;
        if (end == '\'')
            continue;
        if (c == '\\' && s[at + 1])
            at++;
        else if (end == '`')
            continue;
        else if ((c == '\'' || c == '"') && end != '"')
            inner = c;
        else if (c == '`')
            inner = c;
        else if (c == '(' && (end == ')' || s[at - 1] == '$'))
            inner = ')';
        else if (c == '{' && s[at - 1] == '$')
            inner = '}';
        if (inner)
            at = skip(s, at + 1, inner);
        if (!s[at])
            break;
    }
    return at;
}

/* Whether a command is in [from, to) of what `${` or `$((` encloses. */
static int has_command(const char *s, size_t from, size_t to)
{
    for (; from < to; from++) {
        if (s[from] == '\\')
            from++;
        else if (s[from] == '`')
            return 1;
        else if (s[from] == '$' && s[from + 1] == '(' && s[from + 2] != '(')
            return 1;
    }
    return 0;
}

static int check(const char *s, int flags)
{
    int quoted = 0;
    for (size_t i = 0; s[i]; i++) {
        size_t end = i;
        int command = 0;
        switch (s[i]) {
        case '\\':
            if (!s[++i])
                return WRDE_SYNTAX;
            continue;
        case '"':
            quoted = !quoted;
            continue;
        case '\'':
            if (quoted)
                continue;
            end = i + 1 + strcspn(s + i + 1, "'");
            break;
        case '`':
            command = 1;
            end = skip(s, i + 1, '`');
            break;
        case '$':
            if (s[i + 1] == '(' || s[i + 1] == '{') {
                command = s[i + 1] == '(' && s[i + 2] != '(';
                end = skip(s, i + 2, s[i + 1] == '(' ? ')' : '}');
                command |= has_command(s, i + 2, end);
            }
            break;
        case '\n':
        case '|':
        case '&':
        case ';':
        case '<':
        case '>':
        case '(':
        case ')':
        case '{':
        case '}':
            if (!quoted)
                return WRDE_BADCHAR;
            continue;
        }
        if (!s[end])
            return WRDE_SYNTAX;
        if (command && (flags & WRDE_NOCMD))
            return WRDE_CMDSUB;
        i = end;
    }
    return quoted ? WRDE_SYNTAX : 0;
}

/* The shell with these arguments; its output goes to `out`, or nowhere if that is negative. */
static int start(pid_t *pid, char *const *argv, int out, int show_errors)
{
    posix_spawn_file_actions_t fa;
    int st = posix_spawn_file_actions_init(&fa);
    if (st)
        return st;
    if (out >= 0)
        st = posix_spawn_file_actions_adddup2(&fa, out, 1);
    else
        st = posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
    if (!st && !show_errors)
        st = posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
    if (!st)
        st = posix_spawn(pid, "/bin/sh", &fa, 0, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    return st;
}

static int ended(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* All that comes out of the pipe, on the heap. */
static char *take(int fd, size_t *bytes)
{
    char *all = 0, *more;
    size_t room = 0;
    ssize_t n;
    *bytes = 0;
    do {
        if (room - *bytes < PART) {
            more = realloc(all, room += room + PART);
            if (!more) {
                free(all);
                return 0;
            }
            all = more;
        }
        n = read(fd, all + *bytes, room - *bytes);
        if (n > 0)
            *bytes += n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    return all;
}

/* An unset name, or no sentence at all: that is known once the text was read and not executed. */
static int why_not(const char *s, int flags)
{
    char *argv[] = { "sh", "-n", "-c", 0, 0 };
    pid_t pid;
    int status;
    if (!(flags & WRDE_UNDEF))
        return WRDE_SYNTAX;
    argv[3] = malloc(strlen(s) + 3);
    if (!argv[3])
        return WRDE_NOSPACE;
    memcpy(argv[3], ": ", 2);
    strcpy(argv[3] + 2, s);
    status = start(&pid, argv, -1, 0) ? -1 : ended(pid);
    free(argv[3]);
    return status ? WRDE_SYNTAX : WRDE_BADVAL;
}

static int expand(const char *s, int flags, char **text, size_t *bytes)
{
    char *argv[] = { "sh", flags & WRDE_UNDEF ? "-uc" : "-c", WORDS, "sh", (char *)s, 0 };
    int p[2], st;
    pid_t pid;
    if (pipe2(p, O_CLOEXEC))
        return WRDE_NOSPACE;
    st = start(&pid, argv, p[1], flags & WRDE_SHOWERR);
    close(p[1]);
    *text = st ? 0 : take(p[0], bytes);
    close(p[0]);
    if (st)
        return WRDE_NOSPACE;
    (void)ended(pid);
    if (!*text)
        return WRDE_NOSPACE;
    if (*bytes >= 2 && !memcmp(*text, "x", 2) && !(*text)[*bytes - 1])
        return 0;
    free(*text);
    return why_not(s, flags);
}

/* Appends the words of the text behind its first one. */
static int store(wordexp_t *we, int flags, const char *text, size_t bytes)
{
    size_t n = 0, i, offs = flags & WRDE_DOOFFS ? we->we_offs : 0, had = flags & WRDE_APPEND ? we->we_wordc : 0;
    const char *at = text + 2, *end = text + bytes;
    char **words;
    for (i = 2; i < bytes; i++)
        n += !text[i];
    if (offs > SIZE_MAX / sizeof *words / 4)
        return WRDE_NOSPACE;
    words = calloc(offs + had + n + 1, sizeof *words);
    if (!words)
        return WRDE_NOSPACE;
    for (i = offs + had; at < end; at += strlen(at) + 1)
        if (!(words[i++] = strdup(at))) {
            while (i > offs + had)
                free(words[--i]);
            free(words);
            return WRDE_NOSPACE;
        }
    if (had)
        memcpy(words + offs, we->we_wordv + offs, had * sizeof *words);
    if (flags & WRDE_APPEND)
        free(we->we_wordv);
    else if (flags & WRDE_REUSE)
        wordfree(we);
    we->we_offs = offs;
    we->we_wordv = words;
    we->we_wordc = had + n;
    return 0;
}

int wordexp(const char *restrict s, wordexp_t *restrict we, int flags)
{
    sigset_t child, before;
    char *text;
    size_t bytes;
    int cancel, st = check(s, flags);
    if (st)
        return st;
    /* As system() does it: a handler that waits for every child must not take this one. */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    pthread_sigmask(SIG_BLOCK, &child, &before);
    st = expand(s, flags, &text, &bytes);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    pthread_setcancelstate(cancel, 0);
    if (st)
        return st;
    st = store(we, flags, text, bytes);
    free(text);
    return st;
}

void wordfree(wordexp_t *we)
{
    if (!we->we_wordv)
        return;
    for (size_t i = 0; i < we->we_wordc; i++)
        free(we->we_wordv[we->we_offs + i]);
    free(we->we_wordv);
    we->we_wordv = 0;
    we->we_wordc = 0;
}
