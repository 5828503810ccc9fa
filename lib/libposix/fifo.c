/* SPDX-License-Identifier: MIT
 * FIFOs: a name in a file system for a pipe. The file system keeps the name and lends the memory in which all who open
 * it meet; from there on it is a pipe as any other (pipe.c). Opening waits until there is somebody at the other end.
 *
 * A parent that opens one for its child (O_VECTRA_LATER) does not wait: the child does, before it begins. Else a shell
 * could not start both ends. */
#define _GNU_SOURCE
#include "pipe.h"
#include "signal.h"
#include <fcntl.h>
#include <vectra/open.h>

static long join(struct px_file *file, int flags, const struct stat *found, struct px_pipe **out)
{
    const struct px_fifo as = { .device = found->st_dev, .inode = found->st_ino, .mode = found->st_mode };
    long answer = 0;
    vx_mem mem = {};
    struct fs_file *node = px_fs_file(file, &answer);
    if (node == nullptr)
        return answer;
    status_t st = fs_meet(node, &mem);
    if (st != OK)
        return st == ERR_NOT_SUPPORTED ? -ENXIO
               : st == ERR_TABLE_FULL  ? -ENFILE
               : st == ERR_NO_MEMORY   ? -ENOSPC
                                       : px_fs_error(st);
    return px_pipe_join(mem, &as, flags, out);
}

long px_fifo_open(struct px_file *file, int flags, const struct stat *found, struct px_file **out)
{
    constexpr int kept = O_ACCMODE | O_NONBLOCK | O_APPEND | O_VECTRA_LATER;
    struct px_pipe *p = nullptr;
    long answer = join(file, flags, found, &p);
    px_file_put(file); /* what was lent needs no number there */
    if (answer != 0)
        return answer;
    struct px_file *f = px_pipe_end(p, flags & kept);
    if (f == nullptr) {
        px_pipe_end_closed(p, (flags & O_ACCMODE) != O_WRONLY, (flags & O_ACCMODE) != O_RDONLY);
        return -ENFILE;
    }
    px_pipe_put(p);
    if ((flags & O_ACCMODE) == O_RDWR || (flags & O_NONBLOCK) != 0) {
        f->flags &= ~O_VECTRA_LATER;
    } else if ((flags & O_VECTRA_LATER) == 0) {
        answer = px_pipe_await_other(p, (flags & O_ACCMODE) == O_RDONLY, px_pipe_opens(p));
        if (answer != 0) {
            px_file_put(f);
            return answer;
        }
    }
    *out = f;
    return 0;
}

void px_fifo_settle(struct px_file *f, uint32_t opens)
{
    while (px_pipe_await_other(f->pipe, px_pipe_file_reads(f), opens) != 0)
        (void)px_deliver(); /* it ends us, or is ignored: there are no handlers yet */
}
