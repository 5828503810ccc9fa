/* SPDX-License-Identifier: MIT
 * Semaphores and futexes.
 * Futex waiters hang in a table of chains by physical address, so the same word in two Tasks is the same futex. The
 * compare and the enqueue are one step under the chain's lock: no waker can come between. The waiter's address space is
 * locked around that, so that the word cannot become somebody else's memory before it is read.
 * model: test/model/futex.pml */
#include <kernel/sync.h>
#include <kernel/syscall.h>

#define FUTEX_CHAINS 256u

static struct chain {
    struct list_node threads; /* by `futex` */
    struct spinlock lock;     /* LOCK_FUTEX */
} chains[FUTEX_CHAINS];

void futex_init(void)
{
    for (uint32_t i = 0; i < FUTEX_CHAINS; i++)
        list_init(&chains[i].threads);
}

static struct chain *chain_of(uint64_t key)
{
    return &chains[(key >> 2 ^ key >> 10 ^ key >> 18) % FUTEX_CHAINS];
}

bool sem_fini(struct sem *s)
{
    binding_clear(&s->binding);
    return waitq_wake_all(&s->waiters);
}

struct sysret sys_sem_create(uint64_t reticle, uint64_t count)
{
    struct cap_table *table = &current_task()->caps;
    struct reticle *home;
    struct cap *slot;
    struct object *o;
    status_t st = resolve_reticle(reticle, &home);
    if (st != OK)
        return sys_status(st);
    if (count > SEM_COUNT_MAX)
        return sys_status(ERR_TOO_BIG);
    if ((st = cap_reserve(table, &slot)) != OK)
        return sys_status(st);
    if ((st = object_create(home, VX_CAP_SEM, sizeof(struct sem), &o)) != OK) {
        cap_unreserve(table, slot);
        return sys_status(st);
    }
    struct sem *s = sem_of(o);
    s->count = (uint32_t)count;
    waitq_init(&s->waiters);
    list_init(&s->binding.node);
    constexpr vx_rights_t rights =
        VX_R_WAIT | VX_R_SIGNAL | VX_R_BIND | VX_R_COPY | VX_R_MOVE | VX_R_REVOKE | VX_R_DESTROY | VX_R_INSPECT;
    return sys_ok(cap_make(slot, o, VX_CAP_SEM, rights, 0, 0), 0);
}

/* First come, first served, but one that wants more than there is does not hold up those behind it: whoever waits wants
 * more than `count`. The count is taken for the waiter, so its call is done. A thread that is to stop looks again by
 * itself when it goes on: a debugger may have changed its registers. */
static void grant(struct sem *s)
{
    struct list_node *next;
    for (struct list_node *n = s->waiters.threads.next; n != &s->waiters.threads && s->count != 0; n = next) {
        struct thread *t = container_of(n, struct thread, wait);
        next = n->next;
        uint64_t target = arch_frame_arg(&t->frame, 1);
        if (target > s->count)
            continue;
        if (likely(!t->stop_pending)) {
            s->count -= (uint32_t)target;
            thread_complete(t, 0, 0);
        }
        thread_wake(t);
    }
}

struct sysret sys_sem_signal(uint64_t sem, uint64_t n)
{
    struct cap *c;
    status_t st = cap_get(&current_task()->caps, sem, VX_CAP_SEM, VX_R_SIGNAL, &c);
    if (st != OK)
        return sys_status(st);
    if (n == 0)
        return sys_status(ERR_BAD_ARGUMENT);
    struct sem *s = sem_of(c->obj);
    lock_take(&s->lock, LOCK_SEM);
    if (likely(n <= SEM_COUNT_MAX && s->count + n <= SEM_COUNT_MAX)) {
        s->count += (uint32_t)n;
        grant(s);
        if (s->binding.task != nullptr)
            binding_post(&s->binding);
    } else {
        st = ERR_TOO_BIG;
    }
    lock_release(&s->lock, LOCK_SEM);
    return sys_status(st);
}

struct sysret sys_sem_wait(uint64_t sem, uint64_t target, uint64_t deadline)
{
    struct cap *c;
    status_t st = cap_get(&current_task()->caps, sem, VX_CAP_SEM, VX_R_WAIT, &c);
    if (st != OK)
        return sys_status(st);
    if (target == 0 || target > SEM_COUNT_MAX)
        return sys_status(ERR_BAD_ARGUMENT);
    struct sem *s = sem_of(c->obj);
    lock_take(&s->lock, LOCK_SEM);
    if (s->count < target)
        return thread_block_last(&s->waiters, &s->lock, LOCK_SEM, deadline);
    s->count -= (uint32_t)target;
    lock_release(&s->lock, LOCK_SEM);
    return sys_ok(0, 0);
}

/* Wakes `count` of those who wait for key, and lets the rest wait for `to`, if that is not 0. */
uint64_t futex_wake(uint64_t key, uint64_t count, uint64_t to)
{
    uint64_t woken = 0;
    struct chain *from = chain_of(key), *other = to != 0 ? chain_of(to) : from;
    struct list_node *next;
    lock_take(from < other ? &from->lock : &other->lock, LOCK_FUTEX);
    if (from != other)
        lock_take(from < other ? &other->lock : &from->lock, LOCK_FUTEX_TO);
    for (struct list_node *n = from->threads.next; n != &from->threads; n = next) {
        struct thread *t = container_of(n, struct thread, futex);
        next = n->next;
        if (t->futex_key != key)
            continue;
        if (woken < count) {
            t->woken = true;
            thread_wake(t);
            woken++;
        } else if (to != 0) {
            list_remove(n);
            t->futex_key = to;
            atomic_store_explicit(&t->wait_lock, &other->lock, memory_order_relaxed);
            list_push_back(&other->threads, n); /* in the same chain it is met again, with another key */
        } else {
            break;
        }
    }
    if (from != other)
        lock_release(from < other ? &other->lock : &from->lock, LOCK_FUTEX_TO);
    lock_release(from < other ? &from->lock : &other->lock, LOCK_FUTEX);
    return woken;
}

/* By the holder of the Task's LOCK_VM. */
static status_t futex_key(struct task *t, uint64_t address, uint64_t *key)
{
    paddr_t pa;
    if (address % 4 != 0)
        return ERR_BAD_ARGUMENT;
    if (!urange_ok(address, 4))
        return ERR_BAD_ADDRESS;
    status_t st = vm_translate(&t->vm, address, VX_PROT_READ, &pa);
    *key = pa.raw;
    return st == OK ? OK : ERR_BAD_ADDRESS;
}

struct sysret sys_futex_wait(uint64_t address, uint64_t expected, uint64_t deadline)
{
    struct thread *self = current_thread();
    uint64_t key;
    if (self->woken) { /* this is the re-run after a wake */
        self->woken = false;
        return sys_ok(0, 0);
    }
    struct spinlock *vm_lock = &self->task->vm.lock;
    lock_take(vm_lock, LOCK_VM);
    status_t st = futex_key(self->task, address, &key);
    struct sysret result = sys_status(st);
    if (likely(st == OK)) {
        const _Atomic uint32_t *word = arch_phys_to_virt((paddr_t){ key });
        struct chain *chain = chain_of(key);
        lock_take(&chain->lock, LOCK_FUTEX);
        /* acquire: pairs with the store that precedes the waker's call. */
        if (atomic_load_explicit(word, memory_order_acquire) != (uint32_t)expected) {
            result = sys_status(ERR_WOULD_BLOCK);
        } else {
            result = thread_block_call(nullptr, &chain->lock, deadline);
            if (arch_hart_self()->sched.outcome == CALL_PARKED) {
                self->futex_key = key;
                list_push_back(&chain->threads, &self->futex);
            }
        }
        lock_release(&chain->lock, LOCK_FUTEX);
    }
    lock_release(vm_lock, LOCK_VM);
    return sys_last(result);
}

struct sysret sys_futex_wake(uint64_t address, uint64_t count, uint64_t flags, uint64_t second)
{
    struct task *t = current_task();
    uint64_t key, to = 0;
    lock_take(&t->vm.lock, LOCK_VM);
    status_t st = futex_key(t, address, &key);
    if (st == OK && flags == VX_FUTEX_REQUEUE)
        st = futex_key(t, second, &to);
    lock_release(&t->vm.lock, LOCK_VM);
    if (st != OK)
        return sys_status(st);
    if ((flags & ~(uint64_t)VX_FUTEX_REQUEUE) != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    return sys_ok(futex_wake(key, (uint32_t)count, to != key ? to : 0), 0);
}
