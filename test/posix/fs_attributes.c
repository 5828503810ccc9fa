/* SPDX-License-Identifier: MIT
 * What is told of files in /tmp and changed about them: modes, times, owners, access, space. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static struct stat of(const char *name)
{
    struct stat s = {};
    CHECK_IS(lstat(name, &s), 0);
    return s;
}

static int64_t ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void modes(void)
{
    CHECK_IS(chmod("file", 0640), 0);
    CHECK_IS(of("file").st_mode, S_IFREG | 0640);
    CHECK_IS(chmod("file", 04755), 0);
    CHECK_IS(of("file").st_mode, S_IFREG | 04755);
    int fd = open("file", O_RDONLY);
    CHECK_IS(fchmod(fd, 0600), 0);
    CHECK_IS(of("file").st_mode, S_IFREG | 0600);
    close(fd);
    CHECK_ERRNO(fchmod(fd, 0600), EBADF);
    CHECK_ERRNO(chmod("nothing", 0600), ENOENT);
    CHECK_ERRNO(chmod("file/", 0600), ENOTDIR);
    CHECK_ERRNO(chmod("", 0600), ENOENT);
    CHECK_IS(chmod("dir", 0700), 0);
    CHECK_IS(of("dir").st_mode, S_IFDIR | 0700);
    CHECK_IS(chmod("link", 0644), 0); /* what it names */
    CHECK_IS(of("file").st_mode, S_IFREG | 0644);
    CHECK(S_ISLNK(of("link").st_mode));
    fd = open("dir", O_RDONLY);
    CHECK_IS(fchmodat(fd, "../file", 0600, 0), 0);
    CHECK_IS(fchmod(fd, 0755), 0);
    close(fd);
    CHECK_IS(of("dir").st_mode, S_IFDIR | 0755);

    CHECK_IS(umask(077), 022);
    close(open("masked", O_RDWR | O_CREAT, 0666));
    CHECK_IS(of("masked").st_mode, S_IFREG | 0600);
    CHECK_IS(mkdir("maskdir", 0777), 0);
    CHECK_IS(of("maskdir").st_mode, S_IFDIR | 0700);
    CHECK_IS(umask(0), 077);
    CHECK_IS(umask(022), 0);
    unlink("masked");
    rmdir("maskdir");
}

static void times(void)
{
    struct stat before = of("file"), after;
    struct timespec t[2] = { { 1000000000, 123456789 }, { 1700000000, 987654321 } };
    CHECK_IS(utimensat(AT_FDCWD, "file", t, 0), 0);
    after = of("file");
    CHECK(ns(after.st_atim) == ns(t[0]) && ns(after.st_mtim) == ns(t[1]));
    CHECK(ns(after.st_ctim) >= ns(before.st_ctim));
    t[0].tv_nsec = UTIME_OMIT;
    t[1] = (struct timespec){ -5, 500000000 }; /* before 1970 */
    CHECK_IS(utimensat(AT_FDCWD, "file", t, 0), 0);
    after = of("file");
    CHECK(after.st_atim.tv_sec == 1000000000 && after.st_mtim.tv_sec == -5 && after.st_mtim.tv_nsec == 500000000);
    t[1].tv_nsec = UTIME_NOW;
    struct timespec now, later;
    clock_gettime(CLOCK_REALTIME, &now);
    CHECK_IS(utimensat(AT_FDCWD, "file", t, 0), 0);
    clock_gettime(CLOCK_REALTIME, &later);
    after = of("file");
    CHECK(ns(after.st_mtim) >= ns(now) - 20000000 && ns(after.st_mtim) <= ns(later));
    int fd = open("file", O_RDONLY);
    t[0] = t[1] = (struct timespec){ 7, 8 };
    CHECK_IS(futimens(fd, t), 0);
    CHECK(of("file").st_mtim.tv_sec == 7);
    CHECK_IS(futimens(fd, nullptr), 0);
    CHECK(of("file").st_mtim.tv_sec >= now.tv_sec);
    t[0].tv_nsec = 1000000000;
    CHECK_ERRNO(futimens(fd, t), EINVAL);
    t[0].tv_nsec = -1;
    CHECK_ERRNO(utimensat(AT_FDCWD, "file", t, 0), EINVAL);
    t[0].tv_nsec = 1;
    CHECK_ERRNO(utimensat(AT_FDCWD, "file", t, 0x4000), EINVAL);
    CHECK_ERRNO(utimensat(AT_FDCWD, "nothing", t, 0), ENOENT);
    close(fd);
    CHECK_ERRNO(futimens(fd, t), EBADF);
    struct stat file = of("file");
    CHECK_IS(utimensat(AT_FDCWD, "link", t, AT_SYMLINK_NOFOLLOW), 0);
    CHECK(ns(of("link").st_mtim) == ns(t[1]) && ns(of("file").st_mtim) == ns(file.st_mtim));
    CHECK_IS(utimes("link", (struct timeval[]){ { 3, 4 }, { 5, 6 } }), 0);
    CHECK(ns(of("file").st_mtim) == 5000006000);

    /* writing moves the time of the data, a new name that of the directory, a chmod neither */
    t[0] = t[1] = (struct timespec){ 9, 0 };
    utimensat(AT_FDCWD, "file", t, 0);
    utimensat(AT_FDCWD, "dir", t, 0);
    chmod("file", 0600);
    CHECK(of("file").st_mtim.tv_sec == 9);
    fd = open("file", O_WRONLY);
    CHECK(of("file").st_mtim.tv_sec == 9);
    CHECK_IS(write(fd, "x", 1), 1);
    close(fd);
    CHECK(of("file").st_mtim.tv_sec > 9);
    close(open("dir/new", O_RDWR | O_CREAT, 0600));
    CHECK(of("dir").st_mtim.tv_sec > 9);
    utimensat(AT_FDCWD, "dir", t, 0);
    unlink("dir/new");
    CHECK(of("dir").st_mtim.tv_sec > 9);
    utimensat(AT_FDCWD, "file", t, 0);
    CHECK_IS(truncate("file", 0), 0);
    CHECK(of("file").st_mtim.tv_sec > 9);
}

static void owners(void)
{
    CHECK_IS(of("file").st_uid, getuid()); /* whoever makes it owns it */
    CHECK_IS(chown("file", getuid(), getgid()), 0);
    CHECK_IS(of("file").st_uid, getuid());
    CHECK_IS(of("file").st_gid, getgid());
    CHECK_IS(chown("file", (uid_t)-1, (gid_t)-1), 0);
    CHECK_IS(lchown("link", getuid(), (gid_t)-1), 0);
    if (getuid() != 0)
        CHECK_ERRNO(chown("file", 0, (gid_t)-1), EPERM);
    CHECK_ERRNO(chown("nothing", getuid(), getgid()), ENOENT);
    int fd = open("file", O_RDONLY);
    CHECK_IS(fchown(fd, getuid(), getgid()), 0);
    close(fd);
    CHECK_ERRNO(fchown(fd, getuid(), getgid()), EBADF);
}

static void accessing(void)
{
    CHECK_IS(chmod("file", 0600), 0);
    CHECK_IS(access("file", F_OK), 0);
    CHECK_IS(access("file", R_OK | W_OK), 0);
    CHECK_ERRNO(access("file", X_OK), EACCES);
    CHECK_IS(chmod("file", 0500), 0);
    CHECK_IS(access("file", X_OK), 0);
    if (getuid() != 0)
        CHECK_ERRNO(access("file", W_OK), EACCES);
    CHECK_ERRNO(access("nothing", F_OK), ENOENT);
    CHECK_ERRNO(access("file/x", F_OK), ENOTDIR);
    CHECK_ERRNO(access("file", 16), EINVAL);
    CHECK_IS(faccessat(AT_FDCWD, "file", R_OK, AT_EACCESS), 0);
    CHECK_IS(chmod("file", 0600), 0);
}

static void telling(void)
{
    struct stat s, t;
    int fd = open("file", O_RDWR | O_TRUNC);
    CHECK_IS(write(fd, "0123456789", 10), 10);
    CHECK(fstat(fd, &s) == 0 && stat("file", &t) == 0);
    CHECK(s.st_dev == t.st_dev && s.st_ino == t.st_ino && s.st_ino != 0 && s.st_size == 10);
    CHECK(s.st_blksize >= 512 && s.st_blocks * 512 >= 10);
    CHECK(fstatat(fd, "", &t, AT_EMPTY_PATH) == 0 && t.st_ino == s.st_ino);
    CHECK_ERRNO(fstatat(AT_FDCWD, "", &t, 0), ENOENT);
    CHECK_ERRNO(fstatat(fd, "x", &t, 0), ENOTDIR);
    CHECK_ERRNO(fstatat(99, "x", &t, 0), EBADF);
    CHECK_ERRNO(fstatat(AT_FDCWD, "file", &t, 0x4000000), EINVAL);
    CHECK(fstatat(99, "/tmp", &t, 0) == 0 && S_ISDIR(t.st_mode));
    struct stat dir = of("dir");
    CHECK(dir.st_dev == s.st_dev && dir.st_ino != s.st_ino);
    uint8_t x[256] = {}; /* struct statx */
    CHECK_IS(syscall(SYS_statx, AT_FDCWD, "file", 0, 0x7ff, x), 0);
    uint64_t size = 0;
    memcpy(&size, x + 40, sizeof size);
    CHECK_IS(size, 10);
    close(fd);

    struct statvfs v, w;
    CHECK_IS(statvfs(".", &v), 0);
    CHECK(v.f_bsize >= 512 && v.f_frsize >= 512 && v.f_blocks > 0 && v.f_bfree <= v.f_blocks &&
          v.f_namemax == NAME_MAX);
    CHECK_IS(v.f_flag & ST_RDONLY, 0);
    fd = open("file", O_RDWR);
    char *much = calloc(1, 1 << 20);
    for (int i = 0; i < 1 << 20; i++)
        much[i] = (char)i;
    CHECK_IS(write(fd, much, 1 << 20), 1 << 20);
    CHECK_IS(fstatvfs(fd, &w), 0);
    CHECK(w.f_fsid == v.f_fsid && w.f_bfree < v.f_bfree);
    CHECK_IS(ftruncate(fd, 0), 0);
    free(much);
    close(fd);
    CHECK_ERRNO(statvfs("nothing", &v), ENOENT);
    CHECK_ERRNO(fstatvfs(fd, &v), EBADF);
}

int main(void)
{
    char directory[] = "/tmp/attributesXXXXXX";
    setvbuf(stdout, nullptr, _IOLBF, 0);
    umask(022);
    CHECK(mkdtemp(directory) != nullptr);
    CHECK_IS(chdir(directory), 0);
    CHECK_IS(close(open("file", O_RDWR | O_CREAT, 0644)), 0);
    CHECK_IS(mkdir("dir", 0755), 0);
    CHECK_IS(symlink("file", "link"), 0);
    modes();
    times();
    owners();
    accessing();
    telling();
    CHECK(unlink("link") == 0 && unlink("file") == 0 && rmdir("dir") == 0 && rmdir(directory) == 0);
    return check_done();
}
