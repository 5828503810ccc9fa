/* SPDX-License-Identifier: MIT
 * Sending and receiving over sockets beyond read and write, and their options. */
#define _GNU_SOURCE
#include "signal.h"
#include "socket.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

enum : int { BUFFER_BYTES = 16384 }; /* of each direction: pipe.c */

/* --- descriptors with a message --- */

static void drop_all(struct px_passing *passing)
{
    for (unsigned i = 0; i < passing->n; i++)
        px_pass_drop(&passing->passed[i]);
    passing->n = 0;
}

static long add_passed(const struct cmsghdr *c, struct px_passing *out)
{
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
        struct px_file *f = px_fd_get(fd);
        if (f == nullptr)
            return -EBADF;
        long answer = out->n == PX_PASSING_AT_ONCE ? -EINVAL : px_pass(f, &out->passed[out->n]);
        px_file_put(f);
        if (answer != 0)
            return answer;
        out->n++;
    }
    return 0;
}

/* What the message's control part says. On an error nothing is under way. */
static long collect_passed(const struct msghdr *m, struct px_passing *out)
{
    const char *control = m->msg_control;
    size_t left = m->msg_controllen;
    long answer = 0;
    out->n = 0;
    while (answer == 0 && left >= sizeof(struct cmsghdr)) {
        const struct cmsghdr *c = (const void *)control;
        if (c->cmsg_len < sizeof *c || c->cmsg_len > left)
            answer = -EINVAL;
        else if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            answer = -EOPNOTSUPP;
        else
            answer = add_passed(c, out);
        size_t whole = answer == 0 ? CMSG_ALIGN(c->cmsg_len) : left;
        control += whole < left ? whole : left;
        left -= whole < left ? whole : left;
    }
    if (answer != 0)
        drop_all(out);
    return answer;
}

/* Those that came become descriptors, as far as there is room to say which. What could not become one: MSG_CTRUNC. */
static void deliver_passed(struct px_passing *passing, struct msghdr *m, size_t room, bool close_on_exec)
{
    struct cmsghdr c = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    int fds[PX_PASSING_AT_ONCE];
    size_t fit = room < CMSG_LEN(sizeof(int)) ? 0 : (room - CMSG_LEN(0)) / sizeof(int), n = 0;
    for (unsigned i = 0; i < passing->n; i++) {
        struct px_file *f = n < fit ? px_pass_take(&passing->passed[i]) : nullptr;
        long fd = f != nullptr ? px_fd_add(f, 0, close_on_exec) : -1;
        if (n == fit)
            px_pass_drop(&passing->passed[i]);
        if (fd < 0)
            m->msg_flags |= MSG_CTRUNC;
        else
            fds[n++] = (int)fd;
    }
    if (n == 0)
        return;
    c.cmsg_len = (socklen_t)CMSG_LEN(n * sizeof(int));
    memcpy(m->msg_control, &c, sizeof c);
    memcpy((char *)m->msg_control + CMSG_LEN(0), fds, n * sizeof(int));
    size_t used = CMSG_SPACE(n * sizeof(int));
    m->msg_controllen = (socklen_t)(used < room ? used : room);
}

/* --- messages --- */

static long send_pieces(struct px_file *f, const struct msghdr *m, long flags, struct px_passing *passing)
{
    bool wait = (f->flags & O_NONBLOCK) == 0 && (flags & MSG_DONTWAIT) == 0;
    long done = 0;
    for (int i = 0; i < m->msg_iovlen; i++) {
        long n = px_pipe_put_passing(f->socket->out, m->msg_iov[i].iov_base, m->msg_iov[i].iov_len, wait, passing);
        if (n == -EPIPE && (flags & MSG_NOSIGNAL) == 0)
            px_signal_self(SIGPIPE);
        if (n < 0)
            return done != 0 ? done : n;
        done += n;
        if ((size_t)n < m->msg_iov[i].iov_len)
            break;
    }
    return done;
}

static long send_vector(struct px_file *f, const struct msghdr *m, long flags)
{
    constexpr long known = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_EOR | MSG_MORE;
    struct px_passing passing;
    if ((flags & ~known) != 0)
        return -EOPNOTSUPP;
    if (f->socket->state != CONNECTED)
        return -ENOTCONN;
    if (m->msg_namelen != 0)
        return -EISCONN;
    passing.n = 0;
    long answer = m->msg_controllen != 0 ? collect_passed(m, &passing) : 0;
    if (answer == 0)
        answer = send_pieces(f, m, flags, &passing);
    drop_all(&passing); /* what no byte took along */
    return answer;
}

/* All pieces of one message's descriptors: they come with the first. */
static long receive_pieces(struct px_file *f, const struct msghdr *m, long flags, struct px_passing *passing)
{
    struct px_socket *s = f->socket;
    long done = 0;
    bool wait = (f->flags & O_NONBLOCK) == 0 && (flags & MSG_DONTWAIT) == 0, peek = (flags & MSG_PEEK) != 0;
    bool all = (flags & MSG_WAITALL) != 0 && !peek;
    for (int i = 0; i < m->msg_iovlen; i++) {
        char *to = m->msg_iov[i].iov_base;
        size_t left = m->msg_iov[i].iov_len;
        while (left != 0) {
            bool first = done == 0;
            long n = peek                    ? px_pipe_take(s->in, to, left, wait && first, true)
                     : first                 ? px_pipe_take_passing(s->in, to, left, wait, passing)
                     : px_pipe_passes(s->in) ? 0
                                             : px_pipe_take(s->in, to, left, wait && all, false);
            if (n <= 0)
                return !first || n == 0 ? done : n;
            done += n;
            to += n;
            left -= (size_t)n;
            if (peek)
                break;
        }
        if (left != 0)
            break;
    }
    return done;
}

static long receive_vector(struct px_file *f, struct msghdr *m, long flags)
{
    constexpr long known = MSG_PEEK | MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC;
    struct px_passing passing;
    if ((flags & ~known) != 0)
        return -EOPNOTSUPP;
    if (f->socket->state != CONNECTED)
        return -ENOTCONN;
    passing.n = 0;
    long answer = receive_pieces(f, m, flags, &passing);
    if (answer < 0)
        return answer;
    size_t room = m->msg_control != nullptr ? m->msg_controllen : 0;
    m->msg_namelen = 0;
    m->msg_controllen = 0;
    m->msg_flags = 0;
    if (passing.n != 0)
        deliver_passed(&passing, m, room, (flags & MSG_CMSG_CLOEXEC) != 0);
    return answer;
}

long px_sendmsg(long fd, long message, long flags)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    answer = send_vector(f, (const struct msghdr *)message, flags);
    px_file_put(f);
    return answer;
}

long px_recvmsg(long fd, long message, long flags)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    answer = receive_vector(f, (struct msghdr *)message, flags);
    px_file_put(f);
    return answer;
}

long px_sendto(long fd, long from, long bytes, long flags, long address, long address_bytes)
{
    struct iovec v = { .iov_base = (void *)from, .iov_len = (size_t)bytes };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_namelen = address != 0 ? (socklen_t)address_bytes : 0 };
    return px_sendmsg(fd, (long)&m, flags);
}

long px_recvfrom(long fd, long to, long bytes, long flags, long address, long address_bytes)
{
    struct iovec v = { .iov_base = (void *)to, .iov_len = (size_t)bytes };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    long answer = px_recvmsg(fd, (long)&m, flags);
    if (answer >= 0 && address != 0 && address_bytes != 0)
        *(socklen_t *)address_bytes = 0; /* a stream's bytes come from its peer */
    return answer;
}

/* As many as can be; the number. An error tells only when it is the first. */
static long several(long fd, long messages, long n, long flags, long (*one)(long fd, long message, long flags))
{
    struct mmsghdr *m = (struct mmsghdr *)messages;
    for (long i = 0; i < n; i++) {
        long answer = one(fd, (long)&m[i].msg_hdr, flags);
        if (answer < 0)
            return i != 0 ? i : answer;
        m[i].msg_len = (unsigned)answer;
        if (answer == 0)
            return i + 1;
    }
    return n;
}

long px_sendmmsg(long fd, long messages, long n, long flags)
{
    return several(fd, messages, n, flags, px_sendmsg);
}

long px_recvmmsg(long fd, long messages, long n, long flags, long timeout)
{
    return timeout != 0 ? -EOPNOTSUPP : several(fd, messages, n, flags & ~MSG_WAITFORONE, px_recvmsg);
}

/* --- options --- */

void px_socket_limit(const struct px_socket *s)
{
    if (s->state == CONNECTED) {
        px_pipe_limit(s->in, true, s->receive_ns);
        px_pipe_limit(s->out, false, s->send_ns);
    } else if (s->state == LISTENING) {
        px_pipe_limit(s->door, true, s->receive_ns);
    }
}

static uint64_t *limit_of(const struct px_file *f, long name)
{
    return name == SO_RCVTIMEO ? &f->socket->receive_ns : name == SO_SNDTIMEO ? &f->socket->send_ns : nullptr;
}

static long set_limit(struct px_socket *s, uint64_t *limit, const void *from, long bytes)
{
    struct timeval t;
    if (bytes < (long)sizeof t)
        return -EINVAL;
    memcpy(&t, from, sizeof t);
    if (t.tv_usec < 0 || t.tv_usec >= 1'000'000)
        return -EDOM;
    uint64_t ns = 0;
    if (t.tv_sec < 0)
        ns = 1; /* as on Linux: nothing is waited for */
    else if (t.tv_sec < INT32_MAX)
        ns = (uint64_t)t.tv_sec * VX_NS_PER_S + (uint64_t)t.tv_usec * 1000;
    *limit = ns;
    px_socket_limit(s);
    return 0;
}

static long option(const struct px_file *f, long name, int *value)
{
    switch (name) {
    case SO_TYPE:
        *value = SOCK_STREAM;
        return 0;
    case SO_DOMAIN:
        *value = AF_UNIX;
        return 0;
    case SO_ACCEPTCONN:
        *value = f->socket->state == LISTENING;
        return 0;
    case SO_SNDBUF:
    case SO_RCVBUF:
        *value = BUFFER_BYTES;
        return 0;
    case SO_ERROR:
    case SO_PROTOCOL:
    case SO_REUSEADDR:
    case SO_KEEPALIVE:
    case SO_BROADCAST:
        *value = 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

long px_getsockopt(long fd, long level, long name, long to, long bytes)
{
    struct px_file *f = nullptr;
    int value = 0;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    const uint64_t *limit = level == SOL_SOCKET ? limit_of(f, name) : nullptr;
    struct timeval t = {};
    if (limit != nullptr)
        t = (struct timeval){ .tv_sec = (time_t)(*limit / VX_NS_PER_S), .tv_usec = *limit % VX_NS_PER_S / 1000 };
    else
        answer = level != SOL_SOCKET ? -ENOPROTOOPT : option(f, name, &value);
    px_file_put(f);
    socklen_t *room = (socklen_t *)bytes, whole = limit != nullptr ? sizeof t : sizeof value;
    if (answer == 0) {
        *room = *room < whole ? *room : whole;
        memcpy((void *)to, limit != nullptr ? (const void *)&t : &value, *room);
    }
    return answer;
}

/* What changes nothing that could be noticed is accepted. */
long px_setsockopt(long fd, long level, long name, long from, long bytes)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    uint64_t *limit = level == SOL_SOCKET ? limit_of(f, name) : nullptr;
    if (limit != nullptr)
        answer = set_limit(f->socket, limit, (const void *)from, bytes);
    px_file_put(f);
    if (limit != nullptr)
        return answer;
    if (level != SOL_SOCKET)
        return -ENOPROTOOPT;
    if (bytes < (long)sizeof(int))
        return -EINVAL;
    return name == SO_SNDBUF || name == SO_RCVBUF || name == SO_REUSEADDR || name == SO_KEEPALIVE ? 0 : -ENOPROTOOPT;
}
