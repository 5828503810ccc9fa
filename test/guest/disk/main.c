/* SPDX-License-Identifier: MIT
 * Files on a disk, from a program's side. `./vectra test storage` runs it on machines that have one at /data:
 *
 *   /test/disk             what a volume does; leaves /data/kept
 *   /test/disk work COUNT  writes COUNT files, one after the other and each in one step: under another name, synced,
 *                          renamed, synced; says `safe N` then. Where the file system or its disk went away in the
 *                          middle it says `again N` and begins that one anew.
 *   /test/disk read COUNT  whether the last of these are there
 *   /test/disk leave       writes /data/left and syncs nothing
 *   /test/disk full DIR    fills the volume; says `kept NUMBER BYTES` of the files that it leaves
 *   /test/disk large MEBIBYTES ROUNDS    writes /data/large so often, each time in one call, whatever dies meanwhile */
// guest: helper
#define CHECK_DEFINE
#include "disk.h"

enum : uint32_t { FILES = 8, TRIES = 200 };

struct fs_client client;
uint64_t out[LARGE / 8], in[LARGE / 8];

void fill(uint32_t number, uint64_t offset, size_t bytes)
{
    for (uint32_t i = 0; i < bytes / 8; i++)
        out[i] = (uint64_t)number << 32 | (offset / 8 + i);
}

/* --- what a volume does --- */

static void test_bytes(void)
{
    struct fs_file f;
    struct vx_fs_attributes a = {};
    size_t done = 0;
    uint64_t at = 0;
    fill(1, 0, LARGE);
    check_status("a file is made", OK,
                 fs_open(&client, "/data/A long name.text", VX_VFS_CREATE, RW, 0644, &f, &a, nullptr));
    check_status("a mebibyte is written", OK, fs_write(&f, 0, out, LARGE, &done));
    check_equal("all of it", done, LARGE);
    check_status("and read", OK, fs_read(&f, 0, in, LARGE, &done));
    CHECK("it is the same", done == LARGE && memcmp(in, out, LARGE) == 0);
    check_status("appended to", OK, fs_append(&f, "tail", 4, &at, &done));
    check_equal("at the end", at, LARGE);
    check_status("synced", OK, fs_sync(&f, 0));
    check_status("attributes", OK, fs_getattr(&f, &a));
    CHECK("size, type and time", a.size == LARGE + 4 && a.mode == (VX_FS_FILE | 0755) && a.modified_ns != 0);
    check_status("found whatever the case", OK, fs_stat(&client, "/data/a LONG name.TEXT", 0, &a));
    check_status("truncated", OK, fs_truncate(&f, 5000));
    check_status("made longer", OK, fs_truncate(&f, 9000));
    check_status("read", OK, fs_read(&f, 4992, in, 100, &done));
    CHECK("what was cut off is zero", done == 100 && in[0] == out[624] && in[1] == 0 && in[2] == 0);
    fs_close(&f);
}

static void test_names(void)
{
    struct fs_file f, g;
    struct vx_fs_attributes a = {}, b = {};
    size_t done = 0;
    check_status("mkdir", OK, fs_mkdir(&client, "/data/directory", 0755));
    check_status("and in it", OK, fs_mkdir(&client, "/data/directory/below", 0755));
    check_status("again", ERR_EXISTS, fs_mkdir(&client, "/data/Directory", 0755));
    check_status("open a file", OK, fs_open(&client, "/data/a long name.text", 0, RW, 0, &f, &a, nullptr));
    check_status("moved while open", OK,
                 fs_rename(&client, "/data/a long name.text", "/data/directory/below/moved", 0));
    check_status("it is the same object", OK, fs_stat(&client, "/data/directory/below/moved", 0, &b));
    CHECK("by its number", a.object == b.object && a.generation == b.generation);
    check_status("and can be read", OK, fs_read(&f, 0, in, 8, &done));
    check_status("another", OK, fs_open(&client, "/data/other", VX_VFS_CREATE, RW, 0644, &g, nullptr, nullptr));
    check_status("with something in it", OK, fs_write(&g, 0, "other", 5, &done));
    check_status("not over the first", ERR_EXISTS,
                 fs_rename(&client, "/data/other", "/data/directory/below/moved", VX_VFS_NO_REPLACE));
    check_status("over the first", OK, fs_rename(&client, "/data/other", "/data/directory/below/moved", 0));
    check_status("which is still open", OK, fs_read(&f, 0, in, 8, &done));
    CHECK("and has its bytes", done == 8 && in[0] == out[0]);
    check_status("a directory into itself", ERR_BAD_ARGUMENT,
                 fs_rename(&client, "/data/directory", "/data/directory/below/x", 0));
    check_status("not empty", ERR_NOT_EMPTY, fs_unlink(&client, "/data/directory/below", VX_VFS_DIRECTORY));
    check_status("unlinked while open", OK, fs_unlink(&client, "/data/directory/below/moved", 0));
    check_status("gone", ERR_NOT_FOUND, fs_stat(&client, "/data/directory/below/moved", 0, &a));
    check_status("but to who has it", OK, fs_read(&g, 0, in, 8, &done));
    CHECK("with its bytes", done == 5 && memcmp(in, "other", 5) == 0);
    fs_close(&f);
    fs_close(&g);
    check_status("rmdir", OK, fs_unlink(&client, "/data/directory/below", VX_VFS_DIRECTORY));
    check_status("rmdir above", OK, fs_unlink(&client, "/data/directory", VX_VFS_DIRECTORY));
    check_status("no symbolic links", ERR_NOT_SUPPORTED, fs_symlink(&client, "/data/link", "x"));
    CHECK("a name that cannot be", fs_mkdir(&client, "/data/a:b", 0755) == ERR_BAD_ARGUMENT);
}

static void test_listing(void)
{
    struct fs_file f;
    char name[] = "/data/listed-00";
    uint32_t n = 0;
    size_t used = 0;
    for (uint32_t i = 0; i < 40; i++) {
        name[13] = (char)('0' + i / 10);
        name[14] = (char)('0' + i % 10);
        if (fs_open(&client, name, VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr) == OK)
            fs_close(&f);
    }
    check_status("the directory is opened", OK, fs_open(&client, "/data", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    uint64_t cookie = 0;
    while (fs_list(&f, cookie, in, 1024, &used) == OK && used != 0)
        for (size_t at = 0; at < used;) {
            const struct vx_fs_entry *e = (const struct vx_fs_entry *)(const void *)((const uint8_t *)in + at);
            n += e->name_bytes == 9 && memcmp(e->name, "listed-", 7) == 0;
            cookie = e->cookie;
            at += e->bytes;
        }
    check_equal("each file is listed once", n, 40);
    fs_close(&f);
    for (uint32_t i = 0; i < 40; i++) {
        name[13] = (char)('0' + i / 10);
        name[14] = (char)('0' + i % 10);
        n -= fs_unlink(&client, name, 0) == OK;
    }
    check_equal("and taken away", n, 0);
}

static void test_volume(void)
{
    struct vx_fs_space before = {}, after = {};
    struct fs_file f;
    size_t done = 0;
    check_status("synced", OK, fs_sync_all(&client, "/data"));
    check_status("statfs", OK, fs_statfs(&client, "/data", &before));
    CHECK("says what it is", memcmp(before.kind, "fat", 3) == 0 && before.free_blocks <= before.blocks);
    check_status("a file that is kept", OK,
                 fs_open(&client, "/data/kept", VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr));
    fill(7, 0, 100'000);
    check_status("with bytes", OK, fs_write(&f, 0, out, 100'000, &done));
    fs_close(&f);
    check_status("synced", OK, fs_sync_all(&client, "/data"));
    check_status("statfs", OK, fs_statfs(&client, "/data", &after));
    CHECK("less is free", after.free_blocks < before.free_blocks);
}

/* --- work that is cut off --- */

static uint32_t bytes_of(uint32_t number)
{
    return (1000 + number * 7919 % 60'000) & ~7u;
}

static status_t write_one(uint32_t number)
{
    char name[] = "/data/file-0";
    struct fs_file f;
    size_t done = 0;
    name[11] = (char)('0' + number % FILES);
    fill(number, 0, bytes_of(number));
    status_t st = fs_open(&client, "/data/unfinished", VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr);
    if (st != OK)
        return st;
    st = fs_truncate(&f, 0);
    if (st == OK)
        st = fs_write(&f, 0, out, bytes_of(number), &done);
    if (st == OK && done != bytes_of(number))
        st = ERR_IO;
    if (st == OK)
        st = fs_sync(&f, 0);
    fs_close(&f);
    if (st == OK)
        st = fs_rename(&client, "/data/unfinished", name, 0);
    return st == OK ? fs_sync_all(&client, "/data") : st;
}

static int work(uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        status_t st = ERR_IO;
        for (uint32_t k = 0; k < TRIES && (st = write_one(i)) != OK; k++) {
            vx_printf("again %u: %s\n", i, vx_status_name(st));
            vx_sleep_ns(50 * VX_NS_PER_MS);
        }
        if (st != OK)
            return 1;
        vx_printf("safe %u\n", i);
    }
    return 0;
}

static int read_back(uint32_t count)
{
    char name[] = "/data/file-0";
    for (uint32_t i = count < FILES ? 1 : count - FILES + 1; i <= count; i++) {
        struct fs_file f;
        size_t done = 0;
        name[11] = (char)('0' + i % FILES);
        status_t st = fs_open(&client, name, 0, VX_FS_READ, 0, &f, nullptr, nullptr);
        if (st == OK) {
            st = fs_read(&f, 0, in, LARGE, &done);
            fs_close(&f);
        }
        fill(i, 0, bytes_of(i));
        if (st != OK || done != bytes_of(i) || memcmp(in, out, done) != 0) {
            vx_printf("%s is not number %u: %s, %u bytes\n", name, i, vx_status_name(st), (uint32_t)done);
            return 1;
        }
    }
    vx_printf("same\n");
    return 0;
}

static int leave(void)
{
    struct fs_file f;
    size_t done = 0;
    fill(3, 0, 10'000);
    return fs_open(&client, "/data/left", VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr) != OK ||
           fs_write(&f, 0, out, 10'000, &done) != OK;
}

int main(int argc, char **argv)
{
    uint64_t count = 0, rounds = 0;
    status_t st = fs_connect(&client);
    if (st != OK) {
        vx_printf("no files: %s\n", vx_status_text(st));
        return 1;
    }
    if (argc == 3 && vx_streq(argv[1], "full"))
        return full_main(argv[2]);
    if (argc == 4 && vx_streq(argv[1], "large") && vx_parse_u64(argv[2], strlen(argv[2]), &count) &&
        vx_parse_u64(argv[3], strlen(argv[3]), &rounds) && count <= 64 && rounds <= 1000)
        return large_main((uint32_t)count, (uint32_t)rounds);
    if (argc == 3 && vx_parse_u64(argv[2], strlen(argv[2]), &count) && count <= 100'000)
        return vx_streq(argv[1], "work") ? work((uint32_t)count) : read_back((uint32_t)count);
    if (argc == 2 && vx_streq(argv[1], "leave"))
        return leave();
    test_bytes();
    test_names();
    test_listing();
    test_volume();
    return check_done();
}
