/* SPDX-License-Identifier: MIT
 * Two clients race, on every pair of operations, in one small directory: for each pair each does its own again and
 * again for some milliseconds, over connections and sessions of their own. What must hold, whoever was first:
 *
 *  1. An operation succeeds, or says one of the errors that it may say when somebody else was quicker.
 *  2. A file has no bytes but those that were written to it, each word of them whole.
 *  3. Afterwards each name that is listed is found, as what it was listed, and no other name is.
 *  4. Names are conserved: those that are there were there before or made, and not taken away.
 *  5. Records that were appended are all there, once and whole.
 *  6. When all is taken away again, nothing is missing of the free space. */
#include "files.h"
#include <vectra/thread.h>

enum { FOLDER_MAX = 40, PATH_ROOM = FOLDER_MAX + 16, RECORD = 512, LONGEST = 1 << 16, AT_LEAST = 3, STRIDE = 97 };
static constexpr uint64_t MAGIC = UINT64_C(0x7661'6365'0000'0000); /* in the upper half of each word that is written */

struct racer {
    struct fs_client *client;
    uint32_t number; /* 0, 1 */
    uint32_t done, wrong;
    status_t unexpected;
    int64_t names; /* made, less those taken away */
    uint64_t appended;
    uint64_t word[RECORD / 8];
};

static char folder[FOLDER_MAX];
static struct fs_client second;

static const char *path(char to[static PATH_ROOM], const char *name)
{
    size_t n = strlen(folder);
    memcpy(to, folder, n);
    to[n] = '/';
    (void)vx_strcopy(to + n + 1, PATH_ROOM - n - 1, name);
    return to;
}

/* --- operations --- */

static status_t make(struct racer *r, const char *name)
{
    struct fs_file f;
    char p[PATH_ROOM];
    bool fresh = false;
    status_t st = fs_open(r->client, path(p, name), VX_VFS_CREATE | VX_VFS_EXCLUSIVE, RW, 0644, &f, nullptr, &fresh);
    if (st == OK)
        fs_close(&f);
    r->names += st == OK;
    r->wrong += st == OK && !fresh;
    return st;
}

static status_t op_make(struct racer *r)
{
    return make(r, "a");
}

/* Not exclusive: what is there is taken. */
static status_t op_make_or_take(struct racer *r)
{
    struct fs_file f;
    char p[PATH_ROOM];
    bool fresh = false;
    status_t st = fs_open(r->client, path(p, "a"), VX_VFS_CREATE, RW, 0644, &f, nullptr, &fresh);
    if (st == OK)
        fs_close(&f);
    r->names += st == OK && fresh;
    return st;
}

static status_t gone(struct racer *r, const char *name, uint32_t flags)
{
    char p[PATH_ROOM];
    status_t st = fs_unlink(r->client, path(p, name), flags);
    r->names -= st == OK;
    return st;
}

static status_t op_unlink(struct racer *r)
{
    return gone(r, "a", 0);
}

static status_t op_unlink_other(struct racer *r)
{
    return gone(r, "b", 0);
}

static status_t move(struct racer *r, const char *from, const char *to, uint32_t flags)
{
    char p[PATH_ROOM], q[PATH_ROOM];
    return fs_rename(r->client, path(p, from), path(q, to), flags);
}

static status_t op_there(struct racer *r)
{
    return move(r, "a", "b", VX_VFS_NO_REPLACE);
}

static status_t op_back(struct racer *r)
{
    return move(r, "b", "a", VX_VFS_NO_REPLACE);
}

/* A second name for what it is about to replace, so that one name goes each time. */
static status_t op_replace(struct racer *r)
{
    char mine[] = "r0";
    mine[1] = (char)('0' + r->number);
    status_t st = make(r, mine);
    if (st == OK || st == ERR_EXISTS)
        st = move(r, mine, "a", 0);
    return st;
}

static status_t op_exchange(struct racer *r)
{
    return move(r, "a", "b", VX_VFS_EXCHANGE);
}

static status_t op_into(struct racer *r)
{
    return move(r, "a", "d/a", VX_VFS_NO_REPLACE);
}

static status_t op_out(struct racer *r)
{
    return move(r, "d/a", "a", VX_VFS_NO_REPLACE);
}

static status_t op_mkdir(struct racer *r)
{
    char p[PATH_ROOM];
    status_t st = fs_mkdir(r->client, path(p, "d"), 0755);
    r->names += st == OK;
    return st;
}

static status_t op_rmdir(struct racer *r)
{
    return gone(r, "d", VX_VFS_DIRECTORY);
}

static status_t op_move_directory(struct racer *r)
{
    status_t st = move(r, "d", "e", VX_VFS_NO_REPLACE);
    return st == ERR_NOT_FOUND || st == ERR_EXISTS ? move(r, "e", "d", VX_VFS_NO_REPLACE) : st;
}

static status_t op_link(struct racer *r)
{
    char p[PATH_ROOM], q[PATH_ROOM];
    status_t st = fs_link(r->client, path(p, "a"), path(q, "b"), 0);
    r->names += st == OK;
    return st;
}

static status_t op_symlink(struct racer *r)
{
    char p[PATH_ROOM], text[8];
    size_t bytes = 0;
    status_t st = fs_symlink(r->client, path(p, "s"), "a");
    r->names += st == OK;
    if (st != OK && st != ERR_EXISTS)
        return st;
    st = fs_readlink(r->client, p, text, sizeof text, &bytes);
    r->wrong += st == OK && (bytes != 1 || text[0] != 'a');
    status_t removed = gone(r, "s", 0);
    return st == OK ? removed : st;
}

/* --- with an open file --- */

static status_t with_file(struct racer *r, status_t (*use)(struct racer *r, struct fs_file *f))
{
    struct fs_file f;
    char p[PATH_ROOM];
    status_t st = fs_open(r->client, path(p, "a"), 0, RW, 0, &f, nullptr, nullptr);
    if (st != OK)
        return st;
    st = use(r, &f);
    fs_close(&f);
    return st;
}

static bool is_good(uint64_t word)
{
    return word == 0 || (word & ~UINT64_C(0xff)) == MAGIC;
}

static status_t use_read(struct racer *r, struct fs_file *f)
{
    uint64_t back[RECORD / 8];
    size_t done = 0;
    status_t st = OK;
    for (uint64_t at = 0; st == OK && at < 8 * RECORD; at += RECORD) {
        st = fs_read(f, at, back, RECORD, &done);
        for (size_t i = 0; st == OK && i < done / 8; i++)
            r->wrong += !is_good(back[i]);
        if (done < RECORD)
            break;
    }
    return st;
}

static status_t use_write(struct racer *r, struct fs_file *f)
{
    size_t done = 0;
    status_t st = OK;
    for (uint64_t at = 0; st == OK && at < 4 * RECORD; at += RECORD)
        st = fs_write(f, at, r->word, RECORD, &done);
    r->wrong += st == OK && done != RECORD;
    return st;
}

static status_t use_append(struct racer *r, struct fs_file *f)
{
    struct vx_fs_attributes a = {};
    uint64_t at;
    size_t done = 0;
    status_t st = fs_getattr(f, &a);
    if (st != OK || a.size >= LONGEST)
        return st;
    st = fs_append(f, r->word, RECORD, &at, &done);
    r->appended += done;
    r->wrong += st == OK && done != RECORD;
    return st;
}

static status_t use_cut(struct racer *, struct fs_file *f)
{
    return fs_truncate(f, 0);
}

static status_t use_grow(struct racer *, struct fs_file *f)
{
    return fs_truncate(f, 6 * RECORD);
}

static status_t use_sync(struct racer *, struct fs_file *f)
{
    return fs_sync(f, 0);
}

static status_t use_attributes(struct racer *r, struct fs_file *f)
{
    struct vx_fs_attributes a = {};
    const struct vx_fs_change c = { .mask = VX_FS_SET_MODE, .mode = 0755 };
    status_t st = fs_getattr(f, &a);
    r->wrong += st == OK && ((a.mode & VX_FS_TYPE) != VX_FS_FILE || a.size > LONGEST + RECORD);
    return st == OK ? fs_setattr(f, &c) : st;
}

static status_t use_lock(struct racer *, struct fs_file *f)
{
    struct vx_fs_lock l = { .owner = 1, .length = 10, .kind = VX_FS_LOCK_EXCLUSIVE };
    return fs_lock(f, &l, VX_FS_WAIT, vx_deadline_in(10 * VX_NS_PER_S));
}

#define WITH_FILE(name)                                                                                                \
    static status_t op_##name(struct racer *r)                                                                         \
    {                                                                                                                  \
        return with_file(r, use_##name);                                                                               \
    }
WITH_FILE(read)
WITH_FILE(write)
WITH_FILE(append)
WITH_FILE(cut)
WITH_FILE(grow)
WITH_FILE(sync)
WITH_FILE(attributes)
WITH_FILE(lock)

/* --- looking --- */

static status_t op_stat(struct racer *r)
{
    struct vx_fs_attributes a = {};
    char p[PATH_ROOM];
    status_t st = fs_stat(r->client, path(p, "d/a"), 0, &a);
    return st == ERR_NOT_FOUND ? fs_stat(r->client, path(p, "b"), 0, &a) : st;
}

struct seen {
    uint32_t n, mode[16];
    char name[16][8];
};

static status_t list(struct fs_client *c, const char *of, struct seen *out)
{
    uint64_t buffer[64], cookie = 0;
    size_t used = 0;
    struct fs_file f;
    status_t st = fs_open(c, of, VX_VFS_DIRECTORY, VX_FS_READ, 0, &f, nullptr, nullptr);
    *out = (struct seen){};
    if (st != OK)
        return st;
    while ((st = fs_list(&f, cookie, buffer, sizeof buffer, &used)) == OK && used != 0) {
        for (size_t at = 0; at < used;) {
            const struct vx_fs_entry *e = (const void *)((const uint8_t *)buffer + at);
            if (out->n < 16 && e->name_bytes < sizeof out->name[0]) {
                memcpy(out->name[out->n], e->name, e->name_bytes);
                out->mode[out->n] = (uint32_t)e->type << 12;
            }
            out->n++;
            cookie = e->cookie;
            at += e->bytes;
        }
    }
    fs_close(&f);
    return st;
}

static status_t op_list(struct racer *r)
{
    struct seen s;
    status_t st = list(r->client, folder, &s);
    r->wrong += st == OK && s.n > 16;
    return st;
}

/* --- all of them --- */

/* Errors that an operation may end in because another was quicker. */
enum : uint32_t { NO_FILE = 1, THERE = 2, NO_DIR = 4, IS_DIR = 8, FULL_DIR = 16, MOVED = 32, NEVER = 64 };
static const struct {
    status_t status;
    uint32_t bit;
} losses[] = { { ERR_NOT_FOUND, NO_FILE },   { ERR_EXISTS, THERE },       { ERR_NOT_DIRECTORY, NO_DIR },
               { ERR_IS_DIRECTORY, IS_DIR }, { ERR_NOT_EMPTY, FULL_DIR }, { ERR_BUSY, MOVED },
               { ERR_NOT_SUPPORTED, NEVER } };

static const struct operation {
    const char *name;
    status_t (*run)(struct racer *r);
    uint32_t may;
    bool uncounted; /* names go without being told of */
} operations[] = {
    { "make", op_make, THERE, false },
    { "make or take", op_make_or_take, MOVED, false },
    { "unlink", op_unlink, NO_FILE | MOVED, false },
    { "unlink the other", op_unlink_other, NO_FILE | MOVED, false },
    { "rename", op_there, NO_FILE | THERE | MOVED, false },
    { "rename back", op_back, NO_FILE | THERE | MOVED, false },
    { "replace", op_replace, NO_FILE | MOVED, true },
    { "exchange", op_exchange, NO_FILE | MOVED | NEVER, false },
    { "into a directory", op_into, NO_FILE | THERE | MOVED, false },
    { "out of a directory", op_out, NO_FILE | THERE | MOVED, false },
    { "mkdir", op_mkdir, THERE, false },
    { "rmdir", op_rmdir, NO_FILE | FULL_DIR | MOVED, false },
    { "move a directory", op_move_directory, NO_FILE | THERE | MOVED, false },
    { "link", op_link, NO_FILE | THERE | MOVED | NEVER, false },
    { "symbolic link", op_symlink, NO_FILE | THERE | MOVED | NEVER, false },
    { "read", op_read, NO_FILE, false },
    { "write", op_write, NO_FILE, false },
    { "append", op_append, NO_FILE, false },
    { "cut", op_cut, NO_FILE, false },
    { "grow", op_grow, NO_FILE, false },
    { "sync", op_sync, NO_FILE, false },
    { "attributes", op_attributes, NO_FILE, false },
    { "lock", op_lock, NO_FILE, false },
    { "stat", op_stat, NO_FILE, false },
    { "list", op_list, 0, false },
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };
static_assert(OPERATIONS * (OPERATIONS + 1) / 2 % STRIDE != 0, "the stride reaches every pair");

static bool allowed(const struct operation *o, status_t st)
{
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        if (losses[i].status == st)
            return (o->may & losses[i].bit) != 0;
    }
    return st == OK;
}

/* --- one pair --- */

static struct racer racers[2];
static const struct operation *racing[2];
static uint64_t until;
static _Atomic uint32_t ready;

static uint32_t race(void *argument)
{
    struct racer *r = argument;
    const struct operation *o = racing[r->number];
    /* acquire, release: both begin together, or the first is through before the second is there */
    atomic_fetch_add_explicit(&ready, 1, memory_order_release);
    while (atomic_load_explicit(&ready, memory_order_acquire) < 2)
        (void)vx_sys_yield();
    do {
        status_t st = o->run(r);
        r->done++;
        if (!allowed(o, st))
            r->unexpected = st;
    } while ((vx_clock_monotonic_ns() < until || r->done < AT_LEAST) && r->unexpected == OK && r->wrong == 0);
    return 0;
}

static int64_t count_names(status_t *worst)
{
    struct seen top, below;
    char p[PATH_ROOM];
    int64_t n;
    status_t st = list(&client, folder, &top);
    n = top.n;
    for (uint32_t i = 0; i < top.n && i < 16; i++) {
        struct vx_fs_attributes a = {};
        status_t found = fs_stat(&client, path(p, top.name[i]), VX_VFS_NO_FOLLOW, &a);
        if (found != OK || (a.mode & VX_FS_TYPE) != top.mode[i])
            st = found != OK ? found : ERR_IO;
        if (top.mode[i] == VX_FS_DIR && list(&client, p, &below) == OK)
            n += below.n;
    }
    *worst = st;
    return n;
}

static void clear(void)
{
    static const char *const names[] = { "a", "b", "s", "r0", "r1", "d/a", "e/a" };
    char p[PATH_ROOM];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)!fs_unlink(&client, path(p, names[i]), 0);
    (void)!fs_unlink(&client, path(p, "d"), VX_VFS_DIRECTORY);
    (void)!fs_unlink(&client, path(p, "e"), VX_VFS_DIRECTORY);
}

/* Only appended to, and so made of whole records. */
static bool all_records(uint64_t bytes)
{
    struct fs_file f;
    uint64_t back[RECORD / 8], at = 0;
    char p[PATH_ROOM];
    size_t done = 0;
    bool good = fs_open(&client, path(p, "a"), 0, VX_FS_READ, 0, &f, nullptr, nullptr) == OK;
    for (; good && at < bytes; at += RECORD) {
        good = fs_read(&f, at, back, RECORD, &done) == OK && done == RECORD && is_good(back[0]) && back[0] != 0;
        for (size_t i = 1; good && i < RECORD / 8; i++)
            good = back[i] == back[0];
    }
    good = good && fs_read(&f, at, back, RECORD, &done) == OK && done == 0;
    fs_close(&f);
    return good;
}

/* Says what is wrong with a pair. */
static const char *judge(int64_t before)
{
    const struct racer *r = racers;
    status_t worst = OK;
    int64_t after = count_names(&worst);
    if (r[0].unexpected != OK || r[1].unexpected != OK)
        return "an answer that neither may give";
    if (r[0].wrong != 0 || r[1].wrong != 0)
        return "bytes or attributes that nobody wrote";
    if (worst != OK)
        return "a name that is listed is not found as such";
    if (!racing[0]->uncounted && !racing[1]->uncounted && after != before + r[0].names + r[1].names)
        return "names are lost or twice there";
    if (racing[0]->run == op_append && racing[1]->run == op_append && !all_records(r[0].appended + r[1].appended))
        return "an appended record is not there, or not whole";
    return nullptr;
}

static bool run_pair(const struct operation *x, const struct operation *y, uint64_t ms)
{
    struct vx_thread t[2];
    struct racer setting = { .client = &client };
    status_t ignored;
    racing[0] = x;
    racing[1] = y;
    for (uint32_t i = 0; i < 2; i++) {
        racers[i] = (struct racer){ .client = i == 0 ? &client : &second, .number = i };
        for (size_t k = 0; k < RECORD / 8; k++)
            racers[i].word[k] = MAGIC | (i + 1);
    }
    if (make(&setting, "a") != OK || op_mkdir(&setting) != OK)
        return false;
    int64_t before = count_names(&ignored);
    atomic_store_explicit(&ready, 0, memory_order_relaxed);
    until = vx_deadline_in(ms * VX_NS_PER_MS);
    bool good =
        vx_thread_create(&t[0], race, &racers[0], 0) == OK && vx_thread_create(&t[1], race, &racers[1], 0) == OK;
    if (!good)
        vx_panic("no threads to race");
    for (unsigned i = 0; i < 2; i++)
        good = vx_thread_join(&t[i], nullptr) == OK && good;
    const char *problem = judge(before);
    if (problem != nullptr)
        vx_printf("# %s against %s: %s (%s after %u, %s after %u)\n", x->name, y->name, problem,
                  vx_status_name(racers[0].unexpected), racers[0].done, vx_status_name(racers[1].unexpected),
                  racers[1].done);
    clear();
    return good && problem == nullptr;
}

void test_races(const char *in, uint64_t ms, uint64_t seconds)
{
    static struct pair {
        uint8_t x, y;
    } pair[OPERATIONS * (OPERATIONS + 1) / 2];
    struct vx_client ends = {};
    struct vx_fs_space start = {}, end = {};
    uint32_t number, good = 0, n = 0, tried = 0;
    for (uint8_t x = 0; x < OPERATIONS; x++)
        for (uint8_t y = x; y < OPERATIONS; y++)
            pair[n++] = (struct pair){ x, y };
    (void)vx_strcopy(folder, sizeof folder, in);
    check_status("a second client", OK, fs_dup(&client, &ends, &number));
    check_status("with its own connection", OK, fs_connect_over(&second, ends));
    check_status("a directory to race in", OK, fs_mkdir(&client, folder, 0755));
    for (unsigned warm = 0; warm < 2; warm++) { /* the first pair makes the sessions, and what the directory keeps */
        (void)!run_pair(&operations[0], &operations[1], 1);
        check_status("synced", OK, fs_sync_all(&client, folder));
    }
    check_status("space", OK, fs_statfs(&client, folder, &start));
    /* In an order in which those of one operation are far from each other: the time may not do for all. */
    for (uint64_t last = vx_deadline_in(seconds * VX_NS_PER_S); tried < n && vx_clock_monotonic_ns() < last; tried++) {
        const struct pair *p = &pair[tried * STRIDE % n];
        good += run_pair(&operations[p->x], &operations[p->y], ms);
    }
    vx_printf("# %u of %u pairs\n", tried, n);
    check_equal("pairs of operations of two clients", good, tried);
    check_status("synced", OK, fs_sync_all(&client, folder));
    check_status("space", OK, fs_statfs(&client, folder, &end));
    check_equal("and nothing is missing of the free space", end.free_blocks, start.free_blocks);
    check_status("rmdir", OK, fs_unlink(&client, folder, VX_VFS_DIRECTORY));
    fs_disconnect(&second);
}
