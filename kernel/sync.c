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
 * Nobody wakes more than WAKES_AT_ONCE threads at a stretch. FUTEX_WAKE goes on in steps, whose state is its thread's:
 * `progress` says how many it woke and `turn` who came too late for it, so that it ends however fast they come back. If
 * it never goes on, that is as if it had not been made: its word's waiters wait for the next. SEM_SIGNAL must not be
 * half done when its Task ends, as nobody would know. So a crowd is the graveyard's, which nobody can end.
 *
 * Y1. Whoever waits for a semaphore wants more than `count`, or END_CROWD is set and the graveyard has it.
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
    uint64_t turn;                    /* rises when somebody begins to wake in steps */
    struct spinlock lock;             /* LOCK_FUTEX */
    _Atomic bool used;                /* written under the lock */
} chains[FUTEX_CHAINS][FUTEX_GROUPS];

static struct {
    alignas(64) _Atomic uint32_t n_used; /* chains */
} groups[FUTEX_GROUPS];

static inline uint64_t group_bit(uint64_t address)
{
    static_assert(FUTEX_GROUPS == 64);
    return UINT64_C(1) << (address / 4 % FUTEX_GROUPS);
}

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

static inline bool is_used(const struct chain *c)
{
    return atomic_load_explicit(&c->used, memory_order_relaxed);
}

/* By the holder of the lock, as is all below that takes a chain. */
static inline void use(struct chain *c, uint64_t key)
{
    if (likely(is_used(c)))
        return;
    atomic_store_explicit(&c->used, true, memory_order_relaxed);
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

/* First come, first served, but one that wants more than there is does not hold up those behind it. The count is taken
 * for the waiter, so its call is done. False: there may be more to do. */
bool sem_grant_some(struct sem *s)
{
    struct list_node *next;
    uint32_t left = WAKES_AT_ONCE;
    for (struct list_node *n = s->waiters.threads.next; n != &s->waiters.threads && s->count != 0; n = next) {
        struct thread *t = container_of(n, struct thread, wait);
        next = n->next;
        uint64_t target = arch_frame_arg(&t->frame, 1);
        if (target > s->count)
            continue;
        if (left-- == 0)
            return false;
        s->count -= (uint32_t)target;
        thread_complete(t, 0, 0);
        thread_wake(t);
    }
    return true;
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
    if (unlikely(n > WAKES_AT_ONCE) && !arch_hart_self()->alone && waitq_first(&s->waiters) != nullptr) {
        lock_release(&s->lock, LOCK_SEM);
        return sys_alone();
    }
    if (likely(n <= SEM_COUNT_MAX && s->count + n <= SEM_COUNT_MAX)) {
        s->count += (uint32_t)n;
        if (unlikely(!sem_grant_some(s)) &&
            arch_hart_self()->alone) {   /* Y1; else it is there already: n alone is not enough for so many */
            (void)work_spend(WORK_STEP); /* that was a step */
            object_destroy(&s->obj, END_CROWD);
        }
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

[[gnu::always_inline]] static inline uint64_t wake_some(struct chain *c, uint64_t key, uint64_t count, uint64_t turn)
{
    uint64_t woken = 0;
    struct list_node *next, *all = &c->waiting.threads;
    if (unlikely(!is_used(c)))
        return 0;
    for (struct list_node *n = all->next; n != all && woken < count; n = next) {
        struct thread *t = container_of(n, struct thread, wait);
        next = n->next;
        if (likely(t->futex_key == key) && t->turn <= turn) {
            thread_complete(t, 0, 0);
            thread_wake(t);
            woken++;
        }
    }
    if (unlikely(woken == 0) && list_is_empty(all)) {
        atomic_store_explicit(&c->used, false, memory_order_relaxed);
        atomic_fetch_sub_explicit(group_of(key), 1, memory_order_relaxed);
    }
    return woken;
}

/* The same, a step of it in self's call. By the holder of the lock. */
static bool wake_step(struct thread *self, struct chain *c, uint64_t key, uint64_t count)
{
    if (self->progress == 0)
        self->turn = c->turn++;
    count -= (uint32_t)self->progress;
    uint64_t woken = wake_some(c, key, count < WAKES_AT_ONCE ? count : WAKES_AT_ONCE, self->turn);
    self->progress += woken;
    return woken == count || woken < WAKES_AT_ONCE;
}

bool futex_wake_some(uint64_t key, uint64_t count)
{
    struct chain *c = chain_of(key);
    lock_take(&c->lock, LOCK_FUTEX);
    bool over = wake_step(current_thread(), c, key, count);
    lock_release(&c->lock, LOCK_FUTEX);
    return over;
}

/* The same with those that are not woken, who wait for `to` from now on; but those of other Tasks, which may not have
 * it, look again. By the holder of LOCK_VM. */
static bool requeue(struct thread *self, uint64_t key, uint64_t count, uint64_t to)
{
    struct chain *from = chain_of(key), *other = chain_of(to);
    struct list_node *next, *all = &from->waiting.threads;
    uint32_t left = WAKES_AT_ONCE;
    lock_take(from < other ? &from->lock : &other->lock, LOCK_FUTEX);
    if (from != other)
        lock_take(from < other ? &other->lock : &from->lock, LOCK_FUTEX_TO);
    bool over = wake_step(self, from, key, count);
    use(other, to);
    self->task->vm.waits_in |= group_bit(to);
    for (struct list_node *n = all->next; over && is_used(from) && key != to && n != all; n = next) {
        struct thread *t = container_of(n, struct thread, wait);
        next = n->next;
        if (t->futex_key != key || t->turn > self->turn)
            continue;
        over = left-- != 0;
        if (!over)
            break;
        if (t->task != self->task) {
            thread_wake(t);
            continue;
        }
        list_remove(n);
        t->futex_key = to;
        t->turn = other->turn;
        atomic_store_explicit(&t->wait_lock, &other->lock, memory_order_relaxed);
        list_push_back(&other->waiting.threads, n); /* in the same chain it is met again, with another key */
    }
    self->progress |= UINT64_C(1) << 32; /* also if nobody was woken */
    if (from != other)
        lock_release(from < other ? &other->lock : &from->lock, LOCK_FUTEX_TO);
    lock_release(from < other ? &from->lock : &other->lock, LOCK_FUTEX);
    return over;
}

/* A chain that is not used, or not yet, has none of vm's waiters: those entered theirs by the holder of its lock. */
void futex_recheck(struct vm *vm)
{
    uint64_t in = vm->waits_in;
    vm->waits_in = 0;
    for (; in != 0; in &= in - 1) {
        for (uint32_t i = 0; i < FUTEX_CHAINS; i++) {
            struct chain *c = &chains[i][__builtin_ctzll(in)];
            struct list_node *next, *all = &c->waiting.threads;
            if (likely(!is_used(c)))
                continue;
            lock_take(&c->lock, LOCK_FUTEX);
            for (struct list_node *n = all->next; is_used(c) && n != all; n = next) {
                struct thread *t = container_of(n, struct thread, wait);
                next = n->next;
                if (&t->task->vm == vm)
                    thread_wake(t);
            }
            lock_release(&c->lock, LOCK_FUTEX);
        }
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
    vm->waits_in |= group_bit(address);
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
        self->turn = c->turn;
        return thread_block_last(self, &c->waiting, &c->lock, LOCK_FUTEX, deadline);
    }
    lock_release(&c->lock, LOCK_FUTEX);
    return sys_status(ERR_WOULD_BLOCK);
}

/* FUTEX_WAKE that may need steps. */
[[gnu::noinline]] static struct sysret wake_crowd(struct thread *self, uint64_t address, uint64_t count, uint64_t flags,
                                                  uint64_t second)
{
    struct vm *vm = &self->task->vm;
    status_t st = flags == VX_FUTEX_REQUEUE ? check_address(second) : flags == 0 ? OK : ERR_BAD_ARGUMENT;
    bool over = true;
    if (st == OK) {
        lock_take(&vm->lock, LOCK_VM);
        uint64_t key = key_of_area(vm, address), to = flags != 0 ? key_of_area(vm, second) : key;
        if (key == 0 || to == 0)
            st = ERR_BAD_ADDRESS;
        else
            over = flags != 0 ? requeue(self, key, count, to) : futex_wake_some(key, count);
        lock_release(&vm->lock, LOCK_VM);
    }
    if (!over)
        return thread_rerun_call();
    uint32_t woken = (uint32_t)self->progress;
    self->progress = 0;
    return st == OK ? sys_ok(woken, 0) : sys_status(st);
}

struct sysret sys_futex_wake(uint64_t address, uint64_t count, uint64_t flags, uint64_t second)
{
    struct thread *self = current_thread();
    struct vm *vm = &self->task->vm;
    status_t st = check_address(address);
    if (unlikely(st != OK))
        return sys_status(st);
    count = (uint32_t)count;
    if (likely(flags == 0 && self->progress == 0) && nobody_waits(address) &&
        arch_user_load32((uaddr_t){ address }, &self->seen) == OK)
        return sys_ok(0, 0);
    if (unlikely(flags != 0 || count > WAKES_AT_ONCE))
        return wake_crowd(self, address, count, flags, second);
    lock_take(&vm->lock, LOCK_VM);
    uint64_t key = key_of(vm, address);
    lock_release(&vm->lock, LOCK_VM);
    if (unlikely(key == 0))
        return sys_status(ERR_BAD_ADDRESS);
    struct chain *c = chain_of(key);
    lock_take(&c->lock, LOCK_FUTEX);
    uint64_t woken = wake_some(c, key, count, UINT64_MAX);
    lock_release(&c->lock, LOCK_FUTEX);
    return sys_ok(woken, 0);
}
