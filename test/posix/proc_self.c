/* SPDX-License-Identifier: MIT
 * /proc/self: what programs look up about themselves, under that name and under their number. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static ssize_t contents(const char *path, char *to, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, to, room - 1);
    if (n >= 0)
        to[n] = '\0';
    if (fd >= 0)
        close(fd);
    return n;
}

static int leads_to(const char *link, const char *wanted)
{
    char text[PATH_MAX];
    ssize_t n = readlink(link, text, sizeof text);
    return n == (ssize_t)strlen(wanted) && memcmp(text, wanted, (size_t)n) == 0;
}

static void links(void)
{
    char own[64], magic[8] = {}, small[3];
    struct stat followed, itself, program;
    CHECK(leads_to("/proc/self/exe", "/bin/proc_self"));
    snprintf(own, sizeof own, "/proc/%d/exe", getpid());
    CHECK(leads_to(own, "/bin/proc_self"));
    CHECK_ERRNO((int)readlink("/proc/1/exe", own, sizeof own), ENOENT);
    CHECK_IS(readlink("/proc/self/exe", small, sizeof small), 3);
    CHECK_IS(contents("/proc/self/exe", magic, 5), 4);
    CHECK(memcmp(magic, "\177ELF", 4) == 0);
    CHECK_IS(stat("/proc/self/exe", &followed), 0);
    CHECK_IS(stat("/bin/proc_self", &program), 0);
    CHECK(S_ISREG(followed.st_mode) && followed.st_ino == program.st_ino);
    CHECK_IS(lstat("/proc/self/exe", &itself), 0);
    CHECK(S_ISLNK(itself.st_mode));
    CHECK_ERRNO(open("/proc/self/exe", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_IS(access("/proc/self/exe", X_OK), 0);
    CHECK_IS(chdir("/etc"), 0);
    CHECK(leads_to("/proc/self/cwd", "/etc"));
    CHECK_IS(chdir("/"), 0);
    CHECK(leads_to("/proc/self/root", "/"));
    CHECK_ERRNO((int)readlink("/proc/self/status", own, sizeof own), EINVAL);
}

static void texts(char **argv)
{
    char text[4096], wanted[64];
    ssize_t n = contents("/proc/self/cmdline", text, sizeof text);
    CHECK(n >= (ssize_t)strlen(argv[0]) + 1 && strcmp(text, argv[0]) == 0);
    CHECK(contents("/proc/self/comm", text, sizeof text) == 10 && strcmp(text, "proc_self\n") == 0);
    CHECK(contents("/proc/self/environ", text, sizeof text) >= 0);
    CHECK(contents("/proc/self/status", text, sizeof text) > 0);
    snprintf(wanted, sizeof wanted, "\nPid:\t%d\nPPid:\t%d\n", getpid(), getppid());
    CHECK(strstr(text, "Name:\tproc_self\n") == text && strstr(text, wanted) != nullptr);
    int fd = open("/proc/self/cmdline", O_RDONLY);
    CHECK_IS(lseek(fd, 1, SEEK_SET), 1);
    CHECK(pread(fd, text, 3, 0) == 3 && memcmp(text, argv[0], 3) == 0);
    CHECK_ERRNO((int)lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_IS(close(fd), 0);
    CHECK_ERRNO(open("/proc/self/comm", O_WRONLY), EACCES);
    CHECK_ERRNO(open("/proc/self/comm", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERRNO(open("/proc/self/nothing", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/proc/selfish/comm", O_RDONLY), ENOENT);
}

/* What lies beside the text of an open file stays when it is closed. */
static void neighbours(void)
{
    static const char *const names[] = { "cmdline", "environ", "status", "stat", "maps", "comm" };
    enum { PAGES = 8 };
    char path[32], *page[PAGES];
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "/proc/self/%s", names[i]);
        int fd = open(path, O_RDONLY), intact = 0;
        for (int p = 0; p < PAGES; p++) {
            page[p] = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            page[p][0] = (char)p;
        }
        CHECK_IS(close(fd), 0);
        for (int p = 0; p < PAGES; p++)
            intact += page[p][0] == (char)p && munmap(page[p], 4096) == 0;
        CHECK_IS(intact, PAGES);
    }
}

/* Numbers that other calls tell, too; each field in its place. */
static void fields(void)
{
    char text[4096];
    int pid = 0, parent = 0, group = 0, session = 0, spaces = 0;
    CHECK(contents("/proc/self/stat", text, sizeof text) > 0);
    CHECK_IS(sscanf(text, "%d (proc_self) R %d %d %d ", &pid, &parent, &group, &session), 4);
    CHECK(pid == getpid() && parent == getppid() && group == getpgrp() && session == getsid(0));
    for (const char *c = text; *c != '\0'; c++)
        spaces += *c == ' ';
    CHECK_IS(spaces, 51);
}

/* The lines that hold something of the program's have the rights that it takes. */
static void maps(void)
{
    static char text[4096], written[8];
    unsigned long code = (unsigned long)(uintptr_t)maps, data = (unsigned long)(uintptr_t)written, from, end;
    unsigned long stack = (unsigned long)(uintptr_t)__builtin_frame_address(0);
    char rights[8];
    int seen = 0;
    CHECK(contents("/proc/self/maps", text, sizeof text) > 0);
    for (char *line = strtok(text, "\n"); line != nullptr; line = strtok(nullptr, "\n")) {
        CHECK_IS(sscanf(line, "%lx-%lx %4s ", &from, &end, rights), 3);
        if (code >= from && code < end)
            seen |= strcmp(rights, "r-xp") == 0 && strstr(line, "/bin/proc_self") != nullptr ? 1 : 0;
        if (data >= from && data < end)
            seen |= strcmp(rights, "rw-p") == 0 ? 2 : 0;
        if (stack >= from && stack < end)
            seen |= strcmp(rights, "rw-p") == 0 && strstr(line, "[stack]") != nullptr ? 4 : 0;
    }
    CHECK_IS(seen, 7);
}

static void listed(void)
{
    char own[16];
    struct stat s;
    int seen = 0;
    DIR *d = opendir("/proc");
    CHECK(d != nullptr);
    snprintf(own, sizeof own, "%d", getpid());
    for (const struct dirent *e; d != nullptr && (e = readdir(d)) != nullptr;)
        seen |= strcmp(e->d_name, "self") == 0 ? 1 : strcmp(e->d_name, own) == 0 ? 2 : e->d_name[0] == '.' ? 0 : 4;
    CHECK_IS(seen, 3);
    closedir(d);
    CHECK(lstat("/proc/self", &s) == 0 && S_ISLNK(s.st_mode));
    CHECK(stat("/proc/self", &s) == 0 && S_ISDIR(s.st_mode));
    CHECK(stat("/proc", &s) == 0 && S_ISDIR(s.st_mode));
    CHECK_ERRNO(open("/proc", O_RDWR), EISDIR);
    d = opendir("/proc/self");
    seen = 0;
    for (const struct dirent *e; d != nullptr && (e = readdir(d)) != nullptr;)
        seen++;
    CHECK_IS(seen, 12);
    closedir(d);
}

static void descriptors(void)
{
    char path[64], c = 0;
    int ends[2], seen = 0, others = 0;
    struct stat pipe_itself, through;
    CHECK_IS(pipe2(ends, O_CLOEXEC), 0);
    snprintf(path, sizeof path, "pipe:[%lu]",
             fstat(ends[0], &pipe_itself) == 0 ? (unsigned long)pipe_itself.st_ino : 0);
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", ends[0]);
    CHECK(leads_to(link, path));
    CHECK(stat(link, &through) == 0 && S_ISFIFO(through.st_mode));
    int same = open(link, O_RDONLY);
    CHECK(same >= 0);
    CHECK_IS(write(ends[1], "x", 1), 1);
    CHECK(read(same, &c, 1) == 1 && c == 'x');
    DIR *d = opendir("/proc/self/fd");
    CHECK(d != nullptr);
    for (const struct dirent *e; d != nullptr && (e = readdir(d)) != nullptr;) {
        int n = atoi(e->d_name);
        if (e->d_name[0] == '.')
            continue;
        others += fcntl(n, F_GETFD) < 0;
        seen |= n == 0 ? 1 : n == ends[0] ? 2 : n == ends[1] ? 4 : 0;
    }
    CHECK_IS(seen, 7);
    CHECK_IS(others, 0);
    closedir(d);
    close(same);
    close(ends[0]);
    close(ends[1]);
    CHECK_ERRNO((int)readlink(link, path, sizeof path), ENOENT);
    const char *terminal = ttyname(0);
    CHECK(!isatty(0) || (terminal != nullptr && strcmp(terminal, "/dev/tty") == 0));
}

/* A program that starts itself by that name is known by its own afterwards. */
static void again(void)
{
    pid_t pid = -1;
    int status = -1;
    char *argv[] = { "again", "child", nullptr };
    CHECK_IS(posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv, environ), 0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return !leads_to("/proc/self/exe", "/bin/proc_self");
    links();
    texts(argv);
    fields();
    maps();
    neighbours();
    listed();
    descriptors();
    again();
    return check_done();
}
