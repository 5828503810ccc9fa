/* SPDX-License-Identifier: MIT
 * Extended attributes of files in /tmp; that file systems without them say so. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { VALUE_MAX = 3584, COUNT_MAX = 128 };

static char big[VALUE_MAX + 1];

static void setting(void)
{
    char to[16] = {};
    CHECK_ERRNO(getxattr("file", "user.a", to, sizeof to), ENODATA);
    CHECK_IS(listxattr("file", nullptr, 0), 0);
    CHECK_IS(setxattr("file", "user.a", "one", 3, 0), 0);
    CHECK_IS(getxattr("file", "user.a", nullptr, 0), 3);
    CHECK_ERRNO(getxattr("file", "user.a", to, 2), ERANGE);
    CHECK_IS(getxattr("file", "user.a", to, sizeof to), 3);
    CHECK(memcmp(to, "one", 4) == 0);
    CHECK_ERRNO(setxattr("file", "user.a", "x", 1, XATTR_CREATE), EEXIST);
    CHECK_ERRNO(setxattr("file", "user.b", "x", 1, XATTR_REPLACE), ENODATA);
    CHECK_IS(setxattr("file", "user.a", "longer", 6, XATTR_REPLACE), 0);
    CHECK_IS(setxattr("file", "user.b", "", 0, XATTR_CREATE), 0);
    CHECK_IS(getxattr("file", "user.a", to, sizeof to), 6);
    CHECK_IS(getxattr("file", "user.b", to, sizeof to), 0);
    CHECK_IS(listxattr("file", nullptr, 0), 14);
    CHECK_ERRNO(listxattr("file", to, 13), ERANGE);
    CHECK_IS(listxattr("file", to, 14), 14);
    CHECK(memcmp(to, "user.a\0user.b", 14) == 0);
}

static void by_descriptor_and_name(void)
{
    char to[8] = {};
    struct stat before = {}, after = {};
    CHECK_IS(stat("file", &before), 0);
    int fd = open("file", O_RDONLY);
    CHECK_IS(fsetxattr(fd, "user.c", "fd", 2, 0), 0);
    CHECK_IS(fstat(fd, &after), 0);
    CHECK(after.st_ctim.tv_sec > before.st_ctim.tv_sec || after.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
    CHECK_IS(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    CHECK_IS(rename("file", "renamed"), 0);
    CHECK_IS(fgetxattr(fd, "user.c", to, sizeof to), 2);
    CHECK_IS(getxattr("renamed", "user.c", to, sizeof to), 2);
    CHECK_IS(rename("renamed", "file"), 0);
    CHECK_IS(flistxattr(fd, nullptr, 0), 21);
    CHECK_IS(fremovexattr(fd, "user.a"), 0);
    CHECK_ERRNO(fremovexattr(fd, "user.a"), ENODATA);
    CHECK_IS(fgetxattr(fd, "user.c", to, sizeof to), 2); /* who took its place is still there */
    CHECK_IS(removexattr("file", "user.b"), 0);
    CHECK_IS(removexattr("file", "user.c"), 0);
    CHECK_IS(flistxattr(fd, nullptr, 0), 0);
    close(fd);
    CHECK_ERRNO(fgetxattr(fd, "user.c", to, sizeof to), EBADF);
    CHECK_ERRNO(getxattr("nothing", "user.c", to, sizeof to), ENOENT);
    CHECK_IS(setxattr("dir", "user.d", "d", 1, 0), 0);
    CHECK_IS(getxattr("dir", "user.d", to, sizeof to), 1);
    CHECK_IS(setxattr("link", "user.l", "l", 1, 0), 0); /* of what it leads to */
    CHECK_IS(getxattr("file", "user.l", to, sizeof to), 1);
    CHECK_ERRNO(lsetxattr("link", "user.l", "l", 1, 0), EPERM);
    CHECK_ERRNO(lgetxattr("link", "user.l", to, sizeof to), ENODATA);
    CHECK_IS(llistxattr("link", nullptr, 0), 0);
    CHECK_ERRNO(lremovexattr("link", "user.l"), EPERM);
    CHECK_IS(removexattr("link", "user.l"), 0);
}

static void limits(void)
{
    char name[300] = "user.", to[VALUE_MAX];
    memset(big, 'x', sizeof big);
    CHECK_IS(setxattr("file", "user.big", big, VALUE_MAX, 0), 0);
    CHECK_IS(getxattr("file", "user.big", to, sizeof to), VALUE_MAX);
    CHECK(memcmp(to, big, sizeof to) == 0);
    CHECK_ERRNO(setxattr("file", "user.big", big, VALUE_MAX + 1, 0), E2BIG);
    CHECK_IS(removexattr("file", "user.big"), 0);
    memset(name + 5, 'n', 250);
    CHECK_IS(setxattr("file", name, "x", 1, 0), 0); /* 255 bytes */
    CHECK_IS(listxattr("file", nullptr, 0), 256);
    CHECK_IS(removexattr("file", name), 0);
    name[255] = 'n';
    CHECK_ERRNO(setxattr("file", name, "x", 1, 0), ERANGE);
    CHECK_ERRNO(setxattr("file", "", "x", 1, 0), ERANGE);
    CHECK_ERRNO(setxattr("file", "user.", "x", 1, 0), EINVAL);
    CHECK_ERRNO(setxattr("file", "user.a", "x", 1, XATTR_CREATE | XATTR_REPLACE), EINVAL);
    CHECK_ERRNO(setxattr("file", "other.a", "x", 1, 0), EOPNOTSUPP);
    int failed = 0;
    for (int i = 0; i < COUNT_MAX; i++) {
        snprintf(name, sizeof name, "user.%0100d", i);
        failed += setxattr("file", name, name, 100, 0) != 0;
    }
    CHECK_IS(failed, 0);
    CHECK_ERRNO(setxattr("file", "user.more", "x", 1, 0), ENOSPC);
    CHECK_IS(listxattr("file", nullptr, 0), COUNT_MAX * 106);
    CHECK_IS(unlink("file"), 0); /* and all of them go with it */
}

static void elsewhere(void)
{
    char to[4];
    CHECK_ERRNO(getxattr("/sbin/initd", "user.a", to, sizeof to), EOPNOTSUPP);
    CHECK_ERRNO(setxattr("/sbin/initd", "user.a", "x", 1, 0), EROFS);
    CHECK_ERRNO(setxattr("/dev/null", "user.a", "x", 1, 0), EPERM);
    CHECK_ERRNO(getxattr("/dev/null", "user.a", to, sizeof to), ENODATA);
    int pipes[2];
    CHECK_IS(pipe(pipes), 0);
    CHECK_ERRNO(fgetxattr(pipes[0], "user.a", to, sizeof to), EOPNOTSUPP);
}

int main(void)
{
    char directory[] = "/tmp/xattrXXXXXX";
    setvbuf(stdout, nullptr, _IOLBF, 0);
    CHECK(mkdtemp(directory) != nullptr);
    CHECK_IS(chdir(directory), 0);
    CHECK_IS(close(open("file", O_RDWR | O_CREAT, 0644)), 0);
    CHECK_IS(mkdir("dir", 0755), 0);
    CHECK_IS(symlink("file", "link"), 0);
    setting();
    by_descriptor_and_name();
    limits();
    elsewhere();
    CHECK(unlink("link") == 0 && rmdir("dir") == 0 && rmdir(directory) == 0);
    return check_done();
}
