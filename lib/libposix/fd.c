/* SPDX-License-Identifier: MIT
 * The descriptor table, and the calls that only move descriptors around.
 *
 *  1. A slot that is not empty holds one user of its open file. The table's lock protects slots and their flags.
 *  2. Slots from `used` on were never taken.
 *  3. An open file goes back to the free list when its last user gives it back, after its `close` ran. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <sys/ioctl.h>

static struct vx_mutex table_lock;
static struct px_file *table[PX_FD_MAX];
static uint8_t close_on_exec[PX_FD_MAX];
static int used;
enum : size_t { FIRST_FILES = 8 };
static struct px_file *free_files;

static void put_locked(int fd, struct px_file *f, bool cloexec)
{
    table[fd] = f;
    close_on_exec[fd] = cloexec;
    used = fd < used ? used : fd + 1;
}

struct px_file *px_file_new(const struct px_ops *ops, int flags)
{
    vx_mutex_lock(&table_lock);
    if (free_files == nullptr) {
        static struct px_file first[FIRST_FILES]; /* what most programs need: no page of its own */
        static bool first_used;
        struct px_file *fresh = first_used ? px_pages(PX_PAGE) : first;
        size_t n = first_used ? PX_PAGE / sizeof *fresh : FIRST_FILES;
        first_used = true;
        for (size_t i = 0; fresh != nullptr && i < n; i++) {
            fresh[i].next_free = free_files;
            free_files = &fresh[i];
        }
    }
    struct px_file *f = free_files;
    if (f != nullptr)
        free_files = f->next_free;
    vx_mutex_unlock(&table_lock);
    if (f == nullptr)
        return nullptr;
    memset(f, 0, sizeof *f);
    f->ops = ops;
    f->users = 1;
    f->flags = flags;
    return f;
}

void px_file_put(struct px_file *f)
{
    /* acq_rel: whoever ends it sees what all others did */
    if (atomic_fetch_sub_explicit(&f->users, 1, memory_order_acq_rel) != 1)
        return;
    if (f->ops->close != nullptr)
        f->ops->close(f);
    px_pages_free(f->path, PX_PAGE);
    vx_mutex_lock(&table_lock);
    f->next_free = free_files;
    free_files = f;
    vx_mutex_unlock(&table_lock);
}

struct px_file *px_fd_get(int fd)
{
    struct px_file *f = nullptr;
    if ((unsigned)fd >= PX_FD_MAX)
        return nullptr;
    vx_mutex_lock(&table_lock);
    f = table[fd];
    if (f != nullptr)
        atomic_fetch_add_explicit(&f->users, 1, memory_order_relaxed);
    vx_mutex_unlock(&table_lock);
    return f;
}

long px_fd_add(struct px_file *f, int from, bool cloexec)
{
    int fd = from;
    vx_mutex_lock(&table_lock);
    while (fd < PX_FD_MAX && table[fd] != nullptr)
        fd++;
    if (fd < PX_FD_MAX)
        put_locked(fd, f, cloexec);
    vx_mutex_unlock(&table_lock);
    if (fd < PX_FD_MAX)
        return fd;
    px_file_put(f);
    return -EMFILE;
}

long px_fd_add_pair(struct px_file *one, struct px_file *other, bool both_close, int out[static 2])
{
    long a = one == nullptr || other == nullptr ? -ENOMEM : px_fd_add(one, 0, both_close);
    if (a == -ENOMEM && one != nullptr)
        px_file_put(one);
    if (a < 0) {
        if (other != nullptr)
            px_file_put(other);
        return a;
    }
    long b = px_fd_add(other, 0, both_close);
    if (b < 0) {
        (void)px_fd_close((int)a);
        return b;
    }
    out[0] = (int)a;
    out[1] = (int)b;
    return 0;
}

static struct px_file *take_out(int fd)
{
    if ((unsigned)fd >= PX_FD_MAX)
        return nullptr;
    vx_mutex_lock(&table_lock);
    struct px_file *f = table[fd];
    table[fd] = nullptr;
    vx_mutex_unlock(&table_lock);
    return f;
}

long px_fd_close(int fd)
{
    struct px_file *f = take_out(fd);
    if (f == nullptr)
        return -EBADF;
    px_locks_closed(f);
    px_file_put(f);
    return 0;
}

void px_fd_set(int fd, struct px_file *f)
{
    put_locked(fd, f, false);
}

void px_fd_save(struct px_fd_state *to)
{
    vx_mutex_lock(&table_lock);
    memcpy(to->file, table, sizeof table);
    memcpy(to->close_on_exec, close_on_exec, sizeof close_on_exec);
    for (int fd = 0; fd < used; fd++)
        if (table[fd] != nullptr)
            atomic_fetch_add_explicit(&table[fd]->users, 1, memory_order_relaxed);
    vx_mutex_unlock(&table_lock);
}

void px_fd_restore(const struct px_fd_state *from)
{
    for (int fd = 0; fd < PX_FD_MAX; fd++) {
        vx_mutex_lock(&table_lock);
        struct px_file *now = table[fd];
        table[fd] = from->file[fd];
        close_on_exec[fd] = from->close_on_exec[fd];
        vx_mutex_unlock(&table_lock);
        if (now != nullptr)
            px_file_put(now);
    }
}

void px_fd_visit(void (*visit)(void *ctx, int fd, struct px_file *f, bool cloexec), void *ctx)
{
    for (int fd = 0; fd < used; fd++) { /* a descriptor that comes meanwhile may be seen or not */
        if (table[fd] == nullptr)
            continue;
        struct px_file *f = px_fd_get(fd);
        if (f == nullptr)
            continue;
        visit(ctx, fd, f, close_on_exec[fd] != 0);
        px_file_put(f);
    }
}

/* --- the calls --- */

long px_close(long fd)
{
    return px_fd_close((int)fd);
}

long px_close_range(long first, long last, long flags)
{
    if (flags != 0 || first > last || first < 0)
        return -EINVAL;
    for (long fd = first; fd <= last && fd < used; fd++)
        (void)px_fd_close((int)fd);
    return 0;
}

static long dup_from(int fd, int from, bool cloexec)
{
    struct px_file *f = px_fd_get(fd);
    return f == nullptr ? -EBADF : px_fd_add(f, from, cloexec);
}

long px_dup(long fd)
{
    return dup_from((int)fd, 0, false);
}

long px_dup3(long fd, long to, long flags)
{
    if (fd == to || (flags & ~O_CLOEXEC) != 0)
        return -EINVAL;
    if ((unsigned long)to >= PX_FD_MAX)
        return -EBADF;
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    vx_mutex_lock(&table_lock);
    struct px_file *before = table[to];
    put_locked((int)to, f, (flags & O_CLOEXEC) != 0);
    vx_mutex_unlock(&table_lock);
    if (before != nullptr) {
        px_locks_closed(before);
        px_file_put(before);
    }
    return to;
}

static long set_flags(struct px_file *f, int flags)
{
    constexpr int mine = O_APPEND | O_NONBLOCK;
    atomic_store_explicit(&f->flags, (f->flags & ~mine) | (flags & mine), memory_order_relaxed);
    return 0;
}

static long control(int fd, struct px_file *f, long command, long argument)
{
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return argument < 0 || argument >= PX_FD_MAX ? -EINVAL
                                                     : dup_from(fd, (int)argument, command == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return close_on_exec[fd] != 0 ? FD_CLOEXEC : 0;
    case F_SETFD:
        close_on_exec[fd] = (argument & FD_CLOEXEC) != 0;
        return 0;
    case F_GETFL:
        return f->flags;
    case F_SETFL:
        return set_flags(f, (int)argument);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return px_lock_control(f, command, (void *)argument);
    default:
        return -EINVAL;
    }
}

long px_fcntl(long fd, long command, long argument)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = control((int)fd, f, command, argument);
    px_file_put(f);
    return answer;
}

long px_ioctl(long fd, long request, long argument)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = -ENOTTY;
    switch ((unsigned long)request) {
    case FIONBIO:
        answer = set_flags(f, (f->flags & O_APPEND) | (*(const int *)argument != 0 ? O_NONBLOCK : 0));
        break;
    case FIOCLEX:
        close_on_exec[fd] = 1;
        answer = 0;
        break;
    case FIONCLEX:
        close_on_exec[fd] = 0;
        answer = 0;
        break;
    default:
        if (f->ops->control != nullptr)
            answer = f->ops->control(f, (unsigned long)request & 0xffffffff, (void *)argument);
    }
    px_file_put(f);
    return answer;
}
