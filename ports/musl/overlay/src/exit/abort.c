/* SPDX-License-Identifier: MIT
 * VectraOS: a program that gives up is reported as one that a fault ends, so the end is not a signal to itself. A
 * handler comes first; what it, a mask or SIG_IGN would keep from happening happens all the same. */
#include <signal.h>
#include <stdlib.h>
#include "lock.h"
#include "pthread_impl.h"
#include "vectra_hooks.h"

_Noreturn void abort(void)
{
    struct sigaction action;
    if (sigaction(SIGABRT, 0, &action) || action.sa_handler != SIG_DFL)
        raise(SIGABRT);
    __block_all_sigs(0);
    LOCK(__abort_lock); /* nobody installs a handler any more */
here:
    __vectra_abort(&&here, __builtin_frame_address(0));
}
