/* SPDX-License-Identifier: MIT
 * The first process of the Linux that `./vectra bench --linux` boots: the file systems that posix.c needs, then
 * /bin/posix-bench with this process's arguments, then the machine is off. */
#include <spawn.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    (void)argc;
    mkdir("/dev", 0755);
    mkdir("/tmp", 0777);
    if (mount("dev", "/dev", "devtmpfs", 0, nullptr) != 0 || mount("tmp", "/tmp", "tmpfs", 0, nullptr) != 0)
        perror("mount");
    pid_t pid;
    int status = -1;
    argv[0] = "/bin/posix-bench";
    if (posix_spawn(&pid, argv[0], nullptr, nullptr, argv, (char *[]){ "PATH=/bin", nullptr }) != 0)
        perror(argv[0]);
    else
        waitpid(pid, &status, 0);
    printf("linux-init: the end, status %d\n", status);
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 1;
}
