/* SPDX-License-Identifier: MIT
 * VectraOS: a cancellation point. A cancellation that comes between the test and the wait is not lost: it interrupts
 * the thread, and an interruption is kept until the next wait. */
#include "pthread_impl.h"
#include "syscall.h"

hidden long __cancel(void);

hidden long __syscall_cp_asm(volatile int *cancel, syscall_arg_t nr, syscall_arg_t u, syscall_arg_t v, syscall_arg_t w,
                             syscall_arg_t x, syscall_arg_t y, syscall_arg_t z)
{
    if (*cancel)
        return __cancel();
    return __vectra_syscall(nr, u, v, w, x, y, z);
}
