/* SPDX-License-Identifier: MIT
 * What touches RAM, at every edge of two regions. */
// sources: kernel/ram.c
#include "cmocka_kassert.h"
#include <abi/machine.h>
#include <kernel/ram.h>

static struct machine machine = {
    .n_ram = 2, .ram = { { .base = 0x10000, .len_bytes = 0x1000 }, { .base = 0x40000, .len_bytes = 0x2000 } }
};

static void before_the_machine_is_known_nothing_is_ram(void **)
{
    assert_false(ram_touches(0, UINT64_MAX));
}

static void one_byte_is_enough(void **)
{
    ram_init(&machine);
    assert_false(ram_touches(0xf000, 0x1000)); /* ends where RAM begins */
    assert_true(ram_touches(0xf000, 0x1001));
    assert_true(ram_touches(0x10fff, 1));
    assert_false(ram_touches(0x11000, 0x2f000)); /* the hole between both, exactly */
    assert_true(ram_touches(0x11000, 0x2f001));
    assert_true(ram_touches(0x41fff, 0x1000));
    assert_false(ram_touches(0x42000, 0x1000));
    assert_true(ram_touches(0, 0x100000));   /* around everything */
    assert_true(ram_touches(0x40800, 0x10)); /* inside */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_machine_is_known_nothing_is_ram),
        cmocka_unit_test(one_byte_is_enough),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
