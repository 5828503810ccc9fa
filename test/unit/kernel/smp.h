/* SPDX-License-Identifier: MIT
 * A machine of several harts in a process: each hart is a thread of the process that runs the kernel as a processor
 * would, takes its interrupts between two instructions of user code, and plays that user code.
 *
 * A user thread is a struct user: a program that is asked for its next step whenever a hart runs it. Its fields are
 * plain memory that nothing but the kernel's switching orders, so that a thread sanitizer sees a thread that runs in
 * two places, or whose state did not follow it. The vector registers, the thread pointer and a register of its own are
 * checked at every step.
 *
 * Nothing here takes a lock that the kernel would not take. SMP_SEED and SMP_SECONDS in the environment set the seed
 * and the time of what is random; a seed repeats the choices, not the interleaving. */
#pragma once
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#endif
#include <signal.h>
#include <kernel/gate.h>
#define sched_yield libc_sched_yield /* the kernel has one of its own */
#include <pthread.h>
#undef sched_yield
#include <stdarg.h>
#include <time.h>
#include "choices.h"
#include "machine.h"
#include "machine_check.h"

#define SMP_HARTS_MAX 4u
#define SMP_USERS_MAX 8192u
#define CALL_PC UINT64_C(0x400000) /* of the one call instruction of all user code */
#define CODE_PC (CALL_PC + HOST_SYSCALL_BYTES)
#define START_PC UINT64_C(0x500000)
#define RW (VX_PROT_READ | VX_PROT_WRITE)

struct user;
/* What a program does next. */
enum next { NEXT_CALL, NEXT_CODE, NEXT_FAULT };
typedef enum next program_fn(struct user *u);

struct user {
    _Atomic uint32_t on; /* hart that runs it, plus 1; relaxed: orders nothing */
    uint32_t index;
    program_fn *program;
    void *party;        /* the test's own, shared with other users */
    struct choices c;   /* choices */
    uint64_t n, a, b;   /* the program's own */
    uint64_t phase;     /* the program's own; 0 at first */
    uint64_t fp, tls;   /* what its registers hold */
    uint64_t tls_next;  /* and will, when a SET_TLS is done; or the same */
    uint64_t fault_at;  /* NEXT_FAULT */
    uint32_t fault_for; /* VX_PROT_* */
    bool calling;
    void (*alone)(void *user); /* enters the kernel in its place next, once, by the owner of the gate; or nullptr */
    status_t st;               /* of its last call */
    uint64_t first, second;
};

static struct user smp_users[SMP_USERS_MAX];
static _Atomic uint32_t smp_n_users;
static struct hart smp_harts[SMP_HARTS_MAX]; /* [0] is not used: machine_hart */
static pthread_t smp_threads[SMP_HARTS_MAX];
static uint32_t smp_n;
static uint64_t smp_seed;
static uint32_t smp_dawdle;   /* at one in so many places a hart is held up */
static _Atomic bool smp_over; /* storms: come to an end */
static _Atomic uint64_t smp_steps;

static uint64_t smp_clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t smp_real_ns(void)
{
    return smp_clock_ns(CLOCK_MONOTONIC);
}

static uint64_t smp_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != nullptr ? strtoull(text, nullptr, 0) : otherwise;
}

/* --- what is wrong --- */

/* Races with the harts, which do not stop for it: a report of something broken. */
__attribute__((no_sanitize("thread"))) static void smp_dump(void)
{
    static const char *const states[] = { "READY", "RUNNING", "BLOCKED", "STOPPED", "ENDED" };
    static const char *const gates[] = { "OUT", "IN", "CLOSED", "WAITING", "QUEUED" };
    for (uint32_t i = 0; i < smp_n; i++) {
        const struct hart *h = harts[i];
        fprintf(stderr,
                "hart %u: gate %s%s, current %p, urgency %u, mask %x, inbox %p, handover %p, calls %llx, armed %llu\n",
                i, gates[h->gate % 5], h->alone ? " alone" : "", (void *)h->current, h->sched.urgency, h->sched.mask,
                (void *)h->sched.inbox, (void *)h->sched.handover, (unsigned long long)h->calls.from,
                (unsigned long long)h->sched.armed_ns);
    }
    fprintf(stderr, "now %llu\n", (unsigned long long)host_cycles);
    for (struct reticle *r = &machine_root; r != nullptr; r = next_reticle(r)) {
        struct object *owner = r->owner;
        if (owner == nullptr || owner->type != VX_CAP_TASK)
            continue;
        struct task *t = task_of(owner);
        fprintf(stderr, "task %u, state %u, signals %llx\n", t->id, t->state, (unsigned long long)t->signals);
        for (struct tree_node *n = t->threads.first; n != nullptr; n = tree_next(n)) {
            const struct thread *th = container_of(n, struct thread, by_id);
            fprintf(stderr, "  thread %u (user %llu): %s%s%s%s%s, call %llu, home %u, timer %llu%s\n", th->id,
                    (unsigned long long)th->frame.r[11], states[th->state % 5], th->parked ? " parked" : "",
                    th->in_inbox ? " in_inbox" : "", th->on_hart ? " on_hart" : "",
                    th->stop_pending ? " stop_pending" : "", (unsigned long long)th->frame.r[8], th->home,
                    th->timer.in_tree ? (unsigned long long)th->timer.key : 0ull,
                    list_is_empty(&th->wait) ? "" : " waits");
        }
    }
}

[[noreturn, gnu::format(printf, 1, 2)]] static void smp_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "smp: seed %llu: ", (unsigned long long)smp_seed);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    smp_dump();
    abort();
}

#define smp_must(cond)                                                                                                 \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            smp_fail("%s:%d: %s", __FILE__, __LINE__, #cond);                                                          \
    } while (0)

/* --- user code --- */

static uint32_t smp_random(struct user *u, uint32_t below)
{
    return choose(&u->c, below);
}

/* A program for a thread to come. nullptr: there were enough. */
static struct user *user_new(program_fn *program, void *party, uint64_t n)
{
    uint32_t i = atomic_fetch_add_explicit(&smp_n_users, 1, memory_order_relaxed);
    if (i >= SMP_USERS_MAX)
        return nullptr;
    struct user *u = &smp_users[i];
    u->index = i;
    u->program = program;
    u->party = party;
    u->n = n;
    u->c.seed = smp_seed * UINT64_C(0x9e3779b97f4a7c15) + i + 1;
    return u;
}

static struct arch_frame *user_frame(void)
{
    return host_hart->frame;
}

/* The next call, for NEXT_CALL. */
static enum next go_array(uint64_t nr, const uint64_t arg[static 6])
{
    struct arch_frame *f = user_frame();
    memcpy(f->r, arg, 6 * sizeof *arg);
    f->r[8] = nr;
    return NEXT_CALL;
}

#define go(nr, ...) go_array((nr), (const uint64_t[6]){ __VA_ARGS__ })

static void set_registers(struct user *u)
{
    unsigned char *v = host_vector_registers();
    u->fp = choose_raw(&u->c, 8);
    for (int i = 0; i < 8; i++)
        memcpy(v + 8 * i, &u->fp, 8);
}

static void check_registers(const struct user *u, const struct arch_frame *f)
{
    const unsigned char *v = host_vector_registers();
    for (int i = 0; i < 8; i++)
        if (memcmp(v + 8 * i, &u->fp, 8) != 0)
            smp_fail("user %u: its vector registers are not its own", u->index);
    if (arch_tls_get() != (f->pc == CALL_PC ? u->tls : u->tls_next))
        smp_fail("user %u: thread pointer %llx in place of %llx", u->index, (unsigned long long)arch_tls_get(),
                 (unsigned long long)u->tls);
    smp_must(f->r[12] == ~f->r[11]);
}

/* Tries an access. A program that gets false returns NEXT_FAULT, and is asked again once the kernel has resolved it. */
static inline bool user_put(struct user *u, uint64_t at, uint64_t word)
{
    u->fault_at = at;
    u->fault_for = VX_PROT_WRITE;
    return host_user_write(at, &word, sizeof word) == OK;
}

static inline bool user_get(struct user *u, uint64_t at, uint64_t *word)
{
    u->fault_at = at;
    u->fault_for = VX_PROT_READ;
    return host_user_read(word, at, sizeof *word) == OK;
}

static host_stop_t user_step(struct arch_frame *f)
{
    if (f->pc == START_PC) {
        f->r[11] = f->r[0];
        f->r[12] = ~f->r[0];
        f->pc = CODE_PC;
    }
    smp_must(f->r[11] < SMP_USERS_MAX);
    struct user *u = &smp_users[f->r[11]];
    uint32_t elsewhere = atomic_exchange_explicit(&u->on, host_hart->id + 1, memory_order_relaxed);
    if (elsewhere != 0)
        smp_fail("user %u runs on hart %u and on hart %u", u->index, elsewhere - 1, host_hart->id);
    check_registers(u, f);
    enum next next = NEXT_CALL;
    if (f->pc != CALL_PC) {
        smp_must(f->pc == CODE_PC);
        if (u->calling) {
            struct call_result r = { .first = f->r[0], .second = f->r[1] };
            u->st = (int64_t)r.first < 0 && (int64_t)r.first > -64 ? (status_t)(int64_t)r.first : OK;
            u->first = r.first;
            u->second = r.second;
            u->calling = false;
            u->tls = u->tls_next;
        }
        next = u->program(u);
        if (smp_random(u, 8) == 0)
            set_registers(u);
    }
    struct trap t = { .cause = VX_CAUSE_PAGE_FAULT, .access = u->fault_for, .address = u->fault_at, .name = "smp" };
    if (next == NEXT_CALL) {
        u->calling = true;
        f->pc = CALL_PC;
    }
    atomic_store_explicit(&u->on, 0, memory_order_relaxed);
    return next == NEXT_CALL ? host_syscall_again() : next == NEXT_FAULT ? host_trap(&t) : HOST_USER;
}

/* --- harts --- */

static void hart_enter(void *)
{
    struct hart *h = host_hart;
    gate_enter(h);
    sched_run();
}

static void *hart_run(void *hart)
{
    struct hart *h = hart;
    host_hart = h;
    host_timer_deadline = UINT64_MAX;
    host_dawdle_set((uint32_t)(smp_seed * 2654435761u) + h->id * 97 + 1, smp_dawdle);
    host_stop_t stop = host_run(hart_enter, nullptr);
    while (stop == HOST_USER) {
        atomic_fetch_add_explicit(&smp_steps, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&host_cycles, 50, memory_order_relaxed); /* user code takes time */
        stop = host_interrupts();
        if (stop == HOST_USER) {
            smp_must(h->current != nullptr && h->frame == &h->current->frame);
            struct user *u = &smp_users[h->frame->r[11] % SMP_USERS_MAX];
            if (h->frame->pc == CODE_PC && u->alone != nullptr) /* what it does in place of a step */
                stop = host_run(u->alone, u);
            else
                stop = user_step(h->frame);
        }
    }
    smp_must(stop == HOST_IDLE);
    host_dawdle_set(0, 0);
    if (h->aspace != nullptr)
        arch_aspace_activate(nullptr);
    return nullptr;
}

/* A machine without Tasks, whose harts do not run yet: the caller is hart 0. */
static void smp_begin(uint32_t n)
{
    signal(SIGABRT, SIG_DFL); /* cmocka would go on with the next test, on the stack of a hart */
    signal(SIGSEGV, SIG_DFL);
    smp_seed = smp_environment("SMP_SEED", 0);
    if (smp_seed == 0)
        smp_seed = smp_real_ns() % 1000000 + 1;
    machine_boot();
    smp_n = n;
    atomic_store(&smp_n_users, 0);
    memset(smp_users, 0, sizeof smp_users);
    smp_over = false;
    smp_dawdle = 199;
    host_cycles_per_reading = 7;
    for (uint32_t i = 1; i < n; i++) {
        smp_harts[i] = (struct hart){ .syscalls = syscall_table, .self = &smp_harts[i], .id = i };
        harts[i] = host_hart = &smp_harts[i];
        sched_init();
    }
    for (uint32_t i = 0; i < n; i++)
        harts[i]->sched.domain = (UINT64_C(1) << n) - 1;
    host_hart = &machine_hart;
    n_harts = n;
}

static struct task *smp_task(uint32_t order, uint32_t band, struct task *parent, vx_handle_t *reticle)
{
    struct task *t;
    uint64_t at;
    machine_must(task_create(&machine_root, order, CAP_SLOTS_DEFAULT, parent, &t) == OK);
    t->band = (uint8_t)band;
    machine_must(map_anon_whole(&t->vm, USER_BASE, USER_BYTES, RW, VX_MEM_COMMIT, true, &at) == OK);
    struct vx_slot s = {};
    give_own_reticle(t, &s);
    *reticle = (vx_handle_t)s.value;
    return t;
}

static struct thread *smp_thread(struct task *t, struct user *u)
{
    struct thread *th;
    machine_must(u != nullptr);
    machine_must(
        thread_create(t, (uaddr_t){ START_PC }, (uaddr_t){ USER_BASE + USER_BYTES }, u->index, 0, false, &th) == OK);
    return th;
}

/* Lets the harts run until nothing happens any more. `seconds` of that, the programs are told to come to an end. */
static void smp_run(double seconds)
{
    constexpr uint64_t patience_ns = UINT64_C(15) * 1000000000; /* of processors: the host may be busy */
    uint64_t start = smp_real_ns(), begun = smp_clock_ns(CLOCK_PROCESS_CPUTIME_ID), seen = 0, seen_at = begun;
    host_harts_stop(false);
    for (uint32_t i = 0; i < smp_n; i++)
        machine_must(pthread_create(&smp_threads[i], nullptr, hart_run, harts[i]) == 0);
    for (;;) {
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, nullptr);
        uint64_t now = smp_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        uint64_t steps = atomic_load_explicit(&smp_steps, memory_order_relaxed);
        if (smp_real_ns() - start > (uint64_t)(seconds * 1e9))
            atomic_store_explicit(&smp_over, true, memory_order_relaxed);
        if (steps != seen) {
            seen = steps;
            seen_at = now;
        }
        bool idle = true;
        for (int i = 0; idle && i < 3; i++) {
            idle = host_all_idle(smp_n);
            nanosleep(&(struct timespec){ .tv_nsec = 200000 }, nullptr);
        }
        if (idle && host_all_idle(smp_n))
            break;
        if (now - seen_at > patience_ns || now - begun > (uint64_t)(seconds * 1e9) * SMP_HARTS_MAX + 4 * patience_ns)
            smp_fail("the harts neither come on nor come to rest");
    }
    host_harts_stop(true);
    for (uint32_t i = 0; i < smp_n; i++)
        machine_must(pthread_join(smp_threads[i], nullptr) == 0);
    n_harts = 1;
    host_hart = &machine_hart;
}

/* How many threads there are that have not ended. At rest all of them wait or are stopped. */
static uint32_t smp_check_rest(void)
{
    uint32_t n = 0;
    for (struct reticle *r = &machine_root; r != nullptr; r = next_reticle(r)) {
        struct object *owner = r->owner;
        if (owner == nullptr || owner->type != VX_CAP_TASK)
            continue;
        const struct task *t = task_of(owner);
        for (struct tree_node *node = t->threads.first; node != nullptr; node = tree_next(node)) {
            const struct thread *th = container_of(node, struct thread, by_id);
            if (th->state == THREAD_ENDED)
                continue;
            n++;
            smp_must(th->state == THREAD_BLOCKED || th->state == THREAD_STOPPED);
            smp_must(!th->timer.in_tree && !th->in_inbox && !th->on_hart);
        }
    }
    for (uint32_t i = 0; i < smp_n; i++) {
        const struct hart *h = harts[i];
        smp_must(h->current == nullptr && h->sched.mask == 0 && h->sched.inbox == nullptr && h->sched.mail == nullptr &&
                 h->sched.handover == nullptr);
        smp_must(h->gate == GATE_OUT && h->calls.from == 0 && h->sched.deadlines.first == nullptr);
    }
    return n;
}

/* Everything ends, and every page is back. */
static void smp_end(uint64_t free_at_start)
{
    machine_hart.gate = GATE_IN;
    machine_check_all();
    machine_end_all();
    machine_check_all();
    smp_must(machine_root.free_pages == free_at_start);
    smp_must(host_live_aspaces() == 0);
    machine_hart.gate = GATE_OUT;
}
