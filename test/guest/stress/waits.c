/* SPDX-License-Identifier: MIT
 * Storms on everything that waits: deadlines of all calls, signal bits, futexes and semaphores across Tasks. A wake-up
 * that is lost shows as a deadline that passes although what was waited for has happened. */
#include "stress.h"

/* --- deadlines --- */

enum : uint32_t { SLEEPERS = 16, NAPS = 20 };

struct sleeper {
    struct storm *storm;
    uint64_t random;
    uint32_t me, partner;
    vx_handle_t sem, rx;
};

static status_t wait_somehow(struct sleeper *z, uint32_t how, uint64_t until)
{
    static uint32_t word;
    struct vx_message m;
    switch (how) {
    case 0:
        return STATUS(futex_wait, P(&word), 0, until);
    case 1:
        return STATUS(sem_wait, z->sem, 1, until);
    case 2:
        return STATUS(signal_wait, UINT64_C(1) << (32 + z->me), until);
    case 3:
        return STATUS(ring_recv, z->rx, P(&m), until);
    case 4:
        return STATUS(thread_join, 1, until); /* the main thread */
    default: {                                /* that the time has passed is OK; the row allows TIMED_OUT as well */
        status_t st = STATUS(nanosleep, until);
        return st == OK ? ERR_TIMED_OUT : st;
    }
    }
}

static uint32_t sleep_often(void *argument)
{
    struct sleeper *z = argument;
    for (uint32_t i = 0; i < NAPS; i++) {
        uint64_t until = vx_deadline_in(play_below(&z->random, 2000) * VX_NS_PER_US);
        uint32_t how = play_below(&z->random, 8);
        status_t st = wait_somehow(z, how, until);
        uint64_t now = vx_clock_monotonic_ns();
        if (st != ERR_TIMED_OUT && !(how == 4 && st == ERR_BUSY))
            return storm_fail(z->storm, "timers: a wait ended otherwise", how * UINT64_C(1000) - (uint64_t)(int64_t)st);
        if (st == ERR_TIMED_OUT && now < until)
            return storm_fail(z->storm, "timers: a wait ended early", until - now);
        if (now - until > PLAY_PATIENCE_NS && now > until)
            return storm_fail(z->storm, "timers: a deadline was forgotten", now - until);
    }
    return 1;
}

bool storm_timers(struct storm *s)
{
    do {
        struct vx_thread thread[SLEEPERS];
        struct sleeper z[SLEEPERS];
        vx_handle_t tx[SLEEPERS];
        bool good = true;
        for (uint32_t i = 0; i < SLEEPERS; i++) {
            struct vx_result r = SYS(ring_create, 0, 1, 0);
            tx[i] = (vx_handle_t)r.value;
            z[i] = (struct sleeper){ .storm = s, .random = play_random(&s->random), .me = i };
            z[i].rx = (vx_handle_t)r.second;
            z[i].sem = (vx_handle_t)SYS(sem_create, 0, 0).value;
            if (vx_thread_create(&thread[i], sleep_often, &z[i], 8192) != OK)
                return storm_fail(s, "timers: no thread", i);
        }
        for (uint32_t i = 0; i < SLEEPERS; i++) {
            uint32_t status = 0;
            if (!play_join(&thread[i], &status))
                return storm_fail(s, "timers: a sleeper does not end", i);
            good &= status == 1;
            (void)SYS(cap_drop, z[i].sem);
            (void)SYS(cap_drop, z[i].rx);
            (void)SYS(cap_drop, tx[i]);
        }
        if (!good)
            return false;
    } while (storm_again(s));
    return true;
}

/* --- signals --- */

enum : uint32_t { PAIRS = 4, POSTS = 100 };

struct signal_pair {
    struct storm *storm;
    uint64_t wait, post;
    bool first;
};

/* Two threads that wake each other, each by its own bit: a lost one ends in a deadline. */
static uint32_t post_and_wait(void *argument)
{
    struct signal_pair *p = argument;
    for (uint32_t i = 0; i < POSTS; i++) {
        if (p->first)
            (void)SYS(signal_post, 0, p->post);
        struct vx_result r = SYS(signal_wait, p->wait, play_soon());
        if (r.value != p->wait)
            return storm_fail(p->storm, "signals: no bit came", i);
        if (!p->first)
            (void)SYS(signal_post, 0, p->post);
    }
    return 1;
}

/* Answers each of its parent's bits by the bit that the parent bound to the ring. */
int part_poster(void)
{
    vx_handle_t tx = vx_bundle_ring_tx("tx").raw;
    for (;;) {
        struct vx_result r = SYS(signal_wait, 4, play_soon());
        if (vx_result_status(r.value) != OK || r.value != 4)
            return 1;
        status_t st = STATUS(signal_post, tx, 0);
        if (st != OK)
            return st == ERR_PEER_CLOSED ? 0 : 2;
    }
}

static bool signals_across(struct storm *s)
{
    struct vx_spawn spawn;
    struct vx_result ring = SYS(ring_create, 0, 1, 0);
    const char *argv[] = { "/test/stress", "poster" };
    const uint64_t bit = UINT64_C(1) << 60;
    play_begin(&spawn, s->image, 2, argv, 256 << 10);
    vx_spec_move(&spawn.spec, "tx", (vx_handle_t)ring.value, VX_R_SEND | VX_R_SIGNAL);
    vx_handle_t part = play_start(&spawn);
    status_t st = STATUS(bind, ring.second, 60);
    if (part == 0 || st != OK)
        return storm_fail(s, "signals: no part, or no binding", (uint64_t)-(int)st);
    for (uint32_t i = 0; i < POSTS; i++) {
        (void)SYS(signal_post, part, 4);
        if (SYS(signal_wait, bit, play_soon()).value != bit)
            return storm_fail(s, "signals: no bit came from the other Task", i);
    }
    (void)SYS(destroy, part);
    bool good = storm_ended_by(s, part, VX_CAUSE_DESTROYED, "signals: the part ended otherwise");
    (void)SYS(cap_drop, ring.second);
    (void)SYS(signal_wait, bit, 0); /* the end of the ring has posted it once more */
    return good;
}

bool storm_signals(struct storm *s)
{
    do {
        struct vx_thread thread[2 * PAIRS];
        struct signal_pair pair[2 * PAIRS];
        bool good = true;
        for (uint32_t i = 0; i < 2 * PAIRS; i++) {
            pair[i] = (struct signal_pair){ s, UINT64_C(1) << i, UINT64_C(1) << (i ^ 1), i % 2 == 0 };
            if (vx_thread_create(&thread[i], post_and_wait, &pair[i], 8192) != OK)
                return storm_fail(s, "signals: no thread", i);
        }
        good = signals_across(s);
        for (uint32_t i = 0; i < 2 * PAIRS; i++) {
            uint32_t status = 0;
            if (!play_join(&thread[i], &status))
                return storm_fail(s, "signals: a thread does not end", i);
            good &= status == 1;
        }
        if (!good)
            return false;
    } while (storm_again(s));
    return true;
}

/* --- futexes on memory of several Tasks --- */

enum : uint32_t { LOCKERS = 2, FUTEX_PARTS = 2, LOCKS = 60 };

struct futex_page {
    _Atomic uint32_t lock; /* 0 free, 1 held, 2 held and somebody may wait */
    _Atomic uint32_t generation;
    _Atomic uint32_t lost; /* a deadline passed although the word had changed */
    _Atomic uint32_t finished;
    uint64_t counted; /* by whoever holds the lock: no atomic */
    _Atomic uint64_t wanted;
};

static bool futex_sleep(struct futex_page *f, _Atomic uint32_t *word, uint32_t expected)
{
    status_t st = STATUS(futex_wait, P(word), expected, play_soon());
    if (st == OK || st == ERR_WOULD_BLOCK)
        return true;
    atomic_fetch_add_explicit(&f->lost, 1, memory_order_relaxed);
    return false;
}

static bool lock_slow(struct futex_page *f)
{
    /* acquire: pairs with the release in unlock */
    while (atomic_exchange_explicit(&f->lock, 2, memory_order_acquire) != 0)
        if (!futex_sleep(f, &f->lock, 2))
            return false;
    return true;
}

static bool lock(struct futex_page *f)
{
    uint32_t none = 0;
    return atomic_compare_exchange_strong_explicit(&f->lock, &none, 1, memory_order_acquire, memory_order_relaxed) ||
           lock_slow(f);
}

static void unlock(struct futex_page *f)
{
    if (atomic_exchange_explicit(&f->lock, 0, memory_order_release) == 2)
        (void)SYS(futex_wake, P(&f->lock), 1, 0, 0);
}

/* Counts under the lock; every fifth time it waits for the next generation, and is moved from there to the lock. */
static uint32_t lock_often(void *argument)
{
    struct futex_page *f = argument;
    bool good = true;
    for (uint32_t i = 0; good && i < LOCKS; i++) {
        good = lock(f);
        if (!good)
            break;
        f->counted++;
        atomic_fetch_add_explicit(&f->wanted, 1, memory_order_relaxed);
        if (i % 16 == 7)
            (void)SYS(yield);
        uint32_t seen = atomic_load_explicit(&f->generation, memory_order_relaxed);
        unlock(f);
        if (i % 5 == 4) {
            good = futex_sleep(f, &f->generation, seen) && lock_slow(f);
            if (good)
                unlock(f);
        }
    }
    atomic_fetch_add_explicit(&f->finished, 1, memory_order_release);
    return good;
}

static bool lockers_run(struct futex_page *f)
{
    struct vx_thread thread[LOCKERS];
    bool good = true;
    for (uint32_t i = 0; i < LOCKERS; i++)
        good &= vx_thread_create(&thread[i], lock_often, f, 8192) == OK;
    for (uint32_t i = 0; good && i < LOCKERS; i++) {
        uint32_t status = 0;
        good = play_join(&thread[i], &status) && status == 1;
    }
    return good;
}

int part_futex(void)
{
    struct futex_page *f = play_shared("shared", 4096);
    return f != nullptr && lockers_run(f) ? 0 : 1;
}

static uint32_t run_lockers(void *argument)
{
    return lockers_run(argument);
}

/* For a complaint: lost wake-ups, the lock, who has finished, then two digits for each part: its state (3: cannot be
 * seen) and how many threads it has. */
static uint64_t states_of(const struct futex_page *f, const vx_handle_t *part)
{
    uint64_t out = f->lost << 8 | f->lock << 4 | f->finished;
    for (uint32_t i = 0; i < FUTEX_PARTS; i++) {
        struct vx_task_info info = { .state = 3 };
        (void)SYS(task_control, part[i], VX_TASK_INFO, P(&info), sizeof info);
        out = out << 8 | info.state << 4 | (info.state == VX_TASK_DEAD ? info.cause : info.threads);
        struct vx_thread_info t[4] = {};
        uint64_t n = SYS(task_control, part[i], VX_TASK_THREADS, P(t), 4, 0).value;
        for (uint32_t k = 1; k < n && k < 4; k++)
            out = out << 8 | t[k].state << 6 | (t[k].syscall & 63);
    }
    return out;
}

/* Wakes one of those who wait for the next generation and moves the others to the lock, until all have finished. */
static bool broadcast(struct storm *s, struct futex_page *f, uint32_t n, const vx_handle_t *part)
{
    uint64_t deadline = vx_deadline_in(2 * PLAY_PATIENCE_NS), seen = 0;
    while (atomic_load_explicit(&f->finished, memory_order_acquire) < n) {
        uint64_t counted = atomic_load_explicit(&f->wanted, memory_order_relaxed);
        if (counted != seen) /* they get on, and what they have to do is finite */
            deadline = vx_deadline_in(2 * PLAY_PATIENCE_NS);
        seen = counted;
        if (vx_clock_monotonic_ns() > deadline)
            return storm_fail(s, "futex: somebody sleeps for ever", states_of(f, part));
        if (!lock_slow(f))
            return storm_fail(s, "futex: the lock is never given back", 0);
        atomic_fetch_add_explicit(&f->generation, 1, memory_order_relaxed);
        status_t st = STATUS(futex_wake, P(&f->generation), 1, VX_FUTEX_REQUEUE, P(&f->lock));
        unlock(f);
        if (st != OK)
            return storm_fail(s, "futex: a requeue failed", (uint64_t)-(int)st);
        play_nap(200 * VX_NS_PER_US);
    }
    return true;
}

bool storm_futex(struct storm *s)
{
    do {
        struct play_memory shared = play_share(4096);
        struct futex_page *f = shared.at;
        vx_handle_t part[FUTEX_PARTS];
        struct vx_thread own;
        if (f == nullptr || vx_thread_create(&own, run_lockers, f, 16384) != OK)
            return storm_fail(s, "futex: no memory or no thread", 0);
        for (uint32_t i = 0; i < FUTEX_PARTS; i++) {
            struct vx_spawn spawn;
            const char *argv[] = { "/test/stress", "futex" };
            play_begin(&spawn, s->image, 2, argv, 256 << 10);
            vx_spec_copy(&spawn.spec, "shared", shared.mem, PLAY_SHARED);
            if ((part[i] = play_start(&spawn)) == 0)
                return storm_fail(s, "futex: no part", i);
        }
        bool good = broadcast(s, f, (FUTEX_PARTS + 1) * LOCKERS, part);
        uint32_t status = 0;
        if (!play_join(&own, &status) || status != 1)
            good = storm_fail(s, "futex: our own lockers failed", status);
        for (uint32_t i = 0; i < FUTEX_PARTS; i++)
            good &= storm_ended_well(s, part[i], "futex: a part failed");
        if (f->lost != 0)
            good = storm_fail(s, "futex: wake-ups were lost", f->lost);
        if (f->counted != f->wanted || f->counted != (FUTEX_PARTS + 1) * LOCKERS * LOCKS)
            good = storm_fail(s, "futex: two held the lock at once", f->counted);
        (void)SYS(mem_free, shared.mem, 0, 0);
        if (!good)
            return false;
    } while (storm_again(s));
    return true;
}

/* --- semaphores --- */

enum : uint32_t { TOKENS = 12, MOVES = 60, MOVERS = 3 };

struct mover {
    vx_handle_t from, to;
    uint64_t random;
    bool good;
};

/* Moves tokens from one semaphore to the other; not every move finds some. */
static uint32_t move_tokens(void *argument)
{
    struct mover *m = argument;
    m->good = true;
    for (uint32_t i = 0; i < MOVES; i++) {
        uint32_t n = 1 + play_below(&m->random, 3);
        status_t st = STATUS(sem_wait, m->from, n, vx_deadline_in(500 * VX_NS_PER_US));
        if (st == OK)
            st = STATUS(sem_signal, m->to, n);
        m->good &= st == OK || st == ERR_TIMED_OUT;
    }
    return m->good;
}

static bool movers_run(vx_handle_t a, vx_handle_t b, uint64_t seed)
{
    struct vx_thread thread[MOVERS];
    struct mover mover[MOVERS];
    bool good = true;
    for (uint32_t i = 0; i < MOVERS; i++) {
        mover[i] = (struct mover){ i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, seed + i, false };
        good &= vx_thread_create(&thread[i], move_tokens, &mover[i], 8192) == OK;
    }
    for (uint32_t i = 0; good && i < MOVERS; i++)
        good = play_join(&thread[i], nullptr) && mover[i].good;
    return good;
}

/* Moves, and then answers every count of "there" with one of "back". */
int part_sems(void)
{
    vx_handle_t there = vx_bundle_sem("there").raw, back = vx_bundle_sem("back").raw;
    if (!movers_run(vx_bundle_sem("b").raw, vx_bundle_sem("a").raw, 99))
        return 1;
    for (uint32_t i = 0; i < POSTS; i++)
        if (STATUS(sem_wait, there, 1, play_soon()) != OK || STATUS(sem_signal, back, 1) != OK)
            return 2;
    return 0;
}

static uint64_t count_of(vx_handle_t sem)
{
    struct vx_cap_facts facts = {};
    (void)SYS(cap_inspect, sem, P(&facts));
    return facts.a;
}

bool storm_sems(struct storm *s)
{
    do {
        static const char *const names[] = { "a", "b", "there", "back" };
        vx_handle_t sem[4];
        struct vx_spawn spawn;
        const char *argv[] = { "/test/stress", "sems" };
        play_begin(&spawn, s->image, 2, argv, 256 << 10);
        for (uint32_t i = 0; i < 4; i++) {
            sem[i] = (vx_handle_t)SYS(sem_create, 0, i < 2 ? TOKENS / 2 : 0).value;
            vx_spec_copy(&spawn.spec, names[i], sem[i], VX_R_WAIT | VX_R_SIGNAL);
        }
        vx_handle_t part = play_start(&spawn);
        if (part == 0 || !movers_run(sem[0], sem[1], play_random(&s->random)))
            return storm_fail(s, "sems: our movers failed", part);
        for (uint32_t i = 0; i < POSTS; i++)
            if (STATUS(sem_signal, sem[2], 1) != OK || STATUS(sem_wait, sem[3], 1, play_soon()) != OK)
                return storm_fail(s, "sems: a count got lost between Tasks", i);
        if (!storm_ended_well(s, part, "sems: the part failed"))
            return false;
        if (count_of(sem[0]) + count_of(sem[1]) != TOKENS)
            return storm_fail(s, "sems: tokens were made or lost", count_of(sem[0]) + count_of(sem[1]));
        for (uint32_t i = 0; i < 4; i++)
            (void)SYS(cap_drop, sem[i]);
    } while (storm_again(s));
    return true;
}
