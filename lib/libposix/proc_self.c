/* SPDX-License-Identifier: MIT
 * /proc/self, and the same under this process's own number: exe, cwd, root and fd/N as links; cmdline, environ, comm
 * and status as files, of which an open one holds what was true then; fd is a directory. What it tells this process
 * knows of itself. There is nothing about others (kill, ps and the process service know of them), and no map of memory:
 * the kernel lists none. */
#define _GNU_SOURCE
#include "process.h"
#include "thread.h"
#include <base/format.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum : uint64_t { FIRST_INODE = UINT32_MAX - 512 };
enum what : uint8_t { NOTHING, TOP, FDS, EXE, CWD, ROOT, CMDLINE, ENVIRON, COMM, STATUS, FD };

static const struct {
    char name[8];
    enum what what;
} names[] = { { "exe", EXE },   { "cwd", CWD },         { "root", ROOT },       { "fd", FDS },
              { "comm", COMM }, { "cmdline", CMDLINE }, { "environ", ENVIRON }, { "status", STATUS } };

static bool is_link(enum what w)
{
    return w == EXE || w == CWD || w == ROOT || w == FD;
}

static bool is_directory(enum what w)
{
    return w == TOP || w == FDS;
}

/* A number that ends at a slash or the end; -1: it is none. */
static long number(const char *at, const char **end)
{
    long n = 0;
    if (*at < '0' || *at > '9')
        return -1;
    for (; *at >= '0' && *at <= '9'; at++)
        n = n < INT32_MAX ? n * 10 + (*at - '0') : n;
    *end = at;
    return *at == '/' || *at == '\0' ? n : -1;
}

static enum what find(const char *path, int *fd)
{
    const char *at = path + 6, *end;
    if (strncmp(path, "/proc/", 6) != 0)
        return NOTHING;
    if (strncmp(at, "self", 4) == 0)
        at += 4;
    else if (number(at, &end) == (long)px_pid)
        at = end;
    else
        return NOTHING;
    if (*at == '\0')
        return TOP;
    if (*at++ != '/')
        return NOTHING;
    if (strncmp(at, "fd/", 3) == 0) {
        long n = number(at + 3, &end);
        *fd = (int)n;
        return n >= 0 && n < PX_FD_MAX && *end == '\0' ? FD : NOTHING;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(at, names[i].name) == 0)
            return names[i].what;
    return NOTHING;
}

/* --- links --- */

static long descriptor_target(int fd, char *to)
{
    struct px_file *f = px_fd_get(fd);
    struct stat s = {};
    if (f == nullptr)
        return -ENOENT;
    unsigned long inode = f->ops->stat != nullptr && f->ops->stat(f, &s) == 0 ? s.st_ino : 0;
    switch (f->ops->kind) {
    case 't':
        memcpy(to, "/dev/tty", 9);
        break;
    case 'n':
        memcpy(to, "/dev/null", 10);
        break;
    case 'z':
        memcpy(to, "/dev/zero", 10);
        break;
    case 'p':
        (void)format_into(to, PATH_MAX, "pipe:[%lu]", inode);
        break;
    case 's':
        (void)format_into(to, PATH_MAX, "socket:[%lu]", inode);
        break;
    default: /* a file's name is not kept */
        if (f->path != nullptr)
            memcpy(to, f->path, strlen(f->path) + 1);
        else
            (void)format_into(to, PATH_MAX, "file:[%lu]", inode);
        break;
    }
    px_file_put(f);
    return (long)strlen(to);
}

/* to: PATH_MAX bytes. The length, or an error. */
static long target(enum what w, int fd, char *to)
{
    size_t len = 0;
    const char *exe;
    switch (w) {
    case EXE:
        exe = vx_bundle_bytes("posix.program", &len);
        if (exe == nullptr || len == 0 || len >= PATH_MAX)
            return -ENOENT;
        memcpy(to, exe, len);
        to[len] = '\0';
        return (long)len;
    case CWD:
        px_cwd_copy(to);
        return (long)strlen(to);
    case ROOT:
        memcpy(to, "/", 2);
        return 1;
    default:
        return descriptor_target(fd, to);
    }
}

long px_proc_self_readlink(const char *path, char *to, size_t bytes)
{
    char text[PATH_MAX];
    int fd = 0;
    enum what w = find(path, &fd);
    if (w == NOTHING)
        return -ENOENT;
    if (!is_link(w))
        return -EINVAL;
    long answer = target(w, fd, text);
    if (answer > 0)
        memcpy(to, text, (size_t)answer < bytes ? (size_t)answer : bytes);
    return answer;
}

long px_proc_self_resolve(char path[static PATH_MAX])
{
    char text[PATH_MAX];
    int fd = 0;
    enum what w = find(path, &fd);
    long answer = is_link(w) ? target(w, fd, text) : 0;
    if (answer > 0)
        memcpy(path, text, (size_t)answer + 1);
    return answer < 0 ? answer : 0;
}

/* --- texts --- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != nullptr ? slash + 1 : path;
}

static size_t status_text(char *to, size_t room)
{
    char exe[PATH_MAX] = "";
    unsigned threads = 0;
    (void)target(EXE, 0, exe);
    vx_mutex_lock(&px_threads_lock);
    for (const struct px_thread *t = px_threads; t != nullptr; t = t->next)
        threads++;
    vx_mutex_unlock(&px_threads_lock);
    return format_into(to, room,
                       "Name:\t%s\nUmask:\t%04o\nState:\tR (running)\nTgid:\t%u\nPid:\t%u\nPPid:\t%ld\n"
                       "Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nFDSize:\t%d\nThreads:\t%u\n",
                       base_name(exe), px_umask_now(), px_pid, px_pid, px_getppid(), PX_FD_MAX, threads);
}

/* Fills pages that the file has from then on; 0: there is no memory. */
static uint8_t *text_of(enum what w, size_t *len)
{
    const char *bytes = nullptr;
    char exe[PATH_MAX] = "";
    if (w == CMDLINE || w == ENVIRON)
        bytes = vx_bundle_bytes(w == CMDLINE ? "argv" : "env", len);
    if (bytes == nullptr)
        *len = 0;
    char *at = px_pages(px_page_up(*len + PX_PAGE));
    if (at == nullptr)
        return nullptr;
    if (bytes != nullptr)
        memcpy(at, bytes, *len);
    else if (w == STATUS)
        *len = status_text(at, PX_PAGE);
    else if (w == COMM && target(EXE, 0, exe) > 0)
        *len = format_into(at, PX_PAGE, "%s\n", base_name(exe));
    return (uint8_t *)at;
}

static long text_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    vx_mutex_lock(&f->lock);
    uint64_t from = at < 0 ? (uint64_t)f->offset : (uint64_t)at;
    size_t left = from < f->rom.bytes ? f->rom.bytes - (size_t)from : 0;
    bytes = bytes < left ? bytes : left;
    memcpy(to, f->rom.data + from, bytes);
    if (at < 0)
        f->offset += (int64_t)bytes;
    vx_mutex_unlock(&f->lock);
    return (long)bytes;
}

static long self_seek(struct px_file *f, int64_t offset, int whence)
{
    int64_t to;
    vx_mutex_lock(&f->lock);
    int64_t base = whence == SEEK_CUR ? f->offset : whence == SEEK_END ? (int64_t)f->rom.bytes : 0;
    long answer =
        whence < SEEK_SET || whence > SEEK_END || __builtin_add_overflow(base, offset, &to) || to < 0 ? -EINVAL : to;
    if (answer >= 0)
        f->offset = answer;
    vx_mutex_unlock(&f->lock);
    return answer;
}

static void fill(struct stat *out, enum what w)
{
    memset(out, 0, sizeof *out);
    out->st_mode = is_directory(w) ? S_IFDIR | 0555 : is_link(w) ? S_IFLNK | 0777 : S_IFREG | 0444;
    out->st_nlink = 1;
    out->st_uid = out->st_gid = 1000;
    out->st_ino = FIRST_INODE + w;
    out->st_blksize = (blksize_t)PX_PAGE;
}

static long self_stat(struct px_file *f, struct stat *out)
{
    fill(out, (enum what)f->rom.inode);
    return 0;
}

static unsigned self_poll(struct px_file *f, bool sleep)
{
    (void)f, (void)sleep;
    return POLLIN | POLLRDNORM;
}

static void text_close(struct px_file *f)
{
    px_pages_free((void *)(uintptr_t)f->rom.data, px_page_up(f->rom.bytes + PX_PAGE));
}

/* Not inherited by programs that are started: it is about this one. */
static const struct px_ops text_ops = {
    .kind = 'd', .read = text_read, .seek = self_seek, .stat = self_stat, .poll = self_poll, .close = text_close
};

/* --- directories --- */

struct listing {
    char *to;
    size_t room, used;
    int64_t position, wanted;
    bool full;
};

static void tell(struct listing *l, const char *name, enum what w)
{
    size_t len = strlen(name), bytes = (offsetof(struct dirent, d_name) + len + 1 + 7) & ~(size_t)7;
    if (l->full || l->position++ < l->wanted)
        return;
    if (l->room - l->used < bytes) {
        l->full = true;
        l->position--;
        return;
    }
    struct dirent *d = (struct dirent *)(void *)(l->to + l->used);
    memset(d, 0, bytes);
    d->d_ino = FIRST_INODE + w;
    d->d_off = l->position;
    d->d_reclen = (unsigned short)bytes;
    d->d_type = is_directory(w) ? DT_DIR : is_link(w) ? DT_LNK : DT_REG;
    memcpy(d->d_name, name, len);
    l->used += bytes;
}

static void tell_descriptor(void *ctx, int fd, struct px_file *f, bool close_on_exec)
{
    char name[12];
    (void)f, (void)close_on_exec;
    (void)format_into(name, sizeof name, "%d", fd);
    tell(ctx, name, FD);
}

static long directory_list(struct px_file *f, void *to, size_t bytes)
{
    vx_mutex_lock(&f->lock);
    struct listing l = { .to = to, .room = bytes, .wanted = f->offset };
    tell(&l, ".", (enum what)f->rom.inode);
    tell(&l, "..", TOP);
    if (f->rom.inode == FDS)
        px_fd_visit(tell_descriptor, &l);
    for (size_t i = 0; f->rom.inode == TOP && i < sizeof names / sizeof names[0]; i++)
        tell(&l, names[i].name, names[i].what);
    long answer = l.full && l.used == 0 ? -EINVAL : (long)l.used;
    if (answer > 0)
        f->offset = l.position;
    vx_mutex_unlock(&f->lock);
    return answer;
}

static const struct px_ops directory_ops = {
    .kind = 'd', .seek = self_seek, .stat = self_stat, .list = directory_list, .poll = self_poll
};

/* --- the interface --- */

static long make(enum what w, const char *path, int flags, struct px_file **out)
{
    size_t len = 0;
    bool directory = is_directory(w);
    uint8_t *at = directory ? px_pages(PX_PAGE) : text_of(w, &len);
    struct px_file *f = at != nullptr ? px_file_new(directory ? &directory_ops : &text_ops, flags) : nullptr;
    if (f == nullptr) {
        if (at != nullptr)
            px_pages_free(at, px_page_up(len + PX_PAGE));
        return -ENOMEM;
    }
    f->rom.inode = w;
    if (directory) {
        memcpy(at, path, strlen(path) + 1);
        f->path = (char *)at;
    } else {
        f->rom.data = at;
        f->rom.bytes = len;
    }
    *out = f;
    return 0;
}

long px_proc_self_open(const char *path, int flags, unsigned mode, struct px_file **out)
{
    char text[PATH_MAX];
    int fd = 0;
    enum what w = find(path, &fd);
    if (w == NOTHING)
        return -ENOENT;
    if (w == FD) {
        *out = px_fd_get(fd);
        return *out != nullptr ? 0 : -ENOENT;
    }
    if (is_link(w)) {
        long answer = (flags & O_NOFOLLOW) != 0 ? -ELOOP : target(w, fd, text);
        return answer < 0 ? answer : px_open_path(text, flags, mode, out);
    }
    if ((flags & O_DIRECTORY) != 0 && !is_directory(w))
        return -ENOTDIR;
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
        return -EEXIST;
    if ((flags & O_ACCMODE) != O_RDONLY)
        return is_directory(w) ? -EISDIR : -EACCES;
    return make(w, path, flags & ~(O_CLOEXEC | O_CREAT), out);
}

long px_proc_self_stat(const char *path, bool follow, struct stat *out)
{
    char text[PATH_MAX];
    int fd = 0;
    enum what w = find(path, &fd);
    if (w == NOTHING)
        return -ENOENT;
    if (w == FD) {
        struct px_file *f = px_fd_get(fd);
        if (f == nullptr)
            return -ENOENT;
        long answer = follow ? f->ops->stat(f, out) : 0;
        px_file_put(f);
        if (!follow)
            fill(out, w);
        return answer;
    }
    if (follow && is_link(w)) {
        long answer = target(w, fd, text);
        return answer < 0 ? answer : px_stat_path(text, out);
    }
    fill(out, w);
    return 0;
}
