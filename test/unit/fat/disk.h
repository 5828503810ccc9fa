/* SPDX-License-Identifier: MIT
 * A disk in memory for the tests of libfat: it keeps a record of what was written, fails when told to, and can be
 * handed to the tools of others as a file. */
#pragma once
#include "../lib/host.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <fat/check.h>
#include <fat/format.h>
#include <fat/volume.h>

enum { CACHE_BYTES = 64 * 4096, NODES = 64 };

struct record {
    uint64_t block;
    uint32_t blocks; /* 0: a flush */
    uint8_t *bytes;
};

struct test_disk {
    struct fat_disk disk;
    uint8_t *bytes;
    struct record *records;
    size_t n_records, room;
    bool recording;
    uint64_t n_reads, n_writes, n_flushes, now_ns;
    int64_t fail_in; /* the so-manieth access from here on fails, and all after it; negative: never */
    char path[64];
};

/* Every test has one volume at a time. */
static struct test_disk t;
static struct fat_volume *volume;
static struct fat_node *root;
static void *memory, *cache;

static inline bool test_fails(void)
{
    if (t.fail_in < 0)
        return false;
    if (t.fail_in == 0)
        return true;
    t.fail_in--;
    return false;
}

static inline fat_status_t test_read(void *, uint64_t block, uint32_t blocks, void *to)
{
    assert_true(block <= t.disk.blocks && blocks <= t.disk.blocks - block && blocks != 0);
    t.n_reads++;
    if (test_fails())
        return FAT_IO;
    memcpy(to, t.bytes + block * t.disk.block_bytes, (size_t)blocks * t.disk.block_bytes);
    return FAT_OK;
}

static inline void test_note(uint64_t block, uint32_t blocks, const void *from)
{
    size_t len = (size_t)blocks * t.disk.block_bytes;
    if (!t.recording)
        return;
    if (t.n_records == t.room) {
        t.room = t.room != 0 ? 2 * t.room : 256;
        t.records = realloc(t.records, t.room * sizeof *t.records);
        assert_non_null(t.records);
    }
    struct record *r = &t.records[t.n_records++];
    *r = (struct record){ .block = block, .blocks = blocks, .bytes = len != 0 ? malloc(len) : nullptr };
    if (len != 0)
        memcpy(r->bytes, from, len);
}

static inline fat_status_t test_write(void *, uint64_t block, uint32_t blocks, const void *from)
{
    assert_true(block <= t.disk.blocks && blocks <= t.disk.blocks - block && blocks != 0);
    t.n_writes++;
    if (test_fails())
        return FAT_IO;
    memcpy(t.bytes + block * t.disk.block_bytes, from, (size_t)blocks * t.disk.block_bytes);
    test_note(block, blocks, from);
    return FAT_OK;
}

static inline fat_status_t test_flush(void *)
{
    t.n_flushes++;
    if (test_fails())
        return FAT_IO;
    test_note(0, 0, nullptr);
    return FAT_OK;
}

static inline uint64_t test_now(void *)
{
    return t.now_ns += UINT64_C(10'000'000);
}

static inline void forget_records(void)
{
    for (size_t i = 0; i < t.n_records; i++)
        free(t.records[i].bytes);
    t.n_records = 0;
}

static inline void remove_file(void)
{
    if (t.path[0] != '\0')
        unlink(t.path);
    t.path[0] = '\0';
}

static inline void disk_begin(uint64_t bytes, uint32_t block_bytes)
{
    forget_records();
    free(t.records);
    free(t.bytes);
    remove_file();
    t = (struct test_disk){ .bytes = calloc(1, (size_t)bytes), .fail_in = -1 };
    assert_non_null(t.bytes);
    t.now_ns = UINT64_C(1'700'000'000) * 1'000'000'000;
    t.disk = (struct fat_disk){ .blocks = bytes / block_bytes,
                                .block_bytes = block_bytes,
                                .read = test_read,
                                .write = test_write,
                                .flush = test_flush,
                                .now_ns = test_now };
}

static inline fat_status_t try_mount(uint32_t flags)
{
    free(memory);
    free(cache);
    memory = malloc(fat_state_bytes(CACHE_BYTES, NODES));
    cache = aligned_alloc(4096, CACHE_BYTES);
    assert_true(memory != nullptr && cache != nullptr);
    const struct fat_memory m = { .cache = cache, .cache_bytes = CACHE_BYTES, .state = memory, .nodes = NODES };
    return fat_mount(&m, &t.disk, flags, &volume);
}

static inline void mount(void)
{
    assert_int_equal(try_mount(0), FAT_OK);
    root = fat_root(volume);
}

static inline void unmount(void)
{
    fat_put(root);
    assert_int_equal(fat_unmount(volume), FAT_OK);
    volume = nullptr;
}

static inline void format(uint64_t bytes, uint32_t block_bytes, const struct fat_format *how)
{
    disk_begin(bytes, block_bytes);
    void *scratch = malloc(FAT_FORMAT_SCRATCH);
    assert_int_equal(fat_format(&t.disk, how, scratch), FAT_OK);
    free(scratch);
}

static inline fat_status_t run_check(bool repair, struct fat_report *report)
{
    size_t bytes = fat_check_memory(volume);
    void *maps = malloc(bytes);
    fat_status_t st = fat_check(volume, repair, maps, bytes, report);
    free(maps);
    return st;
}

/* --- files by one name --- */

static inline struct fat_node *open_at(struct fat_node *dir, const char *name)
{
    struct fat_node *n = nullptr;
    assert_int_equal(fat_lookup(dir, name, strlen(name), &n), FAT_OK);
    return n;
}

static inline struct fat_node *create_at(struct fat_node *dir, const char *name)
{
    struct fat_node *n = nullptr;
    assert_int_equal(fat_create(dir, name, strlen(name), &n), FAT_OK);
    return n;
}

static inline struct fat_node *mkdir_at(struct fat_node *dir, const char *name)
{
    struct fat_node *n = nullptr;
    assert_int_equal(fat_mkdir(dir, name, strlen(name), &n), FAT_OK);
    return n;
}

static inline fat_status_t look(struct fat_node *dir, const char *name)
{
    struct fat_node *n;
    fat_status_t st = fat_lookup(dir, name, strlen(name), &n);
    if (st == FAT_OK)
        fat_put(n);
    return st;
}

static inline fat_status_t unlink_at(struct fat_node *dir, const char *name)
{
    return fat_unlink(dir, name, strlen(name));
}

static inline fat_status_t rename_at(struct fat_node *from, const char *name, struct fat_node *to, const char *new,
                                     uint32_t flags)
{
    return fat_rename(from, name, strlen(name), to, new, strlen(new), flags);
}

/* A byte of a file that says where it is and which file. */
static inline uint8_t pattern(uint32_t seed, uint64_t at)
{
    return (uint8_t)((at * 31 + (at >> 9) * 7 + seed * 131) ^ at >> 13);
}

static inline void write_pattern(struct fat_node *n, uint32_t seed, uint64_t from, size_t bytes)
{
    uint8_t *b = malloc(bytes + 1);
    size_t done = 0;
    for (size_t i = 0; i < bytes; i++)
        b[i] = pattern(seed, from + i);
    assert_int_equal(fat_write(n, from, b, bytes, &done), FAT_OK);
    assert_int_equal(done, bytes);
    free(b);
}

static inline void check_pattern(struct fat_node *n, uint32_t seed, uint64_t from, size_t bytes)
{
    uint8_t *b = malloc(bytes + 1);
    size_t done = 0;
    assert_int_equal(fat_read(n, from, b, bytes, &done), FAT_OK);
    assert_int_equal(done, bytes);
    for (size_t i = 0; i < bytes; i++)
        if (b[i] != pattern(seed, from + i))
            fail_msg("byte %llu is %02x, not %02x", (unsigned long long)(from + i), b[i], pattern(seed, from + i));
    free(b);
}

static inline uint64_t size_of(struct fat_node *n)
{
    struct fat_stat s;
    fat_stat(n, &s);
    return s.size;
}

/* --- the tools of others --- */

/* A file in which the disk's bytes are, for a tool. */
static inline const char *to_file(const uint8_t *bytes)
{
    if (t.path[0] == '\0') {
        strcpy(t.path, "/tmp/vectra-fat-XXXXXX");
        int fd = mkstemp(t.path);
        assert_true(fd >= 0);
        close(fd);
    }
    static const uint8_t zeroes[65536];
    size_t size = t.disk.block_bytes * t.disk.blocks;
    int file = open(t.path, O_WRONLY | O_TRUNC);
    assert_true(file >= 0 && ftruncate(file, (off_t)size) == 0);
    for (size_t at = 0, n; at < size; at += n) { /* what is zero stays a hole */
        n = size - at < sizeof zeroes ? size - at : sizeof zeroes;
        if (memcmp(bytes + at, zeroes, n) != 0)
            assert_int_equal(pwrite(file, bytes + at, n, (off_t)at), (ssize_t)n);
    }
    assert_int_equal(close(file), 0);
    return t.path;
}

static inline void from_file(void)
{
    FILE *f = fopen(t.path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(t.bytes, t.disk.block_bytes, t.disk.blocks, f), t.disk.blocks);
    fclose(f);
}

/* Runs a tool; `%s` in the line is the image. Its status, and what it said. */
static inline int tool(const char *line, char *said, size_t room)
{
    char command[1024], full[1200];
    snprintf(command, sizeof command, line, t.path);
    snprintf(full, sizeof full,
             "PATH=$PATH:/usr/sbin:/sbin MTOOLS_SKIP_CHECK=1 LC_ALL=C.UTF-8; export PATH MTOOLS_SKIP_CHECK LC_ALL; { "
             "%s; } 2>&1",
             command);
    FILE *p = popen(full, "r");
    assert_non_null(p);
    size_t got = fread(said, 1, room - 1, p);
    said[got] = '\0';
    int status = pclose(p);
    return status == -1 ? -1 : status >> 8;
}

/* fsck.fat finds nothing to say against the disk. */
static inline void fsck_is_happy(void)
{
    char said[8192];
    to_file(t.bytes);
    int status = tool("fsck.fat -n '%s'", said, sizeof said);
    if (status != 0)
        fail_msg("fsck.fat says %d: %s", status, said);
}
