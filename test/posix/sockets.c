/* SPDX-License-Identifier: MIT
 * Local stream sockets: pairs, connections by name within a process and between processes, shutting down, messages,
 * options, polling. This program starts itself as the peer. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static const char *self = "/bin/sockets";

static socklen_t name_it(struct sockaddr_un *a, const char *path)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (path[0] == '@') { /* abstract */
        memcpy(a->sun_path + 1, path + 1, strlen(path) - 1);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    strcpy(a->sun_path, path);
    return (socklen_t)sizeof *a;
}

static int connected(const char *path)
{
    struct sockaddr_un a;
    socklen_t n = name_it(&a, path);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(s, (struct sockaddr *)&a, n) == 0)
        return s;
    int saved = errno;
    close(s);
    errno = saved;
    return -1;
}

static int listening(const char *path)
{
    struct sockaddr_un a;
    socklen_t n = name_it(&a, path);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(s, (struct sockaddr *)&a, n) == 0 && listen(s, 5) == 0 ? s : -1;
}

static int child(int argc, char **argv)
{
    char buffer[256];
    ssize_t n;
    if (strcmp(argv[1], "+echo") == 0) { /* what is on 0 goes back there */
        while ((n = read(0, buffer, sizeof buffer)) > 0)
            if (write(0, buffer, (size_t)n) != n)
                return 1;
        return n < 0;
    }
    if (strcmp(argv[1], "+connect") == 0) {
        int s = connected(argv[2]);
        if (s < 0 || write(s, "hello", 5) != 5 || read(s, buffer, 3) != 3 || memcmp(buffer, "you", 3) != 0)
            return 1;
        return read(s, buffer, 1) == 0 ? 0 : 2;
    }
    if (strcmp(argv[1], "+serve") == 0) {
        int s = listening(argv[2]);
        if (s < 0)
            return 1;
        (void)!write(1, "r", 1);
        int c = accept(s, nullptr, nullptr);
        if (c < 0 || read(c, buffer, 1) != 1)
            return 2;
        if (buffer[0] == 'k')
            raise(SIGKILL);
        for (;;)
            pause();
    }
    return argc;
}

static pid_t start(int in, int out, char **argv)
{
    posix_spawn_file_actions_t fa;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&fa);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&fa, in, 0);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&fa, out, 1);
    CHECK_IS(posix_spawn(&pid, self, &fa, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&fa);
    return pid;
}

static int status_of(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void pairs(void)
{
    int p[2];
    char buffer[64] = {}, big[40000];
    struct stat st;
    CHECK_IS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
    CHECK_IS(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    CHECK(fstat(p[0], &st) == 0 && S_ISSOCK(st.st_mode));
    CHECK_ERRNO(lseek(p[0], 0, SEEK_SET), ESPIPE);
    CHECK_IS(write(p[0], "abc", 3), 3);
    CHECK_IS(write(p[1], "xyz!", 4), 4);
    CHECK(read(p[1], buffer, sizeof buffer) == 3 && memcmp(buffer, "abc", 3) == 0);
    CHECK(recv(p[0], buffer, 2, MSG_PEEK) == 2 && memcmp(buffer, "xy", 2) == 0);
    int n = 0;
    CHECK(ioctl(p[0], FIONREAD, &n) == 0 && n == 4);
    CHECK(recv(p[0], buffer, sizeof buffer, 0) == 4 && memcmp(buffer, "xyz!", 4) == 0);
    CHECK_ERRNO(recv(p[0], buffer, 1, MSG_DONTWAIT), EAGAIN);
    struct pollfd f = { .fd = p[0], .events = POLLIN | POLLOUT };
    CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLOUT);
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    memset(big, 'b', sizeof big);
    CHECK_IS(write(p[1], big, sizeof big), 16384);
    CHECK_ERRNO(write(p[1], big, 1), EAGAIN);
    CHECK(poll(&f, 1, 0) == 1 && f.revents == (POLLIN | POLLOUT));
    CHECK_IS(recv(p[0], big, 16384, MSG_WAITALL), 16384);
    struct iovec v[2] = { { "one ", 4 }, { "two", 3 } }, w[2] = { { buffer, 2 }, { buffer + 2, 62 } };
    struct msghdr out = { .msg_iov = v, .msg_iovlen = 2 }, in = { .msg_iov = w, .msg_iovlen = 2 };
    CHECK_IS(sendmsg(p[0], &out, 0), 7);
    CHECK(recvmsg(p[1], &in, 0) == 7 && memcmp(buffer, "one two", 7) == 0 && in.msg_controllen == 0);
    char control[64] = {};
    out.msg_control = control;
    out.msg_controllen = sizeof control;
    CHECK_ERRNO(sendmsg(p[0], &out, 0), EINVAL); /* descriptors: passing.c */
    CHECK_ERRNO(send(p[0], "x", 1, MSG_OOB), EOPNOTSUPP);
    struct sockaddr_un a;
    CHECK_ERRNO(sendto(p[0], "x", 1, 0, (struct sockaddr *)&a, sizeof a), EISCONN);

    CHECK_IS(shutdown(p[0], SHUT_WR), 0); /* no more from here, still more to here */
    CHECK_IS(read(p[1], buffer, 1), 0);
    f = (struct pollfd){ .fd = p[1], .events = POLLIN | POLLRDHUP };
    CHECK(poll(&f, 1, 0) == 1 && f.revents == (POLLIN | POLLRDHUP));
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERRNO(write(p[0], "x", 1), EPIPE);
    CHECK_IS(write(p[1], "y", 1), 1);
    CHECK_IS(read(p[0], buffer, 1), 1);
    CHECK_ERRNO(shutdown(p[0], 77), EINVAL);
    close(p[1]);
    CHECK_IS(read(p[0], buffer, 1), 0);
    f = (struct pollfd){ .fd = p[0], .events = POLLIN };
    CHECK(poll(&f, 1, 0) == 1 && (f.revents & POLLHUP) != 0);
    close(p[0]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, p);
    close(p[1]);
    signal(SIGPIPE, SIG_DFL);
    CHECK_ERRNO(send(p[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    close(p[0]);

    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p);
    pid_t pid = start(p[1], -1, (char *[]){ "sockets", "+echo", nullptr });
    close(p[1]);
    CHECK_IS(write(p[0], "to a child", 10), 10);
    CHECK(recv(p[0], buffer, 10, MSG_WAITALL) == 10 && memcmp(buffer, "to a child", 10) == 0);
    shutdown(p[0], SHUT_WR);
    CHECK_IS(read(p[0], buffer, 1), 0);
    CHECK_IS(status_of(pid), 0);
    close(p[0]);
}

static void names(const char *path)
{
    struct sockaddr_un a, peer = {};
    socklen_t n = name_it(&a, path), got = sizeof peer;
    char buffer[64];
    CHECK_ERRNO(connected(path), ENOENT);
    int s = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0), value = -1;
    CHECK_ERRNO(listen(s, 1), EDESTADDRREQ);
    CHECK_ERRNO(accept(s, nullptr, nullptr), EINVAL);
    CHECK_ERRNO(getpeername(s, (struct sockaddr *)&peer, &got), ENOTCONN);
    CHECK_ERRNO(send(s, "x", 1, 0), ENOTCONN);
    CHECK_ERRNO(recv(s, buffer, 1, 0), ENOTCONN);
    CHECK_ERRNO(shutdown(s, SHUT_RD), ENOTCONN);
    CHECK_IS(bind(s, (struct sockaddr *)&a, n), 0);
    CHECK_ERRNO(bind(s, (struct sockaddr *)&a, n), EINVAL);
    CHECK_ERRNO(bind(other, (struct sockaddr *)&a, n), EADDRINUSE);
    CHECK_ERRNO(connect(other, (struct sockaddr *)&a, n), ECONNREFUSED); /* bound, but does not listen */
    CHECK_IS(listen(s, 1), 0);
    socklen_t size = sizeof value;
    CHECK(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1);
    got = sizeof peer;
    CHECK(getsockname(s, (struct sockaddr *)&peer, &got) == 0 && peer.sun_family == AF_UNIX &&
          memcmp(peer.sun_path, a.sun_path, strlen(path)) == 0);
    fcntl(s, F_SETFL, O_NONBLOCK);
    CHECK_ERRNO(accept(s, nullptr, nullptr), EAGAIN);
    struct pollfd f = { .fd = s, .events = POLLIN };
    CHECK_IS(poll(&f, 1, 0), 0);
    CHECK_IS(connect(other, (struct sockaddr *)&a, n), 0);
    CHECK_ERRNO(connect(other, (struct sockaddr *)&a, n), EISCONN);
    CHECK_IS(write(other, "early", 5), 5); /* before it is accepted */
    CHECK(poll(&f, 1, 1000) == 1 && f.revents == POLLIN);
    got = sizeof peer;
    int c = accept4(s, (struct sockaddr *)&peer, &got, SOCK_CLOEXEC);
    CHECK(c >= 0 && fcntl(c, F_GETFD) == FD_CLOEXEC && got == 2);
    CHECK(read(c, buffer, sizeof buffer) == 5 && memcmp(buffer, "early", 5) == 0);
    CHECK_IS(write(c, "late", 4), 4);
    CHECK_IS(read(other, buffer, sizeof buffer), 4);
    got = sizeof peer;
    CHECK(getpeername(other, (struct sockaddr *)&peer, &got) == 0 &&
          memcmp(peer.sun_path, a.sun_path, strlen(path)) == 0);
    close(c);
    CHECK_IS(read(other, buffer, 1), 0);
    close(other);

    int many[20], k = 0; /* as many as may wait */
    while (k < 20) {
        many[k] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(many[k], (struct sockaddr *)&a, n) != 0)
            break;
        k++;
    }
    CHECK_IS(errno, EAGAIN);
    CHECK_IS(k, 16);
    close(s); /* those who wait are refused */
    fcntl(many[0], F_SETFL, 0);
    CHECK_IS(read(many[0], buffer, 1), 0);
    for (int i = 0; i <= k; i++)
        close(many[i]);
    CHECK_ERRNO(connected(path), ENOENT);
    s = listening(path); /* and the name is free */
    CHECK(s >= 0);
    pid_t pid = start(-1, -1, (char *[]){ "sockets", "+connect", (char *)path, nullptr });
    c = accept(s, nullptr, nullptr);
    CHECK(recv(c, buffer, 5, MSG_WAITALL) == 5 && memcmp(buffer, "hello", 5) == 0);
    CHECK_IS(write(c, "you", 3), 3);
    close(c);
    CHECK_IS(status_of(pid), 0);
    close(s);

    int said[2];
    pipe2(said, O_CLOEXEC);
    for (int i = 0; i < 2; i++) { /* a peer that is killed, by itself and by us */
        pid = start(-1, said[1], (char *[]){ "sockets", "+serve", (char *)path, nullptr });
        CHECK_IS(read(said[0], buffer, 1), 1);
        c = connected(path);
        CHECK_IS(write(c, i == 0 ? "k" : "w", 1), 1);
        if (i == 1)
            kill(pid, SIGKILL);
        CHECK_IS(read(c, buffer, 1), 0);
        close(c);
        CHECK_IS(WTERMSIG(status_of(pid)), SIGKILL);
    }
    close(said[0]);
    close(said[1]);
}

static void errors(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), value = -1;
    socklen_t size = sizeof value;
    struct sockaddr_un a;
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET6, SOCK_DGRAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_DGRAM, 0), EPROTOTYPE);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 77), EPROTONOSUPPORT);
    CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, &value), EAFNOSUPPORT);
    CHECK_ERRNO(listen(0, 1), ENOTSOCK);
    CHECK_ERRNO(listen(99, 1), EBADF);
    CHECK_ERRNO(accept(99, nullptr, nullptr), EBADF);
    CHECK_ERRNO(shutdown(0, SHUT_RD), ENOTSOCK);
    CHECK_ERRNO(send(1, "x", 1, 0), ENOTSOCK);
    name_it(&a, "/run/x");
    CHECK_ERRNO(bind(s, (struct sockaddr *)&a, 1), EINVAL);
    CHECK_ERRNO(bind(s, (struct sockaddr *)&a, 200), EINVAL);
    a.sun_family = AF_INET;
    CHECK_ERRNO(bind(s, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
    CHECK_ERRNO(connect(s, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
    CHECK(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &size) == 0 && value == SOCK_STREAM && size == sizeof value);
    CHECK(getsockopt(s, SOL_SOCKET, SO_ERROR, &value, &size) == 0 && value == 0);
    CHECK(getsockopt(s, SOL_SOCKET, SO_RCVBUF, &value, &size) == 0 && value == 16384);
    CHECK_ERRNO(getsockopt(s, SOL_SOCKET, 7777, &value, &size), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(s, IPPROTO_TCP, 1, &value, &size), ENOPROTOOPT);
    CHECK_IS(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value), 0);
    CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &value, 1), EINVAL);
    CHECK_ERRNO(setsockopt(s, SOL_SOCKET, 7777, &value, sizeof value), ENOPROTOOPT);
    close(s);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void limits(void)
{
    struct timeval limit = { .tv_usec = 120'000 }, told = {};
    socklen_t size = sizeof told;
    int pair[2], listener = listening("/run/limits"), c = socket(AF_UNIX, SOCK_STREAM, 0);
    static char much[1 << 16];
    struct sockaddr_un a;
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    CHECK_IS(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    CHECK_IS(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    CHECK_IS(getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &told, &size), 0);
    CHECK(size == sizeof told && told.tv_sec == 0 && told.tv_usec == 120'000);
    double before = seconds();
    CHECK_ERRNO(read(pair[0], much, 1), EAGAIN);
    CHECK_ERRNO(recv(pair[0], much, 1, 0), EAGAIN);
    CHECK(seconds() - before >= 0.23);
    before = seconds();
    CHECK(write(pair[0], much, sizeof much) == 16384); /* what there was room for */
    CHECK_ERRNO(write(pair[0], much, 1), EAGAIN);
    CHECK(seconds() - before >= 0.23);
    CHECK_IS(write(pair[1], "x", 1), 1);
    CHECK_IS(read(pair[0], much, 2), 1);
    limit.tv_usec = 1'000'000;
    CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), EDOM);
    CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(int)), EINVAL);
    close(pair[0]);
    close(pair[1]);
    limit.tv_usec = 60'000; /* said before there is a connection; and of one that listens */
    CHECK_IS(setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    CHECK_IS(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    CHECK_ERRNO(accept(listener, nullptr, nullptr), EAGAIN);
    CHECK_IS(connect(c, (struct sockaddr *)&a, name_it(&a, "/run/limits")), 0);
    CHECK_ERRNO(read(c, much, 1), EAGAIN);
    close(c);
    close(listener);
}

int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == '+')
        return child(argc, argv);
    pairs();
    names("/run/socket");
    names("@abstract name");
    names("/a-name-that-is-longer-than-one-part-of-a-message-can-carry/and-so-goes-in-three-of-them/socket");
    errors();
    limits();
    return check_done();
}
