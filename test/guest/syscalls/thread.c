/* SPDX-License-Identifier: MIT
 * Threads and futexes: calls 8, 11, 39 to 44, 46. Bare threads, without the library's runtime: what they run uses no
 * TLS. */
#include "syscalls.h"
#include <stdatomic.h>

static _Atomic uint32_t word, seen_id, flag;
static uint64_t stack_top(void)
{
    static uint8_t *stack;
    if (stack == nullptr)
        stack = check_pages(4 * 4096, RW_COMMIT);
    return P(stack) + 4 * 4096;
}

[[noreturn]] static void exits(uint64_t status, uint64_t id)
{
    atomic_store_explicit(&seen_id, (uint32_t)id, memory_order_release);
    for (;;)
        (void)vx_enter(NR_thread_exit, status, 0, 0, 0, 0);
}

[[noreturn]] static void waits(uint64_t argument, uint64_t id)
{
    (void)argument;
    (void)id;
    while (atomic_load_explicit(&flag, memory_order_acquire) == 0)
        (void)vx_enter(NR_futex_wait, P(&flag), 0, VX_FOREVER, 0, 0);
    for (;;)
        (void)vx_enter(NR_thread_exit, 3, 0, 0, 0, 0);
}

/* Ends with everything at once: its stack given back, a word cleared and woken. */
static _Atomic uint64_t own_stack;
[[noreturn]] static void releases(uint64_t argument, uint64_t id)
{
    (void)argument;
    (void)id;
    for (;;)
        (void)vx_enter(NR_thread_exit, 0, atomic_load_explicit(&own_stack, memory_order_relaxed), 8192, P(&word), 0);
}

/* The second thread: joins the first, which goes on, and tells what that said. */
static _Atomic uint32_t busy_answer;
[[noreturn]] static void joins(uint64_t target, uint64_t id)
{
    (void)id;
    struct vx_result r = vx_enter(NR_thread_join, target, VX_FOREVER, 0, 0, 0);
    atomic_store_explicit(&busy_answer, (uint32_t)r.value + 1000, memory_order_release);
    for (;;)
        (void)vx_enter(NR_thread_exit, 0, 0, 0, 0, 0);
}

static uint32_t start(void (*entry)(uint64_t, uint64_t), uint64_t argument, uint32_t flags)
{
    struct vx_result r = SYS(thread_create, P(entry), stack_top(), argument, 0, flags);
    return vx_result_status(r.value) == OK ? (uint32_t)r.value : 0;
}

static void create(void)
{
    struct vx_result r = SYS(thread_create, P(exits), stack_top(), 42, 0, 0);
    S(thread_create, r);
    struct vx_result j = SYS(thread_join, r.value, VX_FOREVER);
    C(thread_create, ok, j.value == 42 && atomic_load_explicit(&seen_id, memory_order_acquire) == r.value);
    C(thread_join, ok, vx_result_status(j.value) == OK);
    C(thread_exit, ok, j.value == 42);
    E(thread_create, BAD_ADDRESS, SYS(thread_create, UINT64_C(0xffff800000000000), stack_top(), 0, 0, 0));
    E(thread_create, BAD_ADDRESS, SYS(thread_create, P(exits), UINT64_C(0xffff800000000000), 0, 0, 0));
    E(thread_create, BAD_ARGUMENT, SYS(thread_create, P(exits), stack_top(), 0, 0, 0x80));
    E(thread_create, BAD_ADDRESS, SYS(thread_create, P(exits), stack_top() - 1, 0, 0, 0)); /* not aligned */
    C(thread_create, NO_MEMORY, kit_child_end(kit_child("threads-until-dry", 0, 0, nullptr)) == 1);
    C(thread_create, hostile,
      STATUS(thread_create, UINT64_C(0x0000800000000000), stack_top(), 0, 0, 0) == ERR_BAD_ADDRESS &&
          STATUS(thread_create, P(exits), stack_top(), 0, UINT64_C(0x8000000000000000), 0) == ERR_BAD_ADDRESS);
}

static void join(void)
{
    E(thread_join, NOT_FOUND, SYS(thread_join, 0xfffff, VX_FOREVER));
    E(thread_join, BAD_ARGUMENT, SYS(thread_join, kit_thread(), VX_FOREVER));
    atomic_store_explicit(&flag, 0, memory_order_relaxed);
    uint32_t me = kit_thread();
    uint32_t id = start(waits, 0, 0);
    E(thread_join, WOULD_BLOCK, SYS(thread_join, id, 0));
    E(thread_join, TIMED_OUT, SYS(thread_join, id, kit_soon()));
    (void)SYS(thread_interrupt, me);
    E(thread_join, INTERRUPTED, SYS(thread_join, id, VX_FOREVER));
    uint8_t *second = check_pages(4096, RW_COMMIT);
    struct vx_result r = SYS(thread_create, P(joins), P(second) + 4096, id, 0, VX_THREAD_DETACHED);
    bool waits_too = check_waits_in((uint32_t)r.value, NR_thread_join);
    C(thread_join, BUSY, waits_too && STATUS(thread_join, id, check_patience()) == ERR_BUSY);
    C(thread_join, BAD_ARGUMENT, STATUS(thread_join, r.value, 0) == ERR_BAD_ARGUMENT); /* detached */
    atomic_store_explicit(&flag, 1, memory_order_release);
    (void)SYS(futex_wake, P(&flag), 10, 0, 0);
    bool ended = check_is_gone((uint32_t)r.value);
    C(thread_join, ok, ended && atomic_load_explicit(&busy_answer, memory_order_acquire) == 1003);
    (void)SYS(mem_free, 0, P(second), 4096);
    C(thread_join, hostile,
      STATUS(thread_join, UINT32_MAX, VX_FOREVER) == ERR_NOT_FOUND && STATUS(thread_join, 0, 0) == ERR_NOT_FOUND &&
          STATUS(thread_join, id, 0) == ERR_NOT_FOUND);
}

static void exit_errors(void)
{
    uint32_t bits = kit_child_end(kit_child("thread-exit", 0, 0, nullptr));
    C(thread_exit, BAD_ARGUMENT, bits < 1000 && (bits & 1) != 0);
    C(thread_exit, hostile, bits < 1000 && (bits & 14) == 14);
    C(thread_exit, BAD_ADDRESS, bits < 1000 && (bits & 8) != 0);
    C(thread_exit, NOT_FOUND, bits < 1000 && (bits & 16) != 0);
    bits = kit_child_end(kit_large_child("cut-when-dry", 8 << 20));
    C(mem_free, NO_MEMORY, bits < 1000 && (bits & 5) == 5);
    C(thread_exit, NO_MEMORY, bits < 1000 && (bits & 6) == 6);
    struct check_accounts before = check_accounts();
    uint8_t *stack = check_pages(8192, RW_COMMIT);
    atomic_store_explicit(&own_stack, P(stack), memory_order_relaxed);
    atomic_store_explicit(&word, 1, memory_order_relaxed);
    (void)SYS(thread_create, P(releases), P(stack) + 8192, 0, 0, VX_THREAD_DETACHED);
    status_t st = STATUS(futex_wait, P(&word), 1, check_patience());
    C(thread_exit, ok,
      (st == OK || st == ERR_WOULD_BLOCK) && atomic_load_explicit(&word, memory_order_acquire) == 0 &&
          STATUS(getrandom, P(stack), 8) == ERR_BAD_ADDRESS);
    check_no_leak("a detached thread releases its own stack", before);
}

static struct vx_result wait_at(uint64_t a)
{
    return SYS(futex_wait, a, 0, 0);
}

static struct vx_result wake_at(uint64_t a)
{
    return SYS(futex_wake, a, 1, 0, 0);
}

static void futex(void)
{
    atomic_store_explicit(&word, 5, memory_order_relaxed);
    E(futex_wait, WOULD_BLOCK, SYS(futex_wait, P(&word), 4, VX_FOREVER));
    E(futex_wait, TIMED_OUT, SYS(futex_wait, P(&word), 5, kit_soon()));
    kit_interrupt();
    E(futex_wait, INTERRUPTED, SYS(futex_wait, P(&word), 5, VX_FOREVER));
    E(futex_wait, BAD_ARGUMENT, SYS(futex_wait, P(kit.page) + 1, 5, VX_FOREVER));
    kit_hostile_word("futex_wait.BAD_ADDRESS", wait_at);
    E(futex_wake, BAD_ARGUMENT, SYS(futex_wake, P(kit.page) + 2, 1, 0, 0));
    E(futex_wake, BAD_ARGUMENT, SYS(futex_wake, P(&word), 1, 0x40, 0));
    kit_hostile_word("futex_wake.BAD_ADDRESS", wake_at);
    C(futex_wake, ok, SYS(futex_wake, P(&word), 1, 0, 0).value == 0);
    atomic_store_explicit(&flag, 0, memory_order_relaxed);
    uint32_t id = start(waits, 0, 0);
    /* moved to the other word, it is woken there */
    C(futex_wake, ok,
      check_waits_in(id, NR_futex_wait) && STATUS(futex_wake, P(&flag), 0, VX_FUTEX_REQUEUE, P(&word)) == OK &&
          SYS(futex_wake, P(&flag), 10, 0, 0).value == 0);
    atomic_store_explicit(&flag, 1, memory_order_release);
    C(futex_wake, ok, SYS(futex_wake, P(&word), UINT32_MAX, 0, 0).value == 1);
    C(futex_wait, ok, SYS(thread_join, id, check_patience()).value == 3);
    C(futex_wait, hostile, STATUS(futex_wait, P(kit.read_only), 77, 0) == ERR_WOULD_BLOCK);
    C(futex_wake, hostile,
      STATUS(futex_wake, P(&word), 1, VX_FUTEX_REQUEUE, UINT64_C(0xffff800000000000)) == ERR_BAD_ADDRESS &&
          STATUS(futex_wake, P(&word), 1, VX_FUTEX_REQUEUE, P(kit.page) + 1) == ERR_BAD_ARGUMENT);
}

static void waits_in_object(uint64_t address, uint64_t)
{
    uint64_t st = vx_enter(NR_futex_wait, address, 0, VX_FOREVER, 0, 0).value;
    (void)vx_enter(NR_thread_exit, (uint32_t)-(int64_t)st, 0, 0, 0, 0);
}

/* Memory that goes takes its waiters along: its frame is soon another's. Also those that came from another word. */
static void futex_goes(bool moved)
{
    struct vx_result mem = SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0);
    uint32_t id = start(waits_in_object, mem.second, 0);
    bool waited = check_waits_in(id, NR_futex_wait) &&
                  (!moved || STATUS(futex_wake, mem.second, 0, VX_FUTEX_REQUEUE, mem.second + 100) == OK);
    C(futex_wait, BAD_ADDRESS,
      waited && STATUS(mem_free, mem.value, 0, 0) == OK &&
          SYS(thread_join, id, check_patience()).value == (uint32_t)-ERR_BAD_ADDRESS);
}

static void tls(void)
{
    uint64_t mine = SYS(get_tls).value;
    C(set_tls, ok, STATUS(set_tls, P(kit.page)) == OK && SYS(get_tls).value == P(kit.page));
    C(get_tls, ok, STATUS(set_tls, mine) == OK && SYS(get_tls).value == mine);
    E(set_tls, BAD_ADDRESS, SYS(set_tls, UINT64_C(0xffff800000000000)));
    C(set_tls, hostile,
      STATUS(set_tls, UINT64_C(0x0000800000000000)) == ERR_BAD_ADDRESS &&
          STATUS(set_tls, UINT64_MAX) == ERR_BAD_ADDRESS && SYS(get_tls).value == mine);
    C(get_tls, hostile, check_enter(NR_get_tls, (const uint64_t[5]){ UINT64_MAX, UINT64_MAX }).value == mine);
}

static void interrupt(void)
{
    /* sticky until the next wait; nothing may be printed between, because printing waits */
    struct vx_result r = SYS(thread_interrupt, kit_thread());
    status_t slept = STATUS(nanosleep, VX_FOREVER);
    C(thread_interrupt, ok, vx_result_status(r.value) == OK && slept == ERR_INTERRUPTED);
    C(thread_interrupt, ok, STATUS(nanosleep, kit_soon()) == OK); /* and only that one */
    E(thread_interrupt, NOT_FOUND, SYS(thread_interrupt, 0xfffff));
    C(thread_interrupt, hostile,
      STATUS(thread_interrupt, 0) == ERR_NOT_FOUND && STATUS(thread_interrupt, UINT32_MAX) == ERR_NOT_FOUND);
    S(yield, SYS(yield));
    C(yield, hostile,
      vx_result_status(check_enter(NR_yield, (const uint64_t[5]){ UINT64_MAX, UINT64_MAX, 1, 2, 3 }).value) == OK);
}

void test_thread(void)
{
    create();
    join();
    exit_errors();
    futex();
    futex_goes(false);
    futex_goes(true);
    tls();
    interrupt();
}
