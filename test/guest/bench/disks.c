/* SPDX-License-Identifier: MIT
 * The group storage: a disk through BLOCK_V1, and files of the FAT volume on it.
 *
 * What is measured is the processor's work. While a device has a request nobody else runs, and the instruction counter
 * then jumps to whatever is next; so a thread of the idle band runs all the time and watches the counter. Between two
 * of its readings that lie close together nothing else ran: the sum of those is the time in which the processor had
 * nothing to do, and is taken off. */
#include "bench.h"
#include <block/disk.h>
#include <fs/client.h>
#include <vectra/thread.h>

enum : uint32_t { KIB = 1 << 10, MIB = 1 << 20, DEPTH = 32, FILES = 21, CLOSE_BY = 100 };
static constexpr uint64_t nothing_left_ns = 30'000'000;

static _Atomic uint64_t idle_ticks;
static _Atomic bool enough;
static struct samples samples;
static struct block_disk disk;
static struct fs_file file;
static uint8_t *data; /* MIB */
static status_t worst;
static uint64_t seed = 1;

static void note(status_t st)
{
    worst = st != OK ? st : worst;
}

static uint32_t watch(void *)
{
    (void)SYS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_IDLE);
    uint64_t last = vx_counter(), sum = 0;
    while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
        uint64_t now = vx_counter();
        sum += now - last < CLOSE_BY ? now - last : 0;
        atomic_store_explicit(&idle_ticks, sum, memory_order_relaxed); /* one hart: nothing to be ordered */
        last = now;
    }
    return 0;
}

/* --- the disk --- */

static uint64_t any_block(uint32_t bytes)
{
    uint64_t n = bytes / disk.block_bytes, places = disk.blocks / n;
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (seed >> 20) % places * n;
}

static void read_any(uint32_t)
{
    note(block_read(&disk, any_block(4 * KIB), 4 * KIB / disk.block_bytes, 0));
}

/* `depth` reads under way at all times, until `count` are done; each has a piece of the buffer for itself. */
static void read_many(uint32_t count, uint32_t bytes, uint32_t depth)
{
    uint64_t piece = 0;
    for (uint32_t sent = 0, done = 0; done < count && worst == OK; done++) {
        for (; sent < count && sent - done < depth; sent++) {
            piece = sent < depth ? sent : piece;
            note(block_submit(&disk, &(struct vx_block_request){ .op = VX_BLOCK_READ,
                                                                 .tag = piece,
                                                                 .n_segments = 1,
                                                                 .block = any_block(bytes),
                                                                 .blocks = bytes / disk.block_bytes,
                                                                 .segment = { { (uint32_t)piece * bytes, bytes } } }));
        }
        status_t outcome = OK;
        note(block_wait(&disk, &piece, &outcome, VX_FOREVER));
        note(outcome);
    }
}

static void read_deep(uint32_t)
{
    read_many(DEPTH * 8, 4 * KIB, DEPTH);
}

static void read_large(uint32_t run)
{
    note(block_read(&disk, (uint64_t)run * MIB / disk.block_bytes, MIB / disk.block_bytes, 0));
}

/* --- files --- */

static void name_of(char name[static 24], const char *stem, uint32_t n)
{
    (void)vx_strcopy(name, 24, stem);
    size_t at = strlen(name);
    name[at] = (char)('a' + n);
    name[at + 1] = '\0';
}

static void open_file(const char *stem, uint32_t n, uint32_t flags)
{
    char name[24];
    name_of(name, stem, n);
    fs_close(&file);
    note(fs_open(&bench_client, name, flags, VX_FS_READ | (flags != 0 ? VX_FS_WRITE : 0), 0600, &file, nullptr,
                 nullptr));
}

static void open_another(uint32_t run)
{
    open_file("/data/r-", run, 0);
}

static void open_same(uint32_t)
{
    open_file("/data/r-", 0, 0);
}

/* What the row before wrote gets to the disk, so that it is not written back during this one. */
static void open_new(uint32_t run)
{
    note(fs_sync_all(&bench_client, "/data"));
    open_file("/data/w-", run, VX_VFS_CREATE);
}

static void open_old(uint32_t)
{
    note(fs_sync_all(&bench_client, "/data"));
    open_file("/data/w-", 0, VX_VFS_CREATE);
}

static void read_file(uint32_t)
{
    size_t done = 0;
    note(fs_read(&file, 0, data, MIB, &done));
    note(done == MIB ? OK : ERR_IO);
}

static void write_file(uint32_t)
{
    size_t done = 0;
    note(fs_write(&file, 0, data, MIB, &done));
    note(done == MIB ? OK : ERR_IO);
}

/* --- rows --- */

struct row {
    const char *name;
    uint32_t runs, divisor;
    void (*prepare)(uint32_t run);
    void (*run)(uint32_t run);
};

static const struct row rows[] = {
    { "blk_rand_4k", 100, 1, nullptr, read_any },
    { "blk_rand_4k_qd32", 30, DEPTH * 8, nullptr, read_deep },
    { "blk_seq_1m", 30, 1, nullptr, read_large },
    { "fat_read_1m", FILES - 1, 1, open_another, read_file },
    { "fat_read_1m_warm", FILES - 1, 1, open_same, read_file },
    { "fat_write_1m", FILES - 1, 1, open_new, write_file },
    { "fat_write_1m_warm", FILES - 1, 1, open_old, write_file },
};

static void measure(const struct row *r)
{
    samples.n = 0;
    samples.per_sample = 1;
    for (uint32_t run = 0; run <= r->runs && worst == OK; run++) {
        if (r->prepare != nullptr)
            r->prepare(run);
        (void)SYS(nanosleep, vx_deadline_in(nothing_left_ns)); /* whoever has something left to do does it */
        uint64_t idle = atomic_load_explicit(&idle_ticks, memory_order_relaxed), begin = vx_counter();
        r->run(run);
        uint64_t end = vx_counter();
        idle = atomic_load_explicit(&idle_ticks, memory_order_relaxed) - idle;
        if (run > 0) /* the first warms up */
            samples.value[samples.n++] = bench_ns(end - begin - idle);
    }
    samples.n = worst == OK ? samples.n : 0;
    bench_report(r->name, &samples, bench_empty(1), r->divisor);
}

void disks_rows(int argc, char **argv)
{
    struct vx_thread watcher;
    status_t st = block_open(&disk, "blk0", MIB, 0);
    if (st != OK) {
        vx_printf("bench: blk0: %s\n", vx_status_text(st));
        return;
    }
    data = (uint8_t *)check_pages(MIB, RW_COMMIT);
    note(data != nullptr ? OK : ERR_NO_MEMORY);
    note(vx_thread_create(&watcher, watch, nullptr, 0));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool wanted = argc < 3;
        for (int k = 2; k < argc; k++)
            wanted |= vx_streq(argv[k], rows[i].name);
        if (wanted)
            measure(&rows[i]);
    }
    atomic_store_explicit(&enough, true, memory_order_relaxed);
    (void)vx_thread_join(&watcher, nullptr);
    fs_close(&file);
    block_close(&disk);
}

/* --- by the clock --- */

/* Kilobytes (1,000 bytes) a second, as `bench throughput NAME kb/s VALUE VALUE VALUE 1`. */
void disks_throughput(void)
{
    static const struct {
        const char *name;
        uint32_t bytes, depth, count;
    } kinds[] = { { "read_1m", MIB, 1, 256 },
                  { "read_4k", 4 * KIB, 1, 4096 },
                  { "read_4k_qd32", 4 * KIB, DEPTH, 8192 } };
    if (block_open(&disk, "blk0", MIB, 0) != OK)
        return;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        read_many(kinds[i].depth, kinds[i].bytes, kinds[i].depth);
        uint64_t begin = vx_clock_monotonic_ns();
        read_many(kinds[i].count, kinds[i].bytes, kinds[i].depth);
        uint64_t took = vx_clock_monotonic_ns() - begin;
        unsigned long long speed = (uint64_t)kinds[i].count * kinds[i].bytes * 1'000'000 / (took != 0 ? took : 1);
        if (worst == OK)
            vx_printf("bench throughput %s kb/s %llu %llu %llu 1\n", kinds[i].name, speed, speed, speed);
    }
    block_close(&disk);
}
