// sources: lib/libblock/partition.c
/* SPDX-License-Identifier: MIT
 * Partition tables as disks have them, and as nobody should. */
#include "../lib/host.h"
#include <block/partition.h>

enum { BLOCKS = 4096, BLOCK = 512 };

static uint8_t disk[BLOCKS][BLOCK], scratch[PARTITION_BLOCK_MAX];
static struct partition_list list;
static unsigned n_reads, bad_block;

static status_t read_block(void *, uint64_t block, void *to)
{
    assert_true(block < BLOCKS);
    n_reads++;
    if (block == bad_block && bad_block != 0)
        return ERR_IO;
    memcpy(to, disk[block], BLOCK);
    return OK;
}

static void scan(void)
{
    const struct partition_disk d = { .blocks = BLOCKS, .block_bytes = BLOCK, .read = read_block };
    n_reads = 0;
    partition_scan(&d, scratch, &list);
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4);
}
static void put64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, 8);
}

static void mbr_entry(uint32_t block, unsigned i, uint8_t type, uint32_t first, uint32_t length)
{
    uint8_t *e = disk[block] + 446 + 16 * i;
    e[4] = type;
    put32(e + 8, first);
    put32(e + 12, length);
    disk[block][510] = 0x55;
    disk[block][511] = 0xaa;
}

static void begin(void)
{
    memset(disk, 0, sizeof disk);
    bad_block = 0;
}

static void an_empty_disk_has_none(void **)
{
    begin();
    scan();
    assert_int_equal(list.table, PARTITIONS_NONE);
    assert_int_equal(list.count, 0);
    memset(disk[0], 0xf6, BLOCK); /* the boot sector of a file system has the signature, and code */
    disk[0][510] = 0x55;
    disk[0][511] = 0xaa;
    scan();
    assert_int_equal(list.count, 0);
}

static void primary_and_logical_partitions_are_found(void **)
{
    begin();
    mbr_entry(0, 0, 0x0c, 64, 100);
    mbr_entry(0, 2, 0x05, 1000, 1000);
    mbr_entry(1000, 0, 0x83, 10, 90);
    mbr_entry(1000, 1, 0x05, 200, 100);
    mbr_entry(1200, 0, 0x83, 10, 50);
    scan();
    assert_int_equal(list.table, PARTITIONS_MBR);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.partition[0].number, 1);
    assert_int_equal(list.partition[1].number, 5);
    assert_int_equal(list.partition[1].first, 1010);
    assert_int_equal(list.partition[2].number, 6);
    assert_int_equal(list.partition[2].first, 1210);
    assert_int_equal(list.left_out, 0);
}

static void chains_that_loop_end(void **)
{
    begin();
    mbr_entry(0, 0, 0x05, 1000, 1000);
    mbr_entry(1000, 1, 0x05, 200, 100);
    mbr_entry(1200, 1, 0x05, 200, 100); /* itself */
    scan();
    assert_int_equal(n_reads, 3);
}

static void entries_that_cannot_be_are_left_out(void **)
{
    begin();
    mbr_entry(0, 0, 0x83, 64, 100);
    mbr_entry(0, 1, 0x83, 100, 10);       /* overlaps */
    mbr_entry(0, 2, 0x83, BLOCKS - 5, 6); /* leaves the disk */
    mbr_entry(0, 3, 0x83, UINT32_MAX, UINT32_MAX);
    scan();
    assert_int_equal(list.count, 1);
    assert_int_equal(list.left_out, 3);
}

static uint32_t crc(const uint8_t *p, size_t len)
{
    uint32_t c = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        c ^= p[i];
        for (int b = 0; b < 8; b++)
            c = (c & 1) != 0 ? c >> 1 ^ 0xedb88320 : c >> 1;
    }
    return ~c;
}

static void gpt_header(uint32_t at, uint32_t entries)
{
    uint8_t *h = disk[at];
    memcpy(h, "EFI PART", 8);
    put32(h + 12, 92);
    put64(h + 24, at);
    put64(h + 40, 34);
    put64(h + 48, BLOCKS - 34);
    put64(h + 72, entries);
    put32(h + 80, 128);
    put32(h + 84, 128);
    put32(h + 88, crc(disk[entries], 128 * 128));
    put32(h + 16, 0);
    put32(h + 16, crc(h, 92));
}

static void good_gpt(void)
{
    begin();
    mbr_entry(0, 0, 0xee, 1, BLOCKS - 1);
    for (unsigned copy = 0; copy < 2; copy++) {
        uint8_t *e = disk[copy == 0 ? 2 : BLOCKS - 33];
        put32(e, 0xebd0a0a2);
        put64(e + 32, 100);
        put64(e + 40, 199);
        memcpy(e + 56, "d\0a\0t\0a\0\xe9\0", 10);
        put32(e + 128, 0x0fc63daf);
        put64(e + 128 + 32, 150); /* overlaps */
        put64(e + 128 + 40, 300);
        put32(e + 256, 0x0fc63daf);
        put64(e + 256 + 32, 300);
        put64(e + 256 + 40, 300);
    }
    gpt_header(1, 2);
    gpt_header(BLOCKS - 1, BLOCKS - 33);
}

static void check_gpt(bool backup)
{
    scan();
    assert_int_equal(list.table, PARTITIONS_GPT);
    assert_int_equal(list.backup, backup);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.left_out, 1);
    assert_int_equal(list.partition[0].first, 100);
    assert_int_equal(list.partition[0].blocks, 100);
    assert_string_equal(list.partition[0].name, "data?");
    assert_int_equal(list.partition[1].number, 3);
    assert_int_equal(list.partition[1].blocks, 1);
}

static void a_gpt_is_read(void **)
{
    good_gpt();
    check_gpt(false);
}

static void a_damaged_gpt_is_read_from_its_copy(void **)
{
    good_gpt();
    disk[1][40] ^= 1;
    check_gpt(true);
    good_gpt();
    disk[2][32] ^= 1; /* an entry: the sum over them is wrong */
    check_gpt(true);
    good_gpt();
    bad_block = 1;
    check_gpt(true);
    disk[BLOCKS - 1][72] ^= 1;
    scan();
    assert_int_equal(list.count, 0);
    assert_int_equal(list.table, PARTITIONS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_disk_has_none), cmocka_unit_test(primary_and_logical_partitions_are_found),
        cmocka_unit_test(chains_that_loop_end),   cmocka_unit_test(entries_that_cannot_be_are_left_out),
        cmocka_unit_test(a_gpt_is_read),          cmocka_unit_test(a_damaged_gpt_is_read_from_its_copy),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
