/* SPDX-License-Identifier: MIT
 * Names past vfsd: what is found so means the same as by vfsd whatever is renamed, linked, mounted or narrowed in
 * between, and a program that lies to the file system reaches nothing more than it may. */
#include "files.h"

enum : uint64_t { TAG = 77 };

static const struct fs_shortcut *shortcut_of(const struct fs_client *c, const char *prefix)
{
    for (unsigned i = 0; i < FS_SHORTCUTS_MAX; i++) {
        const struct fs_shortcut *k = &c->shortcut[i];
        if (k->file != 0 && k->prefix_bytes == strlen(prefix) && memcmp(k->prefix, prefix, k->prefix_bytes) == 0)
            return k;
    }
    return nullptr;
}

/* As often as it takes until there is a shortcut, if there is to be one. */
static void use(struct fs_client *c, const char *path)
{
    struct vx_fs_attributes a;
    struct fs_file f;
    status_t st = fs_open(c, path, 0, VX_FS_READ, 0, &f, nullptr, nullptr);
    if (st == OK)
        fs_close(&f);
    for (unsigned i = 0; i <= FS_SHORTCUT_AFTER && st == OK; i++)
        st = fs_stat(c, path, 0, &a);
    check_status("a name that is used", OK, st);
}

/* What a program can send that does not use the library. Its answer's status. */
static status_t say(struct fs_session *s, struct vx_fs_request q, const char *text, size_t bytes,
                    struct vx_fs_reply *reply)
{
    struct vx_message m;
    vx_handle_t got = VX_HANDLE_NONE;
    q.tag = TAG;
    q.data_at = s->bytes - VX_FS_BUFFER_MIN / 2; /* nothing else is under way */
    q.data_bytes = (uint32_t)bytes;
    memcpy(s->at + q.data_at, text, bytes);
    memcpy(&m, &q, sizeof m);
    status_t st = vx_sys_ring_call(s->tx, &m, s->rx, &m, vx_deadline_in(10 * VX_NS_PER_S), &got);
    memcpy(reply, &m, sizeof *reply);
    return st != OK ? st : reply->tag != TAG ? ERR_IO : (status_t)reply->status;
}

status_t find_past_vfsd(struct fs_session *s, uint32_t file, uint32_t access, const char *text, size_t bytes)
{
    struct vx_fs_reply r;
    return say(s,
               (struct vx_fs_request){
                   .op = VX_FS_OP_FIND, .flags = access != 0 ? VX_FS_OPEN : 0, .file = file, .argument = access },
               text, bytes, &r);
}

static status_t look(struct fs_session *s, uint32_t file)
{
    return find_past_vfsd(s, file, 0, "sc", 2);
}

/* --- what it means --- */

static void test_same(void)
{
    struct vx_fs_attributes a = {}, b = {};
    struct fs_file f;
    size_t done = 0;
    char text[8];
    check_status("mkdir", OK, fs_mkdir(&client, "/tmp/sc", 0755));
    check_status("mkdir", OK, fs_mkdir(&client, "/tmp/sc/d", 0755));
    check_status("a file", OK, fs_open(&client, "/tmp/sc/d/f", VX_VFS_CREATE, RW, 0640, &f, &a, nullptr));
    check_status("is written", OK, fs_write(&f, 0, "found", 5, &done));
    fs_close(&f);
    check_status("a link to it", OK, fs_symlink(&client, "/tmp/sc/l", "d/f"));
    check_status("one to its directory", OK, fs_symlink(&client, "/tmp/sc/e", "d"));
    use(&client, "/tmp/sc/d/f");
    CHECK("there is a shortcut", shortcut_of(&client, "/tmp/") != nullptr);
    check_status("stat", OK, fs_stat(&client, "/tmp/sc/d/f", 0, &b));
    CHECK("finds the same", b.object == a.object && b.volume == a.volume && b.size == 5 && b.mode == a.mode);
    check_status("open", OK, fs_open(&client, "/tmp/sc/d/f", 0, RW, 0, &f, &b, nullptr));
    CHECK("opens the same", b.object == a.object && b.generation == a.generation && f.mode == a.mode);
    CHECK("past vfsd", f.handle.seal == 0);
    check_status("it is read", OK, fs_read(&f, 0, text, sizeof text, &done));
    CHECK("and holds what was written", done == 5 && memcmp(text, "found", 5) == 0);
    check_status("written", OK, fs_write(&f, 5, "!", 1, &done));
    check_status("changed", OK, fs_setattr(&f, &(struct vx_fs_change){ .mask = VX_FS_SET_MODE, .mode = 0600 }));
    fs_close(&f);
    check_status("for reading alone", OK, fs_open(&client, "/tmp/sc/d/f", 0, VX_FS_READ, 0, &f, &b, nullptr));
    check_equal("it has the new mode", b.mode, VX_FS_FILE | 0600);
    check_status("it is not written", ERR_NO_RIGHTS, fs_write(&f, 0, "x", 1, &done));
    fs_close(&f);
    check_status("a link is followed", OK, fs_stat(&client, "/tmp/sc/l", 0, &b));
    check_equal("to the same", b.object, a.object);
    check_status("in the middle too", OK, fs_stat(&client, "/tmp/sc/e/f", 0, &b));
    check_equal("to the same", b.object, a.object);
    check_status("or is meant itself", OK, fs_stat(&client, "/tmp/sc/l", VX_VFS_NO_FOLLOW, &b));
    CHECK("as a link", (b.mode & VX_FS_TYPE) == VX_FS_LINK);
    check_status("which is not opened", ERR_LOOP,
                 fs_open(&client, "/tmp/sc/l", VX_VFS_NO_FOLLOW, VX_FS_READ, 0, &f, nullptr, nullptr));
    check_status("dots", OK, fs_stat(&client, "/tmp/sc/./d/../../../tmp//sc/d/f", 0, &b));
    check_equal("lead to the same", b.object, a.object);
    check_status("a name that is not there", ERR_NOT_FOUND, fs_stat(&client, "/tmp/sc/x", 0, &b));
    check_status("nor is its directory", ERR_NOT_FOUND, fs_stat(&client, "/tmp/sc/x/y", 0, &b));
    check_status("nor opened", ERR_NOT_FOUND, fs_open(&client, "/tmp/sc/x", 0, RW, 0, &f, nullptr, nullptr));
    check_status("a file is no directory", ERR_NOT_DIRECTORY, fs_stat(&client, "/tmp/sc/d/f/g", 0, &b));
    check_status("nor with a slash", ERR_NOT_DIRECTORY, fs_stat(&client, "/tmp/sc/d/f/", 0, &b));
    check_status("a directory is not written", ERR_IS_DIRECTORY,
                 fs_open(&client, "/tmp/sc/d", 0, RW, 0, &f, nullptr, nullptr));
    check_status("but opened", OK, fs_open(&client, "/tmp/sc/d", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    check_status("and listed", OK, fs_list(&f, 0, text, sizeof text, &done) == ERR_TOO_BIG ? OK : ERR_IO);
    fs_close(&f);
    CHECK("the shortcut is still there", shortcut_of(&client, "/tmp/") != nullptr);
}

static void test_renamed(void)
{
    struct vx_fs_attributes a = {}, b = {};
    check_status("before", OK, fs_stat(&client, "/tmp/sc/d/f", 0, &a));
    check_status("its directory is renamed", OK, fs_rename(&client, "/tmp/sc/d", "/tmp/sc/n", 0));
    check_status("the old path is gone", ERR_NOT_FOUND, fs_stat(&client, "/tmp/sc/d/f", 0, &b));
    check_status("the new one leads to it", OK, fs_stat(&client, "/tmp/sc/n/f", 0, &b));
    check_equal("the same", b.object, a.object);
    check_status("a link takes the old name", OK, fs_symlink(&client, "/tmp/sc/d", "n"));
    check_status("and is followed", OK, fs_stat(&client, "/tmp/sc/d/f", 0, &b));
    check_equal("to the same", b.object, a.object);
    check_status("it goes", OK, fs_unlink(&client, "/tmp/sc/d", 0));
    check_status("and the directory comes back", OK, fs_rename(&client, "/tmp/sc/n", "/tmp/sc/d", 0));
}

static void test_given(void)
{
    static struct fs_client child;
    struct vx_client ends = {};
    struct vx_vfs_handle h = {};
    struct fs_file f, g;
    uint32_t number = 0;
    char text[8];
    size_t done = 0;
    check_status("found", OK, fs_open(&client, "/tmp/sc/d/f", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    CHECK("past vfsd", f.handle.seal == 0);
    check_status("dup", OK, fs_dup(&client, &ends, &number));
    check_status("connect", OK, fs_connect_over(&child, ends));
    check_status("is given on", OK, fs_give(&f, number, &h));
    check_status("taken", OK, fs_take(&child, &h, &g, nullptr));
    check_status("read there", OK, fs_read(&g, 0, text, sizeof text, &done));
    CHECK("and is the same", done == 6 && memcmp(text, "found!", 6) == 0);
    check_status("and not written", ERR_NO_RIGHTS, fs_write(&g, 0, "x", 1, &done));
    fs_close(&g);
    fs_close(&f);
    fs_disconnect(&child);
}

/* --- mounts --- */

static void test_covered(void)
{
    struct vx_fs_attributes a = {};
    const struct fs_shortcut *k = shortcut_of(&client, "/tmp/");
    uint32_t before = k != nullptr ? k->file : 0;
    struct fs_session *s = k != nullptr ? &client.session[k->session] : nullptr;
    check_status("seen", OK, fs_stat(&client, "/tmp/sc/d/f", 0, &a));
    CHECK("by a shortcut", s != nullptr);
    if (s == nullptr)
        return;
    check_status("that anybody could use", OK, look(s, before));
    check_status("a mount covers its directory", OK, fs_mount(&client, "/tmp/sc/d", "ram", 0));
    check_status("it is not seen any more", ERR_NOT_FOUND, fs_stat(&client, "/tmp/sc/d/f", 0, &a));
    check_status("but by another way", OK, fs_stat(&client, "/tmp/sc/d/sc", 0, &a));
    use(&client, "/tmp/sc/e/../d/sc");
    use(&client, "/tmp/sc");
    CHECK("no shortcut where something is mounted inside", shortcut_of(&client, "/tmp/") == nullptr);
    CHECK("nor behind names that can change", shortcut_of(&client, "/tmp/sc/d/") == nullptr);
    check_status("the old one is nothing any more", ERR_STALE, look(s, before));
    check_status("umount", OK, fs_umount(&client, "/tmp/sc/d", 0));
    check_status("seen again", OK, fs_stat(&client, "/tmp/sc/d/f", 0, &a));
    use(&client, "/tmp/sc/d/f");
    CHECK("by another shortcut", (k = shortcut_of(&client, "/tmp/")) != nullptr && k->file != before);
    check_status("the old one stays nothing", ERR_BAD_HANDLE, look(s, before));
    check_status("another one over the mount itself", OK, fs_mount(&client, "/tmp", "dev", 0));
    check_status("hides all of it", ERR_NOT_FOUND, fs_stat(&client, "/tmp/sc/d/f", 0, &a));
    check_status("and goes", OK, fs_umount(&client, "/tmp", 0));
    check_status("it is there again", OK, fs_stat(&client, "/tmp/sc/d/f", 0, &a));
}

/* --- lies --- */

static void test_lies(void)
{
    static const struct {
        const char *text;
        size_t bytes;
    } bad[] = { { "", 0 },        { "..", 2 },       { ".", 1 },       { "../etc", 6 }, { "sc/..", 5 },
                { "sc/../x", 7 }, { "sc/./d", 6 },   { "/sc", 3 },     { "sc/", 3 },    { "sc//d", 5 },
                { "sc\0d", 4 },   { "sc/d/\0f", 7 }, { "sc/d/f\0", 7 } };
    struct fs_file f, g;
    struct vx_fs_reply r;
    use(&client, "/tmp/sc/d/f");
    const struct fs_shortcut *k = shortcut_of(&client, "/tmp/");
    CHECK("a shortcut", k != nullptr);
    if (k == nullptr)
        return;
    struct fs_session *s = &client.session[k->session];
    check_status("what is true", OK, look(s, k->file));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_status("a path that goes elsewhere, or is none", ERR_BAD_ARGUMENT,
                     find_past_vfsd(s, k->file, 0, bad[i].text, bad[i].bytes));
    static char longest[5000];
    memset(longest, 'a', sizeof longest);
    check_status("a name that is too long", ERR_NAME_TOO_LONG, find_past_vfsd(s, k->file, 0, longest, 256));
    check_status("a path that is too long", ERR_BAD_ARGUMENT, find_past_vfsd(s, k->file, 0, longest, sizeof longest));
    check_status("a link is not followed", ERR_NOT_SUPPORTED, find_past_vfsd(s, k->file, 0, "sc/l", 4));
    check_status("nor in the middle", ERR_NOT_SUPPORTED, find_past_vfsd(s, k->file, 0, "sc/e/f", 6));
    check_status("a file has nothing in it", ERR_NOT_SUPPORTED, find_past_vfsd(s, k->file, 0, "sc/d/f/g", 8));
    check_status("a right that is none", ERR_BAD_ARGUMENT, find_past_vfsd(s, k->file, VX_FS_CHANGE, "sc/d/f", 6));
    check_status("the right to names", ERR_BAD_ARGUMENT, find_past_vfsd(s, k->file, VX_FS_NAMES, "sc/d", 4));
    check_status("a number that nobody gave", ERR_BAD_HANDLE, look(s, 0x7fff7fff));
    check_status("no number", ERR_BAD_HANDLE, look(s, 0));
    check_status("a directory that is open", OK, fs_open(&client, "/tmp/sc/d", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    check_status("is not for names", ERR_NO_RIGHTS, find_past_vfsd(&client.session[f.session], f.number, 0, "f", 1));
    fs_close(&f);
    check_status("a file that is open", OK, fs_open(&client, "/tmp/sc/d/f", 0, RW, 0, &g, nullptr, nullptr));
    check_status("neither", ERR_NO_RIGHTS, find_past_vfsd(&client.session[g.session], g.number, 0, "f", 1));
    fs_close(&g);
    static const uint8_t ops[] = { VX_FS_OP_READ, VX_FS_OP_WRITE, VX_FS_OP_SETATTR, VX_FS_OP_LIST, VX_FS_OP_WATCH };
    for (size_t i = 0; i < sizeof ops; i++)
        check_status("a number for names is for nothing else", ERR_NO_RIGHTS,
                     say(s, (struct vx_fs_request){ .op = ops[i], .file = k->file }, longest, 64, &r));
    struct fs_file lie = { .client = &client, .number = k->file, .session = k->session };
    struct vx_vfs_handle h;
    check_status("nor is there a handle for it", ERR_NOT_FOUND, fs_give(&lie, 1, &h));
    check_status("all is as it was", OK, look(s, k->file));
}

/* --- rights --- */

static void test_narrowed(void)
{
    static struct fs_client own, jail;
    struct vx_client ends = {};
    struct vx_fs_attributes a = {};
    struct fs_file f;
    uint32_t number = 0;
    check_status("dup", OK, fs_dup(&client, &ends, &number));
    check_status("connect", OK, fs_connect_over(&own, ends));
    use(&own, "/tmp/sc/d/f");
    const struct fs_shortcut *k = shortcut_of(&own, "/tmp/");
    CHECK("it has a shortcut of its own", k != nullptr);
    uint32_t before = k != nullptr ? k->file : 0;
    struct fs_session *s = &own.session[k != nullptr ? k->session : 0];
    check_status("that may write", OK, find_past_vfsd(s, before, RW, "sc/d/f", 6));
    check_status("narrow", OK, fs_narrow(&own, "/tmp", VX_FS_READ));
    check_status("what was good before is nothing now", ERR_BAD_HANDLE, look(s, before));
    use(&own, "/sc/d/f");
    k = shortcut_of(&own, "/");
    CHECK("there is another one", k != nullptr && k->file != before);
    check_status("which reads", OK, fs_open(&own, "/sc/d/f", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    check_status("and changes nothing", ERR_NO_RIGHTS,
                 fs_setattr(&f, &(struct vx_fs_change){ .mask = VX_FS_SET_MODE, .mode = 0600 }));
    fs_close(&f);
    check_status("not for writing", ERR_NO_RIGHTS, fs_open(&own, "/sc/d/f", 0, RW, 0, &f, nullptr, nullptr));
    if (k != nullptr)
        check_status("nor by a lie", ERR_NO_RIGHTS, find_past_vfsd(&own.session[k->session], k->file, RW, "sc/d/f", 6));
    fs_disconnect(&own);

    check_status("dup", OK, fs_dup(&client, &ends, &number));
    check_status("connect", OK, fs_connect_over(&jail, ends));
    check_status("narrow below the mount's root", OK, fs_narrow(&jail, "/tmp/sc/d", RW));
    use(&jail, "/f");
    for (unsigned i = 0; i < FS_SHORTCUTS_MAX; i++)
        check_equal("there is no shortcut", jail.shortcut[i].file, 0);
    check_status("nothing above", ERR_NOT_FOUND, fs_stat(&jail, "/../l", 0, &a));
    fs_disconnect(&jail);
}

/* A second session takes the place of the first in vfsd's memory: narrowing reaches what the first one was given. */
static void test_forgotten(void)
{
    static struct fs_client own;
    struct vx_client ends = {};
    struct vx_fs_attributes a = {};
    uint32_t number = 0;
    check_status("dup", OK, fs_dup(&client, &ends, &number));
    check_status("connect", OK, fs_connect_over(&own, ends));
    use(&own, "/tmp/sc/d/f");
    const struct fs_shortcut *k = shortcut_of(&own, "/tmp/");
    CHECK("a shortcut", k != nullptr);
    if (k == nullptr)
        return;
    struct fs_session *s = &own.session[k->session];
    uint32_t before = k->file;
    vx_ring_tx requests = {}, replies = {};
    vx_ring_rx taken = {}, answers = {};
    struct vx_vfs_session_replies_reply got;
    vx_mem buffer = {};
    check_status("Rings", OK, vx_sys_ring_create(VX_OWN_RETICLE, 32, 0, &requests, &taken));
    check_status("Rings", OK, vx_sys_ring_create(VX_OWN_RETICLE, 32, 0, &replies, &answers));
    check_status("a second session", OK, vx_vfs_session_requests(&own.vfs, s->mount, taken));
    check_status("in the place of the first", OK,
                 vx_vfs_session_replies(&own.vfs, s->mount, VX_FS_BUFFER_MIN, replies, &got.bytes, &got.depth,
                                        &got.epoch, &buffer));
    check_status("whose shortcut has ended", ERR_BAD_HANDLE, look(s, before));
    check_status("names are found all the same", OK, fs_stat(&own, "/tmp/sc/d/f", 0, &a));
    (void)vx_sys_cap_drop(requests.raw);
    (void)vx_sys_cap_drop(answers.raw);
    (void)vx_sys_cap_drop(buffer.raw);
    fs_disconnect(&own);
}

void test_shortcuts(void)
{
    test_same();
    test_renamed();
    test_given();
    test_covered();
    test_lies();
    test_narrowed();
    test_forgotten();
    const char *gone[] = { "/tmp/sc/d/f", "/tmp/sc/l", "/tmp/sc/e" };
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        check_status("unlink", OK, fs_unlink(&client, gone[i], 0));
    check_status("rmdir", OK, fs_unlink(&client, "/tmp/sc/d", VX_VFS_DIRECTORY));
    check_status("rmdir", OK, fs_unlink(&client, "/tmp/sc", VX_VFS_DIRECTORY));
}
