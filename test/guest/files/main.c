/* SPDX-License-Identifier: MIT
 * Files from a program's side: names by way of vfsd, bytes from ramfsd and the initial RAM disk. Roles of the group
 * `storage`: those of death.c, and `race DIRECTORY SECONDS` (race.c). */
// guest: smp 1 4
#define CHECK_DEFINE
#include "files.h"

struct fs_client client;

/* --- names and bytes --- */

/* Not by the Bundle: what the shell hands to a program may not mount, its own badge may. */
static status_t connect_by_name(void)
{
    struct vx_client vfs = {};
    status_t st = vx_connect("vfs", &vfs);
    client.by_name = true;
    return st == OK ? fs_connect_over(&client, vfs) : st;
}

static void test_bytes(void)
{
    static uint8_t out[200000], in[200000];
    struct fs_file f;
    struct vx_fs_attributes a = {};
    size_t done = 0;
    bool fresh = false;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 + i / 251);
    check_status("a file is made", OK,
                 fs_open(&client, "/tmp/bytes", VX_VFS_CREATE | VX_VFS_EXCLUSIVE, RW, 0644, &f, &a, &fresh));
    CHECK("it is fresh, empty, and has the mode asked for", fresh && a.size == 0 && a.mode == (VX_FS_FILE | 0644));
    check_status("200,000 bytes are written", OK, fs_write(&f, 0, out, sizeof out, &done));
    check_equal("all of them", done, sizeof out);
    check_status("they are read again", OK, fs_read(&f, 0, in, sizeof in, &done));
    CHECK("and are the same", done == sizeof in && memcmp(in, out, sizeof in) == 0);
    check_status("a read across the end", OK, fs_read(&f, sizeof out - 10, in, 100, &done));
    check_equal("ends there", done, 10);
    check_status("a read behind the end", OK, fs_read(&f, sizeof out + 10, in, 100, &done));
    check_equal("has nothing", done, 0);
    uint64_t at = 0;
    check_status("bytes are appended", OK, fs_append(&f, "tail", 4, &at, &done));
    check_equal("at the end", at, sizeof out);
    check_status("attributes", OK, fs_getattr(&f, &a));
    check_equal("the size", a.size, sizeof out + 4);
    check_status("truncated", OK, fs_truncate(&f, 5000));
    check_status("and long again", OK, fs_truncate(&f, 9000));
    check_status("reads", OK, fs_read(&f, 4990, in, 100, &done));
    CHECK("what was cut off is zero", memcmp(in, out + 4990, 10) == 0 && in[10] == 0 && in[99] == 0);
    fs_close(&f);
    check_status("it is there by its name", OK, fs_stat(&client, "/tmp/bytes", 0, &a));
    check_equal("as long as it was", a.size, 9000);
    check_status("made once more, exclusively: it exists", ERR_EXISTS,
                 fs_open(&client, "/tmp/bytes", VX_VFS_CREATE | VX_VFS_EXCLUSIVE, RW, 0644, &f, nullptr, nullptr));
    check_status("unlinked", OK, fs_unlink(&client, "/tmp/bytes", 0));
    check_status("it is gone", ERR_NOT_FOUND, fs_stat(&client, "/tmp/bytes", 0, &a));
}

static void test_names(void)
{
    struct vx_fs_attributes a = {}, b = {};
    struct fs_file f;
    char text[64];
    size_t bytes = 0;
    check_status("mkdir", OK, fs_mkdir(&client, "/tmp/d", 0755));
    check_status("mkdir again", ERR_EXISTS, fs_mkdir(&client, "/tmp/d", 0755));
    check_status("mkdir in it", OK, fs_mkdir(&client, "/tmp/d/e/", 0700));
    check_status("mkdir without a parent", ERR_NOT_FOUND, fs_mkdir(&client, "/tmp/x/y", 0755));
    check_status("a file in it", OK, fs_open(&client, "tmp/d/e/f", VX_VFS_CREATE, RW, 0600, &f, &a, nullptr));
    fs_close(&f);
    check_status("by . and ..", OK, fs_stat(&client, "/tmp/./d/../d//e/f", 0, &b));
    CHECK("the same", a.object == b.object && a.generation == b.generation);
    check_status(".. stops at the root", OK, fs_stat(&client, "/../../tmp/d/e/f", 0, &b));
    check_status("a file is no directory", ERR_NOT_DIRECTORY, fs_stat(&client, "/tmp/d/e/f/g", 0, &b));
    check_status("nor with a slash", ERR_NOT_DIRECTORY, fs_stat(&client, "/tmp/d/e/f/", 0, &b));
    check_status("rmdir of what is not empty", ERR_NOT_EMPTY, fs_unlink(&client, "/tmp/d/e", VX_VFS_DIRECTORY));
    check_status("unlink of a directory", ERR_IS_DIRECTORY, fs_unlink(&client, "/tmp/d/e", 0));
    check_status("a link", OK, fs_link(&client, "/tmp/d/e/f", "/tmp/d/g", 0));
    check_status("counts", OK, fs_stat(&client, "/tmp/d/g", 0, &b));
    check_equal("two", b.links, 2);
    check_status("a symbolic link", OK, fs_symlink(&client, "/tmp/s", "d/e"));
    check_status("is followed", OK, fs_stat(&client, "/tmp/s/f", 0, &b));
    CHECK("to the same", a.object == b.object);
    check_status("readlink", OK, fs_readlink(&client, "/tmp/s", text, sizeof text, &bytes));
    CHECK("tells its text", bytes == 3 && memcmp(text, "d/e", 3) == 0);
    check_status("itself", OK, fs_stat(&client, "/tmp/s", VX_VFS_NO_FOLLOW, &b));
    CHECK("is a link", (b.mode & VX_FS_TYPE) == VX_FS_LINK);
    check_status("an absolute one", OK, fs_symlink(&client, "/tmp/t", "/tmp/s/../e/f"));
    check_status("goes through both", OK, fs_stat(&client, "/tmp/t", 0, &b));
    CHECK("to the same file", a.object == b.object);
    check_status("one to itself", OK, fs_symlink(&client, "/tmp/loop", "loop"));
    check_status("is a loop", ERR_LOOP, fs_stat(&client, "/tmp/loop", 0, &b));
    check_status("rename", OK, fs_rename(&client, "/tmp/d/g", "/tmp/h", 0));
    check_status("the old name is gone", ERR_NOT_FOUND, fs_stat(&client, "/tmp/d/g", 0, &b));
    check_status("not onto what is there", ERR_EXISTS, fs_rename(&client, "/tmp/h", "/tmp/s", VX_VFS_NO_REPLACE));
    check_status("a directory into itself", ERR_BAD_ARGUMENT, fs_rename(&client, "/tmp/d", "/tmp/d/e/x", 0));
    check_status("across file systems", ERR_CROSS_DEVICE, fs_rename(&client, "/tmp/h", "/etc/h", 0));
    check_status("exchange", OK, fs_rename(&client, "/tmp/h", "/tmp/d", VX_VFS_EXCHANGE));
    check_status("the file's name is now the directory's", OK, fs_stat(&client, "/tmp/h/e/f", 0, &b));
    check_status("and the other way round", OK, fs_stat(&client, "/tmp/d", 0, &b));
    check_equal("same file", b.object, a.object);
    check_status("what is mounted on cannot go", ERR_BUSY, fs_unlink(&client, "/tmp", VX_VFS_DIRECTORY));
    const char *gone[] = { "/tmp/h/e/f", "/tmp/d", "/tmp/s", "/tmp/t", "/tmp/loop" };
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        check_status("unlink", OK, fs_unlink(&client, gone[i], 0));
    check_status("rmdir", OK, fs_unlink(&client, "/tmp/h/e", VX_VFS_DIRECTORY));
    check_status("rmdir", OK, fs_unlink(&client, "/tmp/h", VX_VFS_DIRECTORY));
}

static void test_read_only(void)
{
    struct vx_fs_attributes a = {};
    struct vx_fs_space s = {};
    struct fs_file f;
    uint8_t head[4] = {};
    size_t done = 0;
    check_status("the initial RAM disk is there", OK,
                 fs_open(&client, "/sbin/vfsd", 0, VX_FS_READ, 0, &f, &a, nullptr));
    check_status("is read", OK, fs_read(&f, 0, head, 4, &done));
    CHECK("holds a program", done == 4 && head[0] == 0x7f && head[1] == 'E');
    check_status("through what is for reading nothing is written", ERR_READ_ONLY, fs_write(&f, 0, head, 4, &done));
    fs_close(&f);
    check_status("is not opened for writing", ERR_READ_ONLY,
                 fs_open(&client, "/sbin/vfsd", 0, VX_FS_WRITE, 0, &f, nullptr, nullptr));
    check_status("nothing is made there", ERR_READ_ONLY, fs_mkdir(&client, "/sbin/x", 0755));
    check_status("nothing goes", ERR_READ_ONLY, fs_unlink(&client, "/sbin/vfsd", 0));
    check_status("statfs", OK, fs_statfs(&client, "/", &s));
    CHECK("says so", (s.flags & VX_FS_IS_READ_ONLY) != 0 && vx_streq(s.kind, "rom"));
    check_status("statfs", OK, fs_statfs(&client, "/tmp", &s));
    CHECK("of another", vx_streq(s.kind, "ramfs") && s.free_blocks != 0 && s.free_blocks <= s.blocks);
}

static void test_list(void)
{
    static uint64_t buffer[512];
    struct fs_file f;
    unsigned seen = 0, twice = 0;
    bool names[64] = {}, changed = false;
    char path[32] = "/tmp/l/00";
    uint64_t cookie = 0;
    size_t used = 0;
    check_status("mkdir", OK, fs_mkdir(&client, "/tmp/l", 0755));
    status_t st = OK;
    for (unsigned i = 0; i < 64 && st == OK; i++) {
        path[7] = (char)('0' + i / 10);
        path[8] = (char)('0' + i % 10);
        st = fs_open(&client, path, VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr);
        fs_close(&f);
    }
    check_status("64 files", OK, st);
    check_status("opened", OK, fs_open(&client, "/tmp/l", VX_VFS_DIRECTORY, VX_FS_READ, 0, &f, nullptr, nullptr));
    while (st == OK && (st = fs_list(&f, cookie, buffer, 300, &used)) == OK && used != 0) {
        for (size_t at = 0; at < used;) {
            const struct vx_fs_entry *e = (const void *)((uint8_t *)buffer + at);
            unsigned n = (unsigned)(e->name[0] - '0') * 10 + (unsigned)(e->name[1] - '0');
            twice += n < 64 && names[n];
            if (n < 64)
                names[n] = true;
            seen++;
            cookie = e->cookie;
            at += e->bytes;
        }
        if (seen >= 8 && !changed) {
            changed = true; /* in the middle: what has been told goes, others come */
            (void)!fs_unlink(&client, "/tmp/l/03", 0);
            (void)!fs_rename(&client, "/tmp/l/05", "/tmp/l/zz", 0);
        }
    }
    check_status("listed to the end", OK, st);
    bool all = true;
    for (unsigned i = 0; i < 64; i++)
        all = all && names[i];
    CHECK("each name once, with changes in between", all && twice == 0 && seen >= 64 && seen <= 65);
    fs_close(&f);
    for (unsigned i = 0; i < 64; i++) {
        path[7] = (char)('0' + i / 10);
        path[8] = (char)('0' + i % 10);
        (void)!fs_unlink(&client, path, 0);
    }
    check_status("unlink", OK, fs_unlink(&client, "/tmp/l/zz", 0));
    check_status("rmdir", OK, fs_unlink(&client, "/tmp/l", VX_VFS_DIRECTORY));
}

static void test_devices(void)
{
    struct vx_fs_attributes a = {};
    struct fs_file f;
    uint8_t bytes[64] = { 1 };
    size_t done = 0;
    check_status("null", OK, fs_open(&client, "/dev/null", VX_VFS_CREATE, RW, 0644, &f, &a, nullptr));
    CHECK("is a device", (a.mode & VX_FS_TYPE) == VX_FS_CHAR && a.device == 0x103);
    check_status("takes", OK, fs_write(&f, 0, bytes, sizeof bytes, &done));
    check_equal("all", done, sizeof bytes);
    check_status("gives", OK, fs_read(&f, 0, bytes, sizeof bytes, &done));
    check_equal("nothing", done, 0);
    check_status("is truncated to nothing", OK, fs_truncate(&f, 0));
    fs_close(&f);
    check_status("zero", OK, fs_open(&client, "/dev/zero", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    check_status("gives", OK, fs_read(&f, 0, bytes, sizeof bytes, &done));
    CHECK("zeroes", done == sizeof bytes && bytes[0] == 0);
    fs_close(&f);
    check_status("full", OK, fs_open(&client, "/dev/full", 0, VX_FS_WRITE, 0, &f, nullptr, nullptr));
    check_status("takes nothing", ERR_NO_SPACE, fs_write(&f, 0, bytes, 1, &done));
    fs_close(&f);
    check_status("random", OK, fs_open(&client, "/dev/urandom", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    check_status("gives", OK, fs_read(&f, 0, bytes, sizeof bytes, &done));
    unsigned ones = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        ones += (unsigned)__builtin_popcount(bytes[i]);
    CHECK("something", done == sizeof bytes && ones > 150 && ones < 362);
    fs_close(&f);
    check_status("no name is made there", ERR_NOT_SUPPORTED, fs_mkdir(&client, "/dev/x", 0755));
}

static void test_mounts(void)
{
    struct vx_vfs_mounted m;
    struct vx_fs_attributes a = {};
    struct fs_file f;
    char source[64], path[64];
    uint32_t index = 0, n = 0;
    bool tmp = false;
    while (fs_mounts(&client, &index, &m, source, path, sizeof path) == OK) {
        n++;
        tmp = tmp || (vx_streq(source, "ram") && vx_streq(path, "/tmp") && m.state == 1);
    }
    CHECK("what is mounted is told", n >= 3 && tmp);
    check_status("mkdir", OK, fs_mkdir(&client, "/tmp/m", 0755));
    check_status("no such service", ERR_NO_RIGHTS, fs_mount(&client, "/tmp/m", "nonsense", 0));
    check_status("a file system is mounted twice", OK, fs_mount(&client, "/tmp/m", "ram", VX_FS_IS_READ_ONLY));
    check_status("there it is", OK, fs_stat(&client, "/tmp/m/m", 0, &a));
    check_status("read-only", ERR_READ_ONLY, fs_mkdir(&client, "/tmp/m/x", 0755));
    check_status("and to files", ERR_READ_ONLY,
                 fs_open(&client, "/tmp/m/x", VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr));
    check_status("a file, seen through it", OK,
                 fs_open(&client, "/tmp/f", VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr));
    fs_close(&f);
    check_status("is opened to be read", OK, fs_open(&client, "/tmp/m/f", 0, VX_FS_READ, 0, &f, &a, nullptr));
    check_status("and not changed", ERR_NO_RIGHTS,
                 fs_setattr(&f, &(struct vx_fs_change){ .mask = VX_FS_SET_MODE, .mode = 0600 }));
    fs_close(&f);
    check_status("unlink", OK, fs_unlink(&client, "/tmp/f", 0));
    check_status(".. leads out of it", OK, fs_stat(&client, "/tmp/m/../m/m/..", 0, &a));
    check_status("its directory cannot go", ERR_BUSY, fs_unlink(&client, "/tmp/m", VX_VFS_DIRECTORY));
    check_status("umount", OK, fs_umount(&client, "/tmp/m", 0));
    check_status("the directory is as it was", ERR_NOT_FOUND, fs_stat(&client, "/tmp/m/m", 0, &a));
    check_status("what is not mounted", ERR_BAD_ARGUMENT, fs_umount(&client, "/tmp/m", 0));
    check_status("rmdir", OK, fs_unlink(&client, "/tmp/m", VX_VFS_DIRECTORY));
}

static void test_nameless(void)
{
    struct fs_file f, g;
    char text[8];
    size_t done = 0;
    struct vx_fs_attributes a = {};
    check_status("a file", OK, fs_open(&client, "/tmp/u", VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr));
    check_status("is written", OK, fs_write(&f, 0, "alive", 5, &done));
    check_status("loses its name", OK, fs_unlink(&client, "/tmp/u", 0));
    check_status("another of the name", OK, fs_open(&client, "/tmp/u", VX_VFS_CREATE, RW, 0644, &g, &a, nullptr));
    check_equal("is another", a.size, 0);
    check_status("is read all the same", OK, fs_read(&f, 0, text, sizeof text, &done));
    CHECK("and holds what it held", done == 5 && memcmp(text, "alive", 5) == 0);
    check_status("attributes", OK, fs_getattr(&f, &a));
    check_equal("no links", a.links, 0);
    fs_close(&f);
    fs_close(&g);
    check_status("unlink", OK, fs_unlink(&client, "/tmp/u", 0));
}

static void test_subtree(void)
{
    static struct fs_client narrow, child;
    struct vx_client ends = {};
    struct vx_fs_attributes a = {};
    struct vx_vfs_handle h = {};
    struct fs_file f, g, i;
    uint32_t number = 0;
    size_t done = 0;
    char text[8];
    check_status("mkdir", OK, fs_mkdir(&client, "/tmp/jail", 0755));
    check_status("symlink", OK, fs_symlink(&client, "/tmp/jail/out", "/tmp/secret"));
    check_status("symlink", OK, fs_symlink(&client, "/tmp/jail/up", "../../secret"));
    check_status("a secret", OK, fs_open(&client, "/tmp/secret", VX_VFS_CREATE, RW, 0644, &f, nullptr, nullptr));
    check_status("is written", OK, fs_write(&f, 0, "hidden", 6, &done));
    check_status("dup", OK, fs_dup(&client, &ends, &number));
    check_status("connect", OK, fs_connect_over(&narrow, ends));
    check_status("narrow", OK, fs_narrow(&narrow, "/tmp/jail", VX_FS_READ));
    check_equal("rights", narrow.rights, VX_FS_READ);
    check_status("nothing above", ERR_NOT_FOUND, fs_stat(&narrow, "/../secret", 0, &a));
    check_status("nor through an absolute link", ERR_NOT_FOUND, fs_stat(&narrow, "/out", 0, &a));
    check_status("nor through one that goes up", ERR_NOT_FOUND, fs_stat(&narrow, "/up", 0, &a));
    check_status("nothing is made", ERR_NO_RIGHTS, fs_mkdir(&narrow, "/x", 0755));
    check_status("no mounts", ERR_NO_RIGHTS, fs_mount(&narrow, "/", "ram", 0));
    check_status("no wider again", OK, fs_narrow(&narrow, "/", RW));
    check_equal("rights", narrow.rights, VX_FS_READ);
    check_status("a directory that moves takes its subtree along", OK,
                 fs_rename(&client, "/tmp/jail", "/tmp/moved", 0));
    check_status("and leads nowhere else", ERR_NOT_FOUND, fs_stat(&narrow, "/../moved/up", 0, &a));
    check_status("dup", OK, fs_dup(&client, &ends, &number));
    check_status("connect", OK, fs_connect_over(&child, ends));
    check_status("a handle for another", OK, fs_give(&f, number, &h));
    check_status("the name goes", OK, fs_unlink(&client, "/tmp/secret", 0));
    fs_close(&f);
    check_status("is nothing to those it was not given", ERR_STALE, fs_take(&narrow, &h, &g, nullptr));
    h.access ^= VX_FS_WRITE;
    check_status("nor changed", ERR_STALE, fs_take(&child, &h, &g, nullptr));
    h.access ^= VX_FS_WRITE;
    check_status("is taken", OK, fs_take(&child, &h, &g, nullptr));
    check_status("once", ERR_STALE, fs_take(&child, &h, &i, nullptr));
    check_status("and read", OK, fs_read(&g, 0, text, sizeof text, &done));
    CHECK("is what it was", done == 6 && memcmp(text, "hidden", 6) == 0);
    fs_close(&g);
    fs_disconnect(&narrow);
    fs_disconnect(&child);
    (void)!fs_unlink(&client, "/tmp/moved/out", 0);
    (void)!fs_unlink(&client, "/tmp/moved/up", 0);
    check_status("rmdir", OK, fs_unlink(&client, "/tmp/moved", VX_VFS_DIRECTORY));
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return death_main(argv[1]);
    check_status("connected", OK, connect_by_name());
    uint64_t seconds = 0;
    if (argc == 4 && vx_streq(argv[1], "race") && vx_parse_u64(argv[3], strlen(argv[3]), &seconds)) {
        test_races(argv[2], 3, seconds);
        return check_done();
    }
    test_bytes();
    test_names();
    test_read_only();
    test_list();
    test_devices();
    test_mounts();
    test_nameless();
    test_subtree();
    test_shortcuts();
    test_locks();
    test_watch();
    test_crowd();
    test_threads();
    return check_done();
}
