// sources: srv/initd/backoff.c
/* SPDX-License-Identifier: MIT
 * Pauses double to a ceiling, a stable run resets them, and a crash loop ends. */
#include "host.h"
#include <srv/initd/backoff.h>

enum { FIRST = 100, MAX = 1000, STABLE = 5000 };

static void pauses_double_up_to_the_longest(void **)
{
    static const uint64_t pauses[] = { 100, 200, 400, 800, 1000, 1000 };
    struct backoff b;
    uint64_t now = 0, again = 0;
    backoff_init(&b, FIRST, MAX, STABLE, 0, 0);
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        assert_true(backoff_ended(&b, now, now + 1, &again));
        assert_int_equal(again - (now + 1), pauses[i]);
        now = again;
    }
}

static void a_stable_run_starts_from_the_first_pause_again(void **)
{
    struct backoff b;
    uint64_t again = 0;
    backoff_init(&b, FIRST, MAX, STABLE, 0, 0);
    assert_true(backoff_ended(&b, 0, 1, &again));
    assert_true(backoff_ended(&b, 0, 1, &again));
    assert_true(backoff_ended(&b, 0, STABLE - 1, &again));
    assert_int_equal(again, STABLE - 1 + 400);
    assert_true(backoff_ended(&b, 0, STABLE, &again));
    assert_int_equal(again, STABLE + FIRST);
}

static void one_end_more_than_the_limit_within_the_window_is_the_last(void **)
{
    struct backoff b;
    uint64_t again = 0;
    backoff_init(&b, FIRST, MAX, STABLE, 3, 1000);
    for (uint64_t i = 0; i < 3; i++)
        assert_true(backoff_ended(&b, i * 100, i * 100, &again));
    assert_false(backoff_ended(&b, 300, 300, &again));
    backoff_reset(&b);
    assert_true(backoff_ended(&b, 400, 400, &again));
    assert_int_equal(again, 400 + FIRST);
}

static void ends_that_lie_further_apart_than_the_window_never_count_up(void **)
{
    struct backoff b;
    uint64_t again = 0;
    backoff_init(&b, FIRST, MAX, STABLE, GRAPH_CRASHES_MAX, 1000);
    for (uint64_t i = 1; i < 100; i++)
        assert_true(backoff_ended(&b, i * 100, i * 100, &again));
}

static void the_longest_pause_does_not_wrap(void **)
{
    struct backoff b;
    uint64_t again = 0;
    backoff_init(&b, UINT64_MAX / 4, UINT64_MAX / 2, STABLE, 0, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_true(backoff_ended(&b, 0, 1, &again));
    assert_int_equal(again, UINT64_MAX / 2 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_the_longest),
        cmocka_unit_test(a_stable_run_starts_from_the_first_pause_again),
        cmocka_unit_test(one_end_more_than_the_limit_within_the_window_is_the_last),
        cmocka_unit_test(ends_that_lie_further_apart_than_the_window_never_count_up),
        cmocka_unit_test(the_longest_pause_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
