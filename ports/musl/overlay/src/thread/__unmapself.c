/* SPDX-License-Identifier: MIT
 * VectraOS: the kernel ends a thread and releases its stack in one call. */
#include "pthread_impl.h"
#include "vectra_hooks.h"

void __unmapself(void *base, size_t size)
{
    __vectra_unmapself(base, size);
}
