/* SPDX-License-Identifier: MIT
 * What is told of files and changed about them without touching their bytes: the stat family, permissions, owners,
 * times, lengths, and the space of file systems. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum : uint32_t { OWNER = VX_FS_USER, KEEP = UINT32_MAX };
enum : int64_t { SECOND_NS = 1'000'000'000 };
enum : uint64_t { SECONDS_MAX = INT64_MAX / SECOND_NS };

static long stat_fd(int fd, struct stat *out)
{
    struct px_file *f = px_fd_get(fd);
    if (f == nullptr)
        return -EBADF;
    long answer = f->ops->stat(f, out);
    px_file_put(f);
    return answer;
}

/* By name, or by descriptor if the name is empty and flags say so. */
static long stat_at(long at, const char *name, long flags, struct stat *out)
{
    char path[PATH_MAX];
    if ((flags & AT_EMPTY_PATH) != 0 && name[0] == '\0')
        return at == AT_FDCWD ? px_stat_path((px_cwd_copy(path), path), out) : stat_fd((int)at, out);
    bool directory = px_path_wants_directory(name);
    long answer = px_path((int)at, name, path);
    if (answer == 0)
        answer = px_stat_path_as(path, directory ? 0 : (int)flags & AT_SYMLINK_NOFOLLOW, out);
    return answer == 0 && directory && !S_ISDIR(out->st_mode) ? -ENOTDIR : answer;
}

long px_newfstatat(long at, long name, long out, long flags)
{
    struct stat found = {};
    long answer = (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) != 0
                      ? -EINVAL
                      : stat_at(at, (const char *)name, flags, &found);
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

/* --- access --- */

static long access_path(long at, long name, long mode, long flags)
{
    char path[PATH_MAX];
    struct stat found = {};
    struct statfs space = {};
    if ((mode & ~(R_OK | W_OK | X_OK)) != 0)
        return -EINVAL;
    long answer = stat_at(at, (const char *)name, flags, &found);
    if (answer != 0)
        return answer;
    if ((mode & W_OK) != 0 && !S_ISCHR(found.st_mode) && px_path((int)at, (const char *)name, path) == 0 &&
        px_statfs((long)path, (long)&space) == 0 && (space.f_flags & 1) != 0)
        return -EROFS;
    /* one user owns everything */
    mode_t wanted =
        ((mode & R_OK) != 0 ? 0400u : 0) | ((mode & W_OK) != 0 ? 0200u : 0) | ((mode & X_OK) != 0 ? 0100u : 0);
    return (found.st_mode & wanted) == wanted ? 0 : -EACCES;
}

long px_faccessat(long at, long name, long mode)
{
    return access_path(at, name, mode, 0);
}

long px_faccessat2(long at, long name, long mode, long flags)
{
    return (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW)) != 0 ? -EINVAL : access_path(at, name, mode, flags);
}

/* --- changes --- */

static long change_at(long at, long name, long flags, const struct vx_fs_change *change)
{
    char path[PATH_MAX];
    struct stat found = {};
    struct fs_client *c = px_fs();
    const char *text = (const char *)name;
    long answer = px_path((int)at, text, path);
    if (answer != 0)
        return answer;
    if (px_device_stat(path, &found) == 0)
        return -EPERM; /* made here, for everybody */
    if (c == nullptr || px_path_wants_directory(text)) {
        answer = stat_at(at, text, flags, &found);
        if (answer != 0 || c == nullptr)
            return answer != 0 ? answer : -EROFS;
    }
    return px_fs_error(fs_change(c, path, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? VX_VFS_NO_FOLLOW : 0, change));
}

static long change_fd(long fd, const struct vx_fs_change *change)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = (f->flags & O_PATH) != 0    ? -EBADF
                  : f->ops->change != nullptr ? f->ops->change(f, change)
                  : f->ops->kind == 'p'       ? -EINVAL
                                              : -EROFS;
    px_file_put(f);
    return answer;
}

long px_fchmodat(long at, long name, long mode)
{
    return change_at(at, name, 0, &(struct vx_fs_change){ .mask = VX_FS_SET_MODE, .mode = (uint32_t)mode & 07777 });
}

long px_fchmod(long fd, long mode)
{
    return change_fd(fd, &(struct vx_fs_change){ .mask = VX_FS_SET_MODE, .mode = (uint32_t)mode & 07777 });
}

/* To oneself, or left as it is: there is one user. */
static long owner_change(long user, long group, struct vx_fs_change *out)
{
    *out = (struct vx_fs_change){ .user = OWNER, .group = OWNER };
    if (((uint32_t)user != KEEP && (uint32_t)user != OWNER) || ((uint32_t)group != KEEP && (uint32_t)group != OWNER))
        return -EPERM;
    out->mask = ((uint32_t)user != KEEP ? VX_FS_SET_USER : 0) | ((uint32_t)group != KEEP ? VX_FS_SET_GROUP : 0);
    return 0;
}

long px_fchownat(long at, long name, long user, long group, long flags)
{
    struct vx_fs_change change;
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
        return -EINVAL;
    if ((flags & AT_EMPTY_PATH) != 0 && *(const char *)name == '\0')
        return px_fchown(at, user, group);
    long answer = owner_change(user, group, &change);
    return answer != 0 ? answer : change_at(at, name, flags, &change);
}

long px_fchown(long fd, long user, long group)
{
    struct vx_fs_change change;
    long answer = owner_change(user, group, &change);
    return answer != 0 ? answer : change_fd(fd, &change);
}

/* One of the two times. *ns: unless it is now or to be left. */
static long read_time(const struct timespec *t, uint32_t set, uint32_t now, uint32_t *mask, int64_t *ns)
{
    if (t == nullptr || t->tv_nsec == UTIME_NOW) {
        *mask |= now;
        return 0;
    }
    if (t->tv_nsec == UTIME_OMIT)
        return 0;
    if (t->tv_nsec < 0 || t->tv_nsec >= SECOND_NS)
        return -EINVAL;
    if (t->tv_sec >= (int64_t)SECONDS_MAX || t->tv_sec <= -(int64_t)SECONDS_MAX)
        return -EINVAL; /* the years 1678 to 2261 are what file systems here can tell */
    *mask |= set;
    *ns = t->tv_sec * SECOND_NS + t->tv_nsec;
    return 0;
}

long px_utimensat(long at, long name, long times, long flags)
{
    const struct timespec *t = (const struct timespec *)times;
    struct vx_fs_change change = {};
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
        return -EINVAL;
    long answer = read_time(t, VX_FS_SET_ACCESSED, VX_FS_SET_ACCESSED_NOW, &change.mask, &change.accessed_ns);
    if (answer == 0)
        answer = read_time(t != nullptr ? t + 1 : nullptr, VX_FS_SET_MODIFIED, VX_FS_SET_MODIFIED_NOW, &change.mask,
                           &change.modified_ns);
    if (answer != 0)
        return answer;
    if (name == 0 || ((flags & AT_EMPTY_PATH) != 0 && *(const char *)name == '\0'))
        return change_fd(at, &change);
    return change_at(at, name, flags, &change);
}

long px_truncate(long name, long bytes)
{
    struct stat found;
    if (bytes < 0)
        return -EINVAL;
    long answer = stat_at(AT_FDCWD, (const char *)name, 0, &found);
    if (answer == 0 && !S_ISREG(found.st_mode))
        answer = S_ISDIR(found.st_mode) ? -EISDIR : -EINVAL;
    if (answer == 0)
        answer = access_path(AT_FDCWD, name, W_OK, 0);
    return answer != 0 ? answer
                       : change_at(AT_FDCWD, name, 0,
                                   &(struct vx_fs_change){ .mask = VX_FS_SET_SIZE, .size = (uint64_t)bytes });
}

/* --- the space of file systems --- */

static void rom_space(struct statfs *out)
{
    const struct vx_fs_space space = {
        .block_bytes = PX_PAGE, .name_max = NAME_MAX, .flags = VX_FS_IS_READ_ONLY, .kind = "initrd"
    };
    px_fs_fill_space(out, &space);
}

long px_statfs(long name, long out)
{
    char path[PATH_MAX];
    struct stat found;
    struct statfs told;
    struct vx_fs_space space = {};
    struct fs_client *c = px_fs();
    long answer = px_path(AT_FDCWD, (const char *)name, path);
    if (answer != 0)
        return answer;
    if (c == nullptr || px_device_stat(path, &found) == 0) {
        answer = stat_at(AT_FDCWD, (const char *)name, 0, &found);
        rom_space(&told);
    } else {
        answer = px_fs_error(fs_statfs(c, path, &space));
        px_fs_fill_space(&told, &space);
    }
    if (answer == 0)
        memcpy((void *)out, &told, sizeof told);
    return answer;
}

long px_fstatfs(long fd, long out)
{
    struct statfs told;
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    long answer = 0;
    if (f->ops->space != nullptr)
        answer = f->ops->space(f, &told);
    else
        rom_space(&told);
    px_file_put(f);
    if (answer == 0)
        memcpy((void *)out, &told, sizeof told);
    return answer;
}

/* --- statx --- */

/* As Linux lays it out; the C library has no declaration of it. */
struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
};
struct statx_record {
    uint32_t mask, block_bytes;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, reserved;
    uint64_t inode, size, blocks, attributes_mask;
    struct statx_time accessed, created, changed, modified;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t spare[14];
};
static_assert(sizeof(struct statx_record) == 256);
enum : uint32_t { STATX_BASIC = 0x7ff };

static struct statx_time statx_time_of(const struct timespec *t)
{
    return (struct statx_time){ .seconds = t->tv_sec, .nanoseconds = (uint32_t)t->tv_nsec };
}

long px_statx(long at, long name, long flags, long mask, long out)
{
    struct stat s = {};
    (void)mask;
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE)) != 0)
        return -EINVAL;
    long answer = stat_at(at, (const char *)name, flags, &s);
    if (answer != 0)
        return answer;
    const struct statx_record r = { .mask = STATX_BASIC,
                                    .block_bytes = (uint32_t)s.st_blksize,
                                    .links = (uint32_t)s.st_nlink,
                                    .user = s.st_uid,
                                    .group = s.st_gid,
                                    .mode = (uint16_t)s.st_mode,
                                    .inode = s.st_ino,
                                    .size = (uint64_t)s.st_size,
                                    .blocks = (uint64_t)s.st_blocks,
                                    .accessed = statx_time_of(&s.st_atim),
                                    .changed = statx_time_of(&s.st_ctim),
                                    .modified = statx_time_of(&s.st_mtim),
                                    .rdev_major = (uint32_t)(s.st_rdev >> 8 & 0xfff),
                                    .rdev_minor = (uint32_t)(s.st_rdev & 0xff),
                                    .dev_major = (uint32_t)(s.st_dev >> 32),
                                    .dev_minor = (uint32_t)s.st_dev };
    memcpy((void *)out, &r, sizeof r);
    return 0;
}
