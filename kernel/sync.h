/* SPDX-License-Identifier: MIT
 * Semaphores and futexes: kernel objects and addresses that threads wait for. */
#pragma once
#include <kernel/lock.h>
#include <kernel/object.h>

struct sem {
    struct object obj;
    struct spinlock lock; /* LOCK_SEM: count, waiters */
    uint32_t count;
    struct waitq waiters; /* in order of arrival */
    struct binding binding;
};

static inline struct sem *sem_of(struct object *o)
{
    return (struct sem *)(void *)o;
}

bool sem_fini(struct sem *s); /* in steps */
struct vm;
/* Mappings of objects go from vm, which has_waiters: its Task's futex waiters make their calls again. By the holder of
 * its lock, or alone. */
void futex_recheck(struct vm *vm);
/* Wakes who waits for the word at that physical address. */
void futex_wake_all(uint64_t key);
