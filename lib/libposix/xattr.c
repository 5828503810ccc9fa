/* SPDX-License-Identifier: MIT
 * Extended attributes: by the file system where it has them (those of the space `user`), refused elsewhere. As
 * elsewhere, only files and directories have them: of a link or a device there are none, and none can be set. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { VALUE_MAX = 65536 }; /* that the call takes; a file system may take less */
static const char space[] = "user.";

/* What a call wants of a file. */
struct want {
    const char *name; /* nullptr: the list of them */
    void *to;
    const void *from;
    size_t bytes;
    uint32_t flags;
    bool sets;
};

static long xattr_error(status_t st)
{
    return st == ERR_NOT_FOUND   ? -ENODATA
           : st == ERR_TOO_BIG   ? -E2BIG
           : st == ERR_NO_RIGHTS ? -EROFS /* it was opened by a read-only way */
                                 : px_fs_error(st);
}

static long check_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > VX_FS_XATTR_NAME_MAX)
        return -ERANGE;
    if (strncmp(name, space, sizeof space - 1) != 0)
        return -EOPNOTSUPP;
    return n == sizeof space - 1 ? -EINVAL : 0;
}

static long list(struct fs_file *f, char *to, size_t room)
{
    char part[1024];
    size_t all = 0, used = 0;
    for (uint64_t skip = 0;; all += used) {
        used = 0;
        status_t st = fs_listxattr(f, skip, part, sizeof part, &used);
        if (st != OK || used == 0)
            return st != OK ? xattr_error(st) : (long)all;
        if (room != 0 && room - all < used)
            return -ERANGE;
        if (room != 0)
            memcpy(to + all, part, used);
        for (size_t i = 0; i < used; i++)
            skip += part[i] == '\0';
    }
}

static long of_file(struct px_file *file, const struct want *w)
{
    long answer;
    if (file->ops->kind != 'F' && file->ops->kind != 'D')
        return -EOPNOTSUPP;
    struct fs_file *f = px_fs_file(file, &answer);
    if (f == nullptr)
        return answer;
    if (w->name == nullptr)
        return list(f, w->to, w->bytes);
    if (w->sets)
        return xattr_error(fs_setxattr(f, w->name, w->from, w->bytes, w->flags));
    size_t bytes = 0;
    status_t st = fs_getxattr(f, w->name, w->to, w->bytes, &bytes);
    return st != OK ? xattr_error(st) : w->bytes != 0 && bytes > w->bytes ? -ERANGE : (long)bytes;
}

static long by_fd(long fd, const struct want *w)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = (f->flags & O_PATH) != 0 ? -EBADF : of_file(f, w);
    px_file_put(f);
    return answer;
}

static long by_path(long name, int flags, const struct want *w)
{
    char path[PATH_MAX];
    struct stat found = {};
    struct px_file *f;
    long answer = px_path(AT_FDCWD, (const char *)name, path);
    if (answer == 0)
        answer = px_stat_path_as(path, flags, &found);
    if (answer != 0)
        return answer;
    if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode))
        return w->sets ? -EPERM : w->name == nullptr ? 0 : -ENODATA;
    answer = px_open_path(path, O_RDONLY, 0, &f);
    if (answer != 0)
        return answer;
    answer = of_file(f, w);
    px_file_put(f);
    return answer;
}

/* --- the calls --- */

static long set(struct want *w, long name, long value, long bytes, long flags)
{
    static const uint32_t modes[] = { 0, VX_FS_EXCLUSIVE, VX_FS_REPLACE };
    if (flags != 0 && flags != XATTR_CREATE && flags != XATTR_REPLACE)
        return -EINVAL;
    *w = (struct want){ .name = (const char *)name,
                        .from = (const void *)value,
                        .bytes = (size_t)bytes,
                        .flags = modes[flags],
                        .sets = true };
    long answer = check_name(w->name);
    return answer != 0 ? answer : w->bytes > VALUE_MAX ? -E2BIG : 0;
}

static long get(struct want *w, long name, long value, long bytes)
{
    *w = (struct want){ .name = (const char *)name, .to = (void *)value, .bytes = (size_t)bytes };
    return check_name(w->name);
}

static long gone(struct want *w, long name)
{
    *w = (struct want){ .name = (const char *)name, .flags = VX_FS_REMOVE, .sets = true };
    return check_name(w->name);
}

long px_setxattr(long path, long name, long value, long bytes, long flags)
{
    struct want w;
    long answer = set(&w, name, value, bytes, flags);
    return answer != 0 ? answer : by_path(path, 0, &w);
}

long px_lsetxattr(long path, long name, long value, long bytes, long flags)
{
    struct want w;
    long answer = set(&w, name, value, bytes, flags);
    return answer != 0 ? answer : by_path(path, AT_SYMLINK_NOFOLLOW, &w);
}

long px_fsetxattr(long fd, long name, long value, long bytes, long flags)
{
    struct want w;
    long answer = set(&w, name, value, bytes, flags);
    return answer != 0 ? answer : by_fd(fd, &w);
}

long px_getxattr(long path, long name, long value, long bytes)
{
    struct want w;
    long answer = get(&w, name, value, bytes);
    return answer != 0 ? answer : by_path(path, 0, &w);
}

long px_lgetxattr(long path, long name, long value, long bytes)
{
    struct want w;
    long answer = get(&w, name, value, bytes);
    return answer != 0 ? answer : by_path(path, AT_SYMLINK_NOFOLLOW, &w);
}

long px_fgetxattr(long fd, long name, long value, long bytes)
{
    struct want w;
    long answer = get(&w, name, value, bytes);
    return answer != 0 ? answer : by_fd(fd, &w);
}

long px_listxattr(long path, long to, long bytes)
{
    return by_path(path, 0, &(struct want){ .to = (void *)to, .bytes = (size_t)bytes });
}

long px_llistxattr(long path, long to, long bytes)
{
    return by_path(path, AT_SYMLINK_NOFOLLOW, &(struct want){ .to = (void *)to, .bytes = (size_t)bytes });
}

long px_flistxattr(long fd, long to, long bytes)
{
    return by_fd(fd, &(struct want){ .to = (void *)to, .bytes = (size_t)bytes });
}

long px_removexattr(long path, long name)
{
    struct want w;
    long answer = gone(&w, name);
    return answer != 0 ? answer : by_path(path, 0, &w);
}

long px_lremovexattr(long path, long name)
{
    struct want w;
    long answer = gone(&w, name);
    return answer != 0 ? answer : by_path(path, AT_SYMLINK_NOFOLLOW, &w);
}

long px_fremovexattr(long fd, long name)
{
    struct want w;
    long answer = gone(&w, name);
    return answer != 0 ? answer : by_fd(fd, &w);
}
