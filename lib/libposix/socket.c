/* SPDX-License-Identifier: MIT
 * AF_UNIX stream sockets. A connected one is two pipes: one it reads, one it writes. socketpair makes both here; a
 * connection by name is memory of the process service, which brings the two sides together, so that neither side's end
 * takes it from the other. There is no other family: AF_INET is EAFNOSUPPORT.
 *
 *  1. in and out are set exactly while the state is CONNECTED; door exactly while it is LISTENING; name.length is not 0
 *     from bind on.
 *  2. Names live in the process service and go when the socket is closed; they are not files.
 *  3. A listening socket knows of connections by its door, a pipe in which each one puts a byte. */
#define _GNU_SOURCE
#include "socket.h"
#include "process.h"
#include "signal.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

enum : unsigned { CONNECTOR = 0, ACCEPTOR = 1, KNOCKER = 15 }; /* holders */

static struct vx_mutex list_lock;
static struct px_socket *free_sockets;
static const struct px_ops socket_ops;

static struct px_file *socket_new(int flags)
{
    vx_mutex_lock(&list_lock);
    if (free_sockets == nullptr) {
        struct px_socket *page = px_pages(PX_PAGE);
        for (size_t i = 0; page != nullptr && i < PX_PAGE / sizeof *page; i++) {
            page[i].next_free = free_sockets;
            free_sockets = &page[i];
        }
    }
    struct px_socket *s = free_sockets;
    if (s != nullptr) {
        free_sockets = s->next_free;
        *s = (struct px_socket){};
    }
    vx_mutex_unlock(&list_lock);
    struct px_file *f = s == nullptr ? nullptr : px_file_new(&socket_ops, O_RDWR | (flags & O_NONBLOCK));
    if (f != nullptr)
        f->socket = s;
    return f;
}

static void socket_close(struct px_file *f)
{
    struct px_socket *s = f->socket;
    if (s->state == CONNECTED) {
        px_pipe_end_closed(s->in, true, false);
        px_pipe_end_closed(s->out, false, true);
    }
    if (s->door != nullptr)
        px_pipe_put(s->door);
    if (s->name.length != 0 && s->state != CONNECTED)
        px_proc_unbind(&s->name);
    vx_mutex_lock(&list_lock);
    s->next_free = free_sockets;
    free_sockets = s;
    vx_mutex_unlock(&list_lock);
}

bool px_socket_pipes(const struct px_file *f, struct px_pipe **in, struct px_pipe **out)
{
    if (f->ops != &socket_ops || f->socket->state != CONNECTED)
        return false;
    *in = f->socket->in;
    *out = f->socket->out;
    return true;
}

struct px_file *px_socket_adopt(struct px_pipe *in, struct px_pipe *out, int flags)
{
    struct px_file *f = socket_new(flags);
    if (f == nullptr)
        return nullptr;
    px_pipe_get(in);
    px_pipe_get(out);
    f->socket->in = in;
    f->socket->out = out;
    f->socket->state = CONNECTED;
    return f;
}

/* --- as a file --- */

static long socket_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    (void)at;
    return f->socket->state != CONNECTED ? -ENOTCONN
                                         : px_pipe_take(f->socket->in, to, bytes, (f->flags & O_NONBLOCK) == 0, false);
}

static long socket_write(struct px_file *f, const void *from, size_t bytes, int64_t at)
{
    (void)at;
    return f->socket->state != CONNECTED ? -ENOTCONN
                                         : px_pipe_put_bytes(f->socket->out, from, bytes, (f->flags & O_NONBLOCK) == 0);
}

static unsigned socket_poll(struct px_file *f, bool sleep)
{
    const struct px_socket *s = f->socket;
    if (sleep)
        px_children_look();
    if (s->state == LISTENING)
        return px_pipe_events(s->door, true) & (POLLIN | POLLRDNORM);
    if (s->state != CONNECTED)
        return POLLOUT | POLLWRNORM | POLLHUP;
    unsigned in = px_pipe_events(s->in, true), out = px_pipe_events(s->out, false);
    unsigned events = (in & (POLLIN | POLLRDNORM)) | (out & (POLLOUT | POLLWRNORM));
    if ((in & POLLHUP) != 0) /* nothing more will come: reading does not wait */
        events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if ((in & POLLHUP) != 0 && (out & POLLERR) != 0)
        events |= POLLHUP;
    return events;
}

static long socket_stat(struct px_file *f, struct stat *out)
{
    (void)f;
    memset(out, 0, sizeof *out);
    out->st_mode = S_IFSOCK | 0777;
    out->st_nlink = 1;
    out->st_blksize = (blksize_t)PX_PAGE;
    return 0;
}

static long socket_control(struct px_file *f, unsigned long request, void *argument)
{
    if (request != FIONREAD)
        return -ENOTTY;
    if (f->socket->state == LISTENING)
        return -EINVAL;
    *(int *)argument = f->socket->state == CONNECTED ? (int)px_pipe_fill(f->socket->in) : 0;
    return 0;
}

static const struct px_ops socket_ops = { .kind = 's',
                                          .read = socket_read,
                                          .write = socket_write,
                                          .stat = socket_stat,
                                          .control = socket_control,
                                          .poll = socket_poll,
                                          .close = socket_close };

long px_socket_get(long fd, struct px_file **out)
{
    struct px_file *f = px_fd_get((int)fd);
    if (f == nullptr)
        return -EBADF;
    if (f->ops != &socket_ops) {
        px_file_put(f);
        return -ENOTSOCK;
    }
    *out = f;
    return 0;
}

/* --- making --- */

static long check_kind(long domain, long type, long protocol)
{
    constexpr long flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (domain != AF_UNIX)
        return -EAFNOSUPPORT;
    if ((type & ~flags) != SOCK_STREAM)
        return -EPROTOTYPE;
    return protocol != 0 && protocol != AF_UNIX ? -EPROTONOSUPPORT : 0;
}

long px_socket(long domain, long type, long protocol)
{
    long answer = check_kind(domain, type, protocol);
    if (answer != 0)
        return answer;
    struct px_file *f = socket_new((int)type & SOCK_NONBLOCK);
    return f == nullptr ? -ENOMEM : px_fd_add(f, 0, (type & SOCK_CLOEXEC) != 0);
}

long px_socketpair(long domain, long type, long protocol, long out)
{
    struct px_pipe *there = nullptr, *back = nullptr;
    struct px_file *one = nullptr, *other = nullptr;
    long answer = check_kind(domain, type, protocol);
    if (answer == 0)
        answer = px_pipe_make(&there);
    if (answer != 0)
        return answer;
    answer = px_pipe_make(&back);
    if (answer == 0) {
        px_pipe_hold(there, 0, 1, 1);
        px_pipe_hold(back, 0, 1, 1);
        one = px_socket_adopt(back, there, (int)type & SOCK_NONBLOCK);
        other = px_socket_adopt(there, back, (int)type & SOCK_NONBLOCK);
        px_pipe_put(back);
    }
    px_pipe_put(there);
    return answer != 0 ? answer : px_fd_add_pair(one, other, (type & SOCK_CLOEXEC) != 0, (int *)out);
}

/* --- names --- */

/* A path becomes absolute; an abstract name (which begins with a zero byte) is taken as it is. */
static long name_of(const void *address, long bytes, struct px_name *out)
{
    const struct sockaddr_un *a = address;
    constexpr long head = offsetof(struct sockaddr_un, sun_path);
    if (bytes < (long)sizeof a->sun_family || bytes > (long)sizeof *a)
        return -EINVAL;
    if (a->sun_family != AF_UNIX)
        return -EAFNOSUPPORT;
    if (bytes <= head)
        return -EINVAL;
    size_t length = (size_t)(bytes - head);
    if (a->sun_path[0] == '\0') {
        memcpy(out->bytes, a->sun_path, length);
        out->length = (uint32_t)length;
        return 0;
    }
    char path[PATH_MAX], name[sizeof a->sun_path + 1] = {};
    memcpy(name, a->sun_path, length);
    long answer = px_path(AT_FDCWD, name, path);
    if (answer != 0)
        return answer;
    length = strlen(path);
    if (length > sizeof out->bytes)
        return -ENAMETOOLONG;
    memcpy(out->bytes, path, length);
    out->length = (uint32_t)length;
    return 0;
}

static void put_name(const struct px_name *name, void *address, socklen_t *bytes)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    socklen_t whole = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name->length);
    if (address == nullptr || bytes == nullptr)
        return;
    memcpy(a.sun_path, name->bytes, name->length);
    if (name->length != 0 && name->bytes[0] != '\0' && name->length < sizeof a.sun_path)
        whole++; /* its zero byte */
    memcpy(address, &a, *bytes < whole ? *bytes : whole);
    *bytes = whole;
}

static long bind_to(struct px_socket *s, const void *address, long bytes)
{
    struct px_name name = {};
    if (s->state != FRESH || s->name.length != 0)
        return -EINVAL;
    long answer = name_of(address, bytes, &name);
    if (answer != 0)
        return answer;
    switch (px_proc_bind(&name)) {
    case OK:
        s->name = name;
        return 0;
    case ERR_BUSY:
        return -EADDRINUSE;
    case ERR_TABLE_FULL:
        return -ENOBUFS;
    default:
        return -EACCES; /* no process service */
    }
}

static long listen_on(struct px_socket *s)
{
    vx_mem door = {};
    if (s->state == LISTENING)
        return 0;
    if (s->state == CONNECTED)
        return -EINVAL;
    if (s->name.length == 0)
        return -EDESTADDRREQ;
    status_t st = px_proc_listen(&s->name, &door);
    if (st != OK)
        return px_error(st);
    s->door = px_pipe_over(door, 0, CONNECTOR);
    if (s->door == nullptr) {
        (void)vx_sys_cap_drop(door.raw);
        return -ENOMEM;
    }
    px_pipe_hold(s->door, CONNECTOR, 1, 1); /* never at its end while it is open */
    s->state = LISTENING;
    px_socket_limit(s);
    return 0;
}

/* A pipe over each of two capabilities, or neither. */
static long two_pipes(uint32_t id, unsigned holder, vx_mem a, vx_mem b, struct px_pipe **first, struct px_pipe **second)
{
    *first = px_pipe_over(a, id, holder);
    *second = *first == nullptr ? nullptr : px_pipe_over(b, id, holder);
    if (*second != nullptr)
        return 0;
    if (*first != nullptr)
        px_pipe_put(*first);
    else
        (void)vx_sys_cap_drop(a.raw);
    (void)vx_sys_cap_drop(b.raw);
    return -ENOMEM;
}

static long connect_to(struct px_file *f, const void *address, long bytes)
{
    struct px_socket *s = f->socket;
    struct px_name name = {};
    vx_mem mem[3] = {};
    uint32_t id = 0;
    if (s->state != FRESH)
        return s->state == CONNECTED ? -EISCONN : -EINVAL;
    long answer = name_of(address, bytes, &name);
    if (answer != 0)
        return answer;
    status_t st;
    while ((st = px_proc_connect(&name, &id, mem)) == ERR_BUSY) { /* too many wait there already */
        if ((f->flags & O_NONBLOCK) != 0)
            return -EAGAIN;
        if (PX_WAIT(vx_sys_nanosleep(vx_deadline_in(VX_NS_PER_MS))) == ERR_INTERRUPTED)
            return -EINTR;
    }
    if (st != OK)
        return st == ERR_NOT_FOUND ? -ENOENT : st == ERR_NOT_SUPPORTED ? -ECONNREFUSED : px_error(st);
    answer = two_pipes(id, CONNECTOR, mem[0], mem[1], &s->out, &s->in);
    if (answer == 0) {
        px_pipe_hold(s->out, ACCEPTOR, 1, 0);
        px_pipe_hold(s->in, ACCEPTOR, 0, 1);
        px_pipe_hold(s->out, CONNECTOR, 0, 1);
        px_pipe_hold(s->in, CONNECTOR, 1, 0);
        s->peer = name;
        s->state = CONNECTED;
        px_socket_limit(s);
    }
    struct px_pipe *door = px_pipe_over(mem[2], 0, KNOCKER);
    if (door == nullptr) {
        (void)vx_sys_cap_drop(mem[2].raw);
        return answer;
    }
    (void)px_pipe_put_bytes(door, "", 1, false);
    px_pipe_put(door);
    return answer;
}

static long accept_from(struct px_file *f, struct px_file **out)
{
    struct px_socket *s = f->socket;
    vx_mem mem[2] = {};
    uint32_t id = 0;
    char knock;
    if (s->state != LISTENING)
        return -EINVAL;
    for (;;) {
        long answer = px_pipe_take(s->door, &knock, 1, (f->flags & O_NONBLOCK) == 0, false);
        if (answer <= 0)
            return answer < 0 ? answer : -ECONNABORTED;
        if (px_proc_accept(&s->name, &id, mem) == OK)
            break;
    }
    struct px_pipe *in = nullptr, *back = nullptr;
    long answer = two_pipes(id, ACCEPTOR, mem[0], mem[1], &in, &back);
    if (answer != 0)
        return answer;
    *out = px_socket_adopt(in, back, 0);
    px_pipe_put(in);
    px_pipe_put(back);
    if (*out == nullptr)
        return -ENOMEM;
    (*out)->socket->name = s->name;
    return 0;
}

long px_bind(long fd, long address, long bytes)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    answer = bind_to(f->socket, (const void *)address, bytes);
    px_file_put(f);
    return answer;
}

long px_listen(long fd, long backlog)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    (void)backlog;
    if (answer != 0)
        return answer;
    answer = listen_on(f->socket);
    px_file_put(f);
    return answer;
}

long px_connect(long fd, long address, long bytes)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    answer = connect_to(f, (const void *)address, bytes);
    px_file_put(f);
    return answer;
}

long px_accept4(long fd, long address, long bytes, long flags)
{
    struct px_file *f = nullptr, *made = nullptr;
    if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0)
        return -EINVAL;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    answer = accept_from(f, &made);
    px_file_put(f);
    if (answer != 0)
        return answer;
    atomic_fetch_or_explicit(&made->flags, (int)flags & O_NONBLOCK, memory_order_relaxed);
    put_name(&made->socket->peer, (void *)address, (socklen_t *)bytes);
    return px_fd_add(made, 0, (flags & SOCK_CLOEXEC) != 0);
}

long px_accept(long fd, long address, long bytes)
{
    return px_accept4(fd, address, bytes, 0);
}

long px_getsockname(long fd, long address, long bytes)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    put_name(&f->socket->name, (void *)address, (socklen_t *)bytes);
    px_file_put(f);
    return 0;
}

long px_getpeername(long fd, long address, long bytes)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    if (f->socket->state != CONNECTED)
        answer = -ENOTCONN;
    else
        put_name(&f->socket->peer, (void *)address, (socklen_t *)bytes);
    px_file_put(f);
    return answer;
}

long px_shutdown(long fd, long how)
{
    struct px_file *f = nullptr;
    long answer = px_socket_get(fd, &f);
    if (answer != 0)
        return answer;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
        answer = -EINVAL;
    } else if (f->socket->state != CONNECTED) {
        answer = -ENOTCONN;
    } else {
        if (how != SHUT_WR)
            px_pipe_shut(f->socket->in, true);
        if (how != SHUT_RD)
            px_pipe_shut(f->socket->out, false);
    }
    px_file_put(f);
    return answer;
}
