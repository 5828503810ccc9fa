/* SPDX-License-Identifier: MIT
 * VectraOS: there is no Linux to call. Each call is a function of libposix (vectra_hooks.h). */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

long __vectra_syscall(long, long, long, long, long, long, long);
long __vectra_clock_gettime(int, void *);
long __vectra_getpid(void);

/* The numbers are constants nearly everywhere, so that the two short ways cost nothing elsewhere. */
static __inline long __syscall0(long n)
{
    if (__builtin_constant_p(n) && n == __NR_getpid)
        return __vectra_getpid();
    return __vectra_syscall(n, 0, 0, 0, 0, 0, 0);
}

static __inline long __syscall1(long n, long a)
{
    return __vectra_syscall(n, a, 0, 0, 0, 0, 0);
}

static __inline long __syscall2(long n, long a, long b)
{
    if (__builtin_constant_p(n) && n == __NR_clock_gettime)
        return __vectra_clock_gettime((int)a, (void *)b);
    return __vectra_syscall(n, a, b, 0, 0, 0, 0);
}

static __inline long __syscall3(long n, long a, long b, long c)
{
    return __vectra_syscall(n, a, b, c, 0, 0, 0);
}

static __inline long __syscall4(long n, long a, long b, long c, long d)
{
    return __vectra_syscall(n, a, b, c, d, 0, 0);
}

static __inline long __syscall5(long n, long a, long b, long c, long d, long e)
{
    return __vectra_syscall(n, a, b, c, d, e, 0);
}

static __inline long __syscall6(long n, long a, long b, long c, long d, long e, long f)
{
    return __vectra_syscall(n, a, b, c, d, e, f);
}

#define IPC_64 0
