/* SPDX-License-Identifier: MIT
 * What open files and directories of file systems do. The bytes go straight to the file system (fs/client.h); here are
 * positions.
 *
 *  1. A position is one word, of this process or shared with others. Inside the process the file's lock keeps transfers
 *     apart; between processes the word alone does, changed by exchanges only, since whoever shares it may die at any
 *     moment. A read takes the bytes that it moved over; a write takes its place before it writes.
 *  2. A file that was inherited is opened by its first use (`ready`): a program that does not use it pays nothing.
 *  3. A directory's position: 0 ".", 1 "..", and behind those the file system's cookie and 2. */
#define _GNU_SOURCE
#include "file.h"
#include "listing.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/statfs.h>
#include <unistd.h>

enum : uint64_t { FIRST_COOKIE = 2 };
static const struct px_ops file_ops, directory_ops;

/* --- life --- */

static long ready_slowly(struct px_file *f)
{
    long answer = 0;
    vx_mutex_lock(&f->lock);
    if (!f->fs.open) {
        struct fs_client *c = px_fs();
        struct vx_vfs_handle given = f->fs.file.handle;
        answer = c == nullptr ? -EIO : px_fs_error(fs_take(c, &given, &f->fs.file, nullptr));
        if (answer != 0)
            f->fs.file.handle = given;
        else
            atomic_store_explicit(&f->fs.open, true, memory_order_release);
    }
    vx_mutex_unlock(&f->lock);
    return answer;
}

static inline long ready(struct px_file *f)
{
    /* acquire: pairs with the release where it was opened */
    return __builtin_expect(atomic_load_explicit(&f->fs.open, memory_order_acquire), 1) ? 0 : ready_slowly(f);
}

struct fs_file *px_fs_file(struct px_file *f, long *error)
{
    *error = ready(f);
    return *error == 0 ? &f->fs.file : nullptr;
}

struct px_file *px_fs_adopt(const struct vx_vfs_handle *given, bool directory, int flags, vx_mem page)
{
    struct px_file *f = px_file_new(directory ? &directory_ops : &file_ops, flags);
    if (f == nullptr)
        return nullptr;
    f->fs.position = &f->fs.own;
    if (given != nullptr)
        f->fs.file.handle = *given;
    void *at = nullptr;
    if (page.raw != VX_HANDLE_NONE && vx_sys_mem_map(page, 0, PX_PAGE, 0, VX_PROT_READ | VX_PROT_WRITE, &at) == OK) {
        f->fs.page = page;
        f->fs.position = at;
    }
    return f;
}

void px_fs_opened(struct px_file *f, bool directory)
{
    f->ops = directory ? &directory_ops : &file_ops;
    atomic_store_explicit(&f->fs.open, true, memory_order_release);
}

vx_mem px_fs_share_position(struct px_file *f)
{
    vx_mutex_lock(&f->lock);
    if (f->fs.page.raw == VX_HANDLE_NONE) {
        vx_mem page = {};
        void *at = nullptr;
        if (vx_sys_mem_alloc(VX_OWN_RETICLE, PX_PAGE, VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE, 0,
                             &page, &at) == OK) {
            f->fs.page = page;
            f->fs.position = at;
            atomic_store_explicit(f->fs.position, f->fs.own, memory_order_relaxed);
        }
    }
    vx_mutex_unlock(&f->lock);
    return f->fs.page;
}

static void file_close(struct px_file *f)
{
    if (f->fs.open) {
        px_locks_file_closed(f);
        fs_close(&f->fs.file);
    }
    if (f->fs.page.raw != VX_HANDLE_NONE)
        (void)vx_sys_mem_free(f->fs.page, 0, 0);
}

/* --- bytes --- */

/* How much of `bytes` from `at` on lies before the largest position. */
static size_t up_to_the_end(int64_t at, size_t bytes)
{
    uint64_t room = (uint64_t)(INT64_MAX - at);
    return bytes < room ? bytes : room;
}

static long moved(status_t st, size_t done)
{
    return done != 0 || st == OK ? (long)done : px_fs_error(st);
}

static long file_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    size_t done = 0;
    long answer = ready(f);
    if (answer != 0 || bytes == 0)
        return answer;
    if (at >= 0)
        return moved(fs_read(&f->fs.file, (uint64_t)at, to, up_to_the_end(at, bytes), &done), done);
    vx_mutex_lock(&f->lock);
    int64_t from = atomic_load_explicit(f->fs.position, memory_order_relaxed);
    status_t st;
    do /* again from where another process left off meanwhile */
        st = fs_read(&f->fs.file, (uint64_t)from, to, up_to_the_end(from, bytes), &done);
    while (done != 0 && !atomic_compare_exchange_strong_explicit(f->fs.position, &from, from + (int64_t)done,
                                                                 memory_order_relaxed, memory_order_relaxed));
    vx_mutex_unlock(&f->lock);
    return moved(st, done);
}

static long write_at_position(struct px_file *f, const void *from, size_t bytes)
{
    size_t done = 0;
    int64_t at = atomic_load_explicit(f->fs.position, memory_order_relaxed), end;
    do {
        if (at == INT64_MAX)
            return -EFBIG;
        bytes = up_to_the_end(at, bytes);
        end = at + (int64_t)bytes;
    } while (
        !atomic_compare_exchange_weak_explicit(f->fs.position, &at, end, memory_order_relaxed, memory_order_relaxed));
    status_t st = fs_write(&f->fs.file, (uint64_t)at, from, bytes, &done);
    if (done < bytes) /* what was not written is given back, if nobody has gone on from there */
        (void)atomic_compare_exchange_strong_explicit(f->fs.position, &end, at + (int64_t)done, memory_order_relaxed,
                                                      memory_order_relaxed);
    return moved(st, done);
}

static long append(struct px_file *f, const void *from, size_t bytes)
{
    size_t done = 0;
    uint64_t at = 0;
    status_t st = fs_append(&f->fs.file, from, bytes, &at, &done);
    if (done != 0)
        atomic_store_explicit(f->fs.position, (int64_t)(at + done), memory_order_relaxed);
    return moved(st, done);
}

static long file_write(struct px_file *f, const void *from, size_t bytes, int64_t at)
{
    size_t done = 0;
    long answer = ready(f);
    int flags = atomic_load_explicit(&f->flags, memory_order_relaxed);
    if (answer != 0 || bytes == 0)
        return answer;
    if (at >= 0) {
        size_t fits = up_to_the_end(at, bytes);
        answer = fits == 0 ? -EFBIG : moved(fs_write(&f->fs.file, (uint64_t)at, from, fits, &done), done);
    } else {
        vx_mutex_lock(&f->lock);
        answer = (flags & O_APPEND) != 0 ? append(f, from, bytes) : write_at_position(f, from, bytes);
        vx_mutex_unlock(&f->lock);
    }
    if (answer > 0 && (flags & O_DSYNC) != 0) {
        status_t st = fs_sync(&f->fs.file, (flags & O_SYNC) == O_SYNC ? 0 : VX_FS_DATA_ONLY);
        if (st != OK)
            return px_fs_error(st);
    }
    return answer;
}

/* From the position, the end, or what the file system says. */
static long target_of(struct px_file *f, int64_t offset, int whence, int64_t now, int64_t *to)
{
    struct vx_fs_attributes a = {};
    uint64_t found = 0;
    status_t st = OK;
    int64_t base = 0;
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = now;
        break;
    case SEEK_END:
        st = fs_getattr(&f->fs.file, &a);
        base = (int64_t)a.size;
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        if (offset < 0)
            return -ENXIO;
        st = fs_seek(&f->fs.file, (uint64_t)offset, whence == SEEK_HOLE, &found);
        *to = (int64_t)found;
        return st == ERR_NOT_FOUND ? -ENXIO : px_fs_error(st);
    default:
        return -EINVAL;
    }
    if (st != OK)
        return px_fs_error(st);
    if (__builtin_add_overflow(base, offset, to))
        return -EOVERFLOW;
    return *to < 0 ? -EINVAL : 0;
}

static long file_seek(struct px_file *f, int64_t offset, int whence)
{
    int64_t to = 0;
    long answer = ready(f);
    if (answer != 0)
        return answer;
    vx_mutex_lock(&f->lock);
    int64_t now = atomic_load_explicit(f->fs.position, memory_order_relaxed);
    do
        answer = target_of(f, offset, whence, now, &to);
    while (answer == 0 && !atomic_compare_exchange_strong_explicit(f->fs.position, &now, to, memory_order_relaxed,
                                                                   memory_order_relaxed));
    vx_mutex_unlock(&f->lock);
    return answer != 0 ? answer : to;
}

static long file_stat(struct px_file *f, struct stat *out)
{
    struct vx_fs_attributes a = {};
    long answer = ready(f);
    if (answer == 0)
        answer = px_fs_error(fs_getattr(&f->fs.file, &a));
    if (answer == 0)
        px_fs_fill_stat(out, &a);
    return answer;
}

/* A file never makes anybody wait. */
static unsigned file_poll(struct px_file *f, bool sleep)
{
    (void)f, (void)sleep;
    return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
}

static long file_sync(struct px_file *f, bool data_only)
{
    long answer = ready(f);
    return answer != 0 ? answer : px_fs_error(fs_sync(&f->fs.file, data_only ? VX_FS_DATA_ONLY : 0));
}

static long file_truncate(struct px_file *f, int64_t bytes)
{
    long answer = ready(f);
    return answer != 0 ? answer : px_fs_error(fs_truncate(&f->fs.file, (uint64_t)bytes));
}

static long file_allocate(struct px_file *f, int mode, int64_t at, int64_t bytes)
{
    uint32_t flags = ((mode & FALLOC_FL_KEEP_SIZE) != 0 ? VX_FS_KEEP_SIZE : 0) |
                     ((mode & FALLOC_FL_PUNCH_HOLE) != 0 ? VX_FS_PUNCH : 0);
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) != 0 || mode == FALLOC_FL_PUNCH_HOLE)
        return -EOPNOTSUPP;
    long answer = ready(f);
    return answer != 0 ? answer : px_fs_error(fs_allocate(&f->fs.file, (uint64_t)at, (uint64_t)bytes, flags));
}

static long file_change(struct px_file *f, const struct vx_fs_change *change)
{
    long answer = ready(f);
    if (answer != 0)
        return answer;
    status_t st = fs_setattr(&f->fs.file, change);
    return st == ERR_NO_RIGHTS ? -EROFS : px_fs_error(st); /* it was opened by a read-only way */
}

/* The mount is known by its number; what it is asked by is its path. */
static long mount_of(struct px_file *f, char *path, size_t room)
{
    struct vx_vfs_mounted m = {};
    char source[VX_FS_NAME_MAX + 1];
    uint32_t index = 0;
    struct fs_client *c = px_fs();
    if (c == nullptr)
        return -EIO;
    for (;;) {
        status_t st = fs_mounts(c, &index, &m, source, path, room);
        if (st != OK)
            return st == ERR_NOT_FOUND ? -ESTALE : px_fs_error(st);
        if (m.mount == f->fs.file.handle.mount)
            return 0;
    }
}

static long file_space(struct px_file *f, struct statfs *out)
{
    char path[VX_FS_PATH_MAX + 1];
    struct vx_fs_space space = {};
    long answer = ready(f);
    if (answer == 0)
        answer = mount_of(f, path, sizeof path);
    if (answer == 0)
        answer = px_fs_error(fs_statfs(px_fs(), path, &space));
    if (answer == 0)
        px_fs_fill_space(out, &space);
    return answer;
}

long px_fs_sync_mount(struct px_file *f)
{
    char path[VX_FS_PATH_MAX + 1];
    long answer = ready(f);
    if (answer == 0)
        answer = mount_of(f, path, sizeof path);
    return answer != 0 ? answer : px_fs_error(fs_sync_all(px_fs(), path));
}

static const struct px_ops file_ops = { .kind = 'F',
                                        .read = file_read,
                                        .write = file_write,
                                        .seek = file_seek,
                                        .stat = file_stat,
                                        .poll = file_poll,
                                        .sync = file_sync,
                                        .truncate = file_truncate,
                                        .allocate = file_allocate,
                                        .change = file_change,
                                        .space = file_space,
                                        .close = file_close };

/* --- directories --- */

static_assert(offsetof(struct vx_fs_entry, name) >= offsetof(struct dirent, d_name));

/* The file system's entries at `to` become directory entries where they lie, which are no longer than those were. */
static size_t convert(char *to, size_t bytes, int64_t *position)
{
    size_t used = 0;
    for (size_t at = 0; bytes - at >= sizeof(struct vx_fs_entry);) {
        struct vx_fs_entry e;
        memcpy(&e, to + at, sizeof e);
        if (e.bytes < offsetof(struct vx_fs_entry, name) + e.name_bytes || e.bytes > bytes - at)
            break; /* no entry: whoever wrote it is not to be trusted with the rest */
        const char *name = to + at + offsetof(struct vx_fs_entry, name);
        at += e.bytes;
        *position = (int64_t)(e.cookie + FIRST_COOKIE);
        used += px_listing_put(to + used, at - used, e.object, *position, e.type, name, e.name_bytes);
    }
    return used;
}

static long directory_list(struct px_file *f, void *to, size_t bytes)
{
    struct vx_fs_attributes a = {};
    size_t used = 0, got = 0;
    long answer = ready(f);
    if (answer != 0)
        return answer;
    vx_mutex_lock(&f->lock);
    int64_t position = atomic_load_explicit(f->fs.position, memory_order_relaxed);
    for (; position < (int64_t)FIRST_COOKIE; position++) {
        if (a.object == 0)
            (void)fs_getattr(&f->fs.file, &a);
        size_t n =
            px_listing_put((char *)to + used, bytes - used, a.object, position + 1, DT_DIR, "..", (size_t)position + 1);
        if (n == 0)
            break;
        used += n;
    }
    status_t st = OK;
    if (position >= (int64_t)FIRST_COOKIE)
        st = fs_list(&f->fs.file, (uint64_t)position - FIRST_COOKIE, (char *)to + used, (bytes - used) & ~(size_t)7,
                     &got);
    else if (used == 0)
        st = ERR_TOO_BIG;
    if (st == OK)
        used += convert((char *)to + used, got, &position);
    answer = used != 0 || st == OK ? (long)used : st == ERR_TOO_BIG ? -EINVAL : px_fs_error(st);
    if (answer > 0)
        atomic_store_explicit(f->fs.position, position, memory_order_relaxed);
    vx_mutex_unlock(&f->lock);
    return answer;
}

static long directory_seek(struct px_file *f, int64_t offset, int whence)
{
    vx_mutex_lock(&f->lock);
    int64_t now = atomic_load_explicit(f->fs.position, memory_order_relaxed), to = offset;
    if ((whence != SEEK_SET && whence != SEEK_CUR) || (whence == SEEK_CUR && __builtin_add_overflow(now, offset, &to)))
        to = -1;
    if (to >= 0)
        atomic_store_explicit(f->fs.position, to, memory_order_relaxed);
    vx_mutex_unlock(&f->lock);
    return to >= 0 ? to : -EINVAL;
}

static const struct px_ops directory_ops = { .kind = 'D',
                                             .seek = directory_seek,
                                             .stat = file_stat,
                                             .list = directory_list,
                                             .poll = file_poll,
                                             .sync = file_sync,
                                             .change = file_change,
                                             .space = file_space,
                                             .close = file_close };
