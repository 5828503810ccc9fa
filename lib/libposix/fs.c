/* SPDX-License-Identifier: MIT
 * The way to vfsd: this process's connection, made at its first use, and files opened through it. What a file does
 * then is in file_fs.c, what is done with names in names.c. */
#define _GNU_SOURCE
#include "file.h"
#include "pipe.h"
#include <fcntl.h>
#include <sys/statfs.h>
#include <vectra/open.h>

static struct fs_client *_Atomic client;
static _Atomic bool given_none;

enum : uint64_t { RAMFS = 0x01021994, INITRD = 0x858458f6, FAT = 0x4d44, OTHER = 0x56465321, SECTOR = 512 };

/* Its memory too is there from the first use on: many programs never have one. */
[[gnu::noinline]] static struct fs_client *connect_first(void)
{
    static struct vx_mutex lock;
    static struct fs_client *spare;
    vx_mutex_lock(&lock);
    struct fs_client *c = atomic_load_explicit(&client, memory_order_relaxed);
    if (c == nullptr && !given_none) {
        if (spare == nullptr)
            spare = px_pages(sizeof *spare);
        status_t st = spare == nullptr ? ERR_NO_MEMORY : fs_connect(spare);
        if (st == OK) {
            c = spare;
            /* release: pairs with the acquire in px_fs, so the client is seen whole */
            atomic_store_explicit(&client, c, memory_order_release);
        } else if (st == ERR_NOT_FOUND) {
            atomic_store_explicit(&given_none, true, memory_order_relaxed);
        } else if (spare != nullptr) {
            memset(spare, 0, sizeof *spare); /* vfsd is away: the next call asks again */
        }
    }
    vx_mutex_unlock(&lock);
    return c;
}

struct fs_client *px_fs(void)
{
    struct fs_client *c = atomic_load_explicit(&client, memory_order_acquire);
    if (__builtin_expect(c != nullptr, 1))
        return c;
    return atomic_load_explicit(&given_none, memory_order_relaxed) ? nullptr : connect_first();
}

long px_fs_error(status_t st)
{
    switch (st) {
    case ERR_TABLE_FULL:
        return -ENFILE;
    case ERR_NOT_SUPPORTED:
        return -EOPNOTSUPP;
    case ERR_TOO_BIG:
        return -EFBIG;
    default:
        return px_error(st);
    }
}

/* --- what is told of files --- */

static struct timespec time_of(int64_t ns)
{
    constexpr int64_t second = 1'000'000'000;
    int64_t seconds = ns / second - (ns % second < 0);
    return (struct timespec){ .tv_sec = seconds, .tv_nsec = (long)(ns - seconds * second) };
}

void px_fs_fill_stat(struct stat *out, const struct vx_fs_attributes *a)
{
    memset(out, 0, sizeof *out);
    out->st_dev = a->volume;
    out->st_ino = a->object;
    out->st_mode = a->mode;
    out->st_nlink = a->links;
    out->st_uid = a->user;
    out->st_gid = a->group;
    out->st_rdev = a->device;
    out->st_size = (off_t)a->size;
    out->st_blksize = (blksize_t)(a->block_bytes != 0 ? a->block_bytes : PX_PAGE);
    out->st_blocks = (blkcnt_t)(a->allocated / SECTOR);
    out->st_atim = time_of(a->accessed_ns);
    out->st_mtim = time_of(a->modified_ns);
    out->st_ctim = time_of(a->changed_ns);
}

static uint64_t magic_of(const char *kind)
{
    return strcmp(kind, "ramfs") == 0        ? RAMFS
           : strncmp(kind, "initrd", 6) == 0 ? INITRD
           : strncmp(kind, "fat", 3) == 0    ? FAT
                                             : OTHER;
}

void px_fs_fill_space(struct statfs *out, const struct vx_fs_space *space)
{
    char kind[sizeof space->kind + 1] = {};
    memcpy(kind, space->kind, sizeof space->kind);
    memset(out, 0, sizeof *out);
    out->f_type = magic_of(kind);
    out->f_bsize = out->f_frsize = space->block_bytes;
    out->f_blocks = space->blocks;
    out->f_bfree = out->f_bavail = space->free_blocks;
    out->f_files = space->objects;
    out->f_ffree = space->free_objects;
    out->f_fsid.__val[0] = (int)space->volume;
    out->f_fsid.__val[1] = (int)(space->volume >> 32);
    out->f_namelen = space->name_max;
    out->f_flags = (space->flags & VX_FS_IS_READ_ONLY) != 0 ? 1 : 0; /* ST_RDONLY */
}

/* --- opening --- */

/* One user owns everything, so the owner's permissions are what counts. */
static bool permitted(const struct vx_fs_attributes *a, uint32_t access)
{
    return ((access & VX_FS_READ) == 0 || (a->mode & 0400) != 0) &&
           ((access & VX_FS_WRITE) == 0 || (a->mode & 0200) != 0);
}

static uint32_t access_of(int flags)
{
    if ((flags & O_PATH) == O_PATH)
        return VX_FS_READ;
    return (flags & O_ACCMODE) == O_RDONLY   ? VX_FS_READ
           : (flags & O_ACCMODE) == O_WRONLY ? VX_FS_WRITE
                                             : VX_FS_READ | VX_FS_WRITE;
}

/* Its own copy, a page long; false without memory. */
static bool keep_path(struct px_file *f, const char *path)
{
    f->path = px_pages(PX_PAGE);
    if (f->path != nullptr)
        memcpy(f->path, path, strlen(path) + 1);
    return f->path != nullptr;
}

long px_fs_open(struct fs_client *c, const char *path, int flags, unsigned mode, struct px_file **out)
{
    struct vx_fs_attributes a = {};
    uint32_t how = ((flags & O_CREAT) != 0 ? VX_VFS_CREATE : 0) | ((flags & O_EXCL) != 0 ? VX_VFS_EXCLUSIVE : 0) |
                   ((flags & O_DIRECTORY) != 0 ? VX_VFS_DIRECTORY : 0) |
                   ((flags & O_NOFOLLOW) != 0 ? VX_VFS_NO_FOLLOW : 0);
    if ((flags & O_TMPFILE & ~O_DIRECTORY) != 0)
        return -EOPNOTSUPP;
    if ((flags & O_CREAT) != 0 && (flags & O_DIRECTORY) != 0)
        return -EINVAL;
    bool fresh = false, by_path = (flags & O_PATH) == O_PATH;
    uint32_t access = access_of(flags);
    constexpr int passing = O_CLOEXEC | O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW | O_VECTRA_LATER;
    struct px_file *f = px_fs_adopt(nullptr, false, flags & ~passing, VX_NO_MEM);
    if (f == nullptr)
        return -ENFILE;
    status_t st = fs_open(c, path, by_path ? how & ~(uint32_t)(VX_VFS_CREATE | VX_VFS_EXCLUSIVE) : how, access,
                          px_masked(mode) & VX_FS_PERMISSIONS, &f->fs.file, &a, &fresh);
    long answer = st == ERR_NOT_SUPPORTED ? -ENXIO : px_fs_error(st); /* a socket, or a FIFO that has no room there */
    if (st == OK) {
        px_fs_opened(f, S_ISDIR(a.mode));
        if (!fresh && !by_path && !permitted(&a, access))
            answer = -EACCES;
        else if (S_ISDIR(a.mode) && !keep_path(f, path))
            answer = -ENOMEM;
        else if (!fresh && !by_path && (flags & O_TRUNC) != 0 && S_ISREG(a.mode))
            answer =
                px_fs_error((access & VX_FS_WRITE) != 0 ? fs_truncate(&f->fs.file, 0)
                                                        : fs_change(c, path, how & VX_VFS_NO_FOLLOW,
                                                                    &(struct vx_fs_change){ .mask = VX_FS_SET_SIZE }));
    }
    if (answer == 0 && S_ISFIFO(a.mode) && !by_path) {
        struct stat found;
        px_fs_fill_stat(&found, &a);
        return px_fifo_open(f, flags, &found, out);
    }
    /* a device that is made here, by another name */
    bool ours = answer == 0 && S_ISCHR(a.mode) && !by_path && px_device_open_number(a.device, flags, out) == 0;
    if (answer != 0 || ours)
        px_file_put(f);
    else
        *out = f;
    return answer;
}
