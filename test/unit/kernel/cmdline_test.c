/* SPDX-License-Identifier: MIT
 * Words of the command line, as the kernel reads them and as initd does. */
// sources: kernel/cmdline.c srv/initd/options.c
#include "cmocka_kassert.h"
#include <kernel/cmdline.h>
#include <srv/initd/options.h>
#include <string.h>

static const char line[] = "quiet  log=debug logs=3 log=quiet empty= services=/etc/services.test xbench=1";

static void the_last_word_of_a_name_counts(void **)
{
    char out[32];
    assert_true(cmdline_get(line, "log", out, sizeof out));
    assert_string_equal(out, "quiet");
    assert_true(option_find(line, sizeof line - 1, "log", out, sizeof out));
    assert_string_equal(out, "quiet");
}

static void names_are_whole_and_need_a_value(void **)
{
    char out[32] = "kept";
    static const char *const absent[] = { "quiet", "bench", "lo", "services.test" };
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        assert_false(cmdline_get(line, absent[i], out, sizeof out));
        assert_false(option_find(line, sizeof line - 1, absent[i], out, sizeof out));
    }
    assert_string_equal(out, "kept");
    assert_true(cmdline_get(line, "empty", out, sizeof out));
    assert_string_equal(out, "");
    assert_false(cmdline_get("", "log", out, sizeof out));
    assert_false(option_find(line, 0, "log", out, sizeof out));
}

static void a_value_without_room_is_cut_by_the_kernel_and_refused_by_initd(void **)
{
    char out[8] = "kept";
    assert_false(option_find(line, sizeof line - 1, "services", out, sizeof out));
    assert_string_equal(out, "kept");
    assert_true(cmdline_get(line, "services", out, sizeof out));
    assert_string_equal(out, "/etc/se");
    assert_true(option_find("a=1234567", 9, "a", out, sizeof out)); /* exactly fits */
    assert_string_equal(out, "1234567");
    assert_false(option_find("a=12345678", 10, "a", out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_word_of_a_name_counts),
        cmocka_unit_test(names_are_whole_and_need_a_value),
        cmocka_unit_test(a_value_without_room_is_cut_by_the_kernel_and_refused_by_initd),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
