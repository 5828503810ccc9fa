// sources: lib/libblock/ramdisk.c
/* SPDX-License-Identifier: MIT
 * A disk that fails on purpose fails as it promises. */
#include "../lib/host.h"
#include <block/ramdisk.h>

enum { BLOCKS = 256, BLOCK = 512 };

static struct ramdisk d;
static uint8_t memory[BLOCKS * (2 * BLOCK + 1)], data[BLOCK];

static void begin(uint64_t seed)
{
    memset(memory, 0, sizeof memory);
    assert_int_equal(ramdisk_bytes(BLOCKS, BLOCK), sizeof memory);
    ramdisk_init(&d, memory, BLOCKS, BLOCK, seed);
}

static void write_all(uint8_t byte)
{
    memset(data, byte, sizeof data);
    for (unsigned i = 0; i < BLOCKS; i++)
        ramdisk_put(&d, i * BLOCK, data, BLOCK);
}

static void what_was_flushed_survives_a_cut(void **)
{
    begin(1);
    write_all(1);
    assert_int_equal(ramdisk_flush(&d), OK);
    ramdisk_cut(&d);
    for (unsigned i = 0; i < sizeof data * BLOCKS; i++)
        assert_int_equal(d.seen[i], 1);
}

static void what_was_not_is_old_new_or_torn(void **)
{
    unsigned n_old = 0, n_new = 0, n_torn = 0;
    begin(2);
    write_all(1);
    assert_int_equal(ramdisk_flush(&d), OK);
    write_all(2);
    ramdisk_get(&d, 100 * BLOCK, data, BLOCK);
    assert_int_equal(data[0], 2); /* before the cut it is there for readers */
    ramdisk_cut(&d);
    for (unsigned i = 0; i < BLOCKS; i++) {
        ramdisk_get(&d, i * BLOCK, data, BLOCK);
        unsigned twos = 0;
        while (twos < BLOCK && data[twos] == 2)
            twos++;
        for (unsigned k = twos; k < BLOCK; k++)
            assert_int_equal(data[k], 1);
        n_old += twos == 0;
        n_new += twos == BLOCK;
        n_torn += twos != 0 && twos != BLOCK;
    }
    assert_true(n_old > 20 && n_new > 20 && n_torn > 20);
}

static void a_lying_flush_keeps_nothing(void **)
{
    begin(3);
    d.lying_flushes = 1000;
    write_all(1);
    assert_int_equal(ramdisk_flush(&d), OK);
    unsigned dirty = 0;
    for (unsigned i = 0; i < BLOCKS; i++)
        dirty += d.dirty[i];
    assert_int_equal(dirty, BLOCKS);
    d.lying_flushes = 0;
    d.flush_errors = 1000;
    assert_int_equal(ramdisk_flush(&d), ERR_IO);
}

static void the_same_seed_fails_the_same_way(void **)
{
    bool first[64];
    for (unsigned turn = 0; turn < 2; turn++) {
        begin(9);
        d.read_errors = 300;
        for (unsigned i = 0; i < 64; i++) {
            bool fails = ramdisk_read_fails(&d);
            assert_true(turn == 0 || fails == first[i]);
            first[i] = fails;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_flushed_survives_a_cut),
        cmocka_unit_test(what_was_not_is_old_new_or_torn),
        cmocka_unit_test(a_lying_flush_keeps_nothing),
        cmocka_unit_test(the_same_seed_fails_the_same_way),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
