/* SPDX-License-Identifier: MIT
 * Descriptors that travel over local sockets (SCM_RIGHTS): what arrives, with which bytes, between processes and from
 * one that has ended, what cannot travel, and the limits. This program starts itself as the other side. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static const char *self = "/bin/passing", *const path = "/tmp/passing";
enum { AT_ONCE = 16, UNDER_WAY = 24, OF_ONE = 32 };

static ssize_t send_fds(int s, const char *text, size_t bytes, const int *fds, size_t n, int flags)
{
    alignas(struct cmsghdr) char control[CMSG_SPACE((AT_ONCE + 1) * sizeof(int))] = {};
    struct iovec v = { (void *)text, bytes };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(n * sizeof(int))
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    return sendmsg(s, &m, flags);
}

/* *n: room for so many, and then as many as came. What msg_flags said is in *said. */
static ssize_t receive_fds(int s, char *text, size_t bytes, int *fds, size_t *n, int flags, int *said)
{
    alignas(struct cmsghdr) char control[CMSG_SPACE(AT_ONCE * sizeof(int))] = {};
    struct iovec v = { text, bytes };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(*n * sizeof(int))
    };
    ssize_t got = recvmsg(s, &m, flags);
    *n = 0;
    *said = m.msg_flags;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (got >= 0 && c != nullptr) {
        *n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), *n * sizeof(int));
    }
    return got;
}

static int file_with(const char *text)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text) && lseek(fd, 0, SEEK_SET) == 0 ? fd : -1;
}

static int connected_to(const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(a.sun_path, name);
    return connect(s, (struct sockaddr *)&a, sizeof a) == 0 ? s : -1;
}

static int child(char **argv)
{
    char text[16];
    int fds[AT_ONCE], said;
    size_t n = 1;
    if (strcmp(argv[1], "+take") == 0) { /* what comes over 0 is read, and written to */
        if (receive_fds(0, text, sizeof text, fds, &n, 0, &said) != 1 || n != 1 || read(fds[0], text, 5) != 5)
            return 1;
        return memcmp(text, "first", 5) != 0 || write(fds[0], "+more", 5) != 5;
    }
    int s = argv[2] != nullptr ? connected_to(argv[2]) : 0, fd = file_with("a child's");
    if (fd < 0 || unlink(path) != 0 || send_fds(s, "c", 1, &fd, 1, 0) != 1)
        return 1;
    if (strcmp(argv[1], "+give-and-die") == 0)
        raise(SIGKILL);
    return 0;
}

static pid_t start(int in, const char *what, const char *argument)
{
    posix_spawn_file_actions_t fa;
    char *argv[] = { (char *)"passing", (char *)what, (char *)argument, nullptr };
    pid_t pid = -1;
    posix_spawn_file_actions_init(&fa);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&fa, in, 0);
    CHECK_IS(posix_spawn(&pid, self, &fa, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&fa);
    return pid;
}

static int status_of(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void here(void)
{
    int p[2], fds[AT_ONCE], said, fd = file_with("one two three");
    char text[16] = "";
    struct stat a, b;
    size_t n = 1;
    CHECK_IS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
    CHECK_IS(read(fd, text, 4), 4);
    CHECK_IS(send_fds(p[0], "x", 1, &fd, 1, 0), 1);
    CHECK(recv(p[1], text, 1, MSG_PEEK) == 1 && text[0] == 'x'); /* looking takes nothing */
    CHECK(receive_fds(p[1], text, sizeof text, fds, &n, MSG_CMSG_CLOEXEC, &said) == 1 && n == 1 && said == 0);
    CHECK(fds[0] != fd && fcntl(fds[0], F_GETFD) == FD_CLOEXEC && (fcntl(fds[0], F_GETFL) & O_ACCMODE) == O_RDWR);
    CHECK(fstat(fd, &a) == 0 && fstat(fds[0], &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    CHECK(read(fds[0], text, 3) == 3 && memcmp(text, "two", 3) == 0); /* where it was */
    close(fds[0]);
    close(fd);

    int several[4] = { open("/dev/null", O_RDWR), open("/etc/version", O_RDONLY), file_with("kept"), 1 };
    CHECK_IS(unlink(path), 0);
    CHECK_IS(send_fds(p[0], "yy", 2, several, 4, 0), 2);
    CHECK_IS(send_fds(p[0], "zz", 2, several, 1, 0), 2);
    CHECK_IS(write(p[0], "plain", 5), 5);
    close(several[2]); /* it is on its way: nobody else has it */
    n = AT_ONCE;
    CHECK(receive_fds(p[1], text, sizeof text, fds, &n, 0, &said) == 2 && n == 4 && memcmp(text, "yy", 2) == 0);
    CHECK(fcntl(fds[0], F_GETFD) == 0 && write(fds[0], "x", 1) == 1 && read(fds[0], text, 1) == 0);
    CHECK(fstat(several[1], &a) == 0 && fstat(fds[1], &b) == 0 && a.st_ino == b.st_ino && a.st_size == b.st_size);
    CHECK(read(fds[2], text, 8) == 4 && memcmp(text, "kept", 4) == 0);
    CHECK(fstat(fds[2], &b) == 0 && b.st_nlink == 0);
    CHECK(isatty(fds[3]) == isatty(1));
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    n = AT_ONCE; /* bytes and descriptors of one message at a time, and what comes behind by itself */
    CHECK(receive_fds(p[1], text, sizeof text, fds, &n, 0, &said) == 7 && n == 1 && memcmp(text, "zzplain", 7) == 0);
    close(fds[0]);
    CHECK_IS(send_fds(p[0], "r", 1, several, 2, 0), 1);
    CHECK(read(p[1], text, 8) == 1 && text[0] == 'r'); /* who only reads does not get them */
    CHECK_IS(send_fds(p[0], "s", 1, several, 2, 0), 1);
    n = 1;
    CHECK(receive_fds(p[1], text, 8, fds, &n, 0, &said) == 1 && n == 1 && said == MSG_CTRUNC);
    close(fds[0]);
    n = 0;
    CHECK(send_fds(p[0], "t", 1, several, 1, 0) == 1 && receive_fds(p[1], text, 8, fds, &n, 0, &said) == 1 &&
          said == MSG_CTRUNC);
    close(several[0]);
    close(several[1]);
    close(p[1]);
    CHECK_ERRNO(send_fds(p[0], "t", 1, (int[]){ 1 }, 1, MSG_NOSIGNAL), EPIPE);
    close(p[0]);
}

static void between(void)
{
    int p[2], fd = file_with("first"), fds[AT_ONCE], said;
    char text[16] = "";
    size_t n = AT_ONCE;
    CHECK_IS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
    pid_t pid = start(p[1], "+take", nullptr);
    CHECK_IS(send_fds(p[0], "x", 1, &fd, 1, 0), 1);
    CHECK_IS(status_of(pid), 0);
    CHECK(pread(fd, text, sizeof text, 0) == 10 && memcmp(text, "first+more", 10) == 0);
    close(fd);
    CHECK_IS(status_of(start(p[1], "+give", nullptr)), 0); /* the giver is gone, and the name too */
    CHECK(receive_fds(p[0], text, 1, fds, &n, 0, &said) == 1 && n == 1);
    CHECK(read(fds[0], text, 16) == 9 && memcmp(text, "a child's", 9) == 0);
    close(fds[0]);
    CHECK_IS(status_of(start(p[1], "+give-and-die", nullptr)), SIGKILL);
    n = AT_ONCE;
    CHECK(receive_fds(p[0], text, 1, fds, &n, 0, &said) == 1 && n == 1 && read(fds[0], text, 16) == 9);
    close(fds[0]);
    close(p[0]);
    close(p[1]);
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/tmp/passing.socket" };
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(s, (struct sockaddr *)&a, sizeof a) == 0 && listen(s, 1) == 0);
    pid = start(-1, "+give", a.sun_path);
    int c = accept(s, nullptr, nullptr);
    n = AT_ONCE;
    CHECK(receive_fds(c, text, 1, fds, &n, 0, &said) == 1 && n == 1);
    CHECK_IS(status_of(pid), 0);
    CHECK(read(fds[0], text, 16) == 9 && memcmp(text, "a child's", 9) == 0);
    close(fds[0]);
    close(c);
    close(s);
}

static void refused(void)
{
    int p[2], q[2], fds[AT_ONCE + 1], said, fd;
    char text[8];
    size_t n = AT_ONCE;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0 && pipe(q) == 0);
    CHECK_ERRNO(send_fds(p[0], "x", 1, (int[]){ 1, 99 }, 2, 0), EBADF);
    CHECK_ERRNO(send_fds(p[0], "x", 1, q, 1, 0), EOPNOTSUPP);
    CHECK_ERRNO(send_fds(p[0], "x", 1, p, 1, 0), EOPNOTSUPP);
    fd = eventfd(0, 0);
    CHECK_ERRNO(send_fds(p[0], "x", 1, &fd, 1, 0), EOPNOTSUPP);
    close(fd);
    fd = open("/tmp", O_RDONLY | O_DIRECTORY);
    CHECK_ERRNO(send_fds(p[0], "x", 1, &fd, 1, 0), EOPNOTSUPP);
    close(fd);
    alignas(struct cmsghdr) char control[64] = {};
    struct iovec v = { text, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(4) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = 0x02 }; /* credentials */
    CHECK_ERRNO(sendmsg(p[0], &m, 0), EOPNOTSUPP);
    *c = (struct cmsghdr){ .cmsg_len = sizeof *c - 1, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    CHECK_ERRNO(sendmsg(p[0], &m, 0), EINVAL);
    c->cmsg_len = CMSG_SPACE(4) + 8;
    CHECK_ERRNO(sendmsg(p[0], &m, 0), EINVAL);
    CHECK_ERRNO(recv(p[1], text, 1, MSG_DONTWAIT), EAGAIN); /* nothing of all that was sent */

    for (int i = 0; i <= AT_ONCE; i++)
        fds[i] = 1;
    CHECK_ERRNO(send_fds(p[0], "x", 1, fds, AT_ONCE + 1, 0), EINVAL);
    CHECK_IS(send_fds(p[0], "a", 1, fds, AT_ONCE, 0), 1);
    CHECK_IS(send_fds(p[0], "b", 1, fds, UNDER_WAY - AT_ONCE, 0), 1);
    CHECK_ERRNO(send_fds(p[0], "c", 1, fds, 1, MSG_DONTWAIT), EAGAIN);
    CHECK(receive_fds(p[1], text, 8, fds, &n, 0, &said) == 1 && n == AT_ONCE && text[0] == 'a' && said == 0);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    CHECK_IS(send_fds(p[0], "c", 1, (int[]){ 1 }, 1, MSG_DONTWAIT), 1);
    CHECK(read(p[1], text, 8) == 1 && read(p[1], text, 8) == 1 && text[0] == 'c');

    fd = file_with("x"); /* files that nobody has taken yet */
    for (int i = 0; i < OF_ONE / AT_ONCE; i++) {
        for (int k = 0; k < AT_ONCE; k++)
            fds[k] = fd;
        CHECK_IS(send_fds(p[i % 2], "f", 1, fds, AT_ONCE, 0), 1);
    }
    CHECK_ERRNO(send_fds(p[0], "x", 1, &fd, 1, 0), ETOOMANYREFS);
    close(p[0]); /* what nobody can take any more is dropped */
    close(p[1]);
    CHECK_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    for (int i = 0; i < OF_ONE / AT_ONCE; i++)
        CHECK_IS(send_fds(p[i % 2], "f", 1, fds, AT_ONCE, 0), 1);
    CHECK_ERRNO(send_fds(p[0], "x", 1, &fd, 1, 0), ETOOMANYREFS);
    CHECK_IS(read(p[1], text, 8), 1);
    CHECK_IS(send_fds(p[0], "x", 1, &fd, 1, 0), 1);
    CHECK_IS(read(p[1], text, 8), 1);
    CHECK_IS(read(p[0], text, 8), 1);
    close(fd);
    for (int i = 0; i < 2; i++) {
        close(p[i]);
        close(q[i]);
    }
    CHECK_IS(unlink(path), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == '+')
        return child(argv);
    here();
    between();
    refused();
    return check_done();
}
