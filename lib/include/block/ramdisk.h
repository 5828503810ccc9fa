/* SPDX-License-Identifier: MIT
 * A disk in memory that can fail as disks do, as a seed decides. Pure.
 *
 *  1. `seen` is what reads answer: every write that was done. `stable` is what a cut of power leaves.
 *  2. A block is dirty exactly while a write to it was done and no flush since; only dirty blocks differ.
 *  3. A flush makes every block stable, unless it is told to lie. */
#pragma once
#include <abi/status.h>
#include <stddef.h>
#include <stdint.h>

struct ramdisk {
    uint8_t *seen, *stable; /* blocks * block_bytes each */
    uint8_t *dirty;         /* a byte a block */
    uint64_t blocks;
    uint32_t block_bytes;
    /* how it fails: in how many of 1,000 cases */
    uint32_t read_errors, write_errors, flush_errors;
    uint32_t lying_flushes; /* report success and do nothing */
    uint64_t random;
};

/* Bytes of memory for ramdisk_init. */
size_t ramdisk_bytes(uint64_t blocks, uint32_t block_bytes);
/* memory: zeroed. */
void ramdisk_init(struct ramdisk *d, void *memory, uint64_t blocks, uint32_t block_bytes, uint64_t seed);
/* A number below `limit`, by the disk's own seed. */
uint32_t ramdisk_random(struct ramdisk *d, uint32_t limit);

/* At byte `at` of the disk; the caller has checked that it lies inside. A write that fails may have been done in part.
 */
void ramdisk_get(const struct ramdisk *d, uint64_t at, void *to, size_t bytes);
void ramdisk_put(struct ramdisk *d, uint64_t at, const void *from, size_t bytes);
void ramdisk_clear(struct ramdisk *d, uint64_t block, uint64_t blocks);
/* Whether the next read, write or flush fails: decided before it is done. */
bool ramdisk_read_fails(struct ramdisk *d);
bool ramdisk_write_fails(struct ramdisk *d);
status_t ramdisk_flush(struct ramdisk *d);
/* The power goes and comes back: each dirty block is the old one, the new one, or torn between them. */
void ramdisk_cut(struct ramdisk *d);
