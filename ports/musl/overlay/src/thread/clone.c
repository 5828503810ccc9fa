/* SPDX-License-Identifier: MIT
 * VectraOS: a thread is made by libposix. */
#include <stdarg.h>
#include "pthread_impl.h"
#include "vectra_hooks.h"

int __clone(int (*func)(void *), void *stack, int flags, void *arg, ...)
{
    va_list ap;
    va_start(ap, arg);
    int *ptid = va_arg(ap, int *);
    void *tls = va_arg(ap, void *);
    int *ctid = va_arg(ap, int *);
    va_end(ap);
    return __vectra_clone(func, stack, flags, arg, ptid, tls, ctid);
}
