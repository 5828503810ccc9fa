/* SPDX-License-Identifier: MIT
 * /proc/self, and the same under this process's own number: exe, cwd, root and fd/N as links; cmdline, environ, comm,
 * stat, status and maps as files, of which an open one holds what was true then; fd is a directory. What it tells this
 * process knows of itself. There is nothing about others (kill, ps and the process service know of them), and maps has
 * only what was there when the program began: the kernel lists no memory, and nobody keeps what was mapped since. */
#define _GNU_SOURCE
#include "listing.h"
#include "process.h"
#include "thread.h"
#include <abi/timepage.h>
#include <base/format.h>
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum : uint64_t { FIRST_INODE = UINT32_MAX - 512 };
enum what : uint8_t { NOTHING, PROC, SELF, TOP, FDS, EXE, CWD, ROOT, CMDLINE, ENVIRON, COMM, STATUS, STAT, MAPS, FD };

static const struct {
    char name[8];
    enum what what;
} names[] = {
    { "exe", EXE },         { "cwd", CWD },         { "root", ROOT },     { "fd", FDS },    { "comm", COMM },
    { "cmdline", CMDLINE }, { "environ", ENVIRON }, { "status", STATUS }, { "stat", STAT }, { "maps", MAPS }
};

static bool is_link(enum what w)
{
    return w == SELF || w == EXE || w == CWD || w == ROOT || w == FD;
}

static bool is_directory(enum what w)
{
    return w == PROC || w == TOP || w == FDS;
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
    if (path[5] == '\0')
        return PROC;
    if (strcmp(at, "self") == 0)
        return SELF;
    if (strncmp(at, "self/", 5) == 0)
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
    case SELF:
        return (long)format_into(to, PATH_MAX, "/proc/%u", px_pid);
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

static unsigned count_threads(void)
{
    unsigned threads = 0;
    vx_mutex_lock(&px_threads_lock);
    for (const struct px_thread *t = px_threads; t != nullptr; t = t->next)
        threads++;
    vx_mutex_unlock(&px_threads_lock);
    return threads;
}

static size_t status_text(char *to, size_t room)
{
    char exe[PATH_MAX] = "";
    (void)target(EXE, 0, exe);
    return format_into(to, room,
                       "Name:\t%s\nUmask:\t%04o\nState:\tR (running)\nTgid:\t%u\nPid:\t%u\nPPid:\t%ld\n"
                       "Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nFDSize:\t%d\nThreads:\t%u\n",
                       base_name(exe), px_umask_now(), px_pid, px_pid, px_getppid(), PX_FD_MAX, count_threads());
}

/* The 52 fields of proc(5); what nobody counts here is 0. Times are in hundredths of a second. */
static size_t stat_text(char *to, size_t room)
{
    struct vx_task_info info = {};
    char exe[PATH_MAX] = "";
    int front = -1;
    constexpr uint64_t tick_ns = VX_NS_PER_S / 100;
    (void)target(EXE, 0, exe);
    (void)vx_sys_task_control(VX_SELF, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr, nullptr);
    (void)px_proc_front(&front);
    const struct vx_bundle *b = vx_bundle();
    uint64_t used = info.memory_bytes - info.memory_free;
    return format_into(to, room,
                       "%u (%s) R %ld %ld %ld 0 %d 0 0 0 0 0 %lu 0 %lu 0 20 0 %u 0 %lu %lu %lu 18446744073709551615 "
                       "0 0 %lu 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                       px_pid, base_name(exe), px_getppid(), (long)px_own_group(), px_getsid(0), front,
                       info.cpu_ns / tick_ns, px_children_cpu_ns() / tick_ns, count_threads(), info.start_ns / tick_ns,
                       used, used / PX_PAGE, b->stack_high);
}

static size_t map_line(char *to, size_t room, uint64_t from, uint64_t end, const char *rights, uint64_t at,
                       const char *what)
{
    return format_into(to, room, "%08lx-%08lx %s %08lx 00:00 0%s%s\n", from, end, rights, at,
                       what[0] != '\0' ? "                          " : "", what);
}

static size_t maps_text(char *to, size_t room)
{
    char exe[PATH_MAX] = "";
    const struct vx_bundle *b = vx_bundle();
    const Elf64_Phdr *h = (const Elf64_Phdr *)b->phdr_address;
    (void)target(EXE, 0, exe);
    size_t n = map_line(to, room, VX_TIME_PAGE_ADDRESS, VX_TIME_PAGE_ADDRESS + PX_PAGE, "r--p", 0, "[time]");
    n += map_line(to + n, room - n, VX_BUNDLE_ADDRESS, VX_BUNDLE_ADDRESS + px_page_up(b->bytes), "r--p", 0, "[bundle]");
    n += map_line(to + n, room - n, b->stack_low, b->stack_high, "rw-p", 0, "[stack]");
    for (uint32_t i = 0; i < b->phdr_count && h != nullptr; i++) {
        const char rights[] = { (h[i].p_flags & PF_R) != 0 ? 'r' : '-', (h[i].p_flags & PF_W) != 0 ? 'w' : '-',
                                (h[i].p_flags & PF_X) != 0 ? 'x' : '-', 'p', '\0' };
        uint64_t from = b->image_base + h[i].p_vaddr;
        bool fits = strlen(exe) < room / 4 - 100; /* a path may be as long as all the room: then it is left out */
        if (h[i].p_type == PT_LOAD && room - n > room / 4)
            n += map_line(to + n, room - n, from & ~(PX_PAGE - 1), px_page_up(from + h[i].p_memsz), rights,
                          h[i].p_offset & ~(PX_PAGE - 1), fits ? exe : "");
    }
    return n;
}

/* What a text of this length takes: each that is formatted is shorter than a page. */
static size_t text_room(size_t len)
{
    return px_page_up(len + 1);
}

/* Fills text_room(*len) bytes that the file has from then on; 0: there is no memory. */
static uint8_t *text_of(enum what w, size_t *len)
{
    const char *bytes = nullptr;
    char exe[PATH_MAX] = "";
    if (w == CMDLINE || w == ENVIRON)
        bytes = vx_bundle_bytes(w == CMDLINE ? "argv" : "env", len);
    if (bytes == nullptr)
        *len = 0;
    char *at = px_pages(text_room(*len));
    if (at == nullptr)
        return nullptr;
    if (bytes != nullptr)
        memcpy(at, bytes, *len);
    else if (w == STATUS)
        *len = status_text(at, PX_PAGE);
    else if (w == STAT)
        *len = stat_text(at, PX_PAGE);
    else if (w == MAPS)
        *len = maps_text(at, PX_PAGE);
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
    px_pages_free((void *)(uintptr_t)f->rom.data, text_room(f->rom.bytes));
}

/* Not inherited by programs that are started: it is about this one. */
static const struct px_ops text_ops = {
    .kind = 'd', .read = text_read, .seek = self_seek, .stat = self_stat, .poll = self_poll, .close = text_close
};

/* --- directories --- */

static void tell(struct px_listing *l, const char *name, enum what w)
{
    px_listing_tell(l, name, strlen(name), FIRST_INODE + w, is_directory(w) ? DT_DIR : is_link(w) ? DT_LNK : DT_REG);
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
    struct px_listing l = { .to = to, .room = bytes, .wanted = f->offset };
    tell(&l, ".", (enum what)f->rom.inode);
    tell(&l, "..", f->rom.inode == FDS ? TOP : PROC);
    if (f->rom.inode == FDS)
        px_fd_visit(tell_descriptor, &l);
    if (f->rom.inode == PROC) {
        char own[12];
        (void)format_into(own, sizeof own, "%u", px_pid);
        tell(&l, own, TOP);
        tell(&l, "self", SELF);
    }
    for (size_t i = 0; f->rom.inode == TOP && i < sizeof names / sizeof names[0]; i++)
        tell(&l, names[i].name, names[i].what);
    long answer = px_listing_end(&l, &f->offset);
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
            px_pages_free(at, text_room(len));
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
