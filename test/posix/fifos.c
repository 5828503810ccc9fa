/* SPDX-License-Identifier: MIT
 * FIFOs: their names, how an open waits for the other end, what goes through and when it ends, several writers,
 * processes that are killed, and the limits. This program starts itself as the other side. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static const char *self = "/bin/fifos", *const fifo = "/tmp/fifos/f";
enum { HOLDERS = 16, FIFOS = 32, WRITERS = 4, RECORDS = 100, RECORD = 512 };

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, nullptr);
}

static int child(int argc, char **argv)
{
    char record[RECORD], c;
    if (strcmp(argv[1], "+write") == 0) { /* its records, each of one letter */
        int fd = open(fifo, O_WRONLY);
        memset(record, argv[2][0], sizeof record);
        for (int i = 0; i < RECORDS; i++)
            if (write(fd, record, sizeof record) != (ssize_t)sizeof record)
                return 1;
        return 0;
    }
    if (strcmp(argv[1], "+open") == 0) { /* which way, and then it stays */
        int fd = open(fifo, argv[2][0] == 'r' ? O_RDONLY : O_WRONLY);
        (void)!write(1, "o", 1);
        pause();
        return fd < 0;
    }
    if (strcmp(argv[1], "+cat") == 0) {
        while (read(0, &c, 1) == 1)
            if (write(1, &c, 1) != 1)
                return 1;
        return 0;
    }
    return argc < 0;
}

static pid_t start(const char *what, const char *argument, const posix_spawn_file_actions_t *actions)
{
    pid_t pid = -1;
    char *argv[] = { (char *)"fifos", (char *)what, (char *)argument, nullptr };
    return posix_spawn(&pid, self, actions, nullptr, argv, environ) == 0 ? pid : -1;
}

static int exit_of(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void names(void)
{
    struct stat a, b;
    char name[300];
    umask(022);
    CHECK_IS(mkfifo(fifo, 0666), 0);
    CHECK(stat(fifo, &a) == 0 && S_ISFIFO(a.st_mode) && (a.st_mode & 07777) == 0644 && a.st_size == 0 &&
          a.st_nlink == 1);
    CHECK_ERRNO(mkfifo(fifo, 0666), EEXIST);
    CHECK_ERRNO(mkfifo("/tmp/fifos", 0666), EEXIST);
    CHECK_ERRNO(mkfifo("", 0666), ENOENT);
    CHECK_ERRNO(mkfifo("/tmp/fifos/none/f", 0666), ENOENT);
    CHECK_ERRNO(mkfifo("/tmp/fifos/new/", 0666), ENOENT);
    CHECK_ERRNO(mkfifo("/tmp/fifos/f/g", 0666), ENOTDIR);
    CHECK_ERRNO(mkfifo("/bin/f", 0666), EROFS);
    memset(name, 'n', sizeof name - 1);
    memcpy(name, "/tmp/", 5);
    name[sizeof name - 1] = '\0';
    CHECK_ERRNO(mkfifo(name, 0666), ENAMETOOLONG);
    int dir = open("/tmp/fifos", O_RDONLY | O_DIRECTORY);
    CHECK_IS(mkfifoat(dir, "at", 0600), 0);
    CHECK(fstatat(dir, "at", &b, 0) == 0 && S_ISFIFO(b.st_mode) && b.st_ino != a.st_ino);
    CHECK_IS(mknod("/tmp/fifos/nod", S_IFIFO | 0640, 0), 0);
    CHECK(stat("/tmp/fifos/nod", &b) == 0 && S_ISFIFO(b.st_mode) && (b.st_mode & 07777) == 0640);
    CHECK_ERRNO(mkfifoat(99, "f", 0600), EBADF);
    CHECK_ERRNO(mkfifoat(0, "f", 0600), ENOTDIR);
    CHECK_IS(chmod("/tmp/fifos/nod", 0), 0);
    CHECK_ERRNO(open("/tmp/fifos/nod", O_RDWR), EACCES);
    CHECK_IS(link(fifo, "/tmp/fifos/linked"), 0);
    CHECK(stat("/tmp/fifos/linked", &b) == 0 && b.st_ino == a.st_ino && b.st_nlink == 2);
    CHECK_IS(unlink("/tmp/fifos/linked"), 0);
    CHECK_IS(unlinkat(dir, "at", 0), 0);
    CHECK_IS(unlink("/tmp/fifos/nod"), 0);
    CHECK_ERRNO(truncate(fifo, 0), EINVAL);
    close(dir);
}

/* Without anybody who waits. */
static void alone(void)
{
    char buffer[8] = "";
    struct stat a, b;
    struct pollfd p = { .events = POLLIN };
    int n = -1;
    CHECK_ERRNO(open(fifo, O_WRONLY | O_NONBLOCK), ENXIO);
    CHECK_ERRNO(open(fifo, O_RDONLY | O_NONBLOCK | O_DIRECTORY), ENOTDIR);
    int by_path = open(fifo, O_PATH);
    CHECK(by_path >= 0 && fstat(by_path, &a) == 0 && S_ISFIFO(a.st_mode));
    CHECK_ERRNO(read(by_path, buffer, 1), EBADF);
    close(by_path);
    int in = p.fd = open(fifo, O_RDONLY | O_NONBLOCK);
    CHECK(in >= 0);
    CHECK_IS(read(in, buffer, 8), 0); /* nobody writes: the end */
    CHECK_IS(poll(&p, 1, 0), 0);      /* but nobody has written either */
    int out = open(fifo, O_WRONLY | O_NONBLOCK);
    CHECK(out >= 0 && (fcntl(out, F_GETFL) & O_ACCMODE) == O_WRONLY && (fcntl(out, F_GETFL) & O_NONBLOCK) != 0);
    CHECK(stat(fifo, &a) == 0 && fstat(in, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev &&
          a.st_mode == b.st_mode);
    CHECK_ERRNO(read(in, buffer, 8), EAGAIN);
    CHECK_IS(poll(&p, 1, 0), 0);
    CHECK_ERRNO(lseek(in, 0, SEEK_SET), ESPIPE);
    CHECK_ERRNO(read(out, buffer, 1), EBADF);
    CHECK_ERRNO(write(in, "x", 1), EBADF);
    CHECK_IS(write(out, "abc", 3), 3);
    CHECK(ioctl(in, FIONREAD, &n) == 0 && n == 3);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
    close(out);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLHUP));
    CHECK(read(in, buffer, 8) == 3 && memcmp(buffer, "abc", 3) == 0);
    CHECK_IS(read(in, buffer, 8), 0);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLHUP);
    out = open(fifo, O_WRONLY); /* there is a reader: it does not wait */
    CHECK(out >= 0 && poll(&p, 1, 0) == 0);
    close(in);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERRNO(write(out, "x", 1), EPIPE);
    signal(SIGPIPE, SIG_DFL);
    p = (struct pollfd){ .fd = out, .events = POLLOUT };
    CHECK(poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0);
    close(out);
    int both = open(fifo, O_RDWR);
    CHECK(both >= 0 && write(both, "rest", 4) == 4);
    p = (struct pollfd){ .fd = both, .events = POLLIN | POLLOUT };
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
    CHECK(read(both, buffer, 2) == 2 && memcmp(buffer, "re", 2) == 0);
    close(both); /* the last end: what is left goes */
    both = open(fifo, O_RDWR | O_NONBLOCK);
    CHECK_ERRNO(read(both, buffer, 8), EAGAIN);
    close(both);
}

static _Atomic int opened;
static void *opens(void *flags)
{
    int fd = open(fifo, (int)(intptr_t)flags);
    atomic_store(&opened, 1);
    return (void *)(intptr_t)fd;
}

static void nothing(int signal)
{
    (void)signal;
}

static void waiting(void)
{
    static const int ways[2] = { O_RDONLY, O_WRONLY };
    char buffer[8];
    for (int i = 0; i < 2; i++) { /* whichever comes first waits for the other */
        pthread_t t;
        void *first;
        atomic_store(&opened, 0);
        CHECK_IS(pthread_create(&t, nullptr, opens, (void *)(intptr_t)ways[i]), 0);
        sleep_ms(60);
        CHECK_IS(atomic_load(&opened), 0);
        int second = open(fifo, ways[1 - i]);
        pthread_join(t, &first);
        int ends[2] = { i == 0 ? (int)(intptr_t)first : second, i == 0 ? second : (int)(intptr_t)first };
        CHECK(write(ends[1], "ping", 4) == 4 && read(ends[0], buffer, 8) == 4);
        close(ends[0]);
        close(ends[1]);
    }
    pthread_t t; /* a writer that comes, writes and goes lets the reader in all the same */
    void *in;
    pthread_create(&t, nullptr, opens, (void *)(intptr_t)O_RDONLY);
    int out = open(fifo, O_WRONLY);
    CHECK_IS(write(out, "gone", 4), 4);
    close(out);
    pthread_join(t, &in);
    CHECK(read((int)(intptr_t)in, buffer, 8) == 4 && read((int)(intptr_t)in, buffer, 8) == 0);
    close((int)(intptr_t)in);
    struct sigaction act = { .sa_handler = nothing };
    sigaction(SIGALRM, &act, nullptr);
    ualarm(50000, 50000); /* again and again: the first may come before the wait */
    CHECK_ERRNO(open(fifo, O_RDONLY), EINTR);
    CHECK_ERRNO(open(fifo, O_WRONLY), EINTR);
    ualarm(0, 0);
    CHECK_ERRNO(open(fifo, O_WRONLY | O_NONBLOCK), ENXIO); /* the reader that gave up is gone */
}

static void several(void)
{
    pid_t pid[WRITERS];
    char record[RECORD], letter[] = "a";
    int torn = 0, count[WRITERS] = {};
    ssize_t n;
    for (int i = 0; i < WRITERS; i++, letter[0]++)
        pid[i] = start("+write", letter, nullptr);
    int in = open(fifo, O_RDONLY), hold = open(fifo, O_WRONLY | O_CLOEXEC); /* no end before all have come */
    for (int got = 0; got < WRITERS * RECORDS; got++) {
        size_t have = 0;
        while (have < sizeof record && (n = read(in, record + have, sizeof record - have)) > 0)
            have += (size_t)n;
        for (size_t i = 1; i < sizeof record; i++)
            torn += record[i] != record[0];
        if (record[0] >= 'a' && record[0] < 'a' + WRITERS)
            count[record[0] - 'a']++;
    }
    CHECK_IS(torn, 0);
    for (int i = 0; i < WRITERS; i++) {
        CHECK_IS(count[i], RECORDS);
        CHECK_IS(exit_of(pid[i]), 0);
    }
    close(hold);
    CHECK_IS(read(in, record, 1), 0);
    close(in);
}

static void inherited(void)
{
    char buffer[8] = "";
    posix_spawn_file_actions_t fa;
    CHECK_IS(mkfifo("/tmp/fifos/back", 0600), 0);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 0, fifo, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&fa, 1, "/tmp/fifos/back", O_WRONLY, 0);
    pid_t pid = start("+cat", nullptr, &fa); /* it is the child that waits */
    CHECK(pid > 0);
    int out = open(fifo, O_WRONLY | O_CLOEXEC), in = open("/tmp/fifos/back", O_RDONLY | O_CLOEXEC);
    CHECK(write(out, "round", 5) == 5);
    size_t have = 0;
    for (ssize_t n; have < 5 && (n = read(in, buffer + have, sizeof buffer - have)) > 0;)
        have += (size_t)n;
    CHECK(have == 5 && memcmp(buffer, "round", 5) == 0);
    CHECK_IS(unlink(fifo), 0); /* who has it open has it still; the name is free */
    CHECK_IS(mkfifo(fifo, 0600), 0);
    CHECK_ERRNO(open(fifo, O_WRONLY | O_NONBLOCK), ENXIO);
    CHECK(write(out, "x", 1) == 1 && read(in, buffer, 1) == 1 && buffer[0] == 'x');
    close(out);
    CHECK_IS(exit_of(pid), 0);
    CHECK_IS(read(in, buffer, 1), 0);
    close(in);
    posix_spawn_file_actions_destroy(&fa);
    CHECK_IS(unlink("/tmp/fifos/back"), 0);
}

static void killed(void)
{
    char c;
    int tell[2];
    posix_spawn_file_actions_t fa;
    CHECK_IS(pipe2(tell, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, tell[1], 1);
    pid_t pid = start("+open", "w", &fa);
    int in = open(fifo, O_RDONLY | O_CLOEXEC);
    CHECK_IS(read(tell[0], &c, 1), 1);
    CHECK_IS(kill(pid, SIGKILL), 0);
    CHECK_IS(read(in, &c, 1), 0); /* its end is gone with it */
    waitpid(pid, nullptr, 0);
    close(in);
    pid = start("+open", "r", &fa); /* killed while it waits: nobody takes it for a reader */
    sleep_ms(100);
    CHECK_IS(kill(pid, SIGKILL), 0);
    waitpid(pid, nullptr, 0);
    CHECK_ERRNO(open(fifo, O_WRONLY | O_NONBLOCK), ENXIO);
    posix_spawn_file_actions_destroy(&fa);
    close(tell[0]);
    close(tell[1]);
}

static void limits(void)
{
    int fd[FIFOS];
    char name[] = "/tmp/fifos/00";
    for (int i = 0; i < HOLDERS; i++)
        fd[i] = open(fifo, O_RDWR | O_CLOEXEC);
    CHECK(fd[HOLDERS - 1] >= 0);
    CHECK_ERRNO(open(fifo, O_RDWR), ENFILE);
    close(fd[3]);
    fd[3] = open(fifo, O_RDWR | O_CLOEXEC);
    CHECK(fd[3] >= 0);
    for (int i = 0; i < HOLDERS; i++)
        close(fd[i]);
    for (int i = 0; i < FIFOS; i++) {
        name[11] = (char)('0' + i / 10);
        name[12] = (char)('0' + i % 10);
        fd[i] = mkfifo(name, 0600) == 0 ? open(name, O_RDWR | O_CLOEXEC) : -1;
    }
    CHECK(fd[FIFOS - 1] >= 0);
    CHECK_ERRNO(open(fifo, O_RDWR), ENFILE);
    close(fd[7]);
    fd[7] = open(fifo, O_RDWR);
    CHECK(fd[7] >= 0);
    for (int i = 0; i < FIFOS; i++) {
        name[11] = (char)('0' + i / 10);
        name[12] = (char)('0' + i % 10);
        close(fd[i]);
        unlink(name);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == '+')
        return child(argc, argv);
    CHECK_IS(mkdir("/tmp/fifos", 0700), 0);
    names();
    alone();
    waiting();
    several();
    inherited();
    killed();
    limits();
    CHECK_IS(unlink(fifo), 0);
    CHECK_IS(rmdir("/tmp/fifos"), 0);
    return check_done();
}
