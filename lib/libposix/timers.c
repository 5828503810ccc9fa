/* SPDX-License-Identifier: MIT
 * alarm, setitimer and timer_create. The keeper sleeps until the nearest one is due and raises its signal.
 *
 *  1. `next` is a time of the timer's own clock, 0 while it is disarmed. Processor time cannot be slept for, so such a
 *     timer is looked at again at the earliest moment that it could be due.
 *  2. A timer's signal is pending once at most (`queued`); what expires meanwhile is its overrun.
 *  3. `lock` is taken before the thread list's and before what is pending. */
#define _GNU_SOURCE
#include "timers.h"
#include "keeper.h"
#include "process.h"
#include "signal.h"
#include <limits.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

enum : unsigned { TIMERS_MAX = 64, INTERVALS = 3 };
enum : uint64_t { CPU_LOOK_MIN_NS = VX_NS_PER_MS };

/* As the C library passes it: struct ksigevent. */
struct event {
    union sigval value;
    int signal, notify, tid;
};

static struct timer {
    bool used, queued;
    int clock;
    int signal, notify, tid, code;
    uint64_t value;
    uint64_t next, interval;
    int overrun, told;
} timers[TIMERS_MAX + INTERVALS]; /* setitimer's are the last */
static struct vx_mutex lock;
static bool any; /* was ever set */

static uint64_t clock_now(int clock)
{
    uint64_t ns = 0;
    switch (clock) {
    case CLOCK_REALTIME:
        return vx_clock_realtime_ns();
    case CLOCK_PROCESS_CPUTIME_ID:
        (void)vx_sys_clock_get_time(VX_CLOCK_TASK_CPU, &ns);
        return ns;
    default:
        return vx_clock_monotonic_ns();
    }
}

/* When to look at it again, on the monotonic clock. */
static uint64_t look_at(const struct timer *t, uint64_t now)
{
    if (t->next <= now)
        return vx_clock_monotonic_ns();
    uint64_t left = t->next - now;
    if (t->clock == CLOCK_PROCESS_CPUTIME_ID) {
        const struct vx_time_page *page = (const struct vx_time_page *)VX_TIME_PAGE_ADDRESS;
        left /= page->harts != 0 ? page->harts : 1;
        left = left < CPU_LOOK_MIN_NS ? CPU_LOOK_MIN_NS : left;
    }
    return vx_deadline_in(left);
}

static int saturated(uint64_t n)
{
    return n > INT_MAX ? INT_MAX : (int)n;
}

static void raise_locked(struct timer *t, uint64_t expirations)
{
    struct px_note n = { .signal = t->signal,
                         .code = t->code,
                         .sender = t->code == SI_TIMER ? (uint32_t)(t - timers) : 0,
                         .value = t->value };
    if (t->notify == SIGEV_NONE)
        return;
    if (t->queued) {
        t->overrun = saturated((uint64_t)t->overrun + expirations);
        return;
    }
    t->overrun = saturated(expirations - 1);
    t->queued = t->code == SI_TIMER && !px_signal_ignored(t->signal);
    if (t->notify != SIGEV_THREAD_ID) {
        (void)px_signal_process(&n);
        return;
    }
    vx_mutex_lock(&px_threads_lock);
    struct px_thread *thread = px_thread_find_locked(t->tid);
    if (thread != nullptr)
        (void)px_signal_thread_locked(thread, &n);
    vx_mutex_unlock(&px_threads_lock);
}

static void expire_locked(struct timer *t, uint64_t now)
{
    uint64_t times = 1;
    if (t->interval != 0) {
        times += (now - t->next) / t->interval;
        t->next += times * t->interval;
    } else {
        t->next = 0;
    }
    raise_locked(t, times);
}

uint64_t px_timers_run(void)
{
    uint64_t soonest = VX_FOREVER;
    vx_mutex_lock(&lock);
    for (struct timer *t = timers; any && t < timers + TIMERS_MAX + INTERVALS; t++) {
        if (t->next == 0)
            continue;
        uint64_t now = clock_now(t->clock);
        if (t->next <= now)
            expire_locked(t, now);
        if (t->next != 0) {
            uint64_t at = look_at(t, now);
            soonest = at < soonest ? at : soonest;
        }
    }
    vx_mutex_unlock(&lock);
    return soonest;
}

int px_timer_taken(uint32_t id)
{
    int overrun = 0;
    vx_mutex_lock(&lock);
    if (id < TIMERS_MAX && timers[id].queued) {
        overrun = timers[id].told = timers[id].overrun;
        timers[id].queued = false;
        timers[id].overrun = 0;
    }
    vx_mutex_unlock(&lock);
    return overrun;
}

void px_timers_forgotten(uint64_t set)
{
    vx_mutex_lock(&lock);
    for (struct timer *t = timers; t < timers + TIMERS_MAX; t++)
        if (t->used && (px_bit(t->signal) & set) != 0)
            t->queued = false;
    vx_mutex_unlock(&lock);
}

/* --- setitimer --- */

static struct timeval timeval_of(uint64_t ns)
{
    return (struct timeval){ .tv_sec = (time_t)(ns / VX_NS_PER_S),
                             .tv_usec = (suseconds_t)(ns % VX_NS_PER_S / VX_NS_PER_US) };
}

static bool timeval_ns(const struct timeval *t, uint64_t *ns)
{
    if (t->tv_sec < 0 || t->tv_usec < 0 || t->tv_usec >= 1000000)
        return false;
    *ns = (uint64_t)t->tv_sec > UINT64_MAX / VX_NS_PER_S / 2
              ? UINT64_MAX / 2
              : (uint64_t)t->tv_sec * VX_NS_PER_S + (uint64_t)t->tv_usec * VX_NS_PER_US;
    return true;
}

static struct itimerval left_locked(const struct timer *t)
{
    uint64_t now = clock_now(t->clock);
    uint64_t left = t->next == 0 ? 0 : t->next > now ? t->next - now : VX_NS_PER_US;
    /* an armed timer never looks disarmed */
    left = t->next != 0 && left < VX_NS_PER_US ? VX_NS_PER_US : left;
    return (struct itimerval){ .it_interval = timeval_of(t->interval), .it_value = timeval_of(left) };
}

static struct timer *interval_timer(long which)
{
    static const struct timer kinds[INTERVALS] = {
        [ITIMER_REAL] = { .used = true, .clock = CLOCK_MONOTONIC, .signal = SIGALRM, .code = SI_KERNEL },
        [ITIMER_VIRTUAL] = { .used = true, .clock = CLOCK_PROCESS_CPUTIME_ID, .signal = SIGVTALRM, .code = SI_KERNEL },
        [ITIMER_PROF] = { .used = true, .clock = CLOCK_PROCESS_CPUTIME_ID, .signal = SIGPROF, .code = SI_KERNEL },
    };
    if (which < 0 || which >= (long)INTERVALS)
        return nullptr;
    struct timer *t = &timers[TIMERS_MAX + (size_t)which];
    if (!t->used)
        *t = kinds[which];
    return t;
}

long px_getitimer(long which, long out)
{
    vx_mutex_lock(&lock);
    struct timer *t = interval_timer(which);
    if (t != nullptr)
        *(struct itimerval *)out = left_locked(t);
    vx_mutex_unlock(&lock);
    return t != nullptr ? 0 : -EINVAL;
}

long px_setitimer(long which, long new_value, long old_value)
{
    const struct itimerval *wanted = (const struct itimerval *)new_value;
    uint64_t value = 0, interval = 0;
    if (wanted != nullptr && (!timeval_ns(&wanted->it_value, &value) || !timeval_ns(&wanted->it_interval, &interval)))
        return -EINVAL;
    vx_mutex_lock(&lock);
    struct timer *t = interval_timer(which);
    if (t != nullptr) {
        struct itimerval before = left_locked(t);
        t->interval = value != 0 ? interval : 0;
        t->next = value != 0 ? clock_now(t->clock) + value : 0;
        any = true;
        if (old_value != 0)
            *(struct itimerval *)old_value = before;
    }
    vx_mutex_unlock(&lock);
    if (t == nullptr)
        return -EINVAL;
    if (value != 0) {
        px_keeper_start();
        px_keeper_look();
    }
    return 0;
}

/* --- timer_create --- */

static struct timer *find_locked(long id)
{
    return id >= 0 && id < (long)TIMERS_MAX && timers[id].used ? &timers[id] : nullptr;
}

static bool clock_known(long clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_TAI;
}

static long check_event(const struct event *e)
{
    if (e->notify == SIGEV_NONE)
        return 0;
    if ((e->notify != SIGEV_SIGNAL && e->notify != SIGEV_THREAD_ID) || e->signal < 1 || e->signal > 64)
        return -EINVAL;
    vx_mutex_lock(&px_threads_lock);
    bool good = e->notify == SIGEV_SIGNAL || px_thread_find_locked(e->tid) != nullptr;
    vx_mutex_unlock(&px_threads_lock);
    return good ? 0 : -EINVAL;
}

long px_timer_create(long clock, long event, long out)
{
    struct event e = { .signal = SIGALRM, .notify = SIGEV_SIGNAL };
    if (clock == CLOCK_THREAD_CPUTIME_ID || clock < 0)
        return -EOPNOTSUPP;
    if (!clock_known(clock))
        return -EINVAL;
    if (event != 0)
        e = *(const struct event *)event;
    long answer = check_event(&e);
    if (answer != 0)
        return answer;
    answer = -EAGAIN;
    vx_mutex_lock(&lock);
    for (unsigned i = 0; i < TIMERS_MAX && answer != 0; i++) {
        if (timers[i].used)
            continue;
        timers[i] = (struct timer){ .used = true,
                                    .clock = clock == CLOCK_TAI ? CLOCK_REALTIME : (int)clock,
                                    .signal = e.signal,
                                    .notify = e.notify,
                                    .tid = e.tid,
                                    .code = SI_TIMER,
                                    .value = event != 0 ? (uint64_t)(uintptr_t)e.value.sival_ptr : i };
        *(int *)out = (int)i;
        answer = 0;
    }
    vx_mutex_unlock(&lock);
    if (answer == 0)
        px_keeper_start();
    return answer;
}

long px_timer_delete(long id)
{
    vx_mutex_lock(&lock);
    struct timer *t = find_locked(id);
    if (t != nullptr)
        *t = (struct timer){};
    vx_mutex_unlock(&lock);
    return t != nullptr ? 0 : -EINVAL;
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){ .tv_sec = (time_t)(ns / VX_NS_PER_S), .tv_nsec = (long)(ns % VX_NS_PER_S) };
}

static bool timespec_ns(const struct timespec *t, uint64_t *ns)
{
    if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (long)VX_NS_PER_S)
        return false;
    *ns = (uint64_t)t->tv_sec > UINT64_MAX / VX_NS_PER_S / 2 ? UINT64_MAX / 2
                                                             : (uint64_t)t->tv_sec * VX_NS_PER_S + (uint64_t)t->tv_nsec;
    return true;
}

static struct itimerspec spec_locked(const struct timer *t)
{
    uint64_t now = clock_now(t->clock);
    return (struct itimerspec){ .it_interval = timespec_of(t->interval),
                                .it_value = timespec_of(t->next == 0    ? 0
                                                        : t->next > now ? t->next - now
                                                                        : 1) };
}

long px_timer_gettime(long id, long out)
{
    vx_mutex_lock(&lock);
    struct timer *t = find_locked(id);
    if (t != nullptr)
        *(struct itimerspec *)out = spec_locked(t);
    vx_mutex_unlock(&lock);
    return t != nullptr ? 0 : -EINVAL;
}

long px_timer_settime(long id, long flags, long new_value, long old_value)
{
    const struct itimerspec *wanted = (const struct itimerspec *)new_value;
    uint64_t value, interval;
    if (!timespec_ns(&wanted->it_value, &value) || !timespec_ns(&wanted->it_interval, &interval))
        return -EINVAL;
    vx_mutex_lock(&lock);
    struct timer *t = find_locked(id);
    if (t != nullptr) {
        if (old_value != 0)
            *(struct itimerspec *)old_value = spec_locked(t);
        t->interval = interval;
        t->next = value == 0 ? 0 : (flags & TIMER_ABSTIME) != 0 ? value : clock_now(t->clock) + value;
        any = true;
        t->queued = false;
        t->overrun = 0;
    }
    vx_mutex_unlock(&lock);
    if (t != nullptr)
        px_keeper_look();
    return t != nullptr ? 0 : -EINVAL;
}

long px_timer_getoverrun(long id)
{
    vx_mutex_lock(&lock);
    struct timer *t = find_locked(id);
    long answer = t != nullptr ? t->told : -EINVAL;
    vx_mutex_unlock(&lock);
    return answer;
}
