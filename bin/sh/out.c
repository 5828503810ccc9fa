/* SPDX-License-Identifier: MIT */
#include "out.h"
#include "feed.h"
#include "redir.h"
#include "shell.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[4096];
static size_t used;
static bool failed;

bool fd_write(int fd, const char *bytes, size_t len)
{
    while (len != 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* --- memory --- */

static void keep(struct capture *c, const char *bytes, size_t len)
{
    if (c->room - c->len < len) {
        size_t room = c->room < 256 ? 256 : c->room * 2;
        while (room - c->len < len)
            room *= 2;
        char *at = realloc(c->text, room);
        if (at == nullptr) {
            c->lost = true;
            return;
        }
        c->text = at;
        c->room = room;
    }
    memcpy(c->text + c->len, bytes, len);
    c->len += len;
}

struct reader {
    pthread_t thread;
    struct capture *capture;
};

/* Empties the pipe while the shell goes on: output larger than a pipe blocks nobody. */
static void *read_all(void *ctx)
{
    struct reader *r = ctx;
    char part[4096];
    for (;;) {
        ssize_t n = read(r->capture->end, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return nullptr;
        keep(r->capture, part, (size_t)n);
    }
}

void capture_begin(struct capture *c)
{
    (void)out_flush();
    *c = (struct capture){ .outer = sh.capture };
    sh.capture = c;
}

void capture_need_descriptor(void)
{
    struct capture *c = sh.capture;
    (void)out_flush();
    if (c == nullptr || c->real)
        return;
    int ends[2];
    if (!fd_pipe(ends))
        sh_error("cannot make a pipe: %s", strerror(errno));
    struct reader *r = malloc(sizeof *r);
    c->end = ends[0];
    if (r != nullptr)
        r->capture = c;
    if (r == nullptr || !feed_thread(&r->thread, read_all, r)) {
        free(r);
        (void)close(ends[0]);
        (void)close(ends[1]);
        sh_error("cannot start a thread: %s", strerror(errno));
    }
    c->reader = r;
    c->saved = fd_save(1);
    (void)dup2(ends[1], 1);
    (void)close(ends[1]);
    c->real = true;
}

void capture_end(struct capture *c)
{
    (void)out_flush();
    sh.capture = c->outer;
    if (!c->real)
        return;
    fd_restore(1, c->saved);
    (void)pthread_join(c->reader->thread, nullptr);
    (void)close(c->end);
    free(c->reader);
}

/* --- text --- */

bool out_flush(void)
{
    bool good = true;
    if (used != 0) {
        if (sh.capture != nullptr && !sh.capture->real)
            keep(sh.capture, buffer, used);
        else
            good = fd_write(1, buffer, used);
        used = 0;
    }
    good = good && !failed;
    failed = false;
    return good;
}

void out_bytes(const char *bytes, size_t len)
{
    if (len > sizeof buffer - used) {
        bool good = out_flush();
        failed = !good;
        if (len > sizeof buffer) {
            if (sh.capture != nullptr && !sh.capture->real)
                keep(sh.capture, bytes, len);
            else if (!failed)
                failed = !fd_write(1, bytes, len);
            return;
        }
    }
    memcpy(buffer + used, bytes, len);
    used += len;
}

void out_text(const char *text)
{
    out_bytes(text, strlen(text));
}

void out_char(char c)
{
    out_bytes(&c, 1);
}

void out_format_va(const char *format, va_list args)
{
    char small[512];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, format, args);
    if (n >= 0 && (size_t)n < sizeof small) {
        out_bytes(small, (size_t)n);
    } else if (n >= 0) {
        char *large = sh_alloc((size_t)n + 1);
        (void)vsnprintf(large, (size_t)n + 1, format, again);
        out_bytes(large, (size_t)n);
        free(large);
    }
    va_end(again);
}

void out_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    out_format_va(format, args);
    va_end(args);
}

void out_quoted(const char *text)
{
    out_char('\'');
    for (; *text != '\0'; text++)
        if (*text == '\'')
            out_text("'\\''");
        else
            out_char(*text);
    out_char('\'');
}
