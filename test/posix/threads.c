/* SPDX-License-Identifier: MIT
 * Threads: creating and ending them in every way, all kinds of mutexes, condition variables, locks, barriers,
 * semaphores, keys, once, thread-local storage, cancellation. */
#define _GNU_SOURCE
#include "check.h"
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 2000 };

static struct timespec in_ms(clockid_t clock, long ms)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* --- birth, end --- */

static void *answer(void *arg)
{
    return (char *)arg + 1;
}

static void *exits(void *arg)
{
    pthread_exit(arg);
}

static void create_and_join(void)
{
    pthread_t t;
    void *result = nullptr;
    CHECK_IS(pthread_create(&t, nullptr, answer, (void *)41), 0);
    CHECK_IS(pthread_join(t, &result), 0);
    CHECK_IS((intptr_t)result, 42);
    CHECK_IS(pthread_create(&t, nullptr, exits, (void *)7), 0);
    CHECK_IS(pthread_join(t, &result), 0);
    CHECK_IS((intptr_t)result, 7);
    int failed = 0;
    for (int i = 0; i < 300; i++) {
        failed += pthread_create(&t, nullptr, answer, nullptr) != 0;
        failed += pthread_join(t, nullptr) != 0;
    }
    CHECK_IS(failed, 0);
}

/* What a thread finds before it has done anything, and what it leaves behind: the next one may be given its stack. */
static _Thread_local int never_set, set_at_first = 12;
static pthread_key_t left_key;
struct finding {
    int never_set, set_at_first;
    void *specific;
    char *at;
};

static void *finds_and_leaves(void *arg)
{
    struct finding *f = arg;
    volatile char deep[16384];
    *f = (struct finding){ .never_set = never_set,
                           .set_at_first = set_at_first,
                           .specific = pthread_getspecific(left_key),
                           .at = __builtin_frame_address(0) };
    memset((void *)deep, 0xa5, sizeof deep);
    never_set = set_at_first = 99;
    pthread_setspecific(left_key, f);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr); /* of the thread's own record */
    return nullptr;
}

static void check_fresh(const pthread_attr_t *attr, struct finding *f)
{
    pthread_t t;
    CHECK_IS(pthread_create(&t, attr, finds_and_leaves, f), 0);
    CHECK_IS(pthread_join(t, nullptr), 0);
    CHECK(f->never_set == 0 && f->set_at_first == 12 && f->specific == nullptr);
}

static void stacks_again(void)
{
    struct finding one, two;
    pthread_attr_t attr;
    CHECK_IS(pthread_key_create(&left_key, nullptr), 0);
    check_fresh(nullptr, &one);
    check_fresh(nullptr, &two);
    CHECK(one.at == two.at); /* there is one, and it is used again */
    for (size_t bytes = 65536; bytes <= 1 << 20; bytes *= 2) {
        pthread_attr_init(&attr);
        CHECK_IS(pthread_attr_setstacksize(&attr, bytes), 0);
        check_fresh(&attr, &one);
        check_fresh(&attr, &one);
        CHECK_IS(pthread_attr_setguardsize(&attr, bytes == 65536 ? 0 : 16384), 0);
        check_fresh(&attr, &one);
        check_fresh(nullptr, &two);
        pthread_attr_destroy(&attr);
    }
    CHECK_IS(pthread_key_delete(left_key), 0);
}

static atomic_int detached_ran;
static void *detached(void *arg)
{
    (void)arg;
    detached_ran++;
    return nullptr;
}

static void detached_threads(void)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    CHECK_IS(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
    CHECK_IS(pthread_attr_setstacksize(&attr, 65536), 0);
    int failed = 0;
    for (int i = 0; i < 500; i++) {
        pthread_t t;
        int r;
        while ((r = pthread_create(&t, &attr, detached, nullptr)) == EAGAIN)
            usleep(1000);
        failed += r != 0;
    }
    CHECK_IS(failed, 0);
    for (int i = 0; i < 2000 && detached_ran < 500; i++)
        usleep(1000);
    CHECK_IS(detached_ran, 500);
    pthread_attr_destroy(&attr);
    pthread_t t;
    CHECK_IS(pthread_create(&t, nullptr, detached, nullptr), 0);
    CHECK_IS(pthread_detach(t), 0);
}

static void stack_attributes(void)
{
    pthread_attr_t attr;
    void *base = nullptr;
    size_t size = 0;
    CHECK_IS(pthread_getattr_np(pthread_self(), &attr), 0);
    CHECK_IS(pthread_attr_getstack(&attr, &base, &size), 0);
    CHECK((char *)base < (char *)&attr && (char *)&attr < (char *)base + size);
    CHECK(size >= 65536);
    CHECK_IS(pthread_attr_setstacksize(&attr, 100), EINVAL);
}

/* --- mutexes --- */

static pthread_mutex_t shared_mutex;
static long shared_count;

static void *count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&shared_mutex);
        long seen = shared_count;
        if (i % 64 == 0)
            sched_yield();
        shared_count = seen + 1;
        pthread_mutex_unlock(&shared_mutex);
    }
    return nullptr;
}

static void count_with(int kind)
{
    pthread_mutexattr_t attr;
    pthread_t t[THREADS];
    pthread_mutexattr_init(&attr);
    CHECK_IS(pthread_mutexattr_settype(&attr, kind), 0);
    CHECK_IS(pthread_mutex_init(&shared_mutex, &attr), 0);
    shared_count = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], nullptr, count_up, nullptr);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], nullptr);
    CHECK_IS(shared_count, THREADS * ROUNDS);
    CHECK_IS(pthread_mutex_destroy(&shared_mutex), 0);
}

static void *try_lock(void *arg)
{
    return (void *)(intptr_t)pthread_mutex_trylock(arg);
}

static void *timed_lock(void *arg)
{
    struct timespec until = in_ms(CLOCK_REALTIME, 20);
    return (void *)(intptr_t)pthread_mutex_timedlock(arg, &until);
}

static int in_thread(void *(*function)(void *), void *arg)
{
    pthread_t t;
    void *result = (void *)-1;
    if (pthread_create(&t, nullptr, function, arg) == 0)
        pthread_join(t, &result);
    return (int)(intptr_t)result;
}

static void mutex_kinds(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;
    count_with(PTHREAD_MUTEX_NORMAL);
    count_with(PTHREAD_MUTEX_RECURSIVE);
    count_with(PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m, &attr);
    CHECK_IS(pthread_mutex_lock(&m), 0);
    CHECK_IS(pthread_mutex_lock(&m), 0);
    CHECK_IS(in_thread(try_lock, &m), EBUSY);
    CHECK_IS(pthread_mutex_unlock(&m), 0);
    CHECK_IS(in_thread(try_lock, &m), EBUSY);
    CHECK_IS(in_thread(timed_lock, &m), ETIMEDOUT);
    CHECK_IS(pthread_mutex_unlock(&m), 0);
    CHECK_IS(pthread_mutex_unlock(&m), EPERM);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m, &attr);
    CHECK_IS(pthread_mutex_lock(&m), 0);
    CHECK_IS(pthread_mutex_lock(&m), EDEADLK);
    CHECK_IS(pthread_mutex_unlock(&m), 0);
    CHECK_IS(pthread_mutex_unlock(&m), EPERM);
    CHECK_IS(pthread_mutexattr_settype(&attr, 99), EINVAL);
}

static void *dies_holding(void *arg)
{
    pthread_mutex_lock(arg);
    return nullptr;
}

static void robust_mutex(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;
    pthread_mutexattr_init(&attr);
    CHECK_IS(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), 0);
    CHECK_IS(pthread_mutex_init(&m, &attr), 0);
    CHECK_IS(in_thread(dies_holding, &m), 0);
    CHECK_IS(pthread_mutex_lock(&m), EOWNERDEAD);
    CHECK_IS(pthread_mutex_consistent(&m), 0);
    CHECK_IS(pthread_mutex_unlock(&m), 0);
    CHECK_IS(in_thread(dies_holding, &m), 0);
    CHECK_IS(pthread_mutex_lock(&m), EOWNERDEAD);
    CHECK_IS(pthread_mutex_unlock(&m), 0);
    CHECK_IS(pthread_mutex_lock(&m), ENOTRECOVERABLE);
}

/* --- condition variables --- */

static pthread_mutex_t box_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t box_full = PTHREAD_COND_INITIALIZER, box_empty = PTHREAD_COND_INITIALIZER;
static int box, taken_sum;

static void *consume(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&box_mutex);
        while (box == 0)
            pthread_cond_wait(&box_full, &box_mutex);
        taken_sum += box;
        box = 0;
        pthread_cond_signal(&box_empty);
        pthread_mutex_unlock(&box_mutex);
    }
    return nullptr;
}

static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;
static int gate_open, passed_gate;
static void *pass_gate(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&box_mutex);
    while (!gate_open)
        pthread_cond_wait(&gate, &box_mutex);
    passed_gate++;
    pthread_mutex_unlock(&box_mutex);
    return nullptr;
}

static void conditions(void)
{
    pthread_t t[THREADS];
    long sum = 0;
    pthread_create(&t[0], nullptr, consume, nullptr);
    for (int i = 1; i <= ROUNDS; i++) {
        pthread_mutex_lock(&box_mutex);
        while (box != 0)
            pthread_cond_wait(&box_empty, &box_mutex);
        box = i % 100 + 1;
        sum += box;
        pthread_cond_signal(&box_full);
        pthread_mutex_unlock(&box_mutex);
    }
    pthread_join(t[0], nullptr);
    CHECK_IS(taken_sum, sum);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], nullptr, pass_gate, nullptr);
    usleep(5000);
    pthread_mutex_lock(&box_mutex);
    gate_open = 1;
    CHECK_IS(pthread_cond_broadcast(&gate), 0);
    pthread_mutex_unlock(&box_mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], nullptr);
    CHECK_IS(passed_gate, THREADS);
    struct timespec until = in_ms(CLOCK_REALTIME, 30), before = in_ms(CLOCK_MONOTONIC, 0), after;
    pthread_mutex_lock(&box_mutex);
    CHECK_IS(pthread_cond_timedwait(&box_full, &box_mutex, &until), ETIMEDOUT);
    after = in_ms(CLOCK_MONOTONIC, 0);
    CHECK((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 29);
    pthread_condattr_t attr;
    pthread_cond_t monotonic;
    pthread_condattr_init(&attr);
    CHECK_IS(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), 0);
    pthread_cond_init(&monotonic, &attr);
    until = in_ms(CLOCK_MONOTONIC, 10);
    CHECK_IS(pthread_cond_timedwait(&monotonic, &box_mutex, &until), ETIMEDOUT);
    pthread_mutex_unlock(&box_mutex);
}

/* --- locks, barriers, semaphores, once --- */

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static long rw_a, rw_b, rw_wrong;
static void *rw_user(void *arg)
{
    for (int i = 0; i < ROUNDS / 4; i++) {
        if ((i + (int)(intptr_t)arg) % 8 == 0) {
            pthread_rwlock_wrlock(&rw);
            rw_a++;
            sched_yield();
            rw_b++;
            pthread_rwlock_unlock(&rw);
        } else {
            pthread_rwlock_rdlock(&rw);
            if (rw_a != rw_b)
                __atomic_add_fetch(&rw_wrong, 1, __ATOMIC_RELAXED);
            pthread_rwlock_unlock(&rw);
        }
    }
    return nullptr;
}

static pthread_barrier_t barrier;
static atomic_int at_barrier, serial, barrier_wrong;
static void *barrier_user(void *arg)
{
    (void)arg;
    for (int i = 1; i <= 50; i++) {
        at_barrier++;
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            serial++;
        if (at_barrier < i * 4)
            barrier_wrong++;
        pthread_barrier_wait(&barrier);
    }
    return nullptr;
}

static sem_t sem;
static void *sem_poster(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++)
        sem_post(&sem);
    return nullptr;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int once_ran;
static void once_function(void)
{
    usleep(2000);
    once_ran++;
}
static void *once_user(void *arg)
{
    (void)arg;
    pthread_once(&once, once_function);
    return (void *)(intptr_t)once_ran;
}

static void other_locks(void)
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], nullptr, rw_user, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], nullptr);
    CHECK_IS(rw_wrong, 0);
    CHECK_IS(rw_a, rw_b);
    CHECK(rw_a > 0);
    CHECK_IS(pthread_rwlock_tryrdlock(&rw), 0);
    CHECK_IS(pthread_rwlock_trywrlock(&rw), EBUSY);
    pthread_rwlock_unlock(&rw);

    CHECK_IS(pthread_barrier_init(&barrier, nullptr, 4), 0);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], nullptr, barrier_user, nullptr);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], nullptr);
    CHECK_IS(serial, 50);
    CHECK_IS(barrier_wrong, 0);
    CHECK_IS(pthread_barrier_destroy(&barrier), 0);

    CHECK_IS(sem_init(&sem, 0, 0), 0);
    CHECK_ERRNO(sem_trywait(&sem), EAGAIN);
    struct timespec until = in_ms(CLOCK_REALTIME, 10);
    CHECK_ERRNO(sem_timedwait(&sem, &until), ETIMEDOUT);
    pthread_create(&t[0], nullptr, sem_poster, nullptr);
    int failed = 0;
    for (int i = 0; i < ROUNDS; i++)
        failed += sem_wait(&sem) != 0;
    CHECK_IS(failed, 0);
    pthread_join(t[0], nullptr);
    int value = -1;
    CHECK_IS(sem_getvalue(&sem, &value), 0);
    CHECK_IS(value, 0);

    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], nullptr, once_user, nullptr);
    for (int i = 0; i < 4; i++) {
        void *seen = nullptr;
        pthread_join(t[i], &seen);
        failed += (intptr_t)seen != 1;
    }
    CHECK_IS(failed, 0);

    pthread_spinlock_t spin;
    CHECK_IS(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE), 0);
    CHECK_IS(pthread_spin_lock(&spin), 0);
    CHECK_IS(pthread_spin_trylock(&spin), EBUSY);
    CHECK_IS(pthread_spin_unlock(&spin), 0);
}

/* --- keys, thread-local storage --- */

static pthread_key_t key;
static atomic_int destroyed;
static void destroy(void *value)
{
    destroyed += (int)(intptr_t)value;
}
static _Thread_local int local = 5;
static _Thread_local char large[4096];

static void *key_user(void *arg)
{
    pthread_setspecific(key, arg);
    int fresh = local == 5 && large[4000] == 0;
    local = (int)(intptr_t)arg;
    memset(large, (int)(intptr_t)arg, sizeof large);
    usleep(1000);
    for (size_t i = 0; i < sizeof large; i++)
        fresh &= large[i] == (char)(intptr_t)arg;
    return (void *)(intptr_t)(fresh && local == (int)(intptr_t)arg && pthread_getspecific(key) == arg);
}

static void thread_storage(void)
{
    pthread_t t[THREADS];
    int good = 0;
    CHECK_IS(pthread_key_create(&key, destroy), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], nullptr, key_user, (void *)(intptr_t)(i + 1));
    for (int i = 0; i < THREADS; i++) {
        void *r = nullptr;
        pthread_join(t[i], &r);
        good += (int)(intptr_t)r;
    }
    CHECK_IS(good, THREADS);
    CHECK_IS(destroyed, THREADS * (THREADS + 1) / 2);
    CHECK_IS(local, 5);
    CHECK_IS(pthread_key_delete(key), 0);
}

/* --- cancellation --- */

static atomic_int cleaned;
static void clean(void *arg)
{
    cleaned += (int)(intptr_t)arg;
}

static void *waits_for_ever(void *arg)
{
    sem_t never;
    sem_init(&never, 0, 0);
    pthread_cleanup_push(clean, arg);
    sem_wait(&never);
    pthread_cleanup_pop(0);
    return nullptr;
}

static void *sleeps_for_ever(void *arg)
{
    pthread_cleanup_push(clean, arg);
    for (;;)
        sleep(1000);
    pthread_cleanup_pop(0);
    return nullptr;
}

static void *tests_cancel(void *arg)
{
    (void)arg;
    for (;;)
        pthread_testcancel();
}

static atomic_int go_on;
static void *not_now(void *arg)
{
    int old;
    (void)arg;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    while (!go_on)
        usleep(500);
    cleaned += 1000;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    pthread_testcancel();
    cleaned += 5000;
    return nullptr;
}

static void unlock(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

static void *waits_on_condition(void *arg)
{
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&box_mutex);
    pthread_cleanup_push(unlock, &box_mutex);
    for (;;)
        pthread_cond_wait(&never, &box_mutex);
    pthread_cleanup_pop(1);
    return arg;
}

static void cancel_one(void *(*function)(void *), int cleanups, int pause)
{
    pthread_t t;
    void *result = nullptr;
    cleaned = 0;
    pthread_create(&t, nullptr, function, (void *)1);
    if (pause)
        usleep(3000);
    CHECK_IS(pthread_cancel(t), 0);
    CHECK_IS(pthread_join(t, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_IS(cleaned, cleanups);
}

static void cancellation(void)
{
    cancel_one(waits_for_ever, 1, 1);
    cancel_one(sleeps_for_ever, 1, 1);
    cancel_one(tests_cancel, 0, 1);
    cancel_one(waits_on_condition, 0, 1);
    CHECK_IS(pthread_mutex_trylock(&box_mutex), 0);
    pthread_mutex_unlock(&box_mutex);
    pthread_t t;
    void *result = nullptr;
    cleaned = 0;
    pthread_create(&t, nullptr, not_now, nullptr);
    usleep(2000);
    pthread_cancel(t);
    usleep(2000);
    go_on = 1;
    pthread_join(t, &result);
    CHECK_IS(cleaned, 1000);
    CHECK(result == PTHREAD_CANCELED);
    /* the window between the test and the wait: no cancellation may be lost in it */
    int lost = 0;
    for (int i = 0; i < 200; i++) {
        pthread_create(&t, nullptr, sleeps_for_ever, nullptr);
        for (int k = 0; k < i % 50; k++)
            sched_yield();
        pthread_cancel(t);
        pthread_join(t, &result);
        lost += result != PTHREAD_CANCELED;
    }
    CHECK_IS(lost, 0);
}

static atomic_int handled;
static void on_signal(int signal)
{
    (void)signal;
    handled++;
}
static void *waits_for_signal(void *arg)
{
    (void)arg;
    while (handled == 0)
        usleep(100000);
    return nullptr;
}

static void names_and_signals(void)
{
    pthread_t t;
    struct sigaction act = { .sa_handler = on_signal };
    sigaction(SIGUSR1, &act, nullptr);
    pthread_create(&t, nullptr, waits_for_signal, nullptr);
    usleep(1000);
    CHECK_IS(pthread_kill(t, 0), 0);
    CHECK_IS(pthread_kill(t, SIGUSR1), 0);
    pthread_join(t, nullptr);
    CHECK_IS(handled, 1);
    CHECK_IS(pthread_setname_np(pthread_self(), "tester"), 0);
    CHECK_IS(pthread_equal(pthread_self(), pthread_self()), 1);
    CHECK_IS(gettid(), getpid());
    CHECK_IS(pthread_atfork(nullptr, nullptr, nullptr), 0);
}

int main(void)
{
    create_and_join();
    stacks_again();
    detached_threads();
    stack_attributes();
    mutex_kinds();
    robust_mutex();
    conditions();
    other_locks();
    thread_storage();
    cancellation();
    names_and_signals();
    return check_done();
}
