/* SPDX-License-Identifier: MIT
 * /dev: null, zero, full, random, urandom; tty and console are the terminal of the Bundle; stdin, stdout, stderr and
 * fd/N are the descriptors. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/sysmacros.h>

static const struct device {
    const char *name;
    char kind;
    int minor;
} devices[] = {
    { "null", 'n', 3 }, { "zero", 'z', 5 },    { "full", 'u', 7 },  { "random", 'r', 8 }, { "urandom", 'r', 9 },
    { "tty", 't', 0 },  { "console", 't', 1 }, { "stdin", '0', 0 }, { "stdout", '1', 0 }, { "stderr", '2', 0 },
};

bool px_device_name(unsigned index, const char **name)
{
    if (index >= sizeof devices / sizeof devices[0])
        return false;
    *name = devices[index].name;
    return true;
}

static long null_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    (void)f, (void)to, (void)bytes, (void)at;
    return 0;
}

static long null_write(struct px_file *f, const void *from, size_t bytes, int64_t at)
{
    (void)f, (void)from, (void)at;
    return (long)bytes;
}

static long zero_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    (void)f, (void)at;
    memset(to, 0, bytes);
    return (long)bytes;
}

static long full_write(struct px_file *f, const void *from, size_t bytes, int64_t at)
{
    (void)f, (void)from, (void)bytes, (void)at;
    return -ENOSPC;
}

static long random_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    (void)f, (void)at;
    size_t done = 0;
    while (done < bytes) {
        uint64_t n = bytes - done < GETRANDOM_MAX ? bytes - done : GETRANDOM_MAX, got = 0;
        status_t st = vx_sys_getrandom((char *)to + done, n, &got);
        if (st != OK)
            return px_error(st);
        done += got;
    }
    return (long)bytes;
}

static long device_seek(struct px_file *f, int64_t offset, int whence)
{
    (void)f, (void)offset, (void)whence;
    return 0;
}

static long device_stat(struct px_file *f, struct stat *out)
{
    memset(out, 0, sizeof *out);
    out->st_mode = S_IFCHR | 0666;
    out->st_nlink = 1;
    out->st_rdev = makedev(1, (unsigned)f->device);
    out->st_ino = UINT32_MAX - 16 - (unsigned)f->device;
    out->st_blksize = (blksize_t)PX_PAGE;
    return 0;
}

static unsigned device_poll(struct px_file *f, bool sleep)
{
    (void)f, (void)sleep;
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

static const struct px_ops null_ops = { 'n', null_read, null_write, device_seek, device_stat, .poll = device_poll };
static const struct px_ops zero_ops = { 'z', zero_read, null_write, device_seek, device_stat, .poll = device_poll };
static const struct px_ops full_ops = { 'u', zero_read, full_write, device_seek, device_stat, .poll = device_poll };
static const struct px_ops random_ops = { 'r', random_read, null_write, device_seek, device_stat, .poll = device_poll };

struct px_file *px_device_new(char kind, int flags)
{
    const struct px_ops *ops = kind == 'n'   ? &null_ops
                               : kind == 'z' ? &zero_ops
                               : kind == 'u' ? &full_ops
                               : kind == 'r' ? &random_ops
                                             : nullptr;
    struct px_file *f = ops == nullptr ? nullptr : px_file_new(ops, flags);
    for (size_t i = 0; f != nullptr && i < sizeof devices / sizeof devices[0]; i++)
        if (devices[i].kind == kind) {
            f->device = devices[i].minor;
            break;
        }
    return f;
}

static const struct device *find(const char *path)
{
    if (strncmp(path, "/dev/", 5) != 0)
        return nullptr;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (strcmp(path + 5, devices[i].name) == 0)
            return &devices[i];
    return nullptr;
}

/* The N of /dev/fd/N, or -1. */
static int descriptor_named(const char *path)
{
    int fd = 0;
    if (strncmp(path, "/dev/fd/", 8) != 0 || path[8] == '\0')
        return -1;
    for (const char *at = path + 8; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || fd >= PX_FD_MAX)
            return -1;
        fd = fd * 10 + (*at - '0');
    }
    return fd;
}

/* /dev/fd itself: the directory of this process's descriptors under another name. */
static bool is_descriptors(const char *path)
{
    return strcmp(path, "/dev/fd") == 0;
}

static long open_device(const struct device *d, int flags, struct px_file **out)
{
    flags &= O_ACCMODE | O_APPEND | O_NONBLOCK;
    *out = d->kind == 't' ? px_console_new(flags) : px_device_new(d->kind, flags);
    if (*out == nullptr)
        return d->kind == 't' ? -ENXIO : -ENOMEM;
    if (d->kind != 't')
        (*out)->device = d->minor;
    return 0;
}

long px_device_open(const char *path, int flags, struct px_file **out)
{
    if (is_descriptors(path))
        return px_proc_self_open(PX_DESCRIPTORS, flags, 0, out);
    const struct device *d = find(path);
    int fd = d != nullptr && d->kind >= '0' && d->kind <= '2' ? d->kind - '0' : descriptor_named(path);
    if (fd >= 0) {
        *out = px_fd_get(fd);
        return *out != nullptr ? 0 : -ENOENT;
    }
    if (d == nullptr)
        return -ENOENT;
    if ((flags & O_DIRECTORY) != 0)
        return -ENOTDIR;
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
        return -EEXIST;
    return open_device(d, flags, out);
}

long px_device_open_number(uint64_t number, int flags, struct px_file **out)
{
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        bool terminal = devices[i].kind == 't';
        if (number == makedev(terminal ? 5 : 1, (unsigned)devices[i].minor) &&
            (devices[i].kind < '0' || devices[i].kind > '2'))
            return open_device(&devices[i], flags, out);
    }
    return -ENXIO;
}

long px_device_stat(const char *path, struct stat *out)
{
    struct px_file *f = nullptr;
    if (strcmp(path, "/dev/tty") == 0 || strcmp(path, "/dev/console") == 0) {
        memset(out, 0, sizeof *out);
        out->st_mode = S_IFCHR | 0620;
        out->st_nlink = 1;
        out->st_ino = PX_TERMINAL_INODE;
        out->st_rdev = makedev(5, 0);
        return 0;
    }
    if (is_descriptors(path))
        return px_proc_self_stat(PX_DESCRIPTORS, true, out);
    long answer = px_device_open(path, O_RDONLY, &f);
    if (answer != 0)
        return answer == -ENXIO ? -ENOENT : answer;
    answer = f->ops->stat(f, out);
    px_file_put(f);
    return answer;
}

long px_getrandom(long to, long bytes, long flags)
{
    if ((flags & ~7L) != 0 || bytes < 0)
        return -EINVAL;
    return random_read(nullptr, (void *)to, (size_t)bytes, 0);
}
