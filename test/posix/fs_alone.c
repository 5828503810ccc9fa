/* SPDX-License-Identifier: MIT
 * A process that was given no connection to vfsd has the initial RAM disk alone. This one starts itself so, as any
 * Task may start a child: with what it writes into its Bundle and nothing else. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vectra/spawn.h>

extern char **environ;

/* How many of these did not hold. */
static int alone(void)
{
    int failed = 0;
#define HOLDS(condition) (failed += !(condition))
    char b[64] = {};
    struct stat s;
    struct statvfs v;
    pid_t pid;
    int fd = open("/etc/version", O_RDONLY), status = -1;
    HOLDS(fd >= 0 && read(fd, b, sizeof b) > 8 && strncmp(b, "VectraOS", 8) == 0);
    HOLDS(fstat(fd, &s) == 0 && S_ISREG(s.st_mode));
    HOLDS(lseek(fd, 2, SEEK_SET) == 2 && read(fd, b, 2) == 2);
    HOLDS(ftruncate(fd, 0) == -1 && errno == EINVAL);
    HOLDS(fsync(fd) == 0);
    HOLDS(open("/etc/version", O_RDWR) == -1 && errno == EROFS);
    HOLDS(open("/new", O_RDWR | O_CREAT, 0600) == -1 && errno == EROFS);
    HOLDS(mkdir("/new", 0700) == -1 && errno == EROFS);
    HOLDS(unlink("/etc/version") == -1 && errno == EROFS);
    HOLDS(rename("/etc/version", "/x") == -1 && errno == EROFS);
    HOLDS(symlink("x", "/etc/version") == -1 && errno == EEXIST);
    HOLDS(chmod("/etc/version", 0) == -1 && errno == EROFS);
    HOLDS(truncate("/etc/version", 0) == -1 && errno == EROFS);
    HOLDS(stat("/nothing", &s) == -1 && errno == ENOENT);
    HOLDS(lstat("/bin/ls", &s) == 0 && S_ISLNK(s.st_mode));
    HOLDS(stat("/bin/ls", &s) == 0 && S_ISREG(s.st_mode));
    HOLDS(readlink("/bin/ls", b, sizeof b) > 0);
    HOLDS(readlink("/bin/toybox", b, sizeof b) == -1 && errno == EINVAL);
    HOLDS(open("/bin/ls", O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
    HOLDS(statvfs("/", &v) == 0 && (v.f_flag & ST_RDONLY) != 0);
    HOLDS(chdir("/etc/../bin") == 0 && getcwd(b, sizeof b) != nullptr && strcmp(b, "/bin") == 0);
    DIR *d = opendir(".");
    int n = 0;
    while (d != nullptr && readdir(d) != nullptr)
        n++;
    HOLDS(n > 20);
    fd = open("/dev/null", O_WRONLY);
    HOLDS(fd >= 0 && write(fd, "x", 1) == 1);
    sync();
    HOLDS(posix_spawn(&pid, "/bin/true", nullptr, nullptr, (char *[]){ "true", nullptr }, environ) == 0 ||
          posix_spawn(&pid, "/bin/basename", nullptr, nullptr, (char *[]){ "basename", "-h", nullptr }, environ) == 0);
    HOLDS(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return failed;
}

int main(int argc, char **argv)
{
    static struct vx_spawn s;
    const char *child_argv[] = { argv[0], "+alone" };
    struct vx_cap_facts facts = {};
    vx_task task = {};
    uint32_t id = 0, status = 99;
    vx_cause_t cause = VX_CAUSE_EXIT;
    if (argc > 1 && strcmp(argv[1], "+alone") == 0)
        return alone();
    setvbuf(stdout, nullptr, _IOLBF, 0);
    s = (struct vx_spawn){
        .path = "/bin/fs_alone", .argc = 2, .argv = child_argv, .memory = 8 << 20, .payer = vx_bundle_reticle("reticle")
    };
    vx_spawn_begin(&s);
    CHECK_IS(vx_sys_cap_inspect(vx_bundle_mem("initrd").raw, &facts, nullptr), OK);
    vx_spec_copy(&s.spec, "initrd", vx_bundle_mem("initrd").raw, facts.rights);
    CHECK_IS(vx_spawn_end(&s, &task, &id), OK);
    CHECK_IS(vx_wait(task, &status, &cause), OK);
    CHECK_IS(cause, VX_CAUSE_EXIT);
    CHECK_IS(status, 0);
    return check_done();
}
