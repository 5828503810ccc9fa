/* SPDX-License-Identifier: MIT
 * Tasks and threads.
 *
 * T1. A Task's struct lives in its payer's Reticle, everything else of it in its own, which dies with it.
 * T2. A thread is RUNNING on a hart, READY in a run queue, BLOCKED in at most one wait queue, STOPPED, or ENDED.
 * T3. A BLOCKED or READY thread that is inside a system call has `parked` set; running it again runs the call again,
 * unless its waker ended the call for it (thread_complete). Its pc is behind the call instruction; whoever takes its
 * registers to make the call anew puts the pc back onto it. Killing it in any of these states needs nothing but taking
 * it off its lists. T4. A dead Task has no threads, no capabilities, no memory:
 * only its record, while capabilities name it. T5. `home` is the hart that ran it last or was given it; its deadline is
 * there. While on_hart is set the home still has something of the thread in its registers, and only the home may run
 * it. T6. `receives` is set while it waits for ever in a plain receive whose buffer, if any, lies in user space, may
 * run on any hart, and is not to stop: whoever sends to it can put the message there and end its wait.
 */
#pragma once
#include <arch/fp.h>
#include <arch/frame.h>
#include <base/list.h>
#include <base/tree.h>
#include <kernel/cap.h>
#include <kernel/lock.h>
#include <kernel/object.h>
#include <kernel/reticle.h>
#include <kernel/vm.h>

/* The numbers are those of struct vx_thread_info. */
typedef enum thread_state : uint8_t {
    THREAD_READY = 0,
    THREAD_BLOCKED = 1,
    THREAD_STOPPED = 2,
    THREAD_ENDED = 3,
    THREAD_RUNNING = 4,
} thread_state_t;

struct thread {
    alignas(64) struct arch_frame frame;
    struct task *task;
    uint64_t tls;
    struct list_node run;               /* run queue */
    struct list_node wait;              /* struct waitq, or a chain of futex waiters; while it is BLOCKED */
    struct tree_node timer;             /* hart's deadlines; key: ns */
    struct tree_node by_id;             /* task->threads */
    uint64_t futex_key;                 /* physical address waited on; 0: none */
    uint64_t turn;                      /* of its chain, when it came to wait there or began to wake in steps */
    uint64_t signal_mask;               /* waited for */
    struct spinlock *_Atomic wait_lock; /* of what it waits for besides its deadline, if it has one */
    struct waitq joiners;               /* at most one */
    uint32_t id;
    uint32_t seen;          /* at the address of a FUTEX_WAKE, where only being able to look counts */
    uint32_t status;        /* exit status, when ENDED and not yet joined */
    thread_state_t state;   /* thread_state() where another hart may end its wait */
    uint8_t band;           /* its own, from the Task's ceiling down */
    uint8_t effective_band; /* the more urgent of its own and what a caller lends it */
    bool parked;            /* T3 */
    bool detached, stop_pending;
    bool in_inbox; /* READY, but not on a queue yet */
    union {
        struct {
            bool receives; /* T6 */
            /* effective_band is lent: 1 while it works on a call, 2 before it has taken it; 0: not lent */
            uint8_t in_service;
            _Atomic bool on_hart; /* T5 */
            bool interrupted;     /* THREAD_INTERRUPT came */
        };
        _Atomic uint32_t readiness; /* all four, for who would put a message into its hands: THREAD_TAKES */
    };
    uint32_t home; /* T5 */
    struct thread *inbox_next;
    uint64_t progress; /* of a call that goes on in steps; it is 0 when any other begins */
    uint32_t
        making; /* by such a call: the handle, without rights so far, of the object. Only the thread ends the call */
    struct {
        uint64_t first, second;
    } result; /* of a call that waits for what it put into the graveyard */
    bool has_result;
    uint64_t affinity; /* harts it should run on, a bit each: a hint */
    uint64_t cpu_cycles, n_waits, n_switches;
};

static_assert(offsetof(struct thread, frame) == 0); /* struct hart */
static_assert(sizeof(struct thread) + ARCH_FP_BYTES_MAX <= ARCH_PAGE_SIZE);

/* Its vector state, arch_fp_bytes(), lies behind it. */
static inline void *thread_fp(struct thread *t)
{
    return t + 1;
}

static constexpr uint32_t THREAD_TAKES = 1; /* it receives, and nothing else */

/* relaxed: only its own hart acts on it, and that one looks again under a lock or in its inbox. */
static inline thread_state_t thread_state(const struct thread *t)
{
    return __atomic_load_n(&t->state, __ATOMIC_RELAXED);
}

/* relaxed: CLOCK_GET_TIME reads it of threads that run elsewhere, and for it any answer is a good one. */
static inline void set_home(struct thread *t, uint32_t hart)
{
    __atomic_store_n(&t->home, hart, __ATOMIC_RELAXED);
}

static inline void thread_set_state(struct thread *t, thread_state_t state)
{
    __atomic_store_n(&t->state, state, __ATOMIC_RELAXED);
}

/* A Reticle that capabilities can name. */
struct reticle_object {
    struct object obj;
    struct reticle reticle;
};

struct task {
    struct object obj;
    union { /* its own Reticle; the object is of the Task: it goes when the Task ends, not before */
        struct reticle_object own;
        struct {
            struct object own_object;
            struct reticle reticle;
        };
    };
    struct cap_table caps;
    struct vm vm;
    struct tree threads; /* by id */
    uint32_t n_threads, next_thread_id, n_live;
    uint32_t caps_order; /* block of the capability table */
    uint64_t signals;    /* pending */
    struct waitq signal_waiters;
    struct waitq exit_waiters;
    struct binding exit_binding; /* who is told of its end */
    struct binding fault_binding;
    struct spinlock lock;      /* LOCK_TASK: signals, signal_waiters, masked_irqs; joiners, exit_waiters */
    struct list_node bindings; /* that post to this Task */
    struct task *parent;       /* who spawned it; nullptr once that is dead. For people and NEXT_CHILD */
    struct list_node children, sibling;
    uint64_t masked_irqs; /* signal bits whose line waits for an unmask */
    uint32_t id;
    uint32_t state; /* enum vx_task_state; dead from the moment its end begins */
    bool ended;     /* its end is over: whoever waits for it may know */
    uint32_t exit_status;
    uint32_t cause;
    uint64_t fault_address, fault_pc;
    uint64_t image_base;
    uint64_t cpu_cycles, start_ns;
    uint64_t n_waits, n_faults, n_switches; /* waits and switches: of threads that ended */
    uint8_t band;                           /* ceiling */
    bool is_init;
    char name[32];
};

static inline struct task *task_of(struct object *o)
{
    return (struct task *)(void *)o;
}

/* Makes a Task on a block of 2^order pages of `payer`: address space, empty capability table of n_slots. Not started.
 * Its one capability is still to be made by the caller; to drop that undoes everything. */
status_t task_create(struct reticle *payer, uint32_t order, uint32_t n_slots, struct task *parent, struct task **out);
/* Its end begins: with everything in its Reticle it comes to the graveyard. Of the current Task: the hart has no
 * current thread from then on. */
void task_kill(struct task *t, uint32_t status, uint32_t cause);
uint64_t thread_cpu_cycles(const struct thread *t);
uint64_t task_cpu_cycles(const struct task *t);
/* The first Task ended with this: power-off, reboot, or a panic. */
[[noreturn]] void machine_stop(uint32_t status, uint32_t cause);
void task_set_name(struct task *t, const char *name, size_t len);
/* A step of the end of a Task's object; true: only its memory is left. */
bool task_fini(struct task *t);
/* A user fault that could not be resolved: report, then kill (or stop, if bound). */
void task_fault(struct thread *t, uint32_t cause, uint64_t address, const char *name);

/* The Reticle behind a RETICLE capability's object. */
struct reticle *reticle_of_object(const struct object *o);
/* A step of the end of all that lives in it, Tasks included; true: it is over, and its block given back. */
bool reticle_end_some(struct reticle *target);

status_t thread_create(struct task *t, uaddr_t entry, uaddr_t stack, uint64_t arg0, uint64_t tls, bool detached,
                       struct thread **out);
struct thread *thread_find(struct task *t, uint32_t id); /* nullptr: none */
void thread_start(struct thread *t);
/* Takes it off every list and frees it. Safe on the current thread. */
void thread_free(struct thread *t);

/* Wait queues: blocking leaves the call to be run again. */
static inline void waitq_init(struct waitq *q)
{
    list_init(&q->threads);
}

static inline struct thread *waitq_first(const struct waitq *q)
{
    struct list_node *n = q->threads.next;
    return n != &q->threads ? container_of(n, struct thread, wait) : nullptr;
}

void thread_stop_waiting(struct thread *t); /* off every queue that a wait put it on */
/* Ends the call that t is parked in: it is not run again. */
static inline void thread_complete(struct thread *t, uint64_t first, uint64_t second)
{
    t->parked = false;
    arch_frame_set_result(&t->frame, first, second);
}

/* Ends its wait. The caller holds the lock of what t waits for, or owns the gate: so nobody else wakes it, and from
 * then on it is the scheduler's. */
void thread_wake(struct thread *t);
bool waitq_wake_all(struct waitq *q); /* by the owner of the gate, in steps */

void signal_post(struct task *t, uint64_t bits);
void signal_raise(struct task *t, uint64_t bits); /* by who holds t->lock; 0: what is pending (G1) */
void binding_post(struct binding *b);
/* Attaches or, with bit 64, detaches. ERR_BUSY if another Task holds it. */
status_t binding_set(struct binding *b, struct task *t, uint32_t bit);
void binding_clear(struct binding *b);
