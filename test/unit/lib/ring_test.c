// sources: lib/libvectra/ring.c
/* SPDX-License-Identifier: MIT
 * The mapped Ring's fast path: full, empty, wrapping, and a peer that lies. The kernel here only counts wake-ups. */
#include "host.h"
#include <vectra/ring.h>
#include <vectra/syscall.h>

enum { SLOTS = 4, SYS_SIGNAL_POST = 9 };

static unsigned wakes;

struct vx_result vx_enter(uint64_t number, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t)
{
    assert_int_equal(number, SYS_SIGNAL_POST);
    wakes++;
    return (struct vx_result){};
}

static struct vx_ring_shared *shared;
static struct vx_ring_producer p;
static struct vx_ring_consumer c;

static int setup(void **)
{
    size_t bytes = sizeof *shared + SLOTS * sizeof(struct vx_message);
    shared = aligned_alloc(64, bytes);
    memset(shared, 0, bytes);
    /* Close to the end of the counters, so that every test wraps. */
    atomic_store(&shared->head, UINT32_MAX - 2);
    atomic_store(&shared->tail, UINT32_MAX - 2);
    vx_ring_producer_init(&p, shared, SLOTS, (vx_ring_tx){ 1 });
    vx_ring_consumer_init(&c, shared, SLOTS, (vx_ring_rx){ 2 });
    wakes = 0;
    return 0;
}

static int teardown(void **)
{
    free(shared);
    return 0;
}

static struct vx_message numbered(uint64_t n)
{
    return (struct vx_message){ .word = { n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7 } };
}

static void messages_come_out_as_they_went_in(void **)
{
    for (uint64_t n = 0; n < 100; n++) {
        struct vx_message in = numbered(n), out = {};
        assert_int_equal(vx_ring_push(&p, &in), OK);
        assert_int_equal(vx_ring_pop(&c, &out), OK);
        assert_memory_equal(&in, &out, sizeof in);
    }
    assert_int_equal(wakes, 0);
}

static void a_full_ring_says_would_block_and_changes_nothing(void **)
{
    struct vx_message m = numbered(0);
    for (unsigned i = 0; i < SLOTS; i++)
        assert_int_equal(vx_ring_push(&p, &m), OK);
    struct vx_message other = numbered(99), out;
    assert_int_equal(vx_ring_push(&p, &other), ERR_WOULD_BLOCK);
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_int_equal(vx_ring_pop(&c, &out), OK);
        assert_memory_equal(&out, &m, sizeof m);
    }
    assert_int_equal(vx_ring_pop(&c, &out), ERR_WOULD_BLOCK);
    assert_int_equal(vx_ring_push(&p, &other), OK);
}

static void a_push_wakes_only_a_consumer_that_sleeps(void **)
{
    struct vx_message m = numbered(0), out;
    assert_true(vx_ring_sleep_begin(&c));
    assert_int_equal(vx_ring_push(&p, &m), OK);
    assert_int_equal(wakes, 1);
    vx_ring_sleep_end(&c);
    assert_int_equal(vx_ring_push(&p, &m), OK);
    assert_int_equal(wakes, 1);
    assert_false(vx_ring_sleep_begin(&c)); /* something is there: no sleep */
    assert_int_equal(atomic_load(&shared->consumer_asleep), 0);
    assert_int_equal(vx_ring_pop(&c, &out), OK);
    atomic_store(&shared->producer_asleep, 1);
    assert_int_equal(vx_ring_pop(&c, &out), OK);
    assert_int_equal(wakes, 2);
}

static void a_consumer_drains_what_a_gone_producer_left(void **)
{
    struct vx_message m = numbered(0), out;
    assert_int_equal(vx_ring_push(&p, &m), OK);
    atomic_store(&shared->closed, 1);
    assert_int_equal(vx_ring_pop(&c, &out), OK);
    assert_int_equal(vx_ring_pop(&c, &out), ERR_PEER_CLOSED);
}

static void a_producer_learns_that_the_consumer_is_gone(void **)
{
    struct vx_message m = numbered(0);
    atomic_store(&shared->closed, 2);
    assert_int_equal(vx_ring_push(&p, &m), ERR_PEER_CLOSED);
}

/* A peer may write any counter at any time: the answer is an error, and no slot outside the ring is touched. */
static void a_lying_peer_is_cut_off(void **)
{
    static const uint32_t lies[] = { 1, SLOTS + 1, 0x80000000u, 0xfffffff0u };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct vx_message m = numbered(0), out;
        vx_ring_producer_init(&p, shared, SLOTS, (vx_ring_tx){ 1 });
        vx_ring_consumer_init(&c, shared, SLOTS, (vx_ring_rx){ 2 });
        uint32_t head = atomic_load(&shared->head), tail = atomic_load(&shared->tail);
        atomic_store(&shared->head, tail + SLOTS + lies[i]);
        assert_int_equal(vx_ring_pop(&c, &out), ERR_PEER_CLOSED);
        atomic_store(&shared->head, head);
        atomic_store(&shared->tail, head + lies[i]);
        assert_int_equal(vx_ring_push(&p, &m), ERR_PEER_CLOSED);
        atomic_store(&shared->tail, tail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_come_out_as_they_went_in, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_ring_says_would_block_and_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_push_wakes_only_a_consumer_that_sleeps, setup, teardown),
        cmocka_unit_test_setup_teardown(a_consumer_drains_what_a_gone_producer_left, setup, teardown),
        cmocka_unit_test_setup_teardown(a_producer_learns_that_the_consumer_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lying_peer_is_cut_off, setup, teardown),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
