/* SPDX-License-Identifier: MIT
 * Vector registers across preemption and migration, fresh threads, and races of ends, joins and interrupts. */
#include "smp.h"

/* --- vectors --- */

enum : uint32_t { VECTOR_THREADS = 8, FRESH_LEAST = 20, RACES_LEAST = 20, RACES = 150 };

struct vector_thread {
    uint64_t random, wrong;
    _Atomic uint64_t rounds;
    bool clobbers;
};

static _Atomic bool vectors_stop;

static uint32_t keep_vectors(void *argument)
{
    struct vector_thread *v = argument;
    alignas(64) uint8_t in[VEC_BYTES_MAX], out[VEC_BYTES_MAX];
    while (!atomic_load_explicit(&vectors_stop, memory_order_relaxed)) {
        static const uint64_t calls[] = { UINT64_MAX, NR_yield, NR_nanosleep, NR_getpid, NR_fp_clobber };
        uint64_t number = calls[play_below(&v->random, 5)], spins = play_below(&v->random, 200000);
        vec_fill(in, &v->random);
        memset(out, 0xee, sizeof out);
        memset(out + vec_bytes() - 8, 0, 8); /* MXCSR is stored in four bytes of the eight */
        uint64_t result =
            vec_across(in, out, spins, number, number == NR_nanosleep ? vx_deadline_in(50 * VX_NS_PER_US) : 0);
        v->clobbers |= number == NR_fp_clobber && result == 0;
        v->wrong += memcmp(in, out, vec_bytes()) != 0;
        atomic_fetch_add_explicit(&v->rounds, 1, memory_order_relaxed);
    }
    return 0;
}

/* Ends with its own in all registers. */
static uint32_t leave_vectors(void *)
{
    alignas(64) uint8_t in[VEC_BYTES_MAX], out[VEC_BYTES_MAX];
    uint64_t random = 4711;
    vec_fill(in, &random);
    (void)vec_across(in, out, 0, UINT64_MAX, 0);
    return 0;
}

/* A new thread, right behind one that ends: on one hart nobody runs between the two. */
static bool fresh(bool *good)
{
    struct vx_thread last;
    alignas(64) static uint8_t found[VEC_BYTES_MAX], want[VEC_BYTES_MAX];
    uint8_t *stack = check_pages(4096, RW_COMMIT);
    memset(found, 0xee, sizeof found);
    vec_initial(want);
    memset(found + vec_bytes() - 8, 0, 8);
    bool begun = vx_thread_create(&last, leave_vectors, nullptr, 16384) == OK;
    struct vx_result r = SYS(thread_create, P(vec_witness), P(stack) + 4096, P(found), 0, 0);
    bool ended = STATUS(thread_join, r.value, play_soon()) == OK;
    ended &= begun && play_join(&last, nullptr);
    (void)SYS(mem_free, 0, P(stack), 4096);
    *good = ended && memcmp(found, want, vec_bytes()) == 0;
    return ended;
}

void test_vectors(vx_mem)
{
    struct vx_thread thread[VECTOR_THREADS];
    struct vector_thread v[VECTOR_THREADS];
    uint64_t rounds = 0, wrong = 0, until = vx_deadline_in(300 * VX_NS_PER_MS), at_most = play_soon(), now;
    bool good = true, clean = true;
    for (uint32_t i = 0; i < VECTOR_THREADS; i++) {
        v[i] = (struct vector_thread){ .random = 77 + i };
        good &= vx_thread_create(&thread[i], keep_vectors, &v[i], 32768) == OK;
    }
    uint32_t witnesses = 0;
    do { /* enough of both, however slow the machine is: the first find registers that nobody has used yet */
        good &= fresh(&clean);
        witnesses++;
        rounds = 0;
        for (uint32_t i = 0; i < VECTOR_THREADS; i++)
            rounds += atomic_load_explicit(&v[i].rounds, memory_order_relaxed);
        now = vx_clock_monotonic_ns();
    } while (clean && (now < until || (now < at_most && (rounds <= 20 || witnesses < FRESH_LEAST))));
    atomic_store_explicit(&vectors_stop, true, memory_order_relaxed);
    bool clobbers = false;
    for (uint32_t i = 0; i < VECTOR_THREADS; i++) {
        good &= play_join(&thread[i], nullptr);
        wrong += v[i].wrong;
        clobbers |= v[i].clobbers;
    }
    vx_printf("# vectors: %llu rounds, %u fresh threads, FP_CLOBBER %s\n", (unsigned long long)rounds, witnesses,
              clobbers ? "works" : "is not there");
    CHECK("vector registers and their control words survive preemption and calls", good && wrong == 0 && rounds > 20);
    CHECK("a new thread finds its vector registers zero and its control words clean",
          clean && witnesses >= FRESH_LEAST);
}

/* --- races --- */

static struct {
    _Atomic uint32_t go, got, busy, gone, odd;
    _Atomic uint32_t target;
} race;

static uint32_t end_soon(void *argument)
{
    for (uint64_t i = (uintptr_t)argument; i > 0; i--)
        vx_relax();
    return 7;
}

static uint32_t join_target(void *)
{
    while (atomic_load_explicit(&race.go, memory_order_acquire) == 0)
        (void)SYS(yield);
    struct vx_result r = SYS(thread_join, atomic_load_explicit(&race.target, memory_order_relaxed), play_soon());
    status_t st = vx_result_status(r.value);
    if (st == OK && r.value == 7)
        atomic_fetch_add_explicit(&race.got, 1, memory_order_relaxed);
    else if (st == ERR_BUSY)
        atomic_fetch_add_explicit(&race.busy, 1, memory_order_relaxed);
    else if (st == ERR_NOT_FOUND)
        atomic_fetch_add_explicit(&race.gone, 1, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&race.odd, 1, memory_order_relaxed);
    return 0;
}

/* Three want to join one thread that is about to end: exactly one gets its status. */
static bool join_race(uint64_t *random)
{
    struct vx_thread joiner[3], target;
    memset(&race, 0, sizeof race);
    bool good = true;
    for (uint32_t i = 0; i < 3; i++)
        good &= vx_thread_create(&joiner[i], join_target, nullptr, 8192) == OK;
    good &= vx_thread_create(&target, end_soon, (void *)(uintptr_t)play_below(random, 3000), 8192) == OK;
    atomic_store_explicit(&race.target, target.id, memory_order_relaxed);
    atomic_store_explicit(&race.go, 1, memory_order_release);
    for (uint32_t i = 0; i < 3; i++)
        good &= play_join(&joiner[i], nullptr);
    (void)SYS(mem_free, 0, target.base, target.len);
    return good && race.got == 1 && race.odd == 0 && race.busy + race.gone == 2;
}

static uint32_t wait_for_interrupt(void *argument)
{
    static uint32_t word;
    uint32_t how = (uint32_t)(uintptr_t)argument;
    if (how == 0)
        (void)SYS(yield);
    status_t st = how % 2 == 0 ? STATUS(futex_wait, P(&word), 0, play_soon()) : STATUS(nanosleep, play_soon());
    status_t again = STATUS(futex_wait, P(&word), 0, vx_deadline_in(100 * VX_NS_PER_US));
    return st == ERR_INTERRUPTED && again == ERR_TIMED_OUT ? 1 : 0;
}

/* One interrupt, before or during the wait, ends exactly one wait. */
static bool interrupt_race(uint64_t *random)
{
    struct vx_thread t;
    uint32_t status = 0;
    if (vx_thread_create(&t, wait_for_interrupt, (void *)(uintptr_t)play_below(random, 4), 8192) != OK)
        return false;
    for (uint32_t i = play_below(random, 3000); i > 0; i--)
        vx_relax();
    if (play_below(random, 2) != 0)
        (void)SYS(yield);
    bool good = STATUS(thread_interrupt, t.id) == OK;
    return play_join(&t, &status) && good && status == 1;
}

static uint32_t leave(void *argument)
{
    /* release: pairs with the acquire of the one who waits */
    atomic_fetch_add_explicit((_Atomic uint32_t *)argument, 1, memory_order_release);
    return 0;
}

void test_races(vx_mem)
{
    uint64_t random = 4711;
    bool joins = true, interrupts = true, detached = true;
    (void)join_race(&random);
    struct check_accounts before = check_accounts();
    uint64_t until = vx_deadline_in(5 * VX_NS_PER_S);
    for (uint32_t i = 0; joins && play_again(i, RACES_LEAST, RACES, until); i++)
        joins = join_race(&random);
    if (!CHECK("of several joiners exactly one gets the status", joins))
        vx_printf("#   %u got it, %u busy, %u not found, %u others\n", race.got, race.busy, race.gone, race.odd);
    until = vx_deadline_in(5 * VX_NS_PER_S);
    for (uint32_t i = 0; interrupts && play_again(i, RACES_LEAST, RACES, until); i++)
        interrupts = interrupt_race(&random);
    CHECK("an interrupt ends exactly one wait, whenever it comes", interrupts);
    static _Atomic uint32_t left;
    atomic_store_explicit(&left, 0, memory_order_relaxed);
    for (uint32_t i = 0; detached && i < RACES; i++)
        detached = vx_thread_start_detached(leave, &left, 8192) == OK && (i % 16 != 15 || play_reaches(&left, i + 1));
    CHECK("detached threads all run", detached && play_reaches(&left, RACES));
    struct vx_task_info info = {};
    for (uint64_t deadline = play_soon(); vx_clock_monotonic_ns() < deadline;) {
        (void)SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
        if (info.threads == 1)
            break;
        (void)SYS(yield);
    }
    check_equal("and all end", info.threads, 1);
    check_no_leak("ends and joins leave nothing behind", before);
}
