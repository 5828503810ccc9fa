/* SPDX-License-Identifier: MIT
 * Semaphores and futexes.
 * Futex waiters hang in a table of chains by physical address, so the same word in two Tasks is the same futex. The
 * compare and the enqueue are one step under the chain's lock: no waker can come between. The waiter's address space is
 * locked around that, so that the word cannot become somebody else's memory before it is read.
 *
 * The chains are in groups, one for each place of a word within a page, modulo 256: that much of an address is the same
 * in every mapping. So a waker can see that nobody waits before it knows the physical address. A chain is `used` from
 * before a waiter looks at its word until a waker finds nobody in it.
 *
 * A waiter's frame is its own Task's, or an object's that its Task has mapped: only its own Task lets it wait for
 * another word, and when mappings of objects go its Task's waiters look again. So it never waits at what became
 * another's. model: test/model/futex.pml */
#include <arch/usercopy.h>
#include <kernel/pt.h>
#include <kernel/sync.h>
#include <kernel/syscall.h>

#define FUTEX_GROUPS 64u
#define FUTEX_CHAINS 32u /* in a group, by the frame */

static struct chain {
    alignas(32) struct waitq waiting; /* while it is used */
    struct spinlock lock;             /* LOCK_FUTEX */
    bool used;
} chains[FUTEX_CHAINS][FUTEX_GROUPS];

static struct {
    alignas(64) _Atomic uint32_t n_used; /* chains */
} groups[FUTEX_GROUPS];

static inline _Atomic uint32_t *group_of(uint64_t address)
{
    return &groups[address / 4 % FUTEX_GROUPS].n_used;
}

/* The multiplier spreads neighbouring frames. */
static inline struct chain *chain_of(uint64_t key)
{
    static_assert(FUTEX_CHAINS == 1u << 5);
    return &chains[(uint32_t)(key >> ARCH_PAGE_SHIFT) * 0x9e3779b1u >> 27][key / 4 % FUTEX_GROUPS];
}

/* By the holder of the lock, as is all below that takes a chain. */
static inline void use(struct chain *c, uint64_t key)
{
    if (likely(c->used))
        return;
    c->used = true;
    waitq_init(&c->waiting);
    atomic_fetch_add_explicit(group_of(key), 1, memory_order_relaxed);
}

/* Whether it is certain that nobody waits for a word whose address ends like this, in whichever mapping. */
static inline bool nobody_waits(uint64_t address)
{
    atomic_thread_fence(
        memory_order_seq_cst); /* the waker's word before the look; sys_futex_wait() has the other half */
    return atomic_load_explicit(group_of(address), memory_order_relaxed) == 0;
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
 * more than `count`. The count is taken for the waiter, so its call is done. */
static void grant(struct sem *s)
{
    struct list_node *next;
    for (struct list_node *n = s->waiters.threads.next; n != &s->waiters.threads && s->count != 0; n = next) {
        struct thread *t = container_of(n, struct thread, wait);
        next = n->next;
        uint64_t target = arch_frame_arg(&t->frame, 1);
        if (target > s->count)
            continue;
        s->count -= (uint32_t)target;
        thread_complete(t, 0, 0);
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
    struct thread *self = current_thread();
    struct cap *c;
    status_t st = cap_get(&self->task->caps, sem, VX_CAP_SEM, VX_R_WAIT, &c);
    if (st != OK)
        return sys_status(st);
    if (target == 0 || target > SEM_COUNT_MAX)
        return sys_status(ERR_BAD_ARGUMENT);
    struct sem *s = sem_of(c->obj);
    lock_take(&s->lock, LOCK_SEM);
    if (s->count < target)
        return thread_block_last(self, &s->waiters, &s->lock, LOCK_SEM, deadline);
    s->count -= (uint32_t)target;
    lock_release(&s->lock, LOCK_SEM);
    return sys_ok(0, 0);
}

[[gnu::always_inline]] static inline uint64_t wake_some(struct chain *c, uint64_t key, uint64_t count)
{
    uint64_t woken = 0;
    struct list_node *next, *all = &c->waiting.threads;
    if (unlikely(!c->used))
        return 0;
    for (struct list_node *n = all->next; n != all && woken < count; n = next) {
        struct thread *t = container_of(n, struct thread, wait);
        next = n->next;
        if (likely(t->futex_key == key)) {
            thread_complete(t, 0, 0);
            thread_wake(t);
            woken++;
        }
    }
    if (unlikely(woken == 0) && list_is_empty(all)) {
        c->used = false;
        atomic_fetch_sub_explicit(group_of(key), 1, memory_order_relaxed);
    }
    return woken;
}

[[gnu::always_inline]] static inline uint64_t wake(uint64_t key, uint64_t count)
{
    struct chain *c = chain_of(key);
    lock_take(&c->lock, LOCK_FUTEX);
    uint64_t woken = wake_some(c, key, count);
    lock_release(&c->lock, LOCK_FUTEX);
    return woken;
}

void futex_wake_all(uint64_t key)
{
    (void)wake(key, UINT64_MAX);
}

/* Those that are not woken wait for `to` from now on; but those of other Tasks, which may not have it, look again. By
 * the holder of LOCK_VM. */
static uint64_t requeue(uint64_t key, uint64_t count, uint64_t to)
{
    struct chain *from = chain_of(key), *other = chain_of(to);
    struct list_node *next, *all = &from->waiting.threads;
    lock_take(from < other ? &from->lock : &other->lock, LOCK_FUTEX);
    if (from != other)
        lock_take(from < other ? &other->lock : &from->lock, LOCK_FUTEX_TO);
    uint64_t woken = wake_some(from, key, count);
    use(other, to);
    for (struct list_node *n = all->next; from->used && key != to && n != all; n = next) {
        struct thread *t = container_of(n, struct thread, wait);
        next = n->next;
        if (t->futex_key != key)
            continue;
        if (t->task != current_task()) {
            thread_wake(t);
            continue;
        }
        list_remove(n);
        t->futex_key = to;
        atomic_store_explicit(&t->wait_lock, &other->lock, memory_order_relaxed);
        list_push_back(&other->waiting.threads, n); /* in the same chain it is met again, with another key */
    }
    if (from != other)
        lock_release(from < other ? &other->lock : &from->lock, LOCK_FUTEX_TO);
    lock_release(from < other ? &from->lock : &other->lock, LOCK_FUTEX);
    return woken;
}

void futex_recheck(struct vm *vm)
{
    vm->has_waiters = false;
    for (uint32_t i = 0; i < FUTEX_CHAINS * FUTEX_GROUPS; i++) {
        struct chain *c = &chains[i % FUTEX_CHAINS][i / FUTEX_CHAINS];
        struct list_node *next, *all = &c->waiting.threads;
        if (atomic_load_explicit(&groups[i / FUTEX_CHAINS].n_used, memory_order_relaxed) == 0) {
            i += FUTEX_CHAINS - 1;
            continue;
        }
        lock_take(&c->lock, LOCK_FUTEX);
        for (struct list_node *n = all->next; c->used && n != all; n = next) {
            struct thread *t = container_of(n, struct thread, wait);
            next = n->next;
            if (&t->task->vm == vm)
                thread_wake(t);
        }
        lock_release(&c->lock, LOCK_FUTEX);
    }
}

/* Nothing is mapped between VX_UADDR_LIMIT and PT_USER_END: the walk says so. */
static inline status_t check_address(uint64_t address)
{
    if (likely((address & ~(PT_USER_END - 4)) == 0))
        return OK;
    return address % 4 != 0 ? ERR_BAD_ARGUMENT : ERR_BAD_ADDRESS;
}

/* The key of an address, 0: it is not mapped, or by a device. By the holder of LOCK_VM. What user mode can read in
 * small pages needs no look at its area. */
[[gnu::noinline]] static uint64_t key_of_area(struct vm *vm, uint64_t address)
{
    paddr_t pa;
    return vm_translate(vm, address, VX_PROT_READ, &pa) == OK ? pa.raw : 0;
}

[[gnu::always_inline]] static inline uint64_t key_of(struct vm *vm, uint64_t address)
{
    unsigned level;
    uint64_t e = *pt_walk(vm->as.root, address, 0, &level);
    if (likely(level == 0 && pte_present(e) && pte_type(e) == MEM_NORMAL))
        return pte_pa(e) | (address & (ARCH_PAGE_SIZE - 1));
    return key_of_area(vm, address);
}

struct sysret sys_futex_wait(uint64_t address, uint64_t expected, uint64_t deadline)
{
    struct thread *self = current_thread();
    struct vm *vm = &self->task->vm;
    status_t st = check_address(address);
    if (unlikely(st != OK))
        return sys_status(st);
    lock_take(&vm->lock, LOCK_VM);
    uint64_t key = key_of(vm, address);
    if (unlikely(key == 0)) {
        lock_release(&vm->lock, LOCK_VM);
        return sys_status(ERR_BAD_ADDRESS);
    }
    vm->has_waiters = true;
    const _Atomic uint32_t *word = arch_phys_to_virt((paddr_t){ key });
    struct chain *c = chain_of(key);
    lock_take(&c->lock, LOCK_FUTEX);
    use(c, key);
    atomic_thread_fence(
        memory_order_seq_cst); /* `used` before the word: one of us sees the other; see nobody_waits() */
    /* acquire: pairs with the store that precedes the waker's call. */
    bool waits = atomic_load_explicit(word, memory_order_acquire) == (uint32_t)expected;
    lock_release(&vm->lock, LOCK_VM);
    if (likely(waits)) {
        self->futex_key = key;
        return thread_block_last(self, &c->waiting, &c->lock, LOCK_FUTEX, deadline);
    }
    lock_release(&c->lock, LOCK_FUTEX);
    return sys_status(ERR_WOULD_BLOCK);
}

[[gnu::noinline]] static struct sysret wake_and_requeue(uint64_t address, uint64_t count, uint64_t flags,
                                                        uint64_t second)
{
    struct vm *vm = &current_task()->vm;
    status_t st = flags == VX_FUTEX_REQUEUE ? check_address(second) : ERR_BAD_ARGUMENT;
    if (st != OK)
        return sys_status(st);
    lock_take(&vm->lock, LOCK_VM);
    uint64_t key = key_of_area(vm, address), to = key_of_area(vm, second);
    if (key != 0 && to != 0)
        count = requeue(key, count, to);
    lock_release(&vm->lock, LOCK_VM);
    return key != 0 && to != 0 ? sys_ok(count, 0) : sys_status(ERR_BAD_ADDRESS);
}

struct sysret sys_futex_wake(uint64_t address, uint64_t count, uint64_t flags, uint64_t second)
{
    struct thread *self = current_thread();
    struct vm *vm = &self->task->vm;
    status_t st = check_address(address);
    if (unlikely(st != OK))
        return sys_status(st);
    count = (uint32_t)count;
    if (unlikely(flags != 0))
        return wake_and_requeue(address, count, flags, second);
    if (nobody_waits(address) && arch_user_load32((uaddr_t){ address }, &self->seen) == OK)
        return sys_ok(0, 0);
    lock_take(&vm->lock, LOCK_VM);
    uint64_t key = key_of(vm, address);
    lock_release(&vm->lock, LOCK_VM);
    return likely(key != 0) ? sys_ok(wake(key, count), 0) : sys_status(ERR_BAD_ADDRESS);
}
