/* SPDX-License-Identifier: MIT
 * See disk.h. */
#include "disk.h"
#include <fs/copy.h>
#include <vectra/rpc_block.h>
#include <vectra/string.h>
#include <vectra/time.h>

static fat_status_t translate(status_t st)
{
    return st == OK ? FAT_OK : st == ERR_NO_RIGHTS ? FAT_READ_ONLY : FAT_IO;
}

/* Blocks to or from memory that the driver shares. */
static status_t move_shared(struct block_disk *d, uint64_t block, uint32_t blocks, uint32_t offset, bool write)
{
    uint32_t most = d->max_bytes / d->block_bytes;
    status_t st = OK;
    for (uint32_t n; blocks != 0 && st == OK; block += n, blocks -= n, offset += n * d->block_bytes) {
        n = blocks < most ? blocks : most;
        st = write ? block_write(d, block, n, offset) : block_read(d, block, n, offset);
    }
    return st;
}

static fat_status_t move(struct block_disk *d, uint64_t block, uint32_t blocks, uint8_t *to, const uint8_t *from)
{
    uintptr_t at = (uintptr_t)(to != nullptr ? to : from), shared = (uintptr_t)d->at;
    size_t bytes = (size_t)blocks * d->block_bytes;
    if (at >= shared && at - shared < d->buffer_bytes && bytes <= d->buffer_bytes - (at - shared))
        return translate(move_shared(d, block, blocks, (uint32_t)(at - shared), to == nullptr));
    uint8_t *bounce = d->at + DISK_CACHE_BYTES;
    status_t st = OK;
    for (size_t n; bytes != 0 && st == OK; bytes -= n, block += n / d->block_bytes) {
        n = bytes < DISK_BOUNCE_BYTES ? bytes : DISK_BOUNCE_BYTES;
        if (from != nullptr) {
            fs_copy(bounce, from, n);
            from += n;
        }
        st = move_shared(d, block, (uint32_t)(n / d->block_bytes), DISK_CACHE_BYTES, from != nullptr);
        if (to != nullptr && st == OK) {
            fs_copy(to, bounce, n);
            to += n;
        }
    }
    return translate(st);
}

static fat_status_t read_blocks(void *ctx, uint64_t block, uint32_t blocks, void *to)
{
    return move(ctx, block, blocks, to, nullptr);
}

static fat_status_t write_blocks(void *ctx, uint64_t block, uint32_t blocks, const void *from)
{
    return move(ctx, block, blocks, nullptr, from);
}

static fat_status_t zero_blocks(void *ctx, uint64_t block, uint32_t blocks)
{
    struct block_disk *d = ctx;
    status_t st = OK;
    for (uint32_t n; blocks != 0 && st == OK; block += n, blocks -= n) {
        n = blocks < d->max_clear_blocks ? blocks : d->max_clear_blocks;
        st = block_clear(d, VX_BLOCK_ZERO, block, n);
    }
    return translate(st);
}

/* When the driver was started anew with writes that no flush had covered, the flush says so once; libfat writes what it
 * still has again, and whoever waits for a sync is told. */
static fat_status_t flush(void *ctx)
{
    struct block_disk *d = ctx;
    status_t st = block_flush(d);
    if (st != OK && d->lost)
        block_forgive(d);
    return translate(st);
}

static uint64_t now_ns(void *)
{
    return vx_clock_realtime_ns();
}

status_t disk_open(struct block_disk *d, const char *name, struct fat_disk *out)
{
    status_t st = block_open(d, name, DISK_CACHE_BYTES + DISK_BOUNCE_BYTES, 0);
    if (st == OK && (d->flags & VX_BLOCK_READ_ONLY) == 0 && (st = block_claim(d)) != OK)
        block_close(d);
    if (st != OK)
        return st;
    *out = (struct fat_disk){ .ctx = d,
                              .blocks = d->blocks,
                              .block_bytes = d->block_bytes,
                              .read_only = (d->flags & VX_BLOCK_READ_ONLY) != 0,
                              .read = read_blocks,
                              .write = write_blocks,
                              .zero =
                                  (d->flags & VX_BLOCK_ZEROES) != 0 && d->max_clear_blocks != 0 ? zero_blocks : nullptr,
                              .flush = flush,
                              .now_ns = now_ns };
    return OK;
}

status_t disk_partition(const char *name, uint32_t *index, char out[BLOCK_NAME_MAX])
{
    struct vx_client c = {};
    uint64_t first, blocks;
    uint32_t number = 0, table, kind;
    char text[24];
    size_t len;
    status_t st = vx_connect(name, &c);
    if (st != OK)
        return st;
    st = vx_block_partition(&c, (*index)++, &first, &blocks, &number, &table, &kind, text, &len);
    vx_client_close(&c);
    char digits[10];
    uint32_t n = 0, at = (uint32_t)strlen(name);
    for (; st == OK && (n == 0 || number != 0); number /= 10)
        digits[n++] = (char)('0' + number % 10);
    if (at + 1 + n >= BLOCK_NAME_MAX)
        return ERR_TOO_BIG;
    memcpy(out, name, at);
    out[at++] = 'p';
    while (n > 0)
        out[at++] = digits[--n];
    out[at] = '\0';
    return st;
}
