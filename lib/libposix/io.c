/* SPDX-License-Identifier: MIT
 * Reading and writing through descriptors: the calls in all their forms come down to the two operations of a file. */
#define _GNU_SOURCE
#include "signal.h"
#include "file.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

enum : int64_t { OWN_POSITION = -1 };

static bool may_read(const struct px_file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY && (f->flags & O_PATH) == 0;
}

static bool may_write(const struct px_file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY && (f->flags & O_PATH) == 0;
}

static long read_file(struct px_file *f, const struct iovec *v, int n, int64_t at)
{
    if (!may_read(f))
        return -EBADF;
    if (f->ops->read == nullptr)
        return f->ops->list != nullptr ? -EISDIR : -EINVAL;
    long done = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].iov_len == 0)
            continue;
        long got = f->ops->read(f, v[i].iov_base, v[i].iov_len, at < 0 ? at : at + done);
        if (got < 0)
            return done != 0 ? done : got;
        done += got;
        /* what is there now is enough: the rest might have to be waited for */
        if ((size_t)got < v[i].iov_len || f->ops->seek == nullptr)
            break;
    }
    return done;
}

static long write_file(struct px_file *f, const struct iovec *v, int n, int64_t at)
{
    if (!may_write(f))
        return -EBADF;
    if (f->ops->write == nullptr)
        return -EINVAL;
    long done = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].iov_len == 0 && n != 1)
            continue;
        long put = f->ops->write(f, v[i].iov_base, v[i].iov_len, at < 0 ? at : at + done);
        if (put < 0) {
            if (put == -EPIPE)
                px_signal_self(SIGPIPE);
            return done != 0 ? done : put;
        }
        done += put;
        if ((size_t)put < v[i].iov_len)
            break;
    }
    return done;
}

typedef long transfer(struct px_file *f, const struct iovec *v, int n, int64_t at);

/* at OWN_POSITION: read and write; else pread and pwrite, for files that have positions. */
static long move_bytes(transfer *how, long fd, const struct iovec *v, long n, int64_t at)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = at != OWN_POSITION && f->ops->seek == nullptr ? -ESPIPE : how(f, v, (int)n, at);
    px_file_put(f);
    return answer;
}

static bool vector_ok(const struct iovec *v, long n)
{
    size_t sum = 0;
    if (n < 0 || n > IOV_MAX)
        return false;
    for (long i = 0; i < n; i++)
        if (__builtin_add_overflow(sum, v[i].iov_len, &sum) || sum > SSIZE_MAX)
            return false;
    return true;
}

static long move_one(transfer *how, long fd, long at, long bytes, int64_t offset)
{
    struct iovec v = { .iov_base = (void *)at, .iov_len = (size_t)bytes };
    return bytes < 0 ? -EINVAL : move_bytes(how, fd, &v, 1, offset);
}

long px_read(long fd, long to, long bytes)
{
    return move_one(read_file, fd, to, bytes, OWN_POSITION);
}

long px_write(long fd, long from, long bytes)
{
    return move_one(write_file, fd, from, bytes, OWN_POSITION);
}

long px_pread64(long fd, long to, long bytes, long at)
{
    return at < 0 ? -EINVAL : move_one(read_file, fd, to, bytes, at);
}

long px_pwrite64(long fd, long from, long bytes, long at)
{
    return at < 0 ? -EINVAL : move_one(write_file, fd, from, bytes, at);
}

long px_readv(long fd, long vector, long n)
{
    const struct iovec *v = (const struct iovec *)vector;
    return vector_ok(v, n) ? move_bytes(read_file, fd, v, n, OWN_POSITION) : -EINVAL;
}

long px_writev(long fd, long vector, long n)
{
    const struct iovec *v = (const struct iovec *)vector;
    return vector_ok(v, n) ? move_bytes(write_file, fd, v, n, OWN_POSITION) : -EINVAL;
}

long px_preadv(long fd, long vector, long n, long at)
{
    const struct iovec *v = (const struct iovec *)vector;
    return at >= 0 && vector_ok(v, n) ? move_bytes(read_file, fd, v, n, at) : -EINVAL;
}

long px_pwritev(long fd, long vector, long n, long at)
{
    const struct iovec *v = (const struct iovec *)vector;
    return at >= 0 && vector_ok(v, n) ? move_bytes(write_file, fd, v, n, at) : -EINVAL;
}

long px_lseek(long fd, long offset, long whence)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = f->ops->seek == nullptr ? -ESPIPE : f->ops->seek(f, offset, (int)whence);
    px_file_put(f);
    return answer;
}

long px_getdents64(long fd, long to, long bytes)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = f->ops->list == nullptr ? -ENOTDIR : f->ops->list(f, (void *)to, (size_t)bytes);
    px_file_put(f);
    return answer;
}

/* What was written becomes safe; files that keep nothing are safe already. */
static long synchronise(long fd, bool data_only)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = (f->flags & O_PATH) != 0  ? -EBADF
                  : f->ops->sync != nullptr ? f->ops->sync(f, data_only)
                  : f->ops->seek != nullptr ? 0
                                            : -EINVAL;
    px_file_put(f);
    return answer;
}

long px_fsync(long fd)
{
    return synchronise(fd, false);
}

long px_fdatasync(long fd)
{
    return synchronise(fd, true);
}

long px_syncfs(long fd)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = (f->flags & O_PATH) != 0 ? -EBADF : px_is_fs(f) ? px_fs_sync_mount(f) : 0;
    px_file_put(f);
    return answer;
}

/* The whole range, which is more than was asked for. */
long px_sync_file_range(long fd, long at, long bytes, long flags)
{
    if (at < 0 || bytes < 0 || (flags & ~7L) != 0)
        return -EINVAL;
    return synchronise(fd, true);
}

/* Every file system that this process can name. It has no error to tell. */
long px_sync(void)
{
    struct vx_vfs_mounted m = {};
    char source[VX_FS_NAME_MAX + 1], path[VX_FS_PATH_MAX + 1];
    struct fs_client *c = px_fs();
    for (uint32_t index = 0; c != nullptr && fs_mounts(c, &index, &m, source, path, sizeof path) == OK;)
        (void)fs_sync_all(c, path);
    return 0;
}

/* A file of another length: `how` does it, for a file that is open for writing. */
static long resize(long fd, int not_writable, long (*how)(struct px_file *, const int64_t *), const int64_t *arguments)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = may_write(f) ? how(f, arguments) : not_writable;
    px_file_put(f);
    return answer;
}

static long do_truncate(struct px_file *f, const int64_t *bytes)
{
    return f->ops->truncate != nullptr ? f->ops->truncate(f, *bytes) : -EINVAL;
}

long px_ftruncate(long fd, long bytes)
{
    return bytes < 0 ? -EINVAL : resize(fd, -EINVAL, do_truncate, &(int64_t){ bytes });
}

static long do_allocate(struct px_file *f, const int64_t *argument)
{
    return f->ops->allocate != nullptr ? f->ops->allocate(f, (int)argument[0], argument[1], argument[2])
           : f->ops->seek == nullptr   ? -ESPIPE
                                       : -ENODEV;
}

long px_fallocate(long fd, long mode, long at, long bytes)
{
    if (at < 0 || bytes <= 0)
        return -EINVAL;
    return at > INT64_MAX - bytes ? -EFBIG : resize(fd, -EBADF, do_allocate, (int64_t[]){ mode, at, bytes });
}

/* Advice about what is in memory anyway. */
long px_fadvise64(long fd, long at, long bytes, long advice)
{
    struct px_file *f = px_fd_get((int)fd);
    (void)at;
    if (f == nullptr)
        return -EBADF;
    bool file = f->ops->seek != nullptr;
    px_file_put(f);
    return !file ? -ESPIPE : bytes < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

/* preadv and pwritev; of the flags those that change nothing here. */
long px_preadv2(long fd, long vector, long n, long at, long high, long flags)
{
    (void)high;
    return flags != 0 ? -EOPNOTSUPP : at == -1 ? px_readv(fd, vector, n) : px_preadv(fd, vector, n, at);
}

long px_pwritev2(long fd, long vector, long n, long at, long high, long flags)
{
    (void)high;
    return flags != 0 ? -EOPNOTSUPP : at == -1 ? px_writev(fd, vector, n) : px_pwritev(fd, vector, n, at);
}
