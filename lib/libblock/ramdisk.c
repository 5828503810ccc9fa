/* SPDX-License-Identifier: MIT */
#include <block/ramdisk.h>
#include <vectra/string.h>

enum { THOUSAND = 1000, TEAR_GRAIN = 64 };

size_t ramdisk_bytes(uint64_t blocks, uint32_t block_bytes)
{
    return (size_t)(blocks * (2 * (uint64_t)block_bytes + 1));
}

void ramdisk_init(struct ramdisk *d, void *memory, uint64_t blocks, uint32_t block_bytes, uint64_t seed)
{
    uint8_t *at = memory;
    size_t bytes = (size_t)(blocks * block_bytes);
    *d = (struct ramdisk){ .seen = at,
                           .stable = at + bytes,
                           .dirty = at + 2 * bytes,
                           .blocks = blocks,
                           .block_bytes = block_bytes,
                           .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1 };
}

uint32_t ramdisk_random(struct ramdisk *d, uint32_t limit)
{
    /* xorshift64*: it has to be the same everywhere, not good */
    d->random ^= d->random >> 12;
    d->random ^= d->random << 25;
    d->random ^= d->random >> 27;
    return limit == 0 ? 0 : (uint32_t)((d->random * UINT64_C(0x2545f4914f6cdd1d) >> 32) % limit);
}

static bool happens(struct ramdisk *d, uint32_t of_1000)
{
    return of_1000 != 0 && ramdisk_random(d, THOUSAND) < of_1000;
}

bool ramdisk_read_fails(struct ramdisk *d)
{
    return happens(d, d->read_errors);
}

bool ramdisk_write_fails(struct ramdisk *d)
{
    return happens(d, d->write_errors);
}

void ramdisk_get(const struct ramdisk *d, uint64_t at, void *to, size_t bytes)
{
    memcpy(to, d->seen + at, bytes);
}

void ramdisk_put(struct ramdisk *d, uint64_t at, const void *from, size_t bytes)
{
    if (bytes == 0)
        return;
    memcpy(d->seen + at, from, bytes);
    uint64_t first = at / d->block_bytes, last = (at + bytes - 1) / d->block_bytes;
    memset(d->dirty + first, 1, (size_t)(last - first + 1));
}

void ramdisk_clear(struct ramdisk *d, uint64_t block, uint64_t blocks)
{
    memset(d->seen + block * d->block_bytes, 0, (size_t)(blocks * d->block_bytes));
    memset(d->dirty + block, 1, (size_t)blocks);
}

static void settle(struct ramdisk *d, uint64_t block)
{
    memcpy(d->stable + block * d->block_bytes, d->seen + block * d->block_bytes, d->block_bytes);
    d->dirty[block] = 0;
}

status_t ramdisk_flush(struct ramdisk *d)
{
    if (happens(d, d->flush_errors))
        return ERR_IO;
    if (happens(d, d->lying_flushes))
        return OK;
    for (uint64_t i = 0; i < d->blocks; i++)
        if (d->dirty[i] != 0)
            settle(d, i);
    return OK;
}

void ramdisk_cut(struct ramdisk *d)
{
    for (uint64_t i = 0; i < d->blocks; i++) {
        if (d->dirty[i] == 0)
            continue;
        uint8_t *seen = d->seen + i * d->block_bytes, *stable = d->stable + i * d->block_bytes;
        uint32_t fate = ramdisk_random(d, 3), torn = TEAR_GRAIN * ramdisk_random(d, d->block_bytes / TEAR_GRAIN + 1);
        memcpy(stable, seen, fate == 0 ? 0 : fate == 1 ? d->block_bytes : torn);
        memcpy(seen, stable, d->block_bytes);
        d->dirty[i] = 0;
    }
}
