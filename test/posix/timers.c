/* SPDX-License-Identifier: MIT
 * Timers that signal, timers and counters behind descriptors, sets of descriptors, sleeping. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t came, last_code, last_value, last_overrun;

static void count(int signal)
{
    (void)signal;
    came++;
}

static void tell(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    last_code = info->si_code;
    last_value = info->si_value.sival_int;
    last_overrun = info->si_overrun;
    came++;
}

static int64_t now_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void until(int n)
{
    for (int64_t end = now_ms(CLOCK_MONOTONIC) + 5000; came < n && now_ms(CLOCK_MONOTONIC) < end;)
        usleep(1000);
}

/* --- timers that signal --- */

static void intervals(void)
{
    struct itimerval it = { .it_value.tv_usec = 20000, .it_interval.tv_usec = 10000 }, old;
    signal(SIGALRM, count);
    int64_t begin = now_ms(CLOCK_MONOTONIC);
    CHECK_IS(setitimer(ITIMER_REAL, &it, nullptr), 0);
    until(3);
    CHECK(came >= 3 && now_ms(CLOCK_MONOTONIC) - begin >= 40);
    CHECK_IS(getitimer(ITIMER_REAL, &old), 0);
    CHECK(old.it_interval.tv_usec == 10000 && old.it_value.tv_usec <= 20000);
    it = (struct itimerval){};
    CHECK_IS(setitimer(ITIMER_REAL, &it, &old), 0);
    CHECK_IS(old.it_interval.tv_usec, 10000);
    CHECK_IS(getitimer(ITIMER_REAL, &old), 0);
    CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
    came = 0;
    CHECK_IS(alarm(1000), 0);
    unsigned left = alarm(0);
    CHECK(left == 999 || left == 1000);
    CHECK_IS(ualarm(5000, 0), 0);
    pause();
    CHECK_IS(came, 1);
    usleep(20000);
    CHECK_IS(came, 1);
    CHECK_ERRNO(getitimer(3, &old), EINVAL);
    CHECK_ERRNO(setitimer(-1, &it, nullptr), EINVAL);
    it.it_value.tv_usec = 1000000;
    CHECK_ERRNO(setitimer(ITIMER_REAL, &it, nullptr), EINVAL);

    signal(SIGPROF, count); /* processor time: sleeping does not count */
    it = (struct itimerval){ .it_value.tv_usec = 20000 };
    came = 0;
    CHECK_IS(setitimer(ITIMER_PROF, &it, nullptr), 0);
    usleep(60000);
    CHECK_IS(came, 0);
    for (int64_t end = now_ms(CLOCK_PROCESS_CPUTIME_ID) + 2000; came == 0 && now_ms(CLOCK_PROCESS_CPUTIME_ID) < end;)
        sched_yield(); /* a handler runs when a call ends */
    CHECK_IS(came, 1);
    signal(SIGVTALRM, count);
    CHECK_IS(setitimer(ITIMER_VIRTUAL, &it, nullptr), 0);
    for (int64_t end = now_ms(CLOCK_PROCESS_CPUTIME_ID) + 2000; came < 2 && now_ms(CLOCK_PROCESS_CPUTIME_ID) < end;)
        sched_yield(); /* a handler runs when a call ends */
    CHECK_IS(came, 2);
}

static volatile int thread_value;
static void on_thread(union sigval value)
{
    thread_value = value.sival_int;
}

static void posix_timers(void)
{
    timer_t t, many[80];
    struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42 };
    struct sigaction act = { .sa_sigaction = tell, .sa_flags = SA_SIGINFO };
    struct itimerspec s = { .it_value.tv_nsec = 10000000 }, old;
    sigaction(SIGUSR1, &act, nullptr);
    CHECK_IS(timer_create(CLOCK_MONOTONIC, &e, &t), 0);
    came = 0;
    CHECK_IS(timer_settime(t, 0, &(struct itimerspec){ .it_value.tv_sec = 1000 }, nullptr), 0);
    CHECK_IS(timer_gettime(t, &old), 0);
    CHECK(old.it_value.tv_sec > 0 && old.it_value.tv_sec <= 1000);
    CHECK_IS(timer_settime(t, 0, &s, nullptr), 0);
    until(1);
    CHECK(came == 1 && last_code == SI_TIMER && last_value == 42 && last_overrun == 0);
    CHECK_IS(timer_getoverrun(t), 0);
    CHECK_IS(timer_gettime(t, &old), 0);
    CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);

    sigset_t set; /* what expires while the signal waits is its overrun */
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    s.it_interval.tv_nsec = 2000000;
    CHECK_IS(timer_settime(t, 0, &s, nullptr), 0);
    usleep(50000);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    until(2);
    CHECK(came >= 2 && last_overrun >= 5);
    CHECK(timer_getoverrun(t) >= 0);
    s = (struct itimerspec){ .it_value.tv_nsec = 1 }; /* long past */
    came = 0;
    CHECK_IS(timer_settime(t, TIMER_ABSTIME, &s, &old), 0);
    CHECK_IS(old.it_interval.tv_nsec, 2000000);
    until(1);
    CHECK(came >= 1);
    s.it_value.tv_nsec = -1;
    CHECK_ERRNO(timer_settime(t, 0, &s, nullptr), EINVAL);
    CHECK_IS(timer_delete(t), 0);
    CHECK(timer_delete(t) != 0);
    CHECK_ERRNO(timer_gettime(t, &old), EINVAL);
    CHECK_ERRNO(timer_getoverrun(t), EINVAL);

    e.sigev_notify = SIGEV_NONE;
    CHECK_IS(timer_create(CLOCK_REALTIME, &e, &t), 0);
    s = (struct itimerspec){ .it_value.tv_nsec = 1000000 };
    came = 0;
    timer_settime(t, 0, &s, nullptr);
    usleep(10000);
    CHECK_IS(came, 0);
    timer_delete(t);
    e = (struct sigevent){ .sigev_notify = SIGEV_THREAD,
                           .sigev_notify_function = on_thread,
                           .sigev_value.sival_int = 7 };
    CHECK_IS(timer_create(CLOCK_MONOTONIC, &e, &t), 0);
    timer_settime(t, 0, &s, nullptr);
    for (int i = 0; i < 1000 && thread_value == 0; i++)
        usleep(1000);
    CHECK_IS(thread_value, 7);
    timer_delete(t);
    e.sigev_notify = 77;
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    e = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99 };
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    CHECK_ERRNO(timer_create(77, nullptr, &t), EINVAL);
    CHECK_ERRNO(timer_create(CLOCK_THREAD_CPUTIME_ID, nullptr, &t), ENOTSUP);
    int n = 0;
    while (n < 80 && timer_create(CLOCK_MONOTONIC, nullptr, &many[n]) == 0)
        n++;
    CHECK_IS(errno, EAGAIN);
    CHECK(n == 64 || n == 63); /* a timer's thread may not have ended yet */
    while (n-- > 0)
        timer_delete(many[n]);
}

/* --- behind descriptors --- */

static void *adds_later(void *arg)
{
    uint64_t one = 1;
    usleep(10000);
    (void)!write(*(int *)arg, &one, 8);
    return nullptr;
}

static void counters(void)
{
    uint64_t n = 0;
    pthread_t thread;
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK_ERRNO(read(fd, &n, 7), EINVAL);
    CHECK(read(fd, &n, 8) == 8 && n == 3);
    CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
    n = UINT64_MAX - 1;
    CHECK_IS(write(fd, &n, 8), 8);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
    n = 1;
    CHECK_ERRNO(write(fd, &n, 8), EAGAIN);
    n = UINT64_MAX;
    CHECK_ERRNO(write(fd, &n, 8), EINVAL);
    CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
    close(fd);
    fd = eventfd(2, EFD_SEMAPHORE);
    CHECK(read(fd, &n, 8) == 8 && n == 1);
    CHECK(read(fd, &n, 8) == 8 && n == 1);
    pthread_create(&thread, nullptr, adds_later, &fd);
    CHECK(read(fd, &n, 8) == 8 && n == 1);
    pthread_join(thread, nullptr);
    pthread_create(&thread, nullptr, adds_later, &fd);
    p = (struct pollfd){ .fd = fd, .events = POLLIN };
    CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLIN);
    pthread_join(thread, nullptr);
    close(fd);
    CHECK_ERRNO(eventfd(0, 1 << 20), EINVAL);
}

static void timer_descriptors(void)
{
    uint64_t n = 0;
    struct itimerspec s = { .it_value.tv_nsec = 10000000, .it_interval.tv_nsec = 5000000 }, left;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_IS(timerfd_gettime(fd, &left), 0);
    CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
    int64_t begin = now_ms(CLOCK_MONOTONIC);
    CHECK_IS(timerfd_settime(fd, 0, &s, nullptr), 0);
    CHECK(read(fd, &n, 8) == 8 && n >= 1 && now_ms(CLOCK_MONOTONIC) - begin >= 9);
    usleep(30000);
    CHECK(read(fd, &n, 8) == 8 && n >= 4);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLIN);
    CHECK_IS(timerfd_settime(fd, 0, &(struct itimerspec){}, &left), 0);
    CHECK_IS(left.it_interval.tv_nsec, 5000000);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
    CHECK_ERRNO(read(fd, &n, 4), EINVAL);
    CHECK_ERRNO(write(fd, &n, 8), EBADF);
    s.it_value.tv_nsec = 1000000000;
    CHECK_ERRNO(timerfd_settime(fd, 0, &s, nullptr), EINVAL);
    CHECK_ERRNO(timerfd_settime(0, 0, &left, nullptr), EINVAL);
    CHECK_ERRNO(timerfd_settime(99, 0, &left, nullptr), EBADF);
    CHECK_ERRNO(timerfd_create(77, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 77), EINVAL);
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    close(fd);
    fd = timerfd_create(CLOCK_REALTIME, 0);
    s = (struct itimerspec){ .it_value = at };
    CHECK_IS(timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, nullptr), 0);
    CHECK(read(fd, &n, 8) == 8 && n == 1);
    close(fd);
}

static void sets(void)
{
    int p[2], q[2], e = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 1 }, out[4];
    char c;
    pipe(p);
    pipe(q);
    CHECK(e >= 0);
    CHECK_ERRNO(epoll_create1(77), EINVAL);
    CHECK_IS(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev), 0);
    CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
    ev.data.u32 = 2;
    CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_MOD, q[0], &ev), ENOENT);
    CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_DEL, q[0], &ev), ENOENT);
    CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_ADD, 99, &ev), EBADF);
    CHECK_ERRNO(epoll_ctl(99, EPOLL_CTL_ADD, q[0], &ev), EBADF);
    CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_ADD, e, &ev), EINVAL);
    CHECK_ERRNO(epoll_ctl(q[0], EPOLL_CTL_ADD, p[0], &ev), EINVAL);
    CHECK_ERRNO(epoll_ctl(e, 77, p[0], &ev), EINVAL);
    int file = open("/etc/version", O_RDONLY);
    CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_ADD, file, &ev), EPERM);
    close(file);
    CHECK_IS(epoll_ctl(e, EPOLL_CTL_ADD, q[0], &ev), 0);
    CHECK_IS(epoll_wait(e, out, 4, 0), 0);
    CHECK_IS(epoll_wait(e, out, 4, 10), 0);
    CHECK_ERRNO(epoll_wait(e, out, 0, 0), EINVAL);
    (void)!write(q[1], "x", 1);
    CHECK(epoll_wait(e, out, 4, 5000) == 1 && out[0].events == EPOLLIN && out[0].data.u32 == 2);
    CHECK_IS(epoll_wait(e, out, 4, 0), 1);
    struct pollfd pf = { .fd = e, .events = POLLIN };
    CHECK(poll(&pf, 1, 0) == 1 && pf.revents == POLLIN);
    (void)!read(q[0], &c, 1);
    CHECK_IS(poll(&pf, 1, 0), 0);
    ev = (struct epoll_event){ .events = EPOLLIN | EPOLLONESHOT, .data.u32 = 3 };
    CHECK_IS(epoll_ctl(e, EPOLL_CTL_MOD, q[0], &ev), 0);
    (void)!write(q[1], "x", 1);
    CHECK(epoll_wait(e, out, 4, 0) == 1 && out[0].data.u32 == 3);
    CHECK_IS(epoll_wait(e, out, 4, 0), 0);
    CHECK_IS(epoll_ctl(e, EPOLL_CTL_MOD, q[0], &ev), 0);
    CHECK_IS(epoll_wait(e, out, 4, 0), 1);
    close(p[1]);
    CHECK(epoll_wait(e, out, 4, 0) == 1 && (out[0].events & EPOLLHUP) != 0);
    close(p[0]); /* a closed descriptor leaves the set */
    CHECK_IS(epoll_wait(e, out, 4, 0), 0);
    ev = (struct epoll_event){ .events = EPOLLOUT | EPOLLET };
    CHECK_IS(epoll_ctl(e, EPOLL_CTL_ADD, q[1], &ev), 0);
    CHECK_IS(epoll_wait(e, out, 4, 0), 1);
    CHECK_IS(epoll_wait(e, out, 4, 0), 0);
    struct timespec zero = {};
    CHECK_IS(syscall(SYS_epoll_pwait2, e, out, 4, &zero, nullptr, 8), 0);
    close(e);
    close(q[0]);
    close(q[1]);
}

/* --- sleeping --- */

static void sleeping(void)
{
    static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };
    for (size_t i = 0; i < 3; i++) {
        struct timespec t = { .tv_nsec = 5000000 }, at;
        int64_t begin = now_ms(CLOCK_MONOTONIC);
        CHECK_IS(clock_nanosleep(clocks[i], 0, &t, nullptr), 0);
        CHECK(now_ms(CLOCK_MONOTONIC) - begin >= 4);
        clock_gettime(clocks[i], &at);
        at.tv_nsec += 5000000;
        if (at.tv_nsec >= 1000000000) {
            at.tv_nsec -= 1000000000;
            at.tv_sec++;
        }
        begin = now_ms(CLOCK_MONOTONIC);
        CHECK_IS(clock_nanosleep(clocks[i], TIMER_ABSTIME, &at, nullptr), 0);
        CHECK(now_ms(CLOCK_MONOTONIC) - begin >= 3);
        CHECK_IS(clock_nanosleep(clocks[i], TIMER_ABSTIME, &(struct timespec){}, nullptr), 0);
        CHECK_IS(clock_nanosleep(clocks[i], 0, &(struct timespec){ .tv_nsec = -1 }, nullptr), EINVAL);
        CHECK_IS(clock_nanosleep(clocks[i], 0, &(struct timespec){ .tv_sec = -1 }, nullptr), EINVAL);
    }
    CHECK_IS(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &(struct timespec){}, nullptr), EINVAL);
    CHECK_IS(clock_nanosleep(77, 0, &(struct timespec){}, nullptr), EINVAL);
    CHECK_IS(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &(struct timespec){}, nullptr), ENOTSUP);
    CHECK_ERRNO(clock_gettime(77, &(struct timespec){}), EINVAL);
    CHECK_ERRNO(clock_gettime(-1, &(struct timespec){}), EINVAL);
    CHECK_ERRNO(clock_getres(-1, &(struct timespec){}), EINVAL);
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && (usage.ru_utime.tv_usec != 0 || usage.ru_utime.tv_sec != 0));
    CHECK_ERRNO(getrusage(77, &usage), EINVAL);
    /* a signal's mask while waiting */
    sigset_t none, block;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    sigprocmask(SIG_BLOCK, &block, nullptr);
    came = 0; /* what is pending already when it is let through is not slept over */
    kill(getpid(), SIGALRM);
    CHECK_ERRNO(ppoll(nullptr, 0, nullptr, &none), EINTR);
    kill(getpid(), SIGALRM);
    CHECK_ERRNO(pselect(0, nullptr, nullptr, nullptr, nullptr, &none), EINTR);
    CHECK_IS(came, 2);
    came = 0;
    struct itimerval it = { .it_value.tv_usec = 10000 };
    setitimer(ITIMER_REAL, &it, nullptr);
    CHECK_ERRNO(ppoll(nullptr, 0, nullptr, &none), EINTR);
    CHECK_IS(came, 1);
    setitimer(ITIMER_REAL, &it, nullptr);
    CHECK_ERRNO(pselect(0, nullptr, nullptr, nullptr, nullptr, &none), EINTR);
    CHECK_IS(came, 2);
    setitimer(ITIMER_REAL, &it, nullptr);
    int e = epoll_create1(0);
    struct epoll_event out;
    CHECK_ERRNO(epoll_pwait(e, &out, 1, -1, &none), EINTR);
    CHECK_IS(came, 3);
    CHECK_IS(poll(nullptr, 0, 5), 0);
    close(e);
}

int main(void)
{
    intervals();
    posix_timers();
    counters();
    timer_descriptors();
    sets();
    sleeping();
    return check_done();
}
