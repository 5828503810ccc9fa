/* SPDX-License-Identifier: MIT */
#include "redir.h"
#include "expand.h"
#include "feed.h"
#include "out.h"
#include "shell.h"
#include "trap.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if __has_include(<vectra/open.h>)
#include <vectra/open.h>
#else
#define O_VECTRA_LATER 0 /* the host's tests: there a FIFO is waited for by the shell */
#endif

int fd_own(int fd)
{
    if (fd < 0 || fd >= FD_USER)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FD_USER), why = errno;
    (void)close(fd);
    errno = why;
    return moved;
}

bool fd_pipe(int ends[static 2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    ends[0] = fd_own(ends[0]);
    ends[1] = fd_own(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0)
        return true;
    if (ends[0] >= 0)
        (void)close(ends[0]);
    if (ends[1] >= 0)
        (void)close(ends[1]);
    return false;
}

int fd_save(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, FD_USER);
    return copy >= 0 ? copy : FD_CLOSED;
}

void fd_restore(int fd, int saved)
{
    if (saved == FD_UNTOUCHED)
        return;
    if (saved == FD_CLOSED) {
        (void)close(fd);
        return;
    }
    (void)dup2(saved, fd);
    (void)close(saved);
}

/* --- frames --- */

void redirs_push(struct redirs *r, bool subshell)
{
    *r = (struct redirs){ .outer = sh.redirs, .subshell = subshell };
    for (int fd = 0; fd < FD_USER; fd++)
        r->saved[fd] = FD_UNTOUCHED;
    sh.redirs = r;
}

void redirs_pop(struct redirs *r)
{
    (void)out_flush();
    for (int fd = 0; fd < FD_USER; fd++)
        fd_restore(fd, r->saved[fd]);
    if (r->has_capture)
        sh.capture = r->capture;
    sh.redirs = r->outer;
}

void redirs_unwind(struct redirs *outer)
{
    while (sh.redirs != outer)
        redirs_pop(sh.redirs);
}

/* Remembers a descriptor before it changes. */
static void remember(int fd, bool keep)
{
    struct redirs *frame = sh.redirs;
    (void)out_flush();
    if (keep)
        for (; frame != nullptr && !frame->subshell; frame = frame->outer)
            if (frame->saved[fd] != FD_UNTOUCHED)
                return; /* put back there anyway */
    if (frame != nullptr && frame->saved[fd] == FD_UNTOUCHED) {
        frame->saved[fd] = fd_save(fd);
        if (fd == 1) {
            frame->capture = sh.capture;
            frame->has_capture = true;
        }
    }
    if (fd == 1)
        sh.capture = nullptr;
}

void redirs_take(int fd, int source)
{
    remember(fd, false);
    (void)dup2(source, fd);
    (void)close(source);
}

/* --- redirections --- */

/* more: further flags for open, here and below */
static int open_output(const char *path, enum redir_op op, int more)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | more;
    struct stat found;
    if (op == REDIR_APPEND)
        return open(path, flags | O_APPEND, 0666);
    if (op == REDIR_OUT && sh.option[OPT_NOCLOBBER]) {
        if (stat(path, &found) != 0)
            return open(path, flags | O_EXCL, 0666);
        if (S_ISREG(found.st_mode)) {
            errno = EEXIST;
            return -1;
        }
    }
    return open(path, flags | O_TRUNC, 0666);
}

static int open_file(const char *path, enum redir_op op, int more)
{
    int fd;
    do
        fd = op == REDIR_IN     ? open(path, O_RDONLY | O_CLOEXEC | more)
             : op == REDIR_BOTH ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666)
                                : open_output(path, op, more);
    while (fd < 0 && errno == EINTR && traps_first_due() == 0 && !trap_interrupt_noted());
    return fd;
}

/* The new descriptor's place is a user's, so it is moved there and not inherited by accident on the way. */
static bool put(int fd, int source, bool keep)
{
    if (source == fd) {
        /* the descriptor was closed, and open() found it: it is where it belongs */
        int flags = fcntl(fd, F_GETFD);
        (void)fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
        return true;
    }
    remember(fd, keep);
    bool good = dup2(source, fd) == fd;
    (void)close(source);
    return good;
}

static bool redirect_file(const struct redir *r, bool keep, int more)
{
    const char *path = expand_string(r->word);
    int source = fd_own(open_file(path, r->op, more));
    if (source < 0) {
        sh_warn(r->op == REDIR_IN ? "cannot open %s: %s" : "cannot create %s: %s", path, strerror(errno));
        return false;
    }
    return put(r->fd, source, keep);
}

static bool redirect_copy(const struct redir *r, bool keep)
{
    const char *word = expand_string(r->word);
    if (strcmp(word, "-") == 0) {
        remember(r->fd, keep);
        (void)close(r->fd);
        return true;
    }
    if (word[0] < '0' || word[0] > '9' || word[1] != '\0') {
        sh_warn("%s: not a descriptor", word);
        return false;
    }
    int source = word[0] - '0';
    if (source == r->fd)
        return true;
    if (source == 1)
        capture_need_descriptor();
    if (fcntl(source, F_GETFD) < 0) {
        sh_warn("%d: %s", source, strerror(errno));
        return false;
    }
    remember(r->fd, keep);
    return dup2(source, r->fd) == r->fd;
}

static bool redirect_document(const struct redir *r, bool keep)
{
    int ends[2];
    const char *text = expand_document(r->word);
    if (!fd_pipe(ends)) {
        sh_warn("cannot make a pipe: %s", strerror(errno));
        return false;
    }
    feed(ends[1], text, strlen(text));
    return put(r->fd, ends[0], keep);
}

static bool do_all(const struct redir *list, bool keep, int more)
{
    for (const struct redir *r = list; r != nullptr; r = r->next) {
        bool good;
        if (r->op == REDIR_HERE)
            good = redirect_document(r, keep);
        else if (r->op == REDIR_DUP_IN || r->op == REDIR_DUP_OUT)
            good = redirect_copy(r, keep);
        else
            good = redirect_file(r, keep, more);
        if (!good)
            return false;
    }
    return true;
}

bool redirs_do(const struct redir *list, bool keep)
{
    return do_all(list, keep, 0);
}

bool redirs_for_program(const struct redir *list)
{
    return do_all(list, false, O_VECTRA_LATER);
}
