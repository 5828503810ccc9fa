/* SPDX-License-Identifier: MIT
 * Paths: from what a program says to an absolute one, from there to a file, and the current directory.
 *
 * There is one tree: vfsd's, from the root of this process's connection, or without one the initial RAM disk. /dev and
 * /proc/self are looked at first, since what they name is made here: the terminal, pipes' ends, this process's
 * descriptors, what it knows about itself.
 *
 * A directory's descriptor is its path: who renames the directory makes the descriptor mean nothing, or what came in
 * its place. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <limits.h>
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

static bool is_dot(const char *name, size_t n)
{
    return n == 1 && name[0] == '.';
}

static bool is_dots(const char *name, size_t n)
{
    return n == 2 && name[0] == '.' && name[1] == '.';
}

/* Appends the components of `path` to `out`, which is absolute. */
static long append(char *out, const char *path)
{
    size_t len = strlen(out);
    if (len == 1)
        len = 0; /* "/" */
    while (*path != '\0') {
        size_t n = strcspn(path, "/");
        if (n > NAME_MAX)
            return -ENAMETOOLONG;
        bool up = is_dots(path, n);
        if (up && (len == 0 || px_fs() == nullptr)) {
            while (len > 0 && out[len - 1] != '/')
                len--;
            len -= len > 0;
        } else if (n != 0 && !is_dot(path, n)) {
            if (len + 1 + n >= PATH_MAX)
                return -ENAMETOOLONG;
            out[len++] = '/';
            memcpy(out + len, path, n);
            len += n;
        }
        path += n;
        path += *path == '/';
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
    return 0;
}

/* Most paths say what they mean: absolute, no name that begins with a dot, no slash too many. Those are copied as they
 * are. False: it is another one, or too long. */
static bool copy_plain(const char *path, char *out)
{
    if (path[0] != '/' || path[1] == '\0')
        return false;
    const char *name = path; /* the slash before the name */
    for (const char *at = path; at - path < PATH_MAX; at++, out++) {
        *out = *at;
        if (*at != '/' && *at != '\0') {
            if (*at == '.' && at == name + 1)
                return false;
            continue;
        }
        if (at != path && (at == name + 1 || at - name - 1 > NAME_MAX))
            return false;
        if (*at == '\0')
            return true;
        name = at;
    }
    return false;
}

long px_path(int at, const char *path, char *out)
{
    long answer = 0;
    if (path == nullptr)
        return -EFAULT;
    if (copy_plain(path, out))
        return 0;
    if (path[0] == '\0')
        return -ENOENT;
    if (strnlen(path, PATH_MAX) == PATH_MAX)
        return -ENAMETOOLONG;
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
    return answer != 0 ? answer : append(out, path);
}

/* Where the last name begins, slashes behind it left out; *len: of it. */
static const char *last_name(const char *path, size_t *len)
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    *len = end - begin;
    return path + begin;
}

size_t px_path_ends_in_dots(const char *path)
{
    size_t n = 0;
    const char *name = last_name(path, &n);
    return is_dot(name, n) || is_dots(name, n) ? n : 0;
}

bool px_path_wants_directory(const char *path)
{
    size_t len = strlen(path);
    return len != 0 && (path[len - 1] == '/' || (path[len - 1] == '.' && px_path_ends_in_dots(path) != 0));
}

static bool in_dev(const char *path)
{
    return path[1] == 'd' && path[2] == 'e' && path[3] == 'v' && path[4] == '/';
}

long px_open_path(const char *path, int flags, unsigned mode, struct px_file **out)
{
    long answer = in_dev(path)       ? px_device_open(path, flags, out)
                  : px_in_proc(path) ? px_proc_self_open(path, flags, mode, out)
                                     : -ENOENT;
    if (answer != -ENOENT)
        return answer;
    struct fs_client *c = px_fs();
    if (c != nullptr)
        return px_fs_open(c, path, flags, mode, out);
    answer = px_rom_open(path, flags, out);
    return answer == -ENOENT && (flags & O_CREAT) != 0 ? -EROFS : answer;
}

long px_stat_path_as(const char *path, int flags, struct stat *out)
{
    bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
    long answer = in_dev(path)       ? px_device_stat(path, out)
                  : px_in_proc(path) ? px_proc_self_stat(path, follow, out)
                                     : -ENOENT;
    if (answer != -ENOENT)
        return answer;
    struct fs_client *c = px_fs();
    if (c == nullptr)
        return px_rom_stat(path, follow, out);
    struct vx_fs_attributes a = {};
    answer = px_fs_error(fs_stat(c, path, follow ? 0 : VX_VFS_NO_FOLLOW, &a));
    if (answer == 0)
        px_fs_fill_stat(out, &a);
    return answer;
}

long px_stat_path(const char *path, struct stat *out)
{
    return px_stat_path_as(path, 0, out);
}

static _Atomic unsigned file_mask = 022;

unsigned px_masked(unsigned mode)
{
    return mode & ~atomic_load_explicit(&file_mask, memory_order_relaxed);
}

unsigned px_umask_now(void)
{
    return atomic_load_explicit(&file_mask, memory_order_relaxed);
}

void px_umask_set(unsigned mask)
{
    atomic_store_explicit(&file_mask, mask & 0777, memory_order_relaxed);
}

/* --- the current directory --- */

/* Puts the target of a link, `bytes` of it in target, before the rest of the path: a new rest. */
static long put_target(char *rest, const char *tail, const char *target, size_t bytes)
{
    char joined[PATH_MAX];
    size_t len = strlen(tail);
    if (bytes + 1 + len >= sizeof joined)
        return -ENAMETOOLONG;
    memcpy(joined, target, bytes);
    joined[bytes] = '/';
    memcpy(joined + bytes + 1, tail, len + 1);
    memcpy(rest, joined, bytes + 1 + len + 1);
    return 0;
}

/* The same place, by a path without symbolic links and "..": name by name from the root. */
static long without_links(struct fs_client *c, const char *path, char *out)
{
    char rest[PATH_MAX], target[PATH_MAX];
    size_t len = 0, links = 0;
    memcpy(rest, path, strlen(path) + 1);
    out[0] = '\0';
    for (const char *at = rest; *at != '\0';) {
        size_t n = strcspn(at, "/"), bytes = 0;
        const char *tail = at + n + (at[n] == '/');
        if (is_dots(at, n)) {
            while (len > 0 && out[--len] != '/')
                ;
            out[len] = '\0';
        } else if (n != 0 && !is_dot(at, n)) {
            if (len + 1 + n >= PATH_MAX)
                return -ENAMETOOLONG;
            out[len] = '/';
            memcpy(out + len + 1, at, n);
            out[len + 1 + n] = '\0';
            status_t st = fs_readlink(c, out, target, sizeof target, &bytes);
            if (st == OK) {
                long answer = ++links > VX_FS_LINKS_MAX ? -ELOOP : put_target(rest, tail, target, bytes);
                if (answer != 0)
                    return answer;
                len = target[0] == '/' ? 0 : len;
                out[len] = '\0';
                tail = rest;
            } else if (st == ERR_BAD_ARGUMENT) {
                len += 1 + n; /* it is no link */
            } else {
                return px_fs_error(st);
            }
        }
        at = tail;
    }
    if (len == 0)
        memcpy(out, "/", 2);
    return 0;
}

/* Where file systems are asked past vfsd, they go through directories only: one question instead of one for each name.
 */
static bool found_without_links(struct fs_client *c, const char *path)
{
    struct vx_fs_attributes a;
    return fs_find(c, path, 0, nullptr, &a) == OK && S_ISDIR(a.mode);
}

long px_directory(const char *path, char *out)
{
    struct stat found = {};
    struct fs_client *c = px_fs();
    long answer = px_stat_path(path, &found);
    if (answer == 0 && !S_ISDIR(found.st_mode))
        answer = -ENOTDIR;
    if (answer != 0)
        return answer;
    if (c != nullptr && !found_without_links(c, path))
        return without_links(c, path, out);
    memcpy(out, path, strlen(path) + 1);
    return 0;
}

static long set_cwd(const char *path)
{
    char place[PATH_MAX];
    long answer = px_directory(path, place);
    if (answer != 0)
        return answer;
    vx_mutex_lock(&cwd_lock);
    memcpy(px_cwd, place, strlen(place) + 1);
    vx_mutex_unlock(&cwd_lock);
    return 0;
}

/* --- the calls --- */

long px_openat(long at, long name, long flags, long mode)
{
    char path[PATH_MAX];
    struct px_file *f = nullptr;
    if ((flags & O_ACCMODE) == O_ACCMODE && (flags & O_PATH) == 0)
        return -EINVAL;
    long answer = px_path((int)at, (const char *)name, path);
    if (answer != 0)
        return answer;
    if (px_path_wants_directory((const char *)name)) {
        if ((flags & O_CREAT) != 0)
            return -EISDIR;
        flags |= O_DIRECTORY;
    }
    answer = px_open_path(path, (int)flags, (unsigned)mode, &f);
    return answer != 0 ? answer : px_fd_add(f, 0, (flags & O_CLOEXEC) != 0);
}

/* A directory that was removed has no path any more. */
long px_getcwd(long to, long bytes)
{
    char path[PATH_MAX];
    struct stat found;
    px_cwd_copy(path);
    size_t len = strlen(path) + 1;
    if (len > (size_t)bytes)
        return bytes == 0 ? -EINVAL : -ERANGE;
    long answer = px_stat_path(path, &found);
    if (answer != 0)
        return answer;
    memcpy((void *)to, path, len);
    return (long)len;
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
    return (long)atomic_exchange_explicit(&file_mask, (unsigned)mask & 0777, memory_order_relaxed);
}
