/* SPDX-License-Identifier: MIT
 * The tests of several harts, for the two builds of them: smp_test.c and smp_address_test.c. */
#pragma once
#include "smp_storm.h"

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(semaphores_lose_no_wake_up),
        TEST(signals_lose_no_wake_up),
        TEST(rings_lose_no_wake_up),
        TEST(calls_and_answers_lose_no_wake_up),
        TEST(a_hart_that_goes_idle_looks_once_more),
        TEST(futexes_lose_no_wake_up),
        TEST(a_deadline_passes_wherever_a_waiter_was_moved),
        TEST(what_is_given_is_taken_once_whatever_the_deadlines),
        TEST(what_runs_elsewhere_is_stopped_and_ended),
        TEST(areas_of_one_object_come_and_go_everywhere),
        TEST(no_hart_uses_what_another_took_away),
        TEST(everything_at_once),
    };
    cmocka_set_test_filter(getenv("SMP_ONLY"));
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
