/* SPDX-License-Identifier: MIT
 * Partition tables: GPT, and MBR with extended partitions. Pure: blocks come through `read`. Everything on the disk is
 * distrusted: an entry that leaves the disk, is empty or overlaps one before it is left out; chains end.
 * Sources: [UEFI] "GUID Partition Table (GPT) Disk Layout", "Protective MBR"; the MBR has no specification but custom.
 */
#pragma once
#include <abi/status.h>
#include <stddef.h>
#include <stdint.h>

enum { PARTITIONS_MAX = 128, PARTITION_NAME_MAX = 25, PARTITION_BLOCK_MAX = 4096 };
enum partition_table : uint8_t { PARTITIONS_NONE, PARTITIONS_MBR, PARTITIONS_GPT };

struct partition {
    uint64_t first, blocks;
    uint32_t number; /* from 1; logical partitions of an MBR from 5 */
    uint32_t kind;   /* MBR: the type byte; GPT: the first 32 bits of its type GUID */
    char name[PARTITION_NAME_MAX];
};

struct partition_list {
    enum partition_table table;
    bool backup; /* GPT: the first header was damaged, the one at the end was used */
    uint32_t count, left_out;
    struct partition partition[PARTITIONS_MAX];
};

struct partition_disk {
    uint64_t blocks;
    uint32_t block_bytes; /* 512 to PARTITION_BLOCK_MAX, a power of two */
    /* One block; anything but OK ends the search in that part of the disk. */
    status_t (*read)(void *ctx, uint64_t block, void *to);
    void *ctx;
};

/* What is on the disk; an empty list if it has no table. `scratch`: one block. */
void partition_scan(const struct partition_disk *disk, void *scratch, struct partition_list *out);
