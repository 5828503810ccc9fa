/* SPDX-License-Identifier: MIT
 * Descriptors that travel over a socket (SCM_RIGHTS). With the bytes goes a record of what each is, as a child is told
 * of it; what authority it takes goes by a service that both sides know:
 *
 *   files of file systems   vfsd opens them again for whoever shows the handle that lies in the record, once
 *   RAM disk, devices, the terminal   are the receiver's own, of the same name
 *
 * The record lies in the memory of the connection, which those who have an end of it can read, and nobody else. What
 * shares memory of a process's own (pipes, sockets) cannot travel: it would be gone with that process, under the hands
 * of whoever got it. Nor can what has a place in its process alone (epoll, eventfd, timerfd, directories). */
#define _GNU_SOURCE
#include "pipe.h"
#include <fcntl.h>
#include <sys/socket.h>

static constexpr uint32_t anybody = 0; /* of fs_give */

/* The position goes along as it is now; from then on each has its own. */
static long pass_file(struct px_file *f, struct px_passed *out)
{
    long error = 0;
    struct fs_file *file = px_fs_file(f, &error);
    if (file == nullptr)
        return error;
    out->record.offset = atomic_load_explicit(f->fs.position, memory_order_relaxed);
    status_t st = fs_give(file, anybody, &out->handle);
    return st == ERR_TABLE_FULL ? -ETOOMANYREFS : px_fs_error(st);
}

long px_pass(struct px_file *f, struct px_passed *out)
{
    *out = (struct px_passed){ .record = { .flags = f->flags, .kind = (uint8_t)f->ops->kind } };
    switch (f->ops->kind) {
    case 'F':
        return pass_file(f, out);
    case 'f':
        px_rom_record(f, &out->record);
        return 0;
    case 'D':
    case 'd':
    case 'p':
    case 's':
    case 'e':
    case 'i':
    case 'w':
        return -EOPNOTSUPP;
    default: /* the terminal and devices */
        return 0;
    }
}

static struct px_file *take_file(const struct px_passed *p)
{
    long error = 0;
    if (p->record.offset < 0 || px_fs() == nullptr)
        return nullptr;
    struct px_file *f = px_fs_adopt(&p->handle, false, p->record.flags, VX_NO_MEM);
    if (f == nullptr)
        return nullptr;
    atomic_store_explicit(f->fs.position, p->record.offset, memory_order_relaxed);
    if (px_fs_file(f, &error) != nullptr) /* now: what is kept for us is not kept for ever */
        return f;
    px_file_put(f);
    return nullptr;
}

struct px_file *px_pass_take(const struct px_passed *p)
{
    switch (p->record.kind) {
    case 'F':
        return take_file(p);
    case 'D':
    case 'd':
    case 'p':
    case 's':
        return nullptr;
    default:
        return px_plain_file(&p->record);
    }
}

void px_pass_drop(const struct px_passed *p)
{
    struct px_file *f = p->record.kind == 'F' ? px_pass_take(p) : nullptr;
    if (f != nullptr)
        px_file_put(f);
}
