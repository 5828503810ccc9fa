// sources: lib/libvectra/ring.c
// sanitize: thread
// libs: -lpthread
/* SPDX-License-Identifier: MIT
 * Producer and consumer on two threads, under the thread sanitizer: every message arrives whole, once and in order, and
 * a sleeping side is always woken. The kernel here is one semaphore a side, as sticky as a signal bit. */
#include "host.h"
#include <pthread.h>
#include <semaphore.h>
#include <vectra/ring.h>
#include <vectra/syscall.h>

enum { SLOTS = 8, MESSAGES = 100000, TX = 1, RX = 2 };
enum { SYS_SIGNAL_POST = 9 };

static sem_t consumer_bit, producer_bit;
static struct vx_ring_producer p;
static struct vx_ring_consumer c;

struct vx_result vx_enter(uint64_t number, uint64_t handle, uint64_t, uint64_t, uint64_t, uint64_t)
{
    if (number == SYS_SIGNAL_POST)
        sem_post(handle == TX ? &consumer_bit : &producer_bit);
    return (struct vx_result){};
}

static void *produce(void *)
{
    for (uint64_t n = 0; n < MESSAGES;) {
        struct vx_message m = { .word = { n, ~n, n * 3, n, n, n, n, n ^ 0x55 } };
        if (vx_ring_push(&p, &m) == OK) {
            n++;
            continue;
        }
        atomic_store_explicit(&p.shared->producer_asleep, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if (vx_ring_refresh_room(&p) == ERR_WOULD_BLOCK)
            sem_wait(&producer_bit);
        atomic_store_explicit(&p.shared->producer_asleep, 0, memory_order_relaxed);
    }
    return nullptr;
}

static void every_message_arrives_whole_once_and_in_order(void **)
{
    struct vx_ring_shared *shared = aligned_alloc(64, sizeof *shared + SLOTS * sizeof(struct vx_message));
    memset(shared, 0, sizeof *shared);
    vx_ring_producer_init(&p, shared, SLOTS, (vx_ring_tx){ TX });
    vx_ring_consumer_init(&c, shared, SLOTS, (vx_ring_rx){ RX });
    sem_init(&consumer_bit, 0, 0);
    sem_init(&producer_bit, 0, 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, nullptr, produce, nullptr), 0);
    for (uint64_t n = 0; n < MESSAGES;) {
        struct vx_message m;
        status_t st = vx_ring_pop(&c, &m);
        if (st == OK) {
            assert_true(m.word[0] == n && m.word[1] == ~n && m.word[2] == n * 3 && m.word[7] == (n ^ 0x55));
            n++;
        } else {
            assert_int_equal(st, ERR_WOULD_BLOCK);
            if (vx_ring_sleep_begin(&c)) {
                sem_wait(&consumer_bit);
                vx_ring_sleep_end(&c);
            }
        }
    }
    pthread_join(thread, nullptr);
    free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_message_arrives_whole_once_and_in_order) };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
