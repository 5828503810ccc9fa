/* SPDX-License-Identifier: MIT
 * Paths: from what a program says to an absolute clean path, and from there to a file. There is one tree: the initial
 * RAM disk of the Bundle, read-only, with /dev in it. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/statfs.h>
#include <unistd.h>

static_assert(sizeof px_cwd >= PATH_MAX);
char px_cwd[4096] = "/";
static struct vx_mutex cwd_lock;

void px_cwd_copy(char *out)
{
    vx_mutex_lock(&cwd_lock);
    memcpy(out, px_cwd, strlen(px_cwd) + 1);
    vx_mutex_unlock(&cwd_lock);
}

/* Appends the components of `path` to `out`, which is clean. */
static long append(char *out, const char *path)
{
    size_t len = strlen(out);
    if (len == 1)
        len = 0; /* "/" */
    while (*path != '\0') {
        const char *end = path;
        while (*end != '\0' && *end != '/')
            end++;
        size_t n = (size_t)(end - path);
        if (n > NAME_MAX)
            return -ENAMETOOLONG;
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            while (len > 0 && out[len - 1] != '/')
                len--;
            len -= len > 0;
        } else if (n != 0 && !(n == 1 && path[0] == '.')) {
            if (len + 1 + n >= PATH_MAX)
                return -ENAMETOOLONG;
            out[len++] = '/';
            memcpy(out + len, path, n);
            len += n;
        }
        path = *end == '\0' ? end : end + 1;
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
    return 0;
}

long px_path(int at, const char *path, char *out)
{
    long answer = 0;
    if (path == nullptr)
        return -EFAULT;
    if (path[0] == '\0')
        return -ENOENT;
    out[0] = '/';
    out[1] = '\0';
    if (path[0] != '/' && at == AT_FDCWD) {
        px_cwd_copy(out);
    } else if (path[0] != '/') {
        struct px_file *f = px_fd_get(at);
        if (f == nullptr)
            return -EBADF;
        if (f->path != nullptr)
            memcpy(out, f->path, strlen(f->path) + 1);
        else
            answer = -ENOTDIR;
        px_file_put(f);
    }
    /* A slash at the end asks for a directory, which whoever opens the path finds out by "/." being clean. */
    return answer != 0 ? answer : append(out, path);
}

static bool wants_directory(const char *path)
{
    size_t len = strlen(path);
    return len != 0 && (path[len - 1] == '/' || (path[len - 1] == '.' && (len == 1 || path[len - 2] == '/')));
}

long px_open_path(const char *path, int flags, struct px_file **out)
{
    long answer = px_device_open(path, flags, out);
    return answer != -ENOENT ? answer : px_rom_open(path, flags, out);
}

long px_stat_path(const char *path, struct stat *out)
{
    long answer = px_device_stat(path, out);
    return answer != -ENOENT ? answer : px_rom_stat(path, out);
}

/* --- the calls --- */

long px_openat(long at, long name, long flags, long mode)
{
    char path[PATH_MAX];
    struct px_file *f = nullptr;
    (void)mode;
    if ((flags & O_ACCMODE) == O_ACCMODE && (flags & O_PATH) == 0)
        return -EINVAL;
    long answer = px_path((int)at, (const char *)name, path);
    if (answer != 0)
        return answer;
    if (wants_directory((const char *)name))
        flags |= O_DIRECTORY;
    answer = px_open_path(path, (int)flags, &f);
    if (answer == -ENOENT && (flags & O_CREAT) != 0)
        return -EROFS;
    return answer != 0 ? answer : px_fd_add(f, 0, (flags & O_CLOEXEC) != 0);
}

static long stat_fd(int fd, struct stat *out)
{
    struct px_file *f = px_fd_get(fd);
    if (f == nullptr)
        return -EBADF;
    long answer = f->ops->stat(f, out);
    px_file_put(f);
    return answer;
}

long px_newfstatat(long at, long name, long out, long flags)
{
    char path[PATH_MAX];
    struct stat found = {};
    long answer;
    if ((flags & AT_EMPTY_PATH) != 0 && *(const char *)name == '\0') {
        answer = stat_fd((int)at, &found);
    } else {
        answer = px_path((int)at, (const char *)name, path);
        if (answer == 0)
            answer = px_stat_path(path, &found);
        if (answer == 0 && wants_directory((const char *)name) && !S_ISDIR(found.st_mode))
            answer = -ENOTDIR;
    }
    if (answer == 0)
        memcpy((void *)out, &found, sizeof found);
    return answer;
}

long px_fstat(long fd, long out)
{
    struct stat found = {};
    long answer = stat_fd((int)fd, &found);
    if (answer == 0)
        memcpy((void *)out, &found, sizeof found);
    return answer;
}

static long access_path(long at, long name, long mode)
{
    char path[PATH_MAX];
    struct stat found = {};
    if ((mode & ~(R_OK | W_OK | X_OK)) != 0)
        return -EINVAL;
    long answer = px_path((int)at, (const char *)name, path);
    if (answer == 0)
        answer = px_stat_path(path, &found);
    if (answer != 0)
        return answer;
    if ((mode & W_OK) != 0 && !S_ISCHR(found.st_mode))
        return -EROFS;
    return (mode & X_OK) != 0 && (found.st_mode & 0111) == 0 ? -EACCES : 0;
}

long px_faccessat(long at, long name, long mode)
{
    return access_path(at, name, mode);
}

long px_faccessat2(long at, long name, long mode, long flags)
{
    return (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW)) != 0 ? -EINVAL : access_path(at, name, mode);
}

long px_readlinkat(long at, long name, long to, long bytes)
{
    char path[PATH_MAX];
    struct stat found = {};
    (void)to;
    long answer = bytes <= 0 ? -EINVAL : px_path((int)at, (const char *)name, path);
    if (answer == 0)
        answer = px_stat_path(path, &found);
    return answer != 0 ? answer : -EINVAL; /* it is there, and no symbolic link: there are none */
}

long px_getcwd(long to, long bytes)
{
    vx_mutex_lock(&cwd_lock);
    size_t len = strlen(px_cwd) + 1;
    long answer = len > (size_t)bytes ? -ERANGE : (long)len;
    if (answer > 0)
        memcpy((void *)to, px_cwd, len);
    vx_mutex_unlock(&cwd_lock);
    return answer;
}

static long set_cwd(const char *path)
{
    struct stat found = {};
    long answer = px_stat_path(path, &found);
    if (answer != 0)
        return answer;
    if (!S_ISDIR(found.st_mode))
        return -ENOTDIR;
    vx_mutex_lock(&cwd_lock);
    memcpy(px_cwd, path, strlen(path) + 1);
    vx_mutex_unlock(&cwd_lock);
    return 0;
}

long px_chdir(long name)
{
    char path[PATH_MAX];
    long answer = px_path(AT_FDCWD, (const char *)name, path);
    return answer != 0 ? answer : set_cwd(path);
}

long px_fchdir(long fd)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = f->path != nullptr ? set_cwd(f->path) : -ENOTDIR;
    px_file_put(f);
    return answer;
}

long px_umask(long mask)
{
    static _Atomic unsigned current = 022;
    return (long)atomic_exchange_explicit(&current, (unsigned)mask & 0777, memory_order_relaxed);
}

/* What cannot be changed: the name must be there all the same. */
static long read_only(long at, long name)
{
    char path[PATH_MAX];
    struct stat found = {};
    long answer = px_path((int)at, (const char *)name, path);
    if (answer == 0)
        answer = px_stat_path(path, &found);
    return answer != 0 ? answer : -EROFS;
}

long px_unlinkat(long at, long name, long flags)
{
    (void)flags;
    return read_only(at, name);
}

long px_mkdirat(long at, long name, long mode)
{
    (void)mode;
    long answer = read_only(at, name);
    return answer == -EROFS ? -EEXIST : answer == -ENOENT ? -EROFS : answer;
}

long px_symlinkat(long target, long at, long name)
{
    (void)target;
    return px_mkdirat(at, name, 0);
}

long px_mknodat(long at, long name, long mode, long device)
{
    (void)mode;
    (void)device;
    return px_mkdirat(at, name, 0);
}

long px_linkat(long at, long name, long to_at, long to, long flags)
{
    (void)to_at;
    (void)to;
    (void)flags;
    return read_only(at, name);
}

long px_renameat(long at, long name, long to_at, long to)
{
    (void)to_at;
    (void)to;
    return read_only(at, name);
}

long px_renameat2(long at, long name, long to_at, long to, long flags)
{
    (void)flags;
    return px_renameat(at, name, to_at, to);
}

long px_fchmodat(long at, long name, long mode)
{
    (void)mode;
    return read_only(at, name);
}

long px_fchownat(long at, long name, long user, long group, long flags)
{
    (void)user;
    (void)group;
    (void)flags;
    return read_only(at, name);
}

long px_utimensat(long at, long name, long times, long flags)
{
    (void)times;
    (void)flags;
    return name != 0 ? read_only(at, name) : -EROFS;
}

long px_truncate(long name, long bytes)
{
    (void)bytes;
    return read_only(AT_FDCWD, name);
}

static void fill_statfs(struct statfs *out)
{
    memset(out, 0, sizeof *out);
    out->f_type = 0x858458f6; /* what a RAM disk is elsewhere */
    out->f_bsize = out->f_frsize = (long)PX_PAGE;
    out->f_namelen = NAME_MAX;
    out->f_flags = 1; /* read-only */
}

long px_statfs(long name, long out)
{
    long answer = read_only(AT_FDCWD, name);
    if (answer != -EROFS)
        return answer;
    fill_statfs((struct statfs *)out);
    return 0;
}

long px_fstatfs(long fd, long out)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    px_file_put(f);
    fill_statfs((struct statfs *)out);
    return 0;
}

static long read_only_fd(long fd)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    px_file_put(f);
    return -EROFS;
}

long px_fchmod(long fd, long mode)
{
    (void)mode;
    return read_only_fd(fd);
}

long px_fchown(long fd, long user, long group)
{
    (void)user, (void)group;
    return read_only_fd(fd);
}
