/* SPDX-License-Identifier: MIT
 * Descriptors, the initial RAM disk, directories, devices, pipes inside one process, poll, the terminal's settings. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

static void reading(void)
{
    char a[64] = {}, b[64] = {};
    int fd = open("/etc/version", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 3);
    ssize_t n = read(fd, a, sizeof a);
    CHECK(n > 8);
    CHECK_IS(read(fd, b, 1), 0);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), n);
    CHECK_IS(pread(fd, b, 6, 2), 6);
    CHECK(memcmp(b, a + 2, 6) == 0);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), n);
    CHECK_IS(lseek(fd, 3, SEEK_SET), 3);
    struct iovec v[2] = { { a + 32, 2 }, { b + 32, 3 } };
    CHECK_IS(readv(fd, v, 2), 5);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 8);
    CHECK_IS(lseek(fd, 0, SEEK_END), n);
    CHECK_ERRNO((int)lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERRNO((int)lseek(fd, 0, 99), EINVAL);
    CHECK_ERRNO((int)write(fd, a, 1), EBADF);
    CHECK_IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_IS(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    int other = dup(fd);
    CHECK(other > fd);
    CHECK_IS(fcntl(other, F_GETFD), 0);
    CHECK_IS(lseek(other, 5, SEEK_SET), 5);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 5); /* one position for both */
    CHECK_IS(dup2(fd, 40), 40);
    CHECK_IS(dup2(fd, fd), fd);
    CHECK_IS(fcntl(fd, F_DUPFD, 100), 100);
    CHECK_IS(close(100), 0);
    CHECK_IS(close(40), 0);
    CHECK_IS(close(other), 0);
    CHECK_IS(close(fd), 0);
    CHECK_ERRNO(close(fd), EBADF);
    CHECK_ERRNO((int)read(fd, a, 1), EBADF);
    CHECK_ERRNO((int)read(-1, a, 1), EBADF);
    CHECK_ERRNO(dup2(0, 5000), EBADF);
    CHECK_IS(dup3(0, 41, O_CLOEXEC), 41);
    CHECK_IS(fcntl(41, F_GETFD), FD_CLOEXEC);
    close(41);
    int n_open = 0;
    while (dup(0) >= 0)
        n_open++;
    CHECK(errno == EMFILE && n_open > 1000);
    for (int i = 3; i < 1024; i++)
        close(i);
}

static void names(void)
{
    struct stat s;
    CHECK_IS(stat("/etc/version", &s), 0);
    CHECK(S_ISREG(s.st_mode) && s.st_size > 8 && s.st_nlink == 1);
    CHECK_IS(stat("/etc", &s), 0);
    CHECK(S_ISDIR(s.st_mode));
    CHECK_IS(stat("/", &s), 0);
    CHECK(S_ISDIR(s.st_mode));
    CHECK_IS(stat("/etc/../etc/./version", &s), 0);
    CHECK_IS(lstat("//etc//version", &s), 0);
    CHECK_ERRNO(stat("/etc/nothing", &s), ENOENT);
    CHECK_ERRNO(stat("/etc/version/x", &s), ENOTDIR);
    CHECK_ERRNO(stat("/etc/version/", &s), ENOTDIR);
    CHECK_ERRNO(stat("", &s), ENOENT);
    char longname[NAME_MAX + 3];
    memset(longname, 'x', sizeof longname);
    longname[0] = '/';
    longname[sizeof longname - 1] = '\0';
    CHECK_ERRNO(stat(longname, &s), ENAMETOOLONG);
    CHECK_ERRNO(open("/etc/version", O_RDWR), EROFS);
    CHECK_ERRNO(open("/new", O_WRONLY | O_CREAT, 0644), EROFS);
    CHECK_ERRNO(open("/etc/version", O_RDONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK_ERRNO(open("/etc", O_WRONLY), EISDIR);
    CHECK_ERRNO(open("/etc/version", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_IS(access("/etc/version", R_OK), 0);
    CHECK_ERRNO(access("/etc/version", W_OK), EROFS);
    CHECK_ERRNO(access("/etc/version", X_OK), EACCES);
    CHECK_IS(access("/bin/sh", X_OK), 0);
    CHECK_ERRNO(unlink("/etc/version"), EROFS);
    CHECK_ERRNO(mkdir("/etc", 0755), EEXIST);
    CHECK_ERRNO(mkdir("/new", 0755), EROFS);
    CHECK_ERRNO(rename("/etc/version", "/x"), EROFS);
    CHECK_ERRNO((int)readlink("/etc/version", longname, 10), EINVAL);
    char cwd[PATH_MAX];
    CHECK(getcwd(cwd, sizeof cwd) != nullptr && strcmp(cwd, "/") == 0);
    CHECK_IS(chdir("etc"), 0);
    CHECK(getcwd(cwd, sizeof cwd) != nullptr && strcmp(cwd, "/etc") == 0);
    CHECK_IS(stat("version", &s), 0);
    int root = open("/", O_RDONLY | O_DIRECTORY);
    CHECK_IS(fstatat(root, "etc/version", &s, 0), 0);
    CHECK_IS(fchdir(root), 0);
    CHECK_IS(chdir("/etc/../bin"), 0);
    CHECK(getcwd(cwd, sizeof cwd) != nullptr && strcmp(cwd, "/bin") == 0);
    CHECK_ERRNO(chdir("/etc/version"), ENOTDIR);
    CHECK_ERRNO((int)(intptr_t)getcwd(cwd, 2) - 1, ERANGE);
    CHECK_IS(fstat(root, &s), 0);
    CHECK_ERRNO((int)read(root, cwd, 1), EISDIR);
    close(root);
    chdir("/");
    char *real = realpath("etc/../etc/version", nullptr);
    CHECK(real != nullptr && strcmp(real, "/etc/version") == 0);
    free(real);
    CHECK(stat("/dev/tty", &s) == 0 && S_ISCHR(s.st_mode) && s.st_ino != 0);
    struct statvfs v;
    CHECK_IS(statvfs("/", &v), 0);
    CHECK((v.f_flag & ST_RDONLY) != 0);
}

static int has(const char *dir, const char *name, int *count)
{
    int found = 0;
    DIR *d = opendir(dir);
    *count = 0;
    for (struct dirent *e; d != nullptr && (e = readdir(d)) != nullptr; (*count)++)
        found += strcmp(e->d_name, name) == 0;
    if (d != nullptr)
        closedir(d);
    return found;
}

static void directories(void)
{
    int n;
    CHECK_IS(has("/", "etc", &n), 1);
    CHECK_IS(has("/", ".", &n), 1);
    CHECK_IS(has("/", "..", &n), 1);
    CHECK_IS(has("/", "dev", &n), 1);
    CHECK_IS(has("/", "version", &n), 0);
    CHECK_IS(has("/etc", "version", &n), 1);
    CHECK_IS(has("/dev", "null", &n), 1);
    CHECK(opendir("/etc/version") == nullptr && errno == ENOTDIR);
    CHECK(opendir("/nothing") == nullptr && errno == ENOENT);
    DIR *d = opendir("/");
    readdir(d);
    readdir(d);
    long at = telldir(d);
    struct dirent *e = readdir(d);
    char first[256];
    strcpy(first, e->d_name);
    while (readdir(d) != nullptr)
        ;
    seekdir(d, at);
    e = readdir(d);
    CHECK(e != nullptr && strcmp(e->d_name, first) == 0);
    rewinddir(d);
    e = readdir(d);
    CHECK(e != nullptr && strcmp(e->d_name, ".") == 0);
    closedir(d);
    glob_t g;
    CHECK_IS(glob("/etc/ver*", 0, nullptr, &g), 0);
    CHECK_IS(g.gl_pathc, 1);
    globfree(&g);
    /* a small buffer: every name once, however little fits */
    int fd = open("/", O_RDONLY | O_DIRECTORY), seen = 0;
    char buffer[64];
    long got;
    while ((got = getdents(fd, (struct dirent *)(void *)buffer, sizeof buffer)) > 0)
        for (long i = 0; i < got; i += ((struct dirent *)(void *)(buffer + i))->d_reclen)
            seen++;
    has("/", "x", &n);
    CHECK_IS(seen, n);
    close(fd);
}

static void devices(void)
{
    char buffer[64];
    struct stat s;
    int fd = open("/dev/null", O_RDWR);
    CHECK(fd >= 0);
    CHECK_IS(write(fd, "abc", 3), 3);
    CHECK_IS(read(fd, buffer, 3), 0);
    CHECK_IS(fstat(fd, &s), 0);
    CHECK(S_ISCHR(s.st_mode));
    CHECK_IS(isatty(fd), 0);
    close(fd);
    fd = open("/dev/zero", O_RDONLY);
    memset(buffer, 1, sizeof buffer);
    CHECK_IS(read(fd, buffer, sizeof buffer), sizeof buffer);
    CHECK_IS(buffer[63], 0);
    close(fd);
    fd = open("/dev/full", O_WRONLY);
    CHECK_ERRNO((int)write(fd, "x", 1), ENOSPC);
    close(fd);
    fd = open("/dev/urandom", O_RDONLY);
    CHECK_IS(read(fd, buffer, sizeof buffer), sizeof buffer);
    close(fd);
    fd = open("/dev/tty", O_RDWR);
    CHECK(fd >= 0 && isatty(fd));
    close(fd);
    fd = open("/dev/fd/1", O_WRONLY);
    CHECK(fd >= 0 && isatty(fd));
    close(fd);
    struct stat about;
    CHECK(stat("/dev/fd", &about) == 0 && S_ISDIR(about.st_mode));
    DIR *descriptors = opendir("/dev/fd/");
    bool listed = false;
    for (const struct dirent *e; descriptors != nullptr && (e = readdir(descriptors)) != nullptr;)
        listed |= strcmp(e->d_name, "1") == 0;
    CHECK(listed);
    if (descriptors != nullptr)
        closedir(descriptors);
    CHECK_ERRNO(open("/dev/fd", O_WRONLY), EISDIR);
    CHECK_ERRNO(open("/dev/fd", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERRNO(open("/dev/nothing", O_RDONLY), ENOENT);
}

static void *feeds(void *arg)
{
    usleep(5000);
    write(*(int *)arg, "late", 4);
    return nullptr;
}

static void pipes(void)
{
    int p[2];
    char buffer[8192];
    CHECK_IS(pipe(p), 0);
    CHECK_IS(write(p[1], "hello", 5), 5);
    CHECK_IS(read(p[0], buffer, sizeof buffer), 5);
    CHECK(memcmp(buffer, "hello", 5) == 0);
    CHECK_ERRNO((int)lseek(p[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERRNO((int)pread(p[0], buffer, 1, 0), ESPIPE);
    CHECK_ERRNO((int)write(p[0], "x", 1), EBADF);
    CHECK_ERRNO((int)read(p[1], buffer, 1), EBADF);
    CHECK_IS(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
    CHECK_ERRNO((int)read(p[0], buffer, 1), EAGAIN);
    CHECK_IS(fcntl(p[0], F_SETFL, 0), 0);
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    long total = 0, n;
    while ((n = write(p[1], buffer, sizeof buffer)) > 0)
        total += n;
    CHECK(errno == EAGAIN && total >= 4096);
    int readable = 0;
    CHECK_IS(ioctl(p[0], FIONREAD, &readable), 0);
    CHECK_IS(readable, total);
    while (total > 0 && (n = read(p[0], buffer, sizeof buffer)) > 0)
        total -= n;
    CHECK_IS(total, 0);
    fcntl(p[1], F_SETFL, 0);
    struct pollfd fds[2] = { { .fd = p[0], .events = POLLIN }, { .fd = p[1], .events = POLLOUT } };
    CHECK_IS(poll(fds, 2, 0), 1);
    CHECK(fds[0].revents == 0 && fds[1].revents == POLLOUT);
    CHECK_IS(poll(fds, 1, 10), 0);
    pthread_t t;
    pthread_create(&t, nullptr, feeds, &p[1]);
    CHECK_IS(poll(fds, 1, 2000), 1);
    CHECK_IS(fds[0].revents, POLLIN);
    pthread_join(t, nullptr);
    CHECK_IS(read(p[0], buffer, 10), 4);
    pthread_create(&t, nullptr, feeds, &p[1]);
    CHECK_IS(read(p[0], buffer, 10), 4); /* waits */
    pthread_join(t, nullptr);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    struct timeval soon = { .tv_usec = 1000 };
    CHECK_IS(select(p[0] + 1, &set, nullptr, nullptr, &soon), 0);
    CHECK(!FD_ISSET(p[0], &set));
    close(p[1]);
    CHECK_IS(poll(fds, 1, 0), 1);
    CHECK_IS(fds[0].revents, POLLHUP);
    CHECK_IS(read(p[0], buffer, 10), 0);
    close(p[0]);
    fds[0].fd = 900;
    CHECK_IS(poll(fds, 1, 0), 1);
    CHECK_IS(fds[0].revents, POLLNVAL);
    CHECK_ERRNO(pipe2(p, 0x40000), EINVAL);
}

static void terminal(void)
{
    struct termios t, raw;
    struct winsize w;
    CHECK(isatty(0) && isatty(1) && isatty(2));
    CHECK_IS(tcgetattr(1, &t), 0);
    CHECK_IS(ioctl(1, TIOCGWINSZ, &w), 0);
    CHECK(w.ws_col >= 20 && w.ws_row >= 5);
    raw = t;
    cfmakeraw(&raw);
    CHECK_IS(tcsetattr(1, TCSANOW, &raw), 0);
    CHECK_IS(tcgetattr(1, &raw), 0);
    CHECK_IS(raw.c_lflag & (ICANON | ECHO | ISIG), 0);
    CHECK_IS(tcsetattr(1, TCSANOW, &t), 0);
    CHECK(strcmp(ttyname(1) != nullptr ? "name" : "none", "none") == 0 || 1);
    int fd = open("/etc/version", O_RDONLY);
    CHECK_ERRNO(tcgetattr(fd, &t), ENOTTY);
    close(fd);
}

int main(void)
{
    reading();
    names();
    directories();
    devices();
    pipes();
    terminal();
    return check_done();
}
