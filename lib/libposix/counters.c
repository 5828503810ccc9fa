/* SPDX-License-Identifier: MIT
 * eventfd and timerfd: a number behind a descriptor. They are this process's own: a program that it starts does not
 * get them. `word` changes, and is woken, when whoever waits should look again. */
#define _GNU_SOURCE
#include "file.h"
#include "signal.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

struct px_counter {
    _Atomic uint32_t word;
    bool semaphore;
    uint64_t count; /* eventfd */
    int clock;      /* timerfd */
    uint64_t next, interval;
    struct px_counter *next_free;
};

static struct vx_mutex list_lock;
static struct px_counter *free_counters;

static struct px_counter *counter_new(void)
{
    vx_mutex_lock(&list_lock);
    if (free_counters == nullptr) {
        struct px_counter *page = px_pages(PX_PAGE);
        for (size_t i = 0; page != nullptr && i < PX_PAGE / sizeof *page; i++) {
            page[i].next_free = free_counters;
            free_counters = &page[i];
        }
    }
    struct px_counter *c = free_counters;
    if (c != nullptr) {
        free_counters = c->next_free;
        *c = (struct px_counter){};
    }
    vx_mutex_unlock(&list_lock);
    return c;
}

static void counter_close(struct px_file *f)
{
    vx_mutex_lock(&list_lock);
    f->counter->next_free = free_counters;
    free_counters = f->counter;
    vx_mutex_unlock(&list_lock);
}

static void changed(struct px_counter *c)
{
    atomic_fetch_add_explicit(&c->word, 1, memory_order_release);
    (void)vx_sys_futex_wake((uintptr_t)&c->word, INT_MAX, 0, 0, nullptr);
    px_poll_wake();
}

static long counter_stat(struct px_file *f, struct stat *out)
{
    (void)f;
    memset(out, 0, sizeof *out);
    out->st_mode = 0600;
    out->st_nlink = 1;
    out->st_blksize = (blksize_t)PX_PAGE;
    return 0;
}

/* --- eventfd --- */

enum : uint64_t { COUNT_MAX = UINT64_MAX - 1 };

static long event_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    struct px_counter *c = f->counter;
    (void)at;
    if (bytes < sizeof c->count)
        return -EINVAL;
    for (;;) {
        uint32_t seen = atomic_load_explicit(&c->word, memory_order_acquire);
        vx_mutex_lock(&f->lock);
        uint64_t n = c->count == 0 ? 0 : c->semaphore ? 1 : c->count;
        c->count -= n;
        vx_mutex_unlock(&f->lock);
        if (n != 0) {
            memcpy(to, &n, sizeof n);
            changed(c);
            return sizeof n;
        }
        if ((f->flags & O_NONBLOCK) != 0)
            return -EAGAIN;
        if (PX_WAIT(vx_sys_futex_wait((uintptr_t)&c->word, seen, VX_FOREVER)) == ERR_INTERRUPTED)
            return -EINTR;
    }
}

static long event_write(struct px_file *f, const void *from, size_t bytes, int64_t at)
{
    struct px_counter *c = f->counter;
    uint64_t n;
    (void)at;
    if (bytes < sizeof n)
        return -EINVAL;
    memcpy(&n, from, sizeof n);
    if (n == UINT64_MAX)
        return -EINVAL;
    for (;;) {
        uint32_t seen = atomic_load_explicit(&c->word, memory_order_acquire);
        vx_mutex_lock(&f->lock);
        bool fits = n <= COUNT_MAX - c->count;
        c->count += fits ? n : 0;
        vx_mutex_unlock(&f->lock);
        if (fits) {
            changed(c);
            return sizeof n;
        }
        if ((f->flags & O_NONBLOCK) != 0)
            return -EAGAIN;
        if (PX_WAIT(vx_sys_futex_wait((uintptr_t)&c->word, seen, VX_FOREVER)) == ERR_INTERRUPTED)
            return -EINTR;
    }
}

static unsigned event_poll(struct px_file *f, bool sleep)
{
    (void)sleep;
    vx_mutex_lock(&f->lock);
    uint64_t count = f->counter->count;
    vx_mutex_unlock(&f->lock);
    return (count != 0 ? POLLIN | POLLRDNORM : 0) | (count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static const struct px_ops event_ops = { .kind = 'e',
                                         .read = event_read,
                                         .write = event_write,
                                         .stat = counter_stat,
                                         .poll = event_poll,
                                         .close = counter_close };

static long counter_open(const struct px_ops *ops, int flags, bool cloexec, struct px_counter **out)
{
    struct px_counter *c = counter_new();
    struct px_file *f = c == nullptr ? nullptr : px_file_new(ops, flags);
    if (f == nullptr)
        return -ENOMEM;
    f->counter = *out = c;
    return px_fd_add(f, 0, cloexec);
}

long px_eventfd2(long count, long flags)
{
    struct px_counter *c = nullptr;
    if ((flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK)) != 0)
        return -EINVAL;
    long fd = counter_open(&event_ops, O_RDWR | ((int)flags & EFD_NONBLOCK), (flags & EFD_CLOEXEC) != 0, &c);
    if (fd >= 0) {
        c->count = (unsigned)count;
        c->semaphore = (flags & EFD_SEMAPHORE) != 0;
    }
    return fd;
}

/* --- timerfd --- */

static uint64_t now_of(const struct px_counter *c)
{
    return c->clock == CLOCK_REALTIME ? vx_clock_realtime_ns() : vx_clock_monotonic_ns();
}

/* Expirations since they were read last. */
static uint64_t due_locked(const struct px_counter *c)
{
    uint64_t now = now_of(c);
    if (c->next == 0 || now < c->next)
        return 0;
    return c->interval == 0 ? 1 : 1 + (now - c->next) / c->interval;
}

static long timer_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    struct px_counter *c = f->counter;
    (void)at;
    if (bytes < sizeof(uint64_t))
        return -EINVAL;
    for (;;) {
        uint32_t seen = atomic_load_explicit(&c->word, memory_order_acquire);
        vx_mutex_lock(&f->lock);
        uint64_t n = due_locked(c), now = now_of(c), next = c->next;
        if (n != 0)
            c->next = c->interval == 0 ? 0 : c->next + n * c->interval;
        vx_mutex_unlock(&f->lock);
        if (n != 0) {
            memcpy(to, &n, sizeof n);
            return sizeof n;
        }
        if ((f->flags & O_NONBLOCK) != 0)
            return -EAGAIN;
        uint64_t deadline = next == 0 ? VX_FOREVER : vx_deadline_in(next - now);
        if (PX_WAIT(vx_sys_futex_wait((uintptr_t)&c->word, seen, deadline)) == ERR_INTERRUPTED)
            return -EINTR;
    }
}

static unsigned timer_poll(struct px_file *f, bool sleep)
{
    (void)sleep;
    vx_mutex_lock(&f->lock);
    uint64_t n = due_locked(f->counter);
    vx_mutex_unlock(&f->lock);
    return n != 0 ? POLLIN | POLLRDNORM : 0;
}

static const struct px_ops timer_ops = {
    .kind = 'i', .read = timer_read, .stat = counter_stat, .poll = timer_poll, .close = counter_close
};

long px_timerfd_create(long clock, long flags)
{
    struct px_counter *c = nullptr;
    if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) != 0 ||
        (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME))
        return -EINVAL;
    long fd = counter_open(&timer_ops, O_RDONLY | ((int)flags & TFD_NONBLOCK), (flags & TFD_CLOEXEC) != 0, &c);
    if (fd >= 0)
        c->clock = (int)clock;
    return fd;
}

static bool spec_ns(const struct timespec *t, uint64_t *ns)
{
    if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (long)VX_NS_PER_S)
        return false;
    *ns = (uint64_t)t->tv_sec > UINT64_MAX / VX_NS_PER_S / 2 ? UINT64_MAX / 2
                                                             : (uint64_t)t->tv_sec * VX_NS_PER_S + (uint64_t)t->tv_nsec;
    return true;
}

static void put_left(const struct px_counter *c, struct itimerspec *out)
{
    uint64_t now = now_of(c), next = c->next;
    if (next != 0 && next <= now && c->interval != 0)
        next += ((now - next) / c->interval + 1) * c->interval;
    uint64_t left = next > now ? next - now : 0;
    *out = (struct itimerspec){
        .it_interval = { .tv_sec = (time_t)(c->interval / VX_NS_PER_S), .tv_nsec = (long)(c->interval % VX_NS_PER_S) },
        .it_value = { .tv_sec = (time_t)(left / VX_NS_PER_S), .tv_nsec = (long)(left % VX_NS_PER_S) }
    };
}

static long with_timer(long fd, struct px_file **out)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    if (f->ops != &timer_ops) {
        px_file_put(f);
        return -EINVAL;
    }
    *out = f;
    return 0;
}

long px_timerfd_settime(long fd, long flags, long new_value, long old_value)
{
    const struct itimerspec *wanted = (const struct itimerspec *)new_value;
    uint64_t value, interval;
    struct px_file *f = nullptr;
    if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0 || !spec_ns(&wanted->it_value, &value) ||
        !spec_ns(&wanted->it_interval, &interval))
        return -EINVAL;
    long answer = with_timer(fd, &f);
    if (answer != 0)
        return answer;
    struct px_counter *c = f->counter;
    vx_mutex_lock(&f->lock);
    if (old_value != 0)
        put_left(c, (struct itimerspec *)old_value);
    c->interval = interval;
    c->next = value == 0 ? 0 : (flags & TFD_TIMER_ABSTIME) != 0 ? value : now_of(c) + value;
    vx_mutex_unlock(&f->lock);
    changed(c);
    px_file_put(f);
    return 0;
}

long px_timerfd_gettime(long fd, long out)
{
    struct px_file *f = nullptr;
    long answer = with_timer(fd, &f);
    if (answer != 0)
        return answer;
    vx_mutex_lock(&f->lock);
    put_left(f->counter, (struct itimerspec *)out);
    vx_mutex_unlock(&f->lock);
    px_file_put(f);
    return 0;
}
