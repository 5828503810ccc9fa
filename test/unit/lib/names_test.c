// sources: srv/namingd/table.c lib/libvectra/string.c
/* SPDX-License-Identifier: MIT
 * namingd's tables: who may do what, replacing, listing, and their limits. */
#include "host.h"
#include <stdio.h>
#include <srv/namingd/table.h>

enum { CONNECT = 1, PUBLISH = 2 };

static struct name_table t;

static int setup(void **)
{
    memset(&t, 0, sizeof t);
    return 0;
}

static void a_badge_may_do_what_was_granted_and_nothing_else(void **)
{
    assert_int_equal(name_grant(&t, 7, "console", CONNECT), OK);
    assert_true(name_allowed(&t, 7, "console", CONNECT));
    assert_false(name_allowed(&t, 7, "console", PUBLISH));
    assert_false(name_allowed(&t, 7, "consol", CONNECT));
    assert_false(name_allowed(&t, 8, "console", CONNECT));
    assert_true(name_allowed(&t, 0, "console", PUBLISH));
    assert_int_equal(name_grant(&t, 7, "console", PUBLISH), OK);
    assert_true(name_allowed(&t, 7, "console", CONNECT | PUBLISH));
    name_revoke(&t, 7);
    assert_false(name_allowed(&t, 7, "console", CONNECT));
    assert_int_equal(name_grant(&t, 0, "x", CONNECT), ERR_BAD_ARGUMENT);
    assert_int_equal(name_grant(&t, 1, "x", 4), ERR_BAD_ARGUMENT);
    assert_int_equal(name_grant(&t, 1, "x", 0), ERR_BAD_ARGUMENT);
}

static void publishing_again_hands_back_the_older_inbox(void **)
{
    vx_handle_t old = 0;
    assert_int_equal(name_publish(&t, "a", 11, &old), OK);
    assert_int_equal(old, 0);
    assert_int_equal(name_publish(&t, "a", 12, &old), OK);
    assert_int_equal(old, 11);
    assert_int_equal(name_find(&t, "a")->inbox, 12);
    assert_null(name_find(&t, "b"));
}

static void tables_hold_their_limits(void **)
{
    char name[16];
    vx_handle_t old = 0;
    for (unsigned i = 0; i < NAMING_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(name_publish(&t, name, i + 1, &old), OK);
    }
    assert_int_equal(name_publish(&t, "more", 1, &old), ERR_TABLE_FULL);
    assert_int_equal(name_publish(&t, "n3", 1, &old), OK);
    for (unsigned i = 0; i < NAMING_GRANTS_MAX; i++)
        assert_int_equal(name_grant(&t, i + 1, "x", CONNECT), OK);
    assert_int_equal(name_grant(&t, 1000, "x", CONNECT), ERR_TABLE_FULL);
    assert_int_equal(name_grant(&t, 1, "x", PUBLISH), OK);
}

static void a_list_shows_what_the_badge_may_use(void **)
{
    char name[TABLE_NAME_MAX];
    uint32_t index = 0, flags = 0;
    vx_handle_t old = 0;
    assert_int_equal(name_publish(&t, "a", 1, &old), OK);
    assert_int_equal(name_grant(&t, 5, "b", CONNECT), OK);
    assert_int_equal(name_list(&t, 0, &index, name, &flags), OK);
    assert_string_equal(name, "a");
    assert_int_equal(name_list(&t, 0, &index, name, &flags), ERR_NOT_FOUND);
    index = 0;
    assert_int_equal(name_list(&t, 5, &index, name, &flags), OK);
    assert_string_equal(name, "b");
    assert_int_equal(flags, CONNECT);
    assert_int_equal(name_list(&t, 5, &index, name, &flags), ERR_NOT_FOUND);
    index = UINT32_MAX;
    assert_int_equal(name_list(&t, 5, &index, name, &flags), ERR_NOT_FOUND);
}

static void names_are_short_and_printable(void **)
{
    char out[TABLE_NAME_MAX];
    uint8_t bytes[TABLE_NAME_MAX];
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(name_copy(out, bytes, TABLE_NAME_MAX - 1), OK);
    assert_int_equal(strlen(out), TABLE_NAME_MAX - 1);
    assert_int_equal(name_copy(out, bytes, TABLE_NAME_MAX), ERR_BAD_ARGUMENT);
    assert_int_equal(name_copy(out, bytes, 0), ERR_BAD_ARGUMENT);
    bytes[1] = '\0';
    assert_int_equal(name_copy(out, bytes, 3), ERR_BAD_ARGUMENT);
    bytes[1] = 0x80;
    assert_int_equal(name_copy(out, bytes, 3), ERR_BAD_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_badge_may_do_what_was_granted_and_nothing_else, setup),
        cmocka_unit_test_setup(publishing_again_hands_back_the_older_inbox, setup),
        cmocka_unit_test_setup(tables_hold_their_limits, setup),
        cmocka_unit_test_setup(a_list_shows_what_the_badge_may_use, setup),
        cmocka_unit_test_setup(names_are_short_and_printable, setup),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
