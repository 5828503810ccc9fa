/* SPDX-License-Identifier: MIT
 * From one descriptor to another within one call: sendfile and copy_file_range. The bytes pass through this process. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum : size_t { CHUNK = 65536, AT_ONCE_MAX = 0x7ffff000 };

/* Up to `bytes` from `in` at *from to `out` at *to (nullptr: its own position). What arrived, or why nothing did. */
static long copy(struct px_file *in, int64_t *from, struct px_file *out, int64_t *to, size_t bytes)
{
    size_t done = 0;
    long answer = 0;
    uint8_t *buffer = px_pages(CHUNK);
    if (buffer == nullptr)
        return -ENOMEM;
    while (done < bytes) {
        long got = in->ops->read(in, buffer, bytes - done < CHUNK ? bytes - done : CHUNK, *from);
        answer = got <= 0 ? got : out->ops->write(out, buffer, (size_t)got, to != nullptr ? *to : -1);
        if (answer <= 0)
            break;
        done += (size_t)answer;
        *from += answer;
        if (to != nullptr)
            *to += answer;
        if (answer < got)
            break;
    }
    px_pages_free(buffer, CHUNK);
    return done != 0 ? (long)done : answer;
}

static bool may(const struct px_file *f, int not_this)
{
    return (f->flags & O_PATH) == 0 && (f->flags & O_ACCMODE) != not_this;
}

/* Where to begin: what the caller said, or the file's own position. */
static int64_t begin(struct px_file *f, const int64_t *said)
{
    return said != nullptr ? *said : f->ops->seek(f, 0, SEEK_CUR);
}

/* Where it ended: told, or the file's own position from now on. */
static void end(struct px_file *f, int64_t *said, int64_t at)
{
    if (said != nullptr)
        *said = at;
    else
        (void)f->ops->seek(f, at, SEEK_SET);
}

static long send(struct px_file *out, struct px_file *in, int64_t *offset, size_t bytes)
{
    if (!may(in, O_WRONLY) || !may(out, O_RDONLY))
        return -EBADF;
    if (in->ops->read == nullptr || in->ops->seek == nullptr || out->ops->write == nullptr)
        return -EINVAL;
    if ((out->flags & O_APPEND) != 0 || (offset != nullptr && *offset < 0))
        return -EINVAL;
    int64_t from = begin(in, offset);
    if (from < 0)
        return (long)from;
    long answer = copy(in, &from, out, nullptr, bytes);
    if (answer > 0)
        end(in, offset, from);
    return answer;
}

long px_sendfile(long out_fd, long in_fd, long offset, long bytes)
{
    struct px_file *in = px_fd_get((int)in_fd), *out = px_fd_get((int)out_fd);
    long answer = -EBADF;
    if (in != nullptr && out != nullptr)
        answer = send(out, in, (int64_t *)offset, (size_t)bytes < AT_ONCE_MAX ? (size_t)bytes : AT_ONCE_MAX);
    if (in != nullptr)
        px_file_put(in);
    if (out != nullptr)
        px_file_put(out);
    return answer;
}

static long copy_range(struct px_file *in, int64_t *in_at, struct px_file *out, int64_t *out_at, size_t bytes)
{
    struct stat a, b;
    if (!may(in, O_WRONLY) || !may(out, O_RDONLY) || (out->flags & O_APPEND) != 0)
        return -EBADF;
    if (in->ops->list != nullptr || out->ops->list != nullptr)
        return -EISDIR;
    if (in->ops->seek == nullptr || out->ops->seek == nullptr || in->ops->stat(in, &a) != 0 ||
        out->ops->stat(out, &b) != 0 || !S_ISREG(a.st_mode) || !S_ISREG(b.st_mode))
        return -EINVAL;
    int64_t from = begin(in, in_at), to = begin(out, out_at);
    if (from < 0 || to < 0)
        return -EINVAL;
    bool same = a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    if (same && from < to + (int64_t)bytes && to < from + (int64_t)bytes)
        return -EINVAL;
    long answer = copy(in, &from, out, &to, bytes);
    if (answer > 0) {
        end(in, in_at, from);
        end(out, out_at, to);
    }
    return answer;
}

long px_copy_file_range(long in_fd, long in_at, long out_fd, long out_at, long bytes, long flags)
{
    struct px_file *in = px_fd_get((int)in_fd), *out = px_fd_get((int)out_fd);
    long answer = flags != 0 ? -EINVAL : -EBADF;
    if (flags == 0 && in != nullptr && out != nullptr)
        answer = copy_range(in, (int64_t *)in_at, out, (int64_t *)out_at,
                            (size_t)bytes < AT_ONCE_MAX ? (size_t)bytes : AT_ONCE_MAX);
    if (in != nullptr)
        px_file_put(in);
    if (out != nullptr)
        px_file_put(out);
    return answer;
}
