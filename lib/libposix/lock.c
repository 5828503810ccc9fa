/* SPDX-License-Identifier: MIT
 * Locks of files: fcntl's of processes and of open files, and flock. The file system keeps them, and lets go of all
 * that a process held when it ends.
 *
 *  1. An owner is a number within this process's session: PROCESS for F_SETLK, a number of its own for each open file
 * (F_OFD_SETLK, flock). A child has a session of its own, so a lock of an open file does not follow into a child that
 *     inherits it: it stays the parent's.
 *  2. flock locks one byte behind all that a position can name, so the two kinds do not meet.
 *  3. Closing any descriptor of a file ends what PROCESS holds of that file, as POSIX has it. */
#define _GNU_SOURCE
#include "file.h"
#include "signal.h"
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

extern uint32_t px_pid;

enum : uint64_t { PROCESS = 1, OPEN_FILES = 2, WHOLE_FILE = UINT64_C(1) << 63 };

static _Atomic bool process_has_locked;

static uint64_t owner_of(struct px_file *f)
{
    return OPEN_FILES + (uintptr_t)f;
}

static long lock_range(struct px_file *f, struct vx_fs_lock *lock, bool wait, bool test)
{
    long error = 0;
    struct fs_file *file = px_fs_file(f, &error);
    if (file == nullptr)
        return error;
    lock->pid = px_pid;
    if (lock->owner != PROCESS && !test)
        f->fs.has_locked = true;
    status_t st = PX_WAIT(fs_lock(file, lock, wait ? VX_FS_WAIT : test ? VX_FS_TEST : 0, wait ? VX_FOREVER : 0));
    return st == ERR_NO_SPACE || st == ERR_TABLE_FULL || st == ERR_NO_MEMORY ? -ENOLCK : px_fs_error(st);
}

/* A range as fcntl says it: from the start, the position or the end, and with a length that may be negative or 0. */
static long range_of(struct px_file *f, const struct flock *l, struct vx_fs_lock *out)
{
    struct stat s;
    int64_t base = 0, begin, end;
    if (l->l_whence == SEEK_CUR) {
        base = f->ops->seek(f, 0, SEEK_CUR);
    } else if (l->l_whence == SEEK_END) {
        long answer = f->ops->stat(f, &s);
        if (answer != 0)
            return answer;
        base = s.st_size;
    } else if (l->l_whence != SEEK_SET) {
        return -EINVAL;
    }
    if (base < 0)
        return base;
    if (__builtin_add_overflow(base, l->l_start, &begin))
        return -EOVERFLOW;
    if (l->l_len == 0) {
        end = INT64_MAX;
    } else if (__builtin_add_overflow(begin, l->l_len, &end)) {
        return -EOVERFLOW;
    } else if (l->l_len < 0) {
        int64_t low = end;
        end = begin;
        begin = low;
    }
    if (begin < 0)
        return -EINVAL;
    out->offset = (uint64_t)begin;
    out->length = l->l_len == 0 ? WHOLE_FILE - (uint64_t)begin : (uint64_t)(end - begin);
    return 0;
}

static long set_lock(struct px_file *f, const struct flock *l, uint64_t owner, bool wait)
{
    struct vx_fs_lock lock = { .owner = owner };
    int mode = f->flags & O_ACCMODE;
    if (l->l_type != F_RDLCK && l->l_type != F_WRLCK && l->l_type != F_UNLCK)
        return -EINVAL;
    lock.kind = l->l_type == F_UNLCK ? VX_FS_UNLOCK : l->l_type == F_RDLCK ? VX_FS_LOCK_SHARED : VX_FS_LOCK_EXCLUSIVE;
    if ((l->l_type == F_RDLCK && mode == O_WRONLY) || (l->l_type == F_WRLCK && mode == O_RDONLY))
        return -EBADF;
    long answer = range_of(f, l, &lock);
    if (answer != 0)
        return answer;
    if (owner == PROCESS && l->l_type != F_UNLCK)
        atomic_store_explicit(&process_has_locked, true, memory_order_relaxed);
    return lock_range(f, &lock, wait && l->l_type != F_UNLCK, false);
}

static long get_lock(struct px_file *f, struct flock *l, uint64_t owner)
{
    struct vx_fs_lock lock = { .owner = owner };
    if (l->l_type != F_RDLCK && l->l_type != F_WRLCK)
        return -EINVAL;
    lock.kind = l->l_type == F_RDLCK ? VX_FS_LOCK_SHARED : VX_FS_LOCK_EXCLUSIVE;
    long answer = range_of(f, l, &lock);
    if (answer == 0)
        answer = lock_range(f, &lock, false, true);
    if (answer != 0)
        return answer;
    if (lock.kind == VX_FS_UNLOCK) {
        l->l_type = F_UNLCK;
        return 0;
    }
    l->l_type = lock.kind == VX_FS_LOCK_SHARED ? F_RDLCK : F_WRLCK;
    l->l_whence = SEEK_SET;
    l->l_start = (off_t)lock.offset;
    l->l_len = lock.length == 0 || lock.offset + lock.length >= WHOLE_FILE ? 0 : (off_t)lock.length;
    l->l_pid = lock.owner >= OPEN_FILES ? -1 : (pid_t)lock.pid;
    return 0;
}

long px_lock_control(struct px_file *f, long command, void *argument)
{
    struct flock *l = argument;
    bool open_file = command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
    if ((f->flags & O_PATH) != 0)
        return -EBADF;
    if (open_file && l->l_pid != 0)
        return -EINVAL;
    if (f->ops->kind != 'F') {
        /* Of pipes and terminals none; the initial RAM disk never changes, so a lock of it keeps nobody out. */
        if (f->ops->kind != 'f')
            return -EINVAL;
        if (command == F_GETLK || command == F_OFD_GETLK)
            l->l_type = F_UNLCK;
        return 0;
    }
    uint64_t owner = open_file ? owner_of(f) : PROCESS;
    switch (command) {
    case F_GETLK:
    case F_OFD_GETLK:
        return get_lock(f, l, owner);
    default:
        return set_lock(f, l, owner, command == F_SETLKW || command == F_OFD_SETLKW);
    }
}

void px_locks_closed(struct px_file *f)
{
    long error = 0;
    if (f->ops->kind != 'F' || !atomic_load_explicit(&process_has_locked, memory_order_relaxed) || !f->fs.open)
        return;
    struct fs_file *file = px_fs_file(f, &error);
    struct vx_fs_lock all = { .owner = PROCESS, .length = WHOLE_FILE, .kind = VX_FS_UNLOCK };
    if (file != nullptr)
        (void)fs_lock(file, &all, 0, VX_FOREVER);
}

void px_locks_file_closed(struct px_file *f)
{
    if (f->fs.has_locked)
        (void)fs_unlock_all(&f->fs.file, owner_of(f));
}

long px_flock(long fd, long operation)
{
    struct vx_fs_lock lock = { .offset = WHOLE_FILE, .length = 1 };
    bool wait = (operation & LOCK_NB) == 0;
    switch (operation & ~LOCK_NB) {
    case LOCK_SH:
        lock.kind = VX_FS_LOCK_SHARED;
        break;
    case LOCK_EX:
        lock.kind = VX_FS_LOCK_EXCLUSIVE;
        break;
    case LOCK_UN:
        lock.kind = VX_FS_UNLOCK;
        wait = false;
        break;
    default:
        return -EINVAL;
    }
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    lock.owner = owner_of(f);
    long answer = (f->flags & O_PATH) != 0 ? -EBADF : px_is_fs(f) ? lock_range(f, &lock, wait, false) : 0;
    px_file_put(f);
    return answer;
}
