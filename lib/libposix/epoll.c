/* SPDX-License-Identifier: MIT
 * epoll: a set of descriptors that is kept, looked at as poll looks. It tells what holds (level), with EPOLLET too, but
 * for what can be written, which is told once. An entry goes with the descriptor's open file: when a descriptor is
 * closed or another file has taken its number, its entry is dropped at the next look. */
#define _GNU_SOURCE
#include "file.h"
#include "poll.h"
#include "signal.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>

enum : size_t { ENTRIES = PX_PAGE / 32 }; /* of one set: a page */

struct entry {
    struct px_file *file; /* compared, never followed; nullptr: free */
    int fd;
    uint32_t events;
    uint32_t told; /* with EPOLLET: EPOLLOUT was */
    epoll_data_t data;
};
struct px_watch {
    struct entry entry[ENTRIES];
};
static_assert(sizeof(struct px_watch) <= PX_PAGE);

static void watch_close(struct px_file *f)
{
    px_pages_free(f->watch, sizeof *f->watch);
}

static const struct px_ops watch_ops;

/* What holds of one entry now. */
static uint32_t events_of(struct px_file *set, struct entry *e)
{
    struct px_file *f = px_fd_get(e->fd);
    if (f != e->file) {
        if (f != nullptr)
            px_file_put(f);
        e->file = nullptr;
        return 0;
    }
    uint32_t events = f == set || f->ops->poll == nullptr ? 0 : f->ops->poll(f, true);
    px_file_put(f);
    events &= (e->events & 0xffff) | EPOLLERR | EPOLLHUP;
    if ((e->events & EPOLLET) != 0) {
        uint32_t writable = events & (EPOLLOUT | EPOLLWRNORM);
        events &= ~(e->told & writable);
        e->told = writable;
    }
    return events;
}

static long collect(struct px_file *set, struct epoll_event *out, long room)
{
    long n = 0;
    vx_mutex_lock(&set->lock);
    for (size_t i = 0; i < ENTRIES && n < room; i++) {
        struct entry *e = &set->watch->entry[i];
        if (e->file == nullptr || (e->events & ~(uint32_t)(EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE)) == 0)
            continue;
        uint32_t events = events_of(set, e);
        if (events == 0)
            continue;
        if ((e->events & EPOLLONESHOT) != 0)
            e->events &= EPOLLET | EPOLLONESHOT;
        out[n++] = (struct epoll_event){ .events = events, .data = e->data };
    }
    vx_mutex_unlock(&set->lock);
    return n;
}

static unsigned watch_poll(struct px_file *f, bool sleep)
{
    struct px_watch *w = f->watch;
    unsigned events = 0;
    (void)sleep;
    vx_mutex_lock(&f->lock);
    for (size_t i = 0; i < ENTRIES && events == 0; i++)
        if (w->entry[i].file != nullptr) {
            uint32_t told = w->entry[i].told;
            events = events_of(f, &w->entry[i]) != 0 ? POLLIN | POLLRDNORM : 0;
            w->entry[i].told = told;
        }
    vx_mutex_unlock(&f->lock);
    return events;
}

static long watch_stat(struct px_file *f, struct stat *out)
{
    (void)f;
    memset(out, 0, sizeof *out);
    out->st_mode = 0600;
    out->st_nlink = 1;
    return 0;
}

static const struct px_ops watch_ops = { .kind = 'w', .stat = watch_stat, .poll = watch_poll, .close = watch_close };

long px_epoll_create1(long flags)
{
    if ((flags & ~EPOLL_CLOEXEC) != 0)
        return -EINVAL;
    struct px_watch *w = px_pages(sizeof *w);
    struct px_file *f = w == nullptr ? nullptr : px_file_new(&watch_ops, O_RDWR);
    if (f == nullptr) {
        px_pages_free(w, sizeof *w);
        return -ENOMEM;
    }
    f->watch = w;
    return px_fd_add(f, 0, (flags & EPOLL_CLOEXEC) != 0);
}

/* The entry of that descriptor and file, or a free one with *is_there false; nullptr: none is free. */
static struct entry *find_entry(struct px_watch *w, int fd, const struct px_file *f, bool *is_there)
{
    struct entry *unused = nullptr;
    *is_there = false;
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *e = &w->entry[i];
        if (e->file != nullptr && e->fd == fd && e->file != f)
            e->file = nullptr; /* the number means another file now */
        if (e->file == f && e->fd == fd) {
            *is_there = true;
            return e;
        }
        if (e->file == nullptr && unused == nullptr)
            unused = e;
    }
    return unused;
}

static long change(struct px_file *set, long operation, int fd, struct px_file *f, const struct epoll_event *event)
{
    bool there;
    struct entry *e = find_entry(set->watch, fd, f, &there);
    switch (operation) {
    case EPOLL_CTL_ADD:
        if (there)
            return -EEXIST;
        if (e == nullptr)
            return -ENOSPC;
        *e = (struct entry){ .file = f, .fd = fd, .events = event->events, .data = event->data };
        return 0;
    case EPOLL_CTL_MOD:
        if (!there)
            return -ENOENT;
        *e = (struct entry){ .file = f, .fd = fd, .events = event->events, .data = event->data };
        return 0;
    case EPOLL_CTL_DEL:
        if (!there)
            return -ENOENT;
        e->file = nullptr;
        return 0;
    default:
        return -EINVAL;
    }
}

static long with_set(long fd, struct px_file **out)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    if (f->ops != &watch_ops) {
        px_file_put(f);
        return -EINVAL;
    }
    *out = f;
    return 0;
}

long px_epoll_ctl(long set_fd, long operation, long fd, long event)
{
    struct px_file *set = nullptr;
    long answer = with_set(set_fd, &set);
    if (answer != 0)
        return answer;
    struct px_file *f = px_fd_get((int)fd);
    struct stat st = {};
    bool file = f != nullptr && f->ops->stat != nullptr && f->ops->stat(f, &st) == 0 &&
                (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)); /* always ready: nothing to wait for */
    if (f == nullptr || f == set || f->ops->poll == nullptr || file) {
        answer = f == nullptr ? -EBADF : f == set ? -EINVAL : -EPERM;
    } else {
        vx_mutex_lock(&set->lock);
        answer = change(set, operation, (int)fd, f, (const struct epoll_event *)event);
        vx_mutex_unlock(&set->lock);
        px_poll_wake();
    }
    if (f != nullptr)
        px_file_put(f);
    px_file_put(set);
    return answer;
}

struct waiting {
    struct px_file *set;
    struct epoll_event *out;
    long room;
};

static long look(void *ctx)
{
    struct waiting *w = ctx;
    return collect(w->set, w->out, w->room);
}

static long wait_until(long fd, long out, long room, uint64_t deadline, const uint64_t *mask)
{
    struct px_file *set = nullptr;
    if (room <= 0 || room > INT_MAX / (long)sizeof(struct epoll_event))
        return -EINVAL;
    long answer = with_set(fd, &set);
    if (answer != 0)
        return answer;
    struct waiting w = { .set = set, .out = (struct epoll_event *)out, .room = room };
    answer = px_wait_until(look, &w, true, deadline, mask);
    px_file_put(set);
    return answer;
}

long px_epoll_pwait(long fd, long out, long room, long timeout_ms, long mask, long size)
{
    if (mask != 0 && size != 8)
        return -EINVAL;
    uint64_t deadline = (int)timeout_ms < 0 ? VX_FOREVER : vx_deadline_in((uint64_t)(int)timeout_ms * VX_NS_PER_MS);
    return wait_until(fd, out, room, deadline, (const uint64_t *)mask);
}

long px_epoll_pwait2(long fd, long out, long room, long timeout, long mask, long size)
{
    uint64_t deadline;
    if (mask != 0 && size != 8)
        return -EINVAL;
    long answer = px_poll_deadline((const struct timespec *)timeout, &deadline);
    return answer != 0 ? answer : wait_until(fd, out, room, deadline, (const uint64_t *)mask);
}
