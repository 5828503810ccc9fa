/* SPDX-License-Identifier: MIT
 * Roles for tests in which services or programs end: `survive` goes on for some seconds while somebody else restarts
 * ramfsd and vfsd; `die` ends in the middle of everything; `after` finds nothing of it. */
#include "files.h"

enum { PIECE = 60000 };
static uint8_t data[PIECE], back[PIECE];

/* Everything once: OK, or what went wrong. */
static status_t round(unsigned n, const char *path)
{
    struct fs_file f;
    size_t done = 0;
    memset(data, (int)(n % 251 + 1), PIECE);
    status_t st = fs_open(&client, path, VX_VFS_CREATE, RW, 0600, &f, nullptr, nullptr);
    if (st != OK)
        return st;
    st = fs_write(&f, 0, data, PIECE, &done);
    if (st == OK && done == PIECE)
        st = fs_read(&f, 0, back, PIECE, &done);
    if (st == OK && (done != PIECE || memcmp(data, back, PIECE) != 0))
        vx_printf("not ok 1 - what was written is read - other bytes\n");
    fs_close(&f);
    for (unsigned i = 0; i <= FS_SHORTCUT_AFTER && st == OK; i++) { /* by its name, past vfsd after a while */
        st = fs_open(&client, path, 0, VX_FS_READ, 0, &f, nullptr, nullptr);
        if (st == OK)
            st = fs_read(&f, 0, back, PIECE, &done);
        if (st == OK && (done != PIECE || memcmp(data, back, PIECE) != 0))
            vx_printf("not ok 1 - what is found is what was written - other bytes\n");
        fs_close(&f);
    }
    status_t gone = fs_unlink(&client, path, 0);
    return st != OK ? st : gone;
}

/* What an earlier vfsd gave, by a program that still tries it: STALE, or OK while there is nothing to try. */
static status_t try_old_shortcut(void)
{
    static struct fs_shortcut kept;
    static uint64_t epoch;
    struct fs_session *s = &client.session[kept.session];
    status_t st = OK;
    if (kept.file != 0 && client.epoch != epoch && s->used && s->past && !s->broken)
        st = find_past_vfsd(s, kept.file, 0, "old", 3);
    kept.file = 0;
    for (unsigned i = 0; i < FS_SHORTCUTS_MAX; i++)
        kept = client.shortcut[i].file != 0 ? client.shortcut[i] : kept;
    epoch = client.epoch;
    return st;
}

static int survive(void)
{
    struct fs_file old, fixed;
    struct vx_fs_attributes a;
    uint8_t head[4];
    size_t done = 0;
    uint64_t until = vx_deadline_in(4 * VX_NS_PER_S), worst = 0;
    unsigned good = 0, failed = 0, n = 0;
    bool stale = false, ended = false;
    check_status("a file is open all the time", OK,
                 fs_open(&client, "/tmp/old", VX_VFS_CREATE, RW, 0600, &old, nullptr, nullptr));
    check_status("and one of the RAM disk", OK,
                 fs_open(&client, "/sbin/vfsd", 0, VX_FS_READ, 0, &fixed, nullptr, nullptr));
    while (vx_clock_monotonic_ns() < until) {
        uint64_t before = vx_clock_monotonic_ns();
        status_t st = round(n++, "/tmp/survivor");
        uint64_t took = vx_clock_monotonic_ns() - before;
        worst = took > worst ? took : worst;
        good += st == OK;
        failed += st != OK;
        stale = stale || fs_getattr(&old, &a) == ERR_STALE;
        ended = ended || try_old_shortcut() == ERR_STALE;
        failed += fs_read(&fixed, 0, head, 4, &done) != OK || done != 4; /* found again at its next use */
    }
    vx_printf("# %u good, %u failed, worst %llu ms\n", good, failed, (unsigned long long)(worst / VX_NS_PER_MS));
    CHECK("most of it works, and nothing hangs", good > 20 && failed < 20 && worst < 10 * VX_NS_PER_S);
    CHECK("what the end took along says so", stale);
    CHECK("what let it go past vfsd ended with vfsd", ended);
    check_status("and for good", ERR_STALE, fs_getattr(&old, &a));
    check_status("what is still there is read as before", OK, fs_read(&fixed, 0, head, 4, &done));
    CHECK("by the file that was open", done == 4 && head[1] == 'E');
    check_status("names too", OK, fs_stat(&client, "/sbin/vfsd", 0, &a));
    check_status("in the end everything works", OK, round(1, "/tmp/last"));
    return check_done();
}

static int die(void)
{
    static struct fs_file f[20];
    char path[] = "/tmp/dead00";
    struct vx_fs_lock l = { .owner = 1, .kind = VX_FS_LOCK_EXCLUSIVE };
    size_t done;
    status_t st = OK;
    for (unsigned i = 0; i < 20 && st == OK; i++) {
        path[9] = (char)('0' + i / 10);
        path[10] = (char)('0' + i % 10);
        st = fs_open(&client, path, VX_VFS_CREATE, RW, 0600, &f[i], nullptr, nullptr);
        if (st == OK)
            st = fs_write(&f[i], 0, data, PIECE, &done);
        if (st == OK && i != 0)
            st = fs_unlink(&client, path, 0);
    }
    check_status("files without a name are held", OK, st);
    check_status("and one is locked", OK, fs_lock(&f[0], &l, 0, VX_FOREVER));
    (void)check_done();
    __builtin_trap();
}

static int after(void)
{
    struct fs_file f;
    struct vx_fs_lock l = { .owner = 1, .kind = VX_FS_LOCK_EXCLUSIVE };
    struct vx_fs_space s = {};
    check_status("its file is there", OK, fs_open(&client, "/tmp/dead00", 0, RW, 0, &f, nullptr, nullptr));
    check_status("its lock is not", OK, fs_lock(&f, &l, VX_FS_WAIT, vx_deadline_in(5 * VX_NS_PER_S)));
    fs_close(&f);
    check_status("unlink", OK, fs_unlink(&client, "/tmp/dead00", 0));
    check_status("statfs", OK, fs_statfs(&client, "/tmp", &s));
    CHECK("nor what it held without a name", s.blocks - s.free_blocks < 20 * (PIECE / 4096));
    return check_done();
}

int death_main(const char *role)
{
    check_status("connected", OK, fs_connect(&client));
    if (vx_streq(role, "survive"))
        return survive();
    if (vx_streq(role, "die"))
        return die();
    return after();
}
