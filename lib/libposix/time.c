/* SPDX-License-Identifier: MIT
 * Clocks from the time page, without entering the kernel, and sleeping. */
#define _GNU_SOURCE
#include "signal.h"
#include "process.h"
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static void put_timespec(struct timespec *out, uint64_t ns)
{
    out->tv_sec = (time_t)(ns / VX_NS_PER_S);
    out->tv_nsec = (long)(ns % VX_NS_PER_S);
}

/* The processor clocks; -EINVAL for a clock that there is not. */
static long read_cpu_clock(int clock, uint64_t *ns)
{
    uint32_t which = VX_CLOCK_TASK_CPU;
    if (clock == CLOCK_THREAD_CPUTIME_ID) {
        which = VX_CLOCK_THREAD_CPU;
    } else if (clock < 0) { /* ~id << 3 | 2: a process; | 6: a thread (clock_getcpuclockid, pthread_getcpuclockid) */
        int id = ~(clock >> 3);
        if ((clock & 3) == 3) /* a device's clock, by descriptor: there are none */
            return -EINVAL;
        bool thread = (clock & 4) != 0;
        if (!thread ? id != 0 && id != (int)px_pid : id != 0 && id != px_self()->tid)
            return -EINVAL;
        which = thread ? VX_CLOCK_THREAD_CPU : VX_CLOCK_TASK_CPU;
    } else if (clock != CLOCK_PROCESS_CPUTIME_ID) {
        return -EINVAL;
    }
    return px_error(vx_sys_clock_get_time(which, ns));
}

[[gnu::noinline]] static long read_other_clock(int clock, struct timespec *out)
{
    uint64_t ns;
    switch (clock) {
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        ns = vx_clock_monotonic_ns();
        break;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        ns = vx_clock_realtime_ns();
        break;
    default:
        long st = read_cpu_clock(clock, &ns);
        if (st != 0)
            return st;
    }
    put_timespec(out, ns);
    return 0;
}

long __vectra_clock_gettime(int clock, void *out)
{
    if (__builtin_expect(clock != CLOCK_MONOTONIC, 0))
        return read_other_clock(clock, out);
    put_timespec(out, vx_clock_monotonic_ns());
    return 0;
}

long px_clock_gettime(long clock, long out)
{
    return __vectra_clock_gettime((int)clock, (void *)out);
}

long px_clock_getres(long clock, long out)
{
    struct timespec now;
    long st = __vectra_clock_gettime((int)clock, &now);
    if (st == 0 && out != 0)
        *(struct timespec *)out = (struct timespec){ .tv_nsec = 1 };
    return st;
}

long px_gettimeofday(long out, long zone)
{
    (void)zone;
    if (out != 0) {
        uint64_t ns = vx_clock_realtime_ns();
        *(struct timeval *)out = (struct timeval){ .tv_sec = (time_t)(ns / VX_NS_PER_S),
                                                   .tv_usec = (suseconds_t)(ns % VX_NS_PER_S / VX_NS_PER_US) };
    }
    return 0;
}

/* The one clock that somebody may set is not ours to set; the processor's times are nobody's. */
long px_clock_settime(long clock, long to)
{
    const struct timespec *t = (const struct timespec *)to;
    if (clock != CLOCK_REALTIME && clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID)
        return -EINVAL;
    if (t == nullptr)
        return -EFAULT;
    return t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (long)VX_NS_PER_S ? -EINVAL : -EPERM;
}

static bool interval_ok(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < (long)VX_NS_PER_S;
}

static uint64_t interval_ns(const struct timespec *t)
{
    return (uint64_t)t->tv_sec > UINT64_MAX / VX_NS_PER_S - 1
               ? VX_FOREVER
               : (uint64_t)t->tv_sec * VX_NS_PER_S + (uint64_t)t->tv_nsec;
}

long px_clock_nanosleep(long clock, long flags, long request, long remain)
{
    const struct timespec *t = (const struct timespec *)request;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && clock != CLOCK_TAI) {
        struct timespec now;
        bool exists = __vectra_clock_gettime((int)clock, &now) == 0;
        return !exists || clock == CLOCK_THREAD_CPUTIME_ID ? -EINVAL : -EOPNOTSUPP;
    }
    if (!interval_ok(t))
        return -EINVAL;
    bool absolute = (flags & TIMER_ABSTIME) != 0;
    uint64_t ns = interval_ns(t), deadline = absolute ? ns : vx_deadline_in(ns);
    if (absolute && (clock == CLOCK_REALTIME || clock == CLOCK_TAI)) {
        uint64_t base = vx_clock_realtime_ns() - vx_clock_monotonic_ns();
        deadline = ns > base ? ns - base : 1;
    }
    status_t st = deadline <= vx_clock_monotonic_ns() ? OK : PX_WAIT(vx_sys_nanosleep(deadline));
    if (st == ERR_INTERRUPTED && !absolute && remain != 0) {
        uint64_t now = vx_clock_monotonic_ns();
        put_timespec((struct timespec *)remain, deadline > now ? deadline - now : 0);
    }
    return px_error(st);
}

long px_nanosleep(long request, long remain)
{
    return px_clock_nanosleep(CLOCK_MONOTONIC, 0, request, remain);
}

long px_times(long out)
{
    uint64_t ns = 0;
    (void)vx_sys_clock_get_time(VX_CLOCK_TASK_CPU, &ns);
    if (out != 0)
        *(struct tms *)out = (struct tms){ .tms_utime = (clock_t)(ns / (VX_NS_PER_S / 100)),
                                           .tms_cutime = (clock_t)(px_children_cpu_ns() / (VX_NS_PER_S / 100)) };
    return (long)(vx_clock_monotonic_ns() / (VX_NS_PER_S / 100));
}

long px_getrusage(long who, long out)
{
    uint64_t ns = px_children_cpu_ns();
    if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != 1)
        return -EINVAL;
    if (who != RUSAGE_CHILDREN)
        (void)vx_sys_clock_get_time(who == 1 ? VX_CLOCK_THREAD_CPU : VX_CLOCK_TASK_CPU, &ns);
    struct rusage *u = (struct rusage *)out;
    memset(u, 0, offsetof(struct rusage, __reserved));
    u->ru_utime = (struct timeval){ .tv_sec = (time_t)(ns / VX_NS_PER_S),
                                    .tv_usec = (suseconds_t)(ns % VX_NS_PER_S / VX_NS_PER_US) };
    return 0;
}
