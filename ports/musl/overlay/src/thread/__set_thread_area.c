/* SPDX-License-Identifier: MIT
 * VectraOS: the thread pointer is set by libposix. Not used where an assembly file takes this one's place. */
#include "pthread_impl.h"
#include "vectra_hooks.h"

int __set_thread_area(void *p)
{
    return __vectra_set_tp(p);
}
