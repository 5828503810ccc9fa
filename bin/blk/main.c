/* SPDX-License-Identifier: MIT
 * blk: looks at disks and moves blocks, past every file system. For people who know what they do, and for tests. */
#include <block/disk.h>
#include <block/partition.h>
#include <vectra/io.h>
#include <vectra/rpc_block.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { USAGE = 2, BUFFER = 256 << 10, BENCH_BUFFER = 1 << 20, DISKS_MAX = 8, ROW = 16, HAMMER_SLOTS = 32 };

static struct block_disk disk;

static int fail(const char *what, status_t st)
{
    vx_printf("blk: %s: %s\n", what, vx_status_text(st));
    return 1;
}

static int usage(void)
{
    (void)vx_puts(
        "usage: blk list                          disks and their partitions\n"
        "       blk read DISK BLOCK COUNT         shows blocks, 16 bytes a line\n"
        "       blk write DISK BLOCK TEXT         TEXT and zeroes to the end of one block\n"
        "       blk fill DISK BLOCK COUNT SEED    a pattern: each 8 bytes are SEED and where they are\n"
        "       blk check DISK BLOCK COUNT SEED   whether that pattern is there\n"
        "       blk zero|discard DISK BLOCK COUNT\n"
        "       blk flush DISK\n"
        "       blk stat DISK                     what the driver has done since it started\n"
        "       blk bench DISK                    how long a read takes\n"
        "       blk hammer DISK BLOCK COUNT SEED ROUNDS   fills COUNT blocks again and again, many writes at\n"
        "                                         a time, flushes each round; prints each round that is safe\n"
        "DISK is blk0, blk1, ... or a partition of one: blk0p1\n");
    return USAGE;
}

/* --- list --- */

static void list_partitions(struct vx_client *c, const char *name, uint32_t block_bytes)
{
    uint64_t first = 0, blocks = 0;
    uint32_t number = 0, table = 0, kind = 0;
    char text[PARTITION_NAME_MAX] = {};
    size_t len = 0;
    for (uint32_t i = 0; vx_block_partition(c, i, &first, &blocks, &number, &table, &kind, text, &len) == OK; i++) {
        text[len < sizeof text - 1 ? len : sizeof text - 1] = '\0';
        vx_printf("  %sp%-3u %s  from %llu, %llu blocks, %llu KiB, type %x%s%s\n", name, number,
                  table == VX_BLOCK_TABLE_GPT ? "gpt" : "mbr", (unsigned long long)first, (unsigned long long)blocks,
                  (unsigned long long)(blocks * block_bytes / 1024), kind, len != 0 ? "  " : "", text);
    }
}

static status_t list_disk(const char *name)
{
    struct vx_client c = {};
    uint64_t blocks = 0, epoch = 0;
    uint32_t bytes = 0, physical = 0, flags = 0, depth = 0, segments = 0, most = 0, clear = 0;
    status_t st = vx_connect(name, &c);
    if (st != OK)
        return st;
    st = vx_block_info(&c, &blocks, &epoch, &bytes, &physical, &flags, &depth, &segments, &most, &clear);
    if (st == OK) {
        vx_printf("%-6s %llu blocks of %u bytes, %llu KiB%s%s%s%s\n", name, (unsigned long long)blocks, bytes,
                  (unsigned long long)(blocks * bytes / 1024), (flags & VX_BLOCK_READ_ONLY) != 0 ? ", read-only" : "",
                  (flags & VX_BLOCK_CACHED) != 0 ? ", cached" : "", (flags & VX_BLOCK_DISCARDS) != 0 ? ", discard" : "",
                  (flags & VX_BLOCK_ZEROES) != 0 ? ", zero" : "");
        list_partitions(&c, name, bytes);
    }
    vx_client_close(&c);
    return st;
}

static int list(void)
{
    char name[] = "blk0";
    uint32_t found = 0;
    for (unsigned i = 0; i < DISKS_MAX; i++) {
        name[3] = (char)('0' + i);
        found += list_disk(name) == OK;
    }
    if (found == 0)
        (void)vx_puts("blk: no disks\n");
    return found == 0;
}

/* --- patterns --- */

static void fill(uint8_t *at, uint64_t from, uint64_t bytes, uint64_t seed)
{
    for (uint64_t i = 0; i < bytes; i += 8) {
        uint64_t word = seed << 40 ^ (from + i);
        memcpy(at + i, &word, 8);
    }
}

/* The offset of the first difference, or `bytes`. */
static uint64_t differs(const uint8_t *at, uint64_t from, uint64_t bytes, uint64_t seed)
{
    for (uint64_t i = 0; i < bytes; i += 8) {
        uint64_t word = seed << 40 ^ (from + i);
        if (memcmp(at + i, &word, 8) != 0)
            return i;
    }
    return bytes;
}

static uint32_t step_of(uint64_t left)
{
    uint64_t most = BUFFER < disk.max_bytes ? BUFFER : disk.max_bytes;
    uint64_t blocks = most / disk.block_bytes;
    return (uint32_t)(left < blocks ? left : blocks);
}

static int run_fill(uint64_t block, uint64_t count, uint64_t seed)
{
    status_t st = OK;
    while (st == OK && count != 0) {
        uint32_t n = step_of(count);
        fill(disk.at, block * disk.block_bytes, (uint64_t)n * disk.block_bytes, seed);
        st = block_write(&disk, block, n, 0);
        block += n;
        count -= n;
    }
    return st == OK ? 0 : fail("fill", st);
}

static int run_check(uint64_t block, uint64_t count, uint64_t seed)
{
    while (count != 0) {
        uint32_t n = step_of(count);
        status_t st = block_read(&disk, block, n, 0);
        if (st != OK)
            return fail("check", st);
        uint64_t bytes = (uint64_t)n * disk.block_bytes, at = differs(disk.at, block * disk.block_bytes, bytes, seed);
        if (at != bytes) {
            vx_printf("blk: check: differs in block %llu at byte %llu\n",
                      (unsigned long long)(block + at / disk.block_bytes), (unsigned long long)(at % disk.block_bytes));
            return 1;
        }
        block += n;
        count -= n;
    }
    (void)vx_puts("same\n");
    return 0;
}

/* --- blocks --- */

static void show(uint64_t address, const uint8_t *at)
{
    char text[ROW + 1] = {};
    vx_printf("%08llx ", (unsigned long long)address);
    for (unsigned i = 0; i < ROW; i++) {
        vx_printf(" %02x", at[i]);
        text[i] = at[i] >= 0x20 && at[i] < 0x7f ? (char)at[i] : '.';
    }
    vx_printf("  %s\n", text);
}

static int run_read(uint64_t block, uint64_t count)
{
    for (; count != 0; block++, count--) {
        status_t st = block_read(&disk, block, 1, 0);
        if (st != OK)
            return fail("read", st);
        for (uint32_t i = 0; i < disk.block_bytes; i += ROW)
            show(block * disk.block_bytes + i, disk.at + i);
    }
    return 0;
}

static int run_write(uint64_t block, const char *text)
{
    size_t len = strlen(text);
    memset(disk.at, 0, disk.block_bytes);
    memcpy(disk.at, text, len < disk.block_bytes ? len : disk.block_bytes);
    status_t st = block_write(&disk, block, 1, 0);
    return st == OK ? 0 : fail("write", st);
}

static int run_clear(const char *how, uint64_t block, uint64_t count)
{
    status_t st = OK;
    uint8_t op = vx_streq(how, "zero") ? VX_BLOCK_ZERO : VX_BLOCK_DISCARD;
    while (st == OK && count != 0) {
        uint32_t n = count < disk.max_clear_blocks ? (uint32_t)count : disk.max_clear_blocks;
        st = n == 0 ? ERR_NOT_SUPPORTED : block_clear(&disk, op, block, n);
        block += n;
        count -= n;
    }
    return st == OK ? 0 : fail(how, st);
}

static int run_flush(void)
{
    status_t st = block_flush(&disk);
    return st == OK ? 0 : fail("flush", st);
}

static int run_stat(void)
{
    uint64_t requests, read, written, flushes, errors, interrupts, notifications;
    status_t st =
        vx_block_statistics(&disk.rpc, &requests, &read, &written, &flushes, &errors, &interrupts, &notifications);
    if (st != OK)
        return fail("stat", st);
    vx_printf(
        "requests %llu, read %llu, written %llu, flushes %llu, errors %llu, interrupts %llu, notifications %llu\n",
        (unsigned long long)requests, (unsigned long long)read, (unsigned long long)written,
        (unsigned long long)flushes, (unsigned long long)errors, (unsigned long long)interrupts,
        (unsigned long long)notifications);
    return 0;
}

/* --- hammer --- */

/* One round: every block is written once, up to HAMMER_SLOTS writes at a time. */
static status_t hammer_round(uint64_t block, uint64_t count, uint64_t seed)
{
    uint32_t bytes = BUFFER / HAMMER_SLOTS, per_slot = bytes / disk.block_bytes;
    uint64_t at = block, end = block + count, token = 0;
    uint32_t free_slots = UINT32_MAX;
    status_t outcome = OK, st = OK;
    while (st == OK && (at < end || disk.n_pending != 0)) {
        if (at < end && free_slots != 0) {
            uint32_t slot = (uint32_t)__builtin_ctz(free_slots);
            uint32_t n = end - at < per_slot ? (uint32_t)(end - at) : per_slot;
            fill(disk.at + slot * bytes, at * disk.block_bytes, (uint64_t)n * disk.block_bytes, seed);
            st = block_submit(&disk,
                              &(struct vx_block_request){ .tag = slot,
                                                          .op = VX_BLOCK_WRITE,
                                                          .n_segments = 1,
                                                          .block = at,
                                                          .blocks = n,
                                                          .segment = { { slot * bytes, n * disk.block_bytes } } });
            if (st == OK) {
                free_slots &= ~(1u << slot);
                at += n;
                continue;
            }
            if (st != ERR_WOULD_BLOCK)
                break;
        }
        st = block_wait(&disk, &token, &outcome, VX_FOREVER);
        free_slots |= 1u << (token & 31);
        if (st == OK)
            st = outcome;
    }
    return st;
}

/* A round whose flush says that writes may be lost is written again. */
static int run_hammer(uint64_t block, uint64_t count, uint64_t seed, uint64_t rounds)
{
    uint32_t again = 0;
    for (uint64_t r = 0; r < rounds;) {
        status_t st = hammer_round(block, count, seed + r);
        if (st != OK)
            return fail("hammer", st);
        st = block_flush(&disk);
        if (st == ERR_IO && disk.lost) {
            block_forgive(&disk);
            again++;
            continue;
        }
        if (st != OK)
            return fail("flush", st);
        vx_printf("round %llu safe\n", (unsigned long long)(seed + r));
        r++;
    }
    vx_printf("done: %llu rounds, %u written again, %u restarts\n", (unsigned long long)rounds, again, disk.restarts);
    return 0;
}

/* --- bench --- */

/* Nanoseconds for each of n reads of `blocks` blocks, `depth` at a time, at places that jump about. */
static status_t time_reads(const char *what, uint32_t n, uint32_t blocks, uint32_t depth)
{
    uint64_t random = 1, token = 0, places = disk.blocks / blocks;
    uint32_t sent = 0, bytes = blocks * disk.block_bytes;
    status_t st = OK, outcome = OK;
    uint64_t from = vx_clock_monotonic_ns();
    for (uint32_t done = 0; done < n && st == OK; done++) {
        for (; st == OK && sent < n && disk.n_pending < depth; sent++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            st = block_submit(&disk, &(struct vx_block_request){ .op = VX_BLOCK_READ,
                                                                 .n_segments = 1,
                                                                 .block = (random >> 33) % places * blocks,
                                                                 .blocks = blocks,
                                                                 .segment = { { sent % depth * bytes, bytes } } });
        }
        if (st == OK)
            st = block_wait(&disk, &token, &outcome, VX_FOREVER);
        if (st == OK)
            st = outcome;
    }
    uint64_t ns = vx_clock_monotonic_ns() - from;
    if (st == OK)
        vx_printf("%-20s %10llu ns\n", what, (unsigned long long)(ns / n));
    return st;
}

static int run_bench(void)
{
    uint32_t small = 4096 / disk.block_bytes, large = (1 << 20) / disk.block_bytes;
    if (disk.blocks < large || disk.buffer_bytes < 1 << 20 || disk.depth < 32)
        return fail("bench", ERR_NOT_SUPPORTED);
    status_t st = time_reads("blk_rand_4k", 2000, small, 1);
    if (st == OK)
        st = time_reads("blk_rand_4k_qd32", 8000, small, 32);
    if (st == OK)
        st = time_reads("blk_seq_1m", 200, large, 1);
    return st == OK ? 0 : fail("bench", st);
}

/* --- the words --- */

static int run(int argc, char **argv)
{
    const char *verb = argv[1];
    uint64_t n[4] = {};
    bool text = vx_streq(verb, "write");
    for (int i = 3; i < argc && i < 7 && !(text && i == 4); i++)
        if (!vx_parse_u64(argv[i], strlen(argv[i]), &n[i - 3]))
            return usage();
    if (argc == 3 && vx_streq(verb, "bench"))
        return run_bench();
    if (argc == 3 && vx_streq(verb, "flush"))
        return run_flush();
    if (argc == 3 && vx_streq(verb, "stat"))
        return run_stat();
    if (argc == 5 && text)
        return run_write(n[0], argv[4]);
    if (argc == 5 && vx_streq(verb, "read"))
        return run_read(n[0], n[1]);
    if (argc == 5 && (vx_streq(verb, "zero") || vx_streq(verb, "discard")))
        return run_clear(verb, n[0], n[1]);
    if (argc == 6 && vx_streq(verb, "fill"))
        return run_fill(n[0], n[1], n[2]);
    if (argc == 6 && vx_streq(verb, "check"))
        return run_check(n[0], n[1], n[2]);
    if (argc == 7 && vx_streq(verb, "hammer"))
        return run_hammer(n[0], n[1], n[2], n[3]);
    return usage();
}

int main(int argc, char **argv)
{
    if (argc == 2 && vx_streq(argv[1], "list"))
        return list();
    if (argc < 3)
        return usage();
    status_t st = block_open(&disk, argv[2], vx_streq(argv[1], "bench") ? BENCH_BUFFER : BUFFER, 0);
    if (st != OK)
        return fail(argv[2], st);
    int status = run(argc, argv);
    block_close(&disk);
    return status;
}
