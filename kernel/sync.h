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
/* Some of those who wait get what they want, WAKES_AT_ONCE at most; true: whoever waits wants more than there is. */
bool sem_grant_some(struct sem *s);
struct vm;
/* Mappings of objects go from vm, in which somebody waits: its Task's futex waiters make their calls again. By the
 * holder of its lock, or alone. FUTEX_RECHECK: units of work for each group in which somebody waits. */
#define FUTEX_RECHECK 2
void futex_recheck(struct vm *vm);
/* A step of waking `count` of those who wait for the word at that physical address and came before the first step; the
 * caller's thread->progress is 0 then, and the number woken so far afterwards. True: that was all. */
bool futex_wake_some(uint64_t key, uint64_t count);
