/* SPDX-License-Identifier: MIT
 * mount and umount: vfsd's administrative side, for a process whose connection has the right to it. The source is the
 * name of a service; starting one for a disk is not a matter of this call. */
#define _GNU_SOURCE
#include "file.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <vectra/files.h>

struct fs_client *vx_posix_files(void)
{
    return px_fs();
}

/* What the calls have in common: an absolute path and the connection. */
static long prepare(long name, char path[static PATH_MAX], struct fs_client **c)
{
    if (name == 0)
        return -EFAULT;
    *c = px_fs();
    long answer = px_path(AT_FDCWD, (const char *)name, path);
    return answer == 0 && *c == nullptr ? -EPERM : answer;
}

/* Without the right, vfsd says NO_RIGHTS: here that is not about the permissions of a file. */
static long answer_of(status_t st)
{
    return st == ERR_NO_RIGHTS ? -EPERM : px_fs_error(st);
}

long px_mount(long source, long target, long type, long flags, long data)
{
    char path[PATH_MAX];
    struct fs_client *c = nullptr;
    (void)type; /* the service says what it is */
    (void)data;
    if (source == 0)
        return -EFAULT;
    long answer = prepare(target, path, &c);
    if (answer == 0 && (flags & ~(long)(MS_RDONLY | MS_SILENT)) != 0)
        answer = -EINVAL;
    return answer != 0
               ? answer
               : answer_of(fs_mount(c, path, (const char *)source, (flags & MS_RDONLY) != 0 ? VX_FS_IS_READ_ONLY : 0));
}

long px_umount2(long target, long flags)
{
    char path[PATH_MAX];
    struct fs_client *c = nullptr;
    long answer = prepare(target, path, &c);
    if (answer == 0 && (flags & ~(long)MNT_FORCE) != 0)
        answer = -EINVAL;
    return answer != 0 ? answer : answer_of(fs_umount(c, path, (flags & MNT_FORCE) != 0 ? VX_VFS_FORCE : 0));
}
