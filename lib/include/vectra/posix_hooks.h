/* SPDX-License-Identifier: MIT
 * Where the C library meets libposix: everything that would enter a kernel elsewhere is one of these functions. The
 * port of the C library is built with this file, and libposix implements it, so the two cannot drift apart.
 *
 * Rules for what stands behind them:
 *  1. They run before thread-local storage is set up and before constructors: no errno, no stack protector, no malloc.
 *  2. They answer a value or a negated errno, and never store errno.
 *  3. They call nothing of the C library but memory and string functions. */
#pragma once
#include <stddef.h>

/* The call of that number of <sys/syscall.h>: its value, or a negated errno. -ENOSYS for what is not there. */
long __vectra_syscall(long number, long a, long b, long c, long d, long e, long f);
/* The same for two calls that programs make all the time. */
long __vectra_clock_gettime(int clock, void *timespec);
long __vectra_getpid(void);

/* Starts a thread that runs function(argument) on the stack; its id is at *parent_tid before either side goes on. When
 * it ends, *clear_tid becomes 0 and its waiters wake. */
int __vectra_clone(int (*function)(void *), void *stack, int flags, void *argument, int *parent_tid, void *tls,
                   int *clear_tid);
/* A stack for a thread: its lowest `guard` bytes cannot be touched, its uppermost `zeroes` are zero. nullptr: there is
 * no memory. All are multiples of a page but `zeroes`. */
void *__vectra_stack_get(size_t bytes, size_t guard, size_t zeroes);
/* The thread on it has ended. */
void __vectra_stack_put(void *base, size_t bytes, size_t guard);
/* Ends the calling thread and releases the stack that it stands on. */
[[noreturn]] void __vectra_unmapself(void *base, size_t bytes);
/* Makes this the calling thread's thread pointer. x86-64 only: AArch64 writes its register itself. */
int __vectra_set_tp(void *tp);

/* Ends the process by SIGABRT, and says on the console what called what, from the place and the frame record on. */
[[noreturn]] void __vectra_abort(const void *pc, const void *record);

enum vectra_spawn_op {
    VECTRA_SPAWN_CLOSE = 1, /* fd */
    VECTRA_SPAWN_DUP2,      /* source to fd; the same: fd stays open in the child */
    VECTRA_SPAWN_OPEN,      /* path, flags, mode as fd */
    VECTRA_SPAWN_CHDIR,     /* path */
    VECTRA_SPAWN_FCHDIR,    /* fd */
};
struct vectra_spawn_action {
    int op, fd, source, flags;
    unsigned mode;
    const char *path;
};
/* A program to start. The actions are done in order, in a copy of the caller's descriptors. */
struct vectra_spawn {
    const char *path;
    char *const *argv, *const *envp;
    const struct vectra_spawn_action *action;
    size_t n_actions;
    int flags; /* POSIX_SPAWN_* */
    int group;
    const void *default_set, *mask; /* sigset_t; used if the flags say so */
};
/* Its process id, or a negated errno: everything that can go wrong is known here. */
int __vectra_spawn(const struct vectra_spawn *spawn);
