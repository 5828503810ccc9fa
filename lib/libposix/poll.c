/* SPDX-License-Identifier: MIT
 * Waiting for descriptors. There is nothing yet that a thread could wait on for several files at once, so it looks,
 * sleeps until something of this process changes or a while has passed, and looks again; the while grows to SLICE_MAX.
 */
#define _GNU_SOURCE
#include "poll.h"
#include "file.h"
#include "signal.h"
#include <poll.h>
#include <sys/select.h>
#include <time.h>

enum : uint64_t { SLICE_MIN = VX_NS_PER_MS / 10, SLICE_MAX = 5 * VX_NS_PER_MS };

_Atomic uint32_t px_poll_word;
static _Atomic uint32_t sleepers;

void px_poll_wake(void)
{
    if (atomic_load_explicit(&sleepers, memory_order_relaxed) == 0)
        return;
    atomic_fetch_add_explicit(&px_poll_word, 1, memory_order_release);
    (void)vx_sys_futex_wake((uintptr_t)&px_poll_word, INT32_MAX, 0, 0, nullptr);
}

static int look(struct pollfd *fds, unsigned long n)
{
    int ready = 0;
    for (unsigned long i = 0; i < n; i++) {
        fds[i].revents = 0;
        if (fds[i].fd < 0)
            continue;
        struct px_file *f = px_fd_get(fds[i].fd);
        unsigned events = POLLNVAL;
        if (f != nullptr) {
            /* a terminal's input is looked at by reading ahead, so only for those who want it */
            bool output_only = f->ops->kind == 't' && (fds[i].events & (POLLIN | POLLRDNORM)) == 0;
            events = output_only ? POLLOUT | POLLWRNORM : f->ops->poll(f, true);
            px_file_put(f);
        }
        fds[i].revents = (short)(events & ((unsigned short)fds[i].events | POLLERR | POLLHUP | POLLNVAL));
        ready += fds[i].revents != 0;
    }
    return ready;
}

static long wait_ready(long (*look_for)(void *ctx), void *ctx, bool again, uint64_t deadline)
{
    uint64_t slice = SLICE_MIN;
    long answer;
    atomic_fetch_add_explicit(&sleepers, 1, memory_order_relaxed);
    for (;;) {
        uint32_t seen = atomic_load_explicit(&px_poll_word, memory_order_acquire);
        answer = look_for(ctx);
        if (answer == 0 && px_signal_waiting()) /* pending since before it was let through */
            answer = -EINTR;
        if (answer != 0)
            break;
        uint64_t now = vx_clock_monotonic_ns();
        if (now >= deadline)
            break;
        uint64_t until = again ? vx_deadline_in(slice) : deadline;
        status_t st = PX_WAIT(vx_sys_futex_wait((uintptr_t)&px_poll_word, seen, until < deadline ? until : deadline));
        if (st == ERR_INTERRUPTED) {
            answer = -EINTR;
            break;
        }
        slice = slice * 2 < SLICE_MAX ? slice * 2 : SLICE_MAX;
    }
    atomic_fetch_sub_explicit(&sleepers, 1, memory_order_relaxed);
    return answer;
}

long px_poll_deadline(const struct timespec *timeout, uint64_t *deadline)
{
    *deadline = VX_FOREVER;
    if (timeout == nullptr)
        return 0;
    if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= (long)VX_NS_PER_S)
        return -EINVAL;
    if ((uint64_t)timeout->tv_sec < UINT64_MAX / VX_NS_PER_S - 1)
        *deadline = vx_deadline_in((uint64_t)timeout->tv_sec * VX_NS_PER_S + (uint64_t)timeout->tv_nsec);
    return 0;
}

long px_wait_until(long (*look_for)(void *ctx), void *ctx, bool again, uint64_t deadline, const uint64_t *mask)
{
    struct px_thread *t = px_self();
    uint64_t before = t->mask;
    if (mask != nullptr)
        px_let_through(t, *mask & ~(px_bit(9) | px_bit(19)));
    long answer = wait_ready(look_for, ctx, again, deadline);
    if (mask != nullptr) {
        if (answer == -EINTR)
            (void)px_deliver();
        t->mask = before;
    }
    return answer;
}

/* What poll looks at. */
struct set {
    struct pollfd *fds;
    unsigned long n;
};

static long look_at_set(void *ctx)
{
    const struct set *s = ctx;
    return look(s->fds, s->n);
}

static long wait_masked(struct pollfd *fds, unsigned long n, uint64_t deadline, const uint64_t *mask)
{
    struct set s = { fds, n };
    return px_wait_until(look_at_set, &s, n != 0, deadline, mask);
}

long px_ppoll(long fds, long n, long timeout, long mask, long size)
{
    uint64_t deadline;
    if (n < 0 || n > PX_FD_MAX || (mask != 0 && size != 8))
        return -EINVAL;
    long answer = px_poll_deadline((const struct timespec *)timeout, &deadline);
    return answer != 0 ? answer : wait_masked((struct pollfd *)fds, (unsigned long)n, deadline, (const uint64_t *)mask);
}

static bool is_set(const fd_set *set, int fd)
{
    return set != nullptr && FD_ISSET(fd, set);
}

long px_pselect6(long n, long read_set, long write_set, long except_set, long timeout, long masks)
{
    fd_set *sets[3] = { (fd_set *)read_set, (fd_set *)write_set, (fd_set *)except_set };
    const struct {
        const uint64_t *mask;
        size_t size;
    } *given = (const void *)masks;
    struct pollfd fds[FD_SETSIZE];
    unsigned long used = 0;
    uint64_t deadline;
    if (n < 0 || n > FD_SETSIZE)
        return -EINVAL;
    long answer = px_poll_deadline((const struct timespec *)timeout, &deadline);
    for (int fd = 0; fd < n && answer == 0; fd++) {
        short events = (short)((is_set(sets[0], fd) ? POLLIN : 0) | (is_set(sets[1], fd) ? POLLOUT : 0) |
                               (is_set(sets[2], fd) ? POLLPRI : 0));
        if (events != 0)
            fds[used++] = (struct pollfd){ .fd = fd, .events = events };
    }
    if (answer == 0)
        answer = wait_masked(fds, used, deadline, given != nullptr ? given->mask : nullptr);
    for (unsigned long i = 0; i < used && answer >= 0; i++)
        if ((fds[i].revents & POLLNVAL) != 0)
            answer = -EBADF;
    if (answer < 0)
        return answer;
    answer = 0;
    for (unsigned long i = 0; i < used; i++) {
        const short wanted[3] = { POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI };
        for (int k = 0; k < 3; k++) {
            if (!is_set(sets[k], fds[i].fd))
                continue;
            if ((fds[i].revents & wanted[k]) != 0)
                answer++;
            else
                FD_CLR(fds[i].fd, sets[k]);
        }
    }
    return answer;
}
