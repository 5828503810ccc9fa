/* SPDX-License-Identifier: MIT */
#include "feed.h"
#include "out.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct feeder {
    struct feeder *next;
    pthread_t thread;
    _Atomic bool done;
    int fd;
    size_t len;
    char text[];
};
static struct feeder *feeders;

bool feed_thread(pthread_t *thread, void *(*run)(void *ctx), void *ctx)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    int answer = pthread_create(thread, nullptr, run, ctx);
    (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = answer;
    return answer == 0;
}

static void *write_all(void *ctx)
{
    struct feeder *f = ctx;
    (void)fd_write(f->fd, f->text, f->len);
    (void)close(f->fd);
    f->done = true;
    return nullptr;
}

static void join(bool wait)
{
    for (struct feeder **at = &feeders; *at != nullptr;) {
        struct feeder *f = *at;
        if (!wait && !f->done) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        (void)pthread_join(f->thread, nullptr);
        free(f);
    }
}

void feed_finish(void)
{
    join(true);
}

void feed(int fd, const char *text, size_t len)
{
    int flags = fcntl(fd, F_GETFL);
    join(false);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (len != 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        text += n;
        len -= (size_t)n;
    }
    if (len == 0 || errno != EAGAIN) {
        (void)close(fd);
        return;
    }
    (void)fcntl(fd, F_SETFL, flags);
    struct feeder *f = malloc(sizeof *f + len);
    if (f != nullptr) {
        *f = (struct feeder){ .next = feeders, .fd = fd, .len = len };
        memcpy(f->text, text, len);
        if (feed_thread(&f->thread, write_all, f)) {
            feeders = f;
            return;
        }
        free(f);
    }
    static const char lost[] = "sh: not enough memory for a document\n";
    (void)fd_write(2, lost, sizeof lost - 1);
    (void)close(fd);
}
