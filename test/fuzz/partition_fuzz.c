/* SPDX-License-Identifier: MIT
 * Any bytes as a disk: what is found lies on it, does not overlap, and finding it ends. The sums of a GPT are made
 * right when the first byte says so, or no fuzzer would come past them. */
// sources: lib/libblock/partition.c
#include "require.h"
#include <block/partition.h>

enum { BLOCKS = 96, BLOCK = 512 };

static uint8_t disk[BLOCKS][BLOCK];
static unsigned n_reads;

static status_t read_block(void *, uint64_t block, void *to)
{
    require(block < BLOCKS && n_reads++ < 4096);
    memcpy(to, disk[block], BLOCK);
    return OK;
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

static void make_sums(uint8_t *header)
{
    uint32_t bytes, n, each, zero = 0;
    uint64_t at;
    memcpy(&bytes, header + 12, 4);
    memcpy(&n, header + 80, 4);
    memcpy(&each, header + 84, 4);
    memcpy(&at, header + 72, 8);
    if (at < BLOCKS && (uint64_t)n * each <= (BLOCKS - at) * BLOCK) {
        uint32_t sum = crc(disk[at], (size_t)n * each);
        memcpy(header + 88, &sum, 4);
    }
    if (bytes > BLOCK)
        return;
    memcpy(header + 16, &zero, 4);
    uint32_t sum = crc(header, bytes);
    memcpy(header + 16, &sum, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct partition_list list;
    static uint8_t scratch[PARTITION_BLOCK_MAX];
    const struct partition_disk d = { .blocks = BLOCKS, .block_bytes = BLOCK, .read = read_block };
    memset(disk, 0, sizeof disk);
    if (size == 0)
        return 0;
    /* Blocks come in the order in which they matter; the entries of a GPT are few. */
    memcpy(disk, data + 1, size - 1 < sizeof disk ? size - 1 : sizeof disk);
    if ((data[0] & 1) != 0) {
        make_sums(disk[1]);
        make_sums(disk[BLOCKS - 1]);
    }
    n_reads = 0;
    partition_scan(&d, scratch, &list);
    require(list.count <= PARTITIONS_MAX);
    for (uint32_t i = 0; i < list.count; i++) {
        const struct partition *p = &list.partition[i];
        require(p->first != 0 && p->blocks != 0 && p->first < BLOCKS && p->blocks <= BLOCKS - p->first);
        require(bounded_length(p->name, PARTITION_NAME_MAX) < PARTITION_NAME_MAX);
        for (uint32_t k = 0; k < i; k++) {
            const struct partition *o = &list.partition[k];
            require(p->first >= o->first + o->blocks || o->first >= p->first + p->blocks);
        }
    }
    return 0;
}
