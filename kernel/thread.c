/* SPDX-License-Identifier: MIT
 * Threads: birth, waiting, waking, end. A thread has no kernel stack; waiting means that its frame has the call's
 * arguments and that it is on one queue (T3), so ending a thread that waits is taking it off that queue.
 *
 * Locking: a Task's threads (the tree, the counts, the records' memory) are under its LOCK_VM, their joiners under
 * LOCK_TASK inside it. A thread is made, joined and ended by threads of its Task among others; whatever ends a thread
 * that did not ask for it, and the Task's last, is done by the owner of the gate. model: test/model/exit.pml
 *
 * E1. A running thread ends only by itself, or by the owner of the gate. So a joiner under LOCK_VM finds it living,
 * which the thread's end, under the same lock, tells; or ended, with its status. One of the two frees the record. */
#include <kernel/syscall.h>
#include <kernel/sync.h>
#include <arch/fp.h>
#include <arch/timer.h>
#include <base/string.h>

bool waitq_wake_all(struct waitq *q)
{
    struct thread *t;
    while ((t = waitq_first(q)) != nullptr) {
        thread_wake(t);
        if (!work_spend(2))
            return false;
    }
    return true;
}

struct sysret thread_block_call(struct waitq *q, struct spinlock *lock, uint64_t deadline_ns)
{
    struct thread *t = current_thread();
    if (deadline_ns == VX_POLL)
        return sys_status(ERR_WOULD_BLOCK);
    if (t->interrupted) {
        t->interrupted = false;
        return sys_status(ERR_INTERRUPTED);
    }
    if (deadline_ns != VX_FOREVER) {
        if (deadline_ns <= arch_timer_now_ns())
            return sys_status(ERR_TIMED_OUT);
        atomic_store_explicit(&t->wait_lock, lock, memory_order_relaxed);
        sched_set_deadline(t, deadline_ns);
    }
    thread_park(t);
    if (q != nullptr)
        list_push_back(&q->threads, &t->wait);
    else
        list_init(&t->wait);
    return thread_parked();
}

struct sysret thread_rerun_call(void)
{
    struct hart *h = arch_hart_self();
    arch_frame_restart(&h->current->frame);
    h->outcome = CALL_AGAIN;
    h->need_switch = 1;
    return SYS_BLOCKED;
}

status_t thread_create(struct task *task, uaddr_t entry, uaddr_t stack, uint64_t arg0, uint64_t tls, bool detached,
                       struct thread **out)
{
    void *p;
    if (task->n_threads >= THREADS_PER_TASK_MAX)
        return ERR_TABLE_FULL;
    status_t st = reticle_kalloc(&task->reticle, sizeof(struct thread) + arch_fp_bytes(), &p);
    if (st != OK)
        return st;
    struct thread *t = memset(p, 0, sizeof *t + arch_fp_bytes());
    t->task = task;
    arch_fp_clear(thread_fp(t));
    t->tls = tls;
    t->band = t->effective_band = task->band;
    t->detached = detached;
    t->state = THREAD_STOPPED;
    list_init(&t->run);
    waitq_init(&t->joiners);
    t->affinity = UINT64_MAX;
    do { /* ids wrap after four thousand million threads; skip those still in use */
        t->id = ++task->next_thread_id;
    } while (t->id == 0 || thread_find(task, t->id) != nullptr);
    arch_frame_init(&t->frame, entry, stack, arg0, t->id);
    tree_insert(&task->threads, &t->by_id, t->id);
    task->n_threads++;
    task->n_live++;
    *out = t;
    return OK;
}

void thread_start(struct thread *t)
{
    bool stopped = t->task->state == VX_TASK_STOPPED;
    thread_set_state(t, stopped ? THREAD_STOPPED : THREAD_BLOCKED); /* blocked: so that wake applies to it */
    if (!stopped)
        sched_start(t);
}

struct thread *thread_find(struct task *task, uint32_t id)
{
    struct tree_node *n = tree_find_le(&task->threads, id);
    return n != nullptr && n->key == id ? container_of(n, struct thread, by_id) : nullptr;
}

/* Nothing can run it any more; the record stays for a joiner. By the owner of the gate, or by t under LOCK_VM. */
static void retire(struct thread *t)
{
    thread_stop_waiting(t);
    sched_remove(t);
    sched_forget(t, false);
    t->task->cpu_cycles += t->cpu_cycles;
    t->task->n_waits += t->n_waits;
    t->task->n_switches += t->n_switches;
    thread_set_state(t, THREAD_ENDED);
    t->task->n_live--;
}

static void free_record(struct thread *t)
{
    tree_remove(&t->task->threads, &t->by_id);
    t->task->n_threads--;
    reticle_kfree(&t->task->reticle, t);
}

void thread_free(struct thread *t)
{
    if (t->state != THREAD_ENDED)
        retire(t);
    waitq_wake_all(&t->joiners);
    free_record(t);
}

struct sysret sys_thread_create(uint64_t entry, uint64_t stack, uint64_t argument, uint64_t tls, uint64_t flags)
{
    struct task *task = current_task();
    struct thread *t;
    if ((flags & ~(uint64_t)VX_THREAD_DETACHED) != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if (!urange_ok(entry, 1) || !urange_ok(stack, 0) || stack % 16 != 0 || !urange_ok(tls, 0))
        return sys_status(ERR_BAD_ADDRESS);
    if (task->state == VX_TASK_DEAD) /* its end has begun, and must not be outrun */
        return sys_status(ERR_NO_MEMORY);
    lock_take(&task->vm.lock, LOCK_VM);
    status_t st = thread_create(task, (uaddr_t){ entry }, (uaddr_t){ stack }, argument, tls,
                                (flags & VX_THREAD_DETACHED) != 0, &t);
    lock_release(&task->vm.lock, LOCK_VM);
    if (st != OK)
        return sys_status(st);
    t->band = t->effective_band = current_thread()->band;
    uint32_t id = t->id;
    thread_start(t);
    return sys_ok(id, 0);
}

/* The last of it, under LOCK_VM. */
static void end_self(struct thread *t, uint32_t status)
{
    struct task *task = t->task;
    retire(t);
    t->status = status;
    lock_take(&task->lock, LOCK_TASK);
    struct thread *joiner = waitq_first(&t->joiners);
    if (joiner != nullptr) { /* its call is over */
        thread_complete(joiner, status, 0);
        thread_wake(joiner);
    }
    lock_release(&task->lock, LOCK_TASK);
    if (t->detached || joiner != nullptr)
        free_record(t);
}

struct sysret sys_thread_exit(uint64_t status, uint64_t stack, uint64_t stack_len, uint64_t clear)
{
    struct thread *t = current_thread();
    struct task *task = t->task;
    struct vm *vm = &task->vm;
    paddr_t word = {};
    status_t st = OK;
    bool begins = t->progress == 0, over = true;
    if (clear % 4 != 0 || stack % ARCH_PAGE_SIZE != 0 || stack_len % ARCH_PAGE_SIZE != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if (!urange_ok(stack, stack_len) || (clear >= stack && clear < stack + stack_len))
        return sys_status(ERR_BAD_ARGUMENT); /* the word must outlive the stack */
    lock_take(&vm->lock, LOCK_VM);
    bool ends_task = task->n_live == 1;
    if (ends_task && !arch_hart_self()->alone) {
        lock_release(&vm->lock, LOCK_VM);
        return sys_alone();
    }
    if (clear != 0 && (!urange_ok(clear, 4) || vm_translate(vm, clear, VX_PROT_WRITE, &word) != OK))
        st = ERR_BAD_ADDRESS;
    if (st == OK && stack_len != 0) {
        uint64_t progress = progress_take();
        st = vm_unmap(vm, stack, stack_len, nullptr, &progress);
        t->progress = progress;
        over = progress == 0;
        if (st == OK && over)
            arch_frame_set_arg(&t->frame, 2, 0); /* should the call be made again, this is done */
    }
    if (st == OK && over && clear != 0) {
        if (t->progress == 0) /* release: what the thread wrote is visible to whoever sees the cleared word. */
            atomic_store_explicit((_Atomic uint32_t *)arch_phys_to_virt(word), 0, memory_order_release);
        over = futex_wake_some(word.raw, UINT32_MAX);
    }
    bool ends = over && (st == OK || !begins); /* once its stack has gone, it cannot but end */
    if (ends && !ends_task)
        end_self(t, (uint32_t)status);
    lock_release(&vm->lock, LOCK_VM);
    if (ends && ends_task)
        task_kill(task, (uint32_t)status, VX_CAUSE_EXIT);
    return ends ? SYS_BLOCKED : over ? sys_status(st) : thread_rerun_call();
}

struct sysret sys_thread_join(uint64_t id, uint64_t deadline)
{
    struct task *task = current_task();
    struct sysret r;
    lock_take(&task->vm.lock, LOCK_VM);
    struct thread *t = id <= UINT32_MAX ? thread_find(task, (uint32_t)id) : nullptr;
    if (t == nullptr) {
        r = sys_status(ERR_NOT_FOUND);
    } else if (t == current_thread() || t->detached) {
        r = sys_status(ERR_BAD_ARGUMENT);
    } else if (thread_state(t) == THREAD_ENDED) {
        r = sys_ok(t->status, 0);
        free_record(t);
    } else {
        lock_take(&task->lock, LOCK_TASK);
        r = waitq_first(&t->joiners) != nullptr ? sys_status(ERR_BUSY)
                                                : thread_block_call(&t->joiners, &task->lock, deadline);
        lock_release(&task->lock, LOCK_TASK);
    }
    lock_release(&task->vm.lock, LOCK_VM);
    return r;
}

struct sysret sys_thread_interrupt(uint64_t id)
{
    struct thread *t = id <= UINT32_MAX ? thread_find(current_task(), (uint32_t)id) : nullptr;
    if (t == nullptr || t->state == THREAD_ENDED)
        return sys_status(ERR_NOT_FOUND);
    t->interrupted = true; /* sticky: the next interruptible wait takes it */
    thread_wake(t);
    return sys_ok(0, 0);
}

struct sysret sys_set_tls(uint64_t address)
{
    if (!urange_ok(address, 0))
        return sys_status(ERR_BAD_ADDRESS);
    arch_tls_set(address);
    return sys_ok(0, 0);
}

struct sysret sys_get_tls(void)
{
    return sys_ok(arch_tls_get(), 0);
}

struct sysret sys_yield(void)
{
    sched_next_turn();
    return sys_ok(0, 0);
}

struct sysret sys_nanosleep(uint64_t deadline)
{
    if (deadline <= arch_timer_now_ns())
        return sys_ok(0, 0);
    struct sysret r = thread_block_call(nullptr, nullptr, deadline);
    return r.first == (uint64_t)ERR_TIMED_OUT ? sys_ok(0, 0) : sys_last(r); /* it passed just now */
}

struct sysret sys_getpid(void)
{
    return sys_ok(current_task()->id, 0);
}
