/* SPDX-License-Identifier: MIT
 * From a call's number to its function, and the safe point behind it. The rows are in calls.def. */
#include "signal.h"
#include "process.h"
#include "trace.h"
#include <sys/syscall.h>

#define REFUSED(name, error, text)
#define LATER(name, error, text)
#define PASS_0
#define PASS_1 a
#define PASS_2 a, b
#define PASS_3 a, b, c
#define PASS_4 a, b, c, d
#define PASS_5 a, b, c, d, e
#define PASS_6 a, b, c, d, e, f
#define DONE(name, n, text)                                                                                            \
    static long call_##name([[maybe_unused]] long a, [[maybe_unused]] long b, [[maybe_unused]] long c,                 \
                            [[maybe_unused]] long d, [[maybe_unused]] long e, [[maybe_unused]] long f)                 \
    {                                                                                                                  \
        return px_##name(PASS_##n);                                                                                    \
    }
#include "calls.def"
#undef DONE
#undef REFUSED
#undef LATER

enum : unsigned long { NUMBERS = 512 };

static px_call *const functions[NUMBERS] = {
#define DONE(name, n, text) [SYS_##name] = call_##name,
#define REFUSED(name, error, text)
#define LATER(name, error, text)
#include "calls.def"
#undef DONE
#undef REFUSED
#undef LATER
};

static const uint8_t errors[NUMBERS] = {
#define DONE(name, n, text)
#define REFUSED(name, error, text) [SYS_##name] = error,
#define LATER(name, error, text) [SYS_##name] = error,
#include "calls.def"
#undef DONE
#undef REFUSED
#undef LATER
};

/* Calls that start again after a handler that was installed with SA_RESTART. */
static bool starts_again(long number, long timeout)
{
    switch (number) {
    case SYS_futex: /* sem_wait; one with a time-out is the C library's to repeat */
        return timeout == 0;
    case SYS_read:
    case SYS_readv:
    case SYS_pread64:
    case SYS_write:
    case SYS_writev:
    case SYS_openat:
    case SYS_preadv:
    case SYS_pwritev:
    case SYS_pwrite64:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_sendto:
    case SYS_recvfrom:
    case SYS_sendmsg:
    case SYS_recvmsg:
    case SYS_fcntl:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_ioctl:
    case SYS_flock:
        return true;
    default:
        return false;
    }
}

/* True when the call is to be made again. */
[[gnu::noinline]] static bool safe_point(long number, long answer, long fourth)
{
    struct px_thread *t = px_self();
    if (atomic_load_explicit(&px_replaced, memory_order_acquire))
        px_thread_replaced();
    px_enter(t);
    (void)px_deliver();
    px_delivered_t delivered = (px_delivered_t)t->delivered;
    t->delivered = PX_NOTHING;
    px_leave(t);
    return answer == -EINTR && (delivered == PX_NOTHING || (delivered == PX_RESTART && starts_again(number, fourth)));
}

/* relaxed: a signal that comes just now is delivered at the next safe point, or interrupts the next wait */
static inline bool is_over(long answer)
{
    return answer != -EINTR && atomic_load_explicit(&px_attention, memory_order_relaxed) == 0;
}

/* What a call may be made of again: in memory, so that the registers of most calls need not be kept. */
struct arguments {
    long number, a, b, c, d, e, f;
};

static long call_once(const struct arguments *x)
{
    struct px_thread *t = px_self();
    px_enter(t);
    long answer = functions[x->number](x->a, x->b, x->c, x->d, x->e, x->f);
    px_leave(t);
    return answer;
}

/* The rest of a call that was interrupted, or at whose end there is something to deliver. */
[[gnu::noinline]] static long finish(const struct arguments *x, long answer)
{
    while (!is_over(answer) && safe_point(x->number, answer, x->d))
        answer = call_once(x);
    return answer;
}

/* Before there is thread-local storage, where it was set anew, and where somebody watches. */
[[gnu::noinline]] static long call_slowly(const struct arguments *x)
{
    if (!px_tracing)
        return finish(x, call_once(x));
    px_trace_begins(x->number, &x->a);
    long answer = finish(x, call_once(x));
    px_trace_call(x->number, &x->a, answer);
    return answer;
}

[[gnu::noinline]] static long refuse(const struct arguments *x)
{
    bool known = (unsigned long)x->number < NUMBERS && errors[x->number] != 0;
    long answer = known ? -(long)errors[x->number] : -ENOSYS;
    if (px_tracing)
        px_trace_call(x->number, &x->a, answer);
    return answer;
}

long __vectra_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    const struct arguments x = { number, a, b, c, d, e, f };
    if ((unsigned long)number >= NUMBERS || functions[number] == nullptr)
        return refuse(&x);
    struct px_thread *t = px_self_quickly();
    if (__builtin_expect(t == nullptr || px_tracing, 0))
        return call_slowly(&x);
    px_enter(t);
    long answer = functions[number](a, b, c, d, e, f);
    px_leave(t);
    return __builtin_expect(is_over(answer), 1) ? answer : finish(&x, answer);
}
