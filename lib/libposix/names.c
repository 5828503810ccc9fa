/* SPDX-License-Identifier: MIT
 * What is done with names: making, removing, renaming, linking. Without a connection to vfsd there is the initial RAM
 * disk, of which nothing can be changed. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

/* Linux's values; the C library does not declare them. */
enum : long { NO_REPLACE = 1, EXCHANGE = 2 };

/* A name to be made or removed. */
struct name {
    char path[PATH_MAX];
    bool slash;           /* a slash, "." or ".." is at the end of what was said */
    size_t dots;          /* it ends with this many dots */
    struct fs_client *fs; /* nullptr: there is only the RAM disk */
};

static long look_at(struct name *n, long at, long text)
{
    long answer = px_path((int)at, (const char *)text, n->path);
    if (answer != 0)
        return answer;
    n->slash = px_path_wants_directory((const char *)text);
    n->dots = px_path_ends_in_dots((const char *)text);
    n->fs = px_fs();
    return 0;
}

static bool is_root(const struct name *n)
{
    return n->path[0] == '/' && n->path[1] == '\0';
}

/* Of the RAM disk: EROFS for what is there, or for what is not but would be made. */
static long read_only(const struct name *n, bool makes)
{
    struct stat found;
    long answer = px_stat_path_as(n->path, AT_SYMLINK_NOFOLLOW, &found);
    if (makes)
        return answer == 0 ? -EEXIST : answer == -ENOENT ? -EROFS : answer;
    return answer == 0 ? -EROFS : answer;
}

/* What a slash at the end demands of a name that is no directory, and whether it is there at all. */
static long must_be_directory(const struct name *n)
{
    struct vx_fs_attributes a;
    status_t st = fs_stat(n->fs, n->path, 0, &a);
    return st != OK ? px_fs_error(st) : S_ISDIR(a.mode) ? 0 : -ENOTDIR;
}

/* File systems without such objects say NOT_SUPPORTED, which is EPERM for whoever makes them. */
static long made(status_t st)
{
    return st == ERR_NOT_SUPPORTED ? -EPERM : px_fs_error(st);
}

long px_mkdirat(long at, long text, long mode)
{
    struct name n;
    long answer = look_at(&n, at, text);
    if (answer != 0)
        return answer;
    if (n.fs == nullptr)
        return read_only(&n, true);
    if (n.dots != 0) { /* it is there, or cannot be made */
        answer = must_be_directory(&n);
        return answer == 0 ? -EEXIST : answer;
    }
    return made(fs_mkdir(n.fs, n.path, px_masked((unsigned)mode) & 01777));
}

long px_symlinkat(long target, long at, long text)
{
    struct name n;
    const char *to = (const char *)target;
    if (to[0] == '\0')
        return -ENOENT;
    if (strlen(to) > VX_FS_PATH_MAX)
        return -ENAMETOOLONG;
    long answer = look_at(&n, at, text);
    if (answer != 0)
        return answer;
    if (n.fs == nullptr)
        return read_only(&n, true);
    if (n.slash)
        return must_be_directory(&n) == 0 ? -EEXIST : -ENOENT;
    return made(fs_symlink(n.fs, n.path, to));
}

/* A regular file or a FIFO. Devices belong to drivers, and sockets to who binds them. */
long px_mknodat(long at, long text, long mode, long device)
{
    struct name n;
    struct px_file *f = nullptr;
    (void)device;
    long answer = look_at(&n, at, text);
    if (answer != 0)
        return answer;
    if (n.fs == nullptr)
        return read_only(&n, true);
    switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
    case S_IFIFO:
        break;
    case S_IFCHR:
    case S_IFBLK:
    case S_IFSOCK:
        return -EPERM;
    default:
        return -EINVAL;
    }
    if (n.slash)
        return must_be_directory(&n) == 0 ? -EEXIST : -ENOENT;
    if ((mode & S_IFMT) == S_IFIFO)
        return made(fs_mknod(n.fs, n.path, VX_FS_FIFO | (px_masked((unsigned)mode) & VX_FS_PERMISSIONS), 0));
    answer = px_fs_open(n.fs, n.path, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW, (unsigned)mode, &f);
    if (answer == 0)
        px_file_put(f);
    return answer;
}

long px_unlinkat(long at, long text, long flags)
{
    struct name n;
    if ((flags & ~AT_REMOVEDIR) != 0)
        return -EINVAL;
    bool directory = (flags & AT_REMOVEDIR) != 0;
    long answer = look_at(&n, at, text);
    if (answer != 0)
        return answer;
    if (directory && n.dots == 1)
        return -EINVAL;
    if (n.fs == nullptr)
        return read_only(&n, false);
    if (directory && n.dots == 2)
        return -ENOTEMPTY;
    if (directory && is_root(&n))
        return -EBUSY;
    if (!directory && n.slash) {
        answer = must_be_directory(&n);
        return answer == 0 ? -EISDIR : answer;
    }
    return px_fs_error(fs_unlink(n.fs, n.path, directory ? VX_VFS_DIRECTORY : 0));
}

long px_linkat(long at, long text, long to_at, long to, long flags)
{
    struct name n, new_name;
    if ((flags & ~AT_SYMLINK_FOLLOW) != 0)
        return -EINVAL;
    long answer = look_at(&n, at, text);
    if (answer == 0)
        answer = look_at(&new_name, to_at, to);
    if (answer != 0)
        return answer;
    if (n.fs == nullptr)
        return read_only(&n, false);
    if (n.slash && (answer = must_be_directory(&n)) != 0)
        return answer;
    if (new_name.slash)
        return must_be_directory(&new_name) == 0 ? -EEXIST : -ENOENT;
    status_t st = fs_link(n.fs, n.path, new_name.path, (flags & AT_SYMLINK_FOLLOW) != 0 ? VX_VFS_FOLLOW : 0);
    if (st == ERR_NO_RIGHTS && must_be_directory(&n) == 0)
        return -EPERM;
    return made(st);
}

long px_renameat2(long at, long text, long to_at, long to, long flags)
{
    struct name n, new_name;
    if ((flags & ~(NO_REPLACE | EXCHANGE)) != 0 || flags == (NO_REPLACE | EXCHANGE))
        return -EINVAL;
    long answer = look_at(&n, at, text);
    if (answer == 0)
        answer = look_at(&new_name, to_at, to);
    if (answer != 0)
        return answer;
    if (n.fs == nullptr)
        return read_only(&n, false);
    if (n.dots != 0 || new_name.dots != 0)
        return -EINVAL;
    if (is_root(&n) || is_root(&new_name))
        return -EBUSY;
    if ((n.slash || new_name.slash) && (answer = must_be_directory(&n)) != 0)
        return answer;
    return px_fs_error(fs_rename(n.fs, n.path, new_name.path,
                                 (flags & NO_REPLACE) != 0 ? VX_VFS_NO_REPLACE
                                 : (flags & EXCHANGE) != 0 ? VX_VFS_EXCHANGE
                                                           : 0));
}

long px_renameat(long at, long text, long to_at, long to)
{
    return px_renameat2(at, text, to_at, to, 0);
}

long px_readlinkat(long at, long text, long to, long bytes)
{
    struct name n;
    struct stat found;
    size_t len = 0;
    long answer = bytes <= 0 ? -EINVAL : look_at(&n, at, text);
    if (answer != 0)
        return answer;
    if (px_in_proc(n.path) && (answer = px_proc_self_readlink(n.path, (char *)to, (size_t)bytes)) != -ENOENT)
        return answer > bytes ? bytes : answer;
    if (px_device_stat(n.path, &found) == 0)
        return -EINVAL;
    if (n.fs == nullptr) {
        answer = px_rom_readlink(n.path, (char *)to, (size_t)bytes);
        return answer > bytes ? bytes : answer;
    }
    if (n.slash) {
        answer = must_be_directory(&n);
        return answer == 0 ? -EINVAL : answer;
    }
    status_t st = fs_readlink(n.fs, n.path, (char *)to, (size_t)bytes, &len);
    return st != OK ? px_fs_error(st) : len < (size_t)bytes ? (long)len : bytes;
}
