/* SPDX-License-Identifier: MIT
 * VectraOS: clocks are read in user space, and programs read them all the time. */
#include <time.h>
#include "syscall.h"

int __clock_gettime(clockid_t clk, struct timespec *ts)
{
    long r = __vectra_clock_gettime(clk, ts);
    return r ? __syscall_ret(r) : 0;
}

weak_alias(__clock_gettime, clock_gettime);
