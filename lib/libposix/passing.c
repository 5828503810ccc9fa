/* SPDX-License-Identifier: MIT
 * Descriptors that travel over a socket (SCM_RIGHTS). With the bytes goes a record of what each is, as a child is told
 * of it; what authority it takes goes by a service that both sides know:
 *
 *   files of file systems            vfsd opens them again for whoever shows the handle that lies in the record, once
 *   RAM disk, devices, the terminal  are the receiver's own, of the same name
 *
 * The record lies in the memory of the connection, which those who have an end of it can read, and nobody else. What
 * shares memory of a process's own (pipes, sockets) cannot travel: it would be gone with that process, under the hands
 * of whoever got it. Nor can what has a place in its process alone (epoll, eventfd, timerfd, directories). */
#define _GNU_SOURCE
#include "pipe_shared.h"
#include <fcntl.h>
#include <sys/socket.h>

/* --- in the pipe --- */

/* Looked at once, because others can write there; nonsense is as good as none. */
static unsigned passed_locked(const struct shared *s)
{
    uint32_t n = *(const volatile uint32_t *)&s->n_passed;
    return n <= PX_PASSING_MAX ? n : 0;
}

unsigned px_passing_due_locked(const struct shared *s, uint32_t *before)
{
    unsigned n = 0, all = passed_locked(s);
    while (n < all && n < PX_PASSING_AT_ONCE && s->passed[n].at == s->tail)
        n++;
    *before = n < all ? s->passed[n].at - s->tail : UINT32_MAX;
    return n;
}

void px_passing_take_locked(struct shared *s, unsigned n, struct px_passing *out)
{
    unsigned all = passed_locked(s);
    n = n < all ? n : all;
    out->n = n;
    memcpy(out->passed, s->passed, n * sizeof s->passed[0]);
    memmove(s->passed, s->passed + n, (all - n) * sizeof s->passed[0]);
    s->n_passed = all - n;
}

bool px_passing_put_locked(struct shared *s, struct px_passing *with)
{
    unsigned all = passed_locked(s);
    if (with->n > PX_PASSING_MAX - all)
        return false;
    for (unsigned i = 0; i < with->n; i++) {
        with->passed[i].at = s->head;
        s->passed[all + i] = with->passed[i];
    }
    s->n_passed = all + with->n; /* last: before that there are none */
    with->n = 0;
    return true;
}

void px_passing_drop(struct shared *s)
{
    struct px_passing lost;
    for (unsigned done = 0; done < PX_PASSING_MAX; done += PX_PASSING_AT_ONCE) { /* not for ever, whoever adds more */
        lost.n = 0;
        lock_pipe(s);
        unsigned all = passed_locked(s);
        if (readers_locked(s) == 0)
            px_passing_take_locked(s, all < PX_PASSING_AT_ONCE ? all : PX_PASSING_AT_ONCE, &lost);
        unlock_pipe(s);
        for (unsigned i = 0; i < lost.n; i++)
            px_pass_drop(&lost.passed[i]);
    }
}

bool px_pipe_passes(struct px_pipe *p)
{
    uint32_t apart;
    lock_pipe(p->shared);
    bool some = px_passing_due_locked(p->shared, &apart) != 0;
    unlock_pipe(p->shared);
    return some;
}

/* --- what each is --- */

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
