/* SPDX-License-Identifier: MIT
 * Roles for tests in which the disk is full, or goes away in the middle of a write. */
#include "disk.h"

enum { FILES_MAX = 64, PIECE = 1 << 18, PATIENCE = 400 };

static char name[40];
static uint64_t size_of[FILES_MAX];

static const char *file_name(const char *directory, uint32_t number)
{
    size_t n = strlen(directory);
    memcpy(name, directory, n);
    memcpy(name + n, "/full-00", 9);
    name[n + 6] = (char)('0' + number / 10);
    name[n + 7] = (char)('0' + number % 10);
    return name;
}

/* Writes one file until it has so many pieces or nothing more fits; *bytes: what it has then. */
static status_t write_file(const char *directory, uint32_t number, uint32_t pieces, uint64_t *bytes)
{
    struct fs_file f;
    size_t done = 0;
    *bytes = 0;
    status_t st = fs_open(&client, file_name(directory, number), VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr);
    if (st != OK)
        return st;
    while (st == OK && *bytes < (uint64_t)pieces * PIECE) {
        fill(number, *bytes, PIECE);
        st = fs_write(&f, *bytes, out, PIECE, &done);
        *bytes += done;
        if (done % 8 != 0)
            st = ERR_IO; /* clusters are multiples of that */
    }
    struct vx_fs_attributes a = {};
    if (fs_getattr(&f, &a) != OK || a.size != *bytes)
        st = ERR_IO; /* it is as long as was told */
    fs_close(&f);
    return st;
}

static bool same(const char *directory, uint32_t number, uint64_t bytes)
{
    struct fs_file f;
    size_t done = 0;
    bool good = fs_open(&client, file_name(directory, number), 0, VX_FS_READ, 0, &f, nullptr, nullptr) == OK;
    for (uint64_t at = 0; good && at < bytes; at += done) {
        good = fs_read(&f, at, in, PIECE, &done) == OK && done != 0;
        fill(number, at, done);
        good = good && memcmp(in, out, done) == 0;
    }
    fs_close(&f);
    return good;
}

static bool all_same(const char *directory, uint32_t n)
{
    bool good = true;
    for (uint32_t i = 0; i < n; i++)
        good = same(directory, i, size_of[i]) && good;
    return good;
}

/* Fills the volume, uses it while it is full, makes room and fills it again; leaves the files, and says how long. */
int full_main(const char *directory)
{
    struct vx_fs_space s = {};
    struct vx_fs_attributes a = {};
    struct fs_file f;
    uint64_t more = 0, at = 0;
    size_t done = 0;
    uint32_t n = 0;
    status_t st = OK;
    while (st == OK && n < FILES_MAX) {
        st = write_file(directory, n, 4 + n % 3, &size_of[n]);
        n += st == OK || size_of[n] != 0; /* the last one is a part */
    }
    check_status("the disk is full", ERR_NO_SPACE, st);
    check_status("statfs", OK, fs_statfs(&client, directory, &s));
    check_equal("to the last block", s.free_blocks, 0);
    check_status("which can be synced", OK, fs_sync_all(&client, directory));
    CHECK("what was told to be written is there", n > 2 && all_same(directory, n));

    check_status("no directory is made", ERR_NO_SPACE, fs_mkdir(&client, file_name(directory, n), 0755));
    check_status("nor left", ERR_NOT_FOUND, fs_stat(&client, name, 0, &a));
    check_status("a file is opened", OK, fs_open(&client, file_name(directory, 0), 0, RW, 0, &f, nullptr, nullptr));
    check_status("and not made longer", ERR_NO_SPACE, fs_truncate(&f, size_of[0] + 4 * LARGE));
    check_status("nor appended to", ERR_NO_SPACE, fs_append(&f, out, PIECE, &at, &done));
    check_status("attributes", OK, fs_getattr(&f, &a));
    check_equal("it is as long as it was", a.size, size_of[0]);
    fill(0, 8, PIECE);
    check_status("but written over", OK, fs_write(&f, 8, out, PIECE, &done));
    check_equal("all of it", done, PIECE);
    check_status("and synced", OK, fs_sync(&f, 0));
    fs_close(&f);
    CHECK("and all is there", all_same(directory, n));

    check_status("one goes", OK, fs_unlink(&client, file_name(directory, 1), 0));
    check_status("its room is had at once", OK, write_file(directory, 1, (uint32_t)(size_of[1] / PIECE), &more));
    check_equal("all of it", more, size_of[1]);
    check_status("and no more", ERR_NO_SPACE, write_file(directory, n, 1, &more));
    check_status("the rest of that goes", OK, fs_unlink(&client, file_name(directory, n), 0));
    CHECK("in the end all is there", all_same(directory, n));
    check_status("and synced", OK, fs_sync_all(&client, directory));
    for (uint32_t i = 0; i < n; i++)
        vx_printf("kept %u %llu\n", i, (unsigned long long)size_of[i]);
    return check_done();
}

/* --- a driver that dies in the middle --- */

static const uint8_t *data; /* what belongs into /data/large */
static size_t data_bytes;

/* In one call, and on stable media then. */
static status_t write_large(struct fs_file *f)
{
    size_t done = 0;
    status_t st = fs_write(f, 0, data, data_bytes, &done);
    if (st == OK && done != data_bytes)
        st = ERR_IO;
    return st == OK ? fs_sync(f, 0) : st;
}

/* TOO_BIG: it is not what was written. */
static status_t read_large(struct fs_file *f)
{
    for (size_t at = 0, done = 0; at < data_bytes; at += done) {
        status_t st = fs_read(f, at, in, LARGE, &done);
        if (st != OK)
            return st;
        if (done == 0 || memcmp(in, data + at, done) != 0) {
            vx_printf("large: other bytes at %llu, of %u\n", (unsigned long long)at, (uint32_t)done);
            return ERR_TOO_BIG;
        }
    }
    return OK;
}

/* Again whenever something went away in the middle. Where the file system and vfsd went both, the file is opened anew.
 */
static status_t insist(struct fs_file *f, status_t (*what)(struct fs_file *f), uint32_t *again)
{
    for (uint32_t tries = 0;; tries++) {
        status_t st =
            f->client != nullptr ? OK : fs_open(&client, "/data/large", VX_VFS_CREATE, RW, 0644, f, nullptr, nullptr);
        if (st == OK)
            st = what(f);
        if (st == ERR_STALE) {
            fs_close(f);
            *f = (struct fs_file){};
        }
        if (st == OK || st == ERR_TOO_BIG || tries == PATIENCE)
            return st;
        ++*again;
        vx_sleep_ns(20 * VX_NS_PER_MS);
    }
}

/* /data/large, over and over, each time with other bytes, which are read again. */
int large_main(uint32_t mebibytes, uint32_t rounds)
{
    struct fs_file f = {};
    uint8_t *memory = check_pages((size_t)mebibytes << 20, RW_COMMIT);
    uint32_t again = 0;
    status_t st = memory == nullptr ? ERR_NO_MEMORY : OK;
    data = memory;
    data_bytes = (size_t)mebibytes << 20;
    for (uint32_t round = 1; st == OK && round <= rounds; round++) {
        for (size_t at = 0; at < data_bytes; at += LARGE) {
            fill(round, at, LARGE);
            memcpy(memory + at, out, LARGE);
        }
        st = insist(&f, write_large, &again);
        if (st == OK)
            st = insist(&f, read_large, &again);
    }
    vx_printf("large: %s, %u times again\n", vx_status_name(st), again);
    return st != OK;
}
