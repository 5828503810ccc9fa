/* SPDX-License-Identifier: MIT
 * For tests of system calls: a machine with two Tasks, of which the first runs, anew for every test; no page may be
 * left behind. */
#pragma once
#include "cmocka_kassert.h"
#include "machine.h"
#include "machine_check.h"
#include "machine_elf.h"

#define RW (VX_PROT_READ | VX_PROT_WRITE)
#define MSG_AT USER_BASE
#define MSG2_AT (USER_BASE + 4096)
#define TEXT_AT (USER_BASE + 8192)

[[maybe_unused]] static struct task *a, *b; /* a runs first; b is as urgent */
[[maybe_unused]] static vx_handle_t a_reticle, b_reticle;
[[maybe_unused]] static uint64_t free_at_start;

[[maybe_unused]] static int start(void **)
{
    static bool booted;
    if (!booted)
        machine_boot();
    booted = true;
    free_at_start = machine_root.free_pages;
    a = machine_task(8, VX_BAND_NORMAL, nullptr, &a_reticle);
    b = machine_task(8, VX_BAND_NORMAL, a, &b_reticle);
    host_timer_deadline = UINT64_MAX;
    assert_int_equal(machine_run(), HOST_USER);
    assert_ptr_equal(running()->task, a);
    return 0;
}

[[maybe_unused]] static int end(void **)
{
    machine_check_all();
    machine_end_all();
    machine_check_all();
    assert_int_equal(machine_root.free_pages, free_at_start);
    assert_int_equal(host_live_aspaces(), 0);
    host_timer_deadline = UINT64_MAX;
    assert_int_equal(machine_run(), HOST_IDLE);
    return 0;
}

/* Lets the other Task run: the one that runs yields or waits for a moment. */
[[maybe_unused]] static void switch_to(const struct task *t)
{
    for (int i = 0; i < 4 && (running() == nullptr || running()->task != t); i++)
        (void)call(NR_yield, 0);
    assert_ptr_equal(running()->task, t);
}

[[maybe_unused]] static void put(uint64_t at, const void *bytes, size_t len)
{
    assert_int_equal(host_user_write(at, bytes, len), OK);
}

[[maybe_unused]] static uint64_t word_at_user(uint64_t at)
{
    uint64_t word;
    assert_int_equal(host_user_read(&word, at, sizeof word), OK);
    return word;
}

#define OK_CALL(...)                                                                                                   \
    ({                                                                                                                 \
        struct call_result r_ = call(__VA_ARGS__);                                                                     \
        assert_false(r_.switched);                                                                                     \
        assert_int_equal(r_.st, OK);                                                                                   \
        r_;                                                                                                            \
    })
#define FAILS(status, ...)                                                                                             \
    do {                                                                                                               \
        struct call_result r_ = call(__VA_ARGS__);                                                                     \
        assert_false(r_.switched);                                                                                     \
        assert_int_equal(r_.st, status);                                                                               \
    } while (0)
