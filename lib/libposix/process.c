/* SPDX-License-Identifier: MIT
 * This process: who it is, and what it was handed. What a parent of ours tells its child beyond the usual slots:
 *
 *   "posix.fds"    BYTES  a struct px_fd_record for each descriptor
 *   "pipe.N"       MEM    the pipes that the records name
 *   "posix.cwd"    BYTES  the current directory
 *   "posix.program" BYTES the path of the program itself
 *   "posix.self"   BYTES  a struct px_self_record: its ids, its umask, the sets of signals that it begins with
 *   "proc.tx" "tty.tx"    connections to the process service and the terminal: the child makes the Rings for replies
 *
 * A program that somebody else started has descriptors 0 to 2 on its terminal. */
#define _GNU_SOURCE
#include "process.h"
#include "console.h"
#include "inherit.h"
#include "pipe.h"
#include "records.h"
#include "signal.h"
#include "socket.h"
#include "vfork.h"
#include <fcntl.h>
#include <signal.h>
#include <vectra/cpio.h>
#include <vectra/open.h>

uint32_t px_pid;
bool px_has_parent;
static uint32_t group, session, parent; /* 0: asked for when they are wanted */

long __vectra_getpid(void)
{
    return px_pid;
}

void px_rom_record(const struct px_file *f, struct px_fd_record *r)
{
    struct vx_cpio archive = {};
    if (vx_initrd(&archive) != OK)
        return;
    r->a = (uint64_t)(f->rom.data - archive.bytes);
    r->b = f->rom.bytes;
    r->mode = f->rom.mode;
    r->inode = f->rom.inode;
    r->offset = f->offset;
}

static struct px_file *file_of_rom(const struct px_fd_record *r)
{
    struct vx_cpio archive;
    struct px_file *f = nullptr;
    if (vx_initrd(&archive) != OK || r->a > archive.len || r->b > archive.len - r->a)
        return nullptr;
    f = px_rom_file(archive.bytes + r->a, r->b, r->mode, r->inode, r->flags);
    if (f != nullptr)
        f->offset = r->offset;
    return f;
}

static struct px_pipe *pipe_of(unsigned index, unsigned holder, struct px_pipe **pipes)
{
    char name[] = "pipe.00";
    if (index >= PX_RECORD_PIPES)
        return nullptr;
    name[5] = (char)('0' + index / 10);
    name[6] = (char)('0' + index % 10);
    if (pipes[index] == nullptr)
        pipes[index] = px_pipe_adopt(vx_bundle_mem(name), holder);
    return pipes[index];
}

static struct px_file *file_of_pipe(const struct px_fd_record *r, struct px_pipe **pipes)
{
    struct px_pipe *p = pipe_of(r->pipe, r->holder, pipes);
    return p == nullptr ? nullptr : px_pipe_end(p, r->flags & ~O_VECTRA_LATER);
}

static struct px_file *file_of_socket(const struct px_fd_record *r, struct px_pipe **pipes)
{
    struct px_pipe *in = pipe_of(r->pipe, r->holder, pipes), *out = pipe_of(r->pipe_out, r->holder_out, pipes);
    return in == nullptr || out == nullptr ? nullptr : px_socket_adopt(in, out, r->flags);
}

struct px_file *px_plain_file(const struct px_fd_record *r)
{
    switch (r->kind) {
    case 't':
        return px_console_new(r->flags);
    case 'f':
        return file_of_rom(r);
    default:
        return px_device_new((char)r->kind, r->flags);
    }
}

static struct px_file *file_of(const struct px_fd_record *r, struct px_pipe **pipes)
{
    switch (r->kind) {
    case 'p':
        return file_of_pipe(r, pipes);
    case 's':
        return file_of_socket(r, pipes);
    case 'F':
    case 'D':
        return px_inherited(r);
    default:
        return px_plain_file(r);
    }
}

/* bytes: the records, at any address. */
static void take_descriptors(const uint8_t *bytes, size_t n)
{
    struct px_pipe *pipes[PX_RECORD_PIPES] = {};
    struct px_file *made[PX_RECORDS_MAX] = {};
    for (size_t i = 0; i < n && i < PX_RECORDS_MAX; i++) {
        struct px_fd_record r;
        memcpy(&r, bytes + i * sizeof r, sizeof r);
        if (r.same_as < i) {
            made[i] = made[r.same_as];
            if (made[i] != nullptr)
                atomic_fetch_add_explicit(&made[i]->users, 1, memory_order_relaxed);
        } else {
            made[i] = file_of(&r, pipes);
        }
        if ((unsigned)r.fd < PX_FD_MAX && made[i] != nullptr)
            px_fd_set(r.fd, made[i]);
    }
    bool any = false;
    for (size_t i = 0; i < PX_RECORD_PIPES; i++)
        if (pipes[i] != nullptr) {
            any = true;
            px_pipe_put(pipes[i]);
        }
    /* The others with such a pipe take a process that the service does not know for a dead one. Its answer comes when
     * our parent has told it of us. */
    struct px_about about;
    if (any)
        (void)px_proc_about(0, &about);
    for (size_t i = 0; i < n && i < PX_RECORDS_MAX; i++) {
        struct px_fd_record r;
        memcpy(&r, bytes + i * sizeof r, sizeof r);
        if (r.kind == 'p' && r.same_as == i && (r.flags & O_VECTRA_LATER) != 0 && made[i] != nullptr)
            px_fifo_settle(made[i], (uint32_t)r.a);
    }
}

static void usual_descriptors(void)
{
    bool terminal = px_console_has_session() || vx_bundle_console("console").raw != VX_HANDLE_NONE;
    struct px_file *f = terminal ? px_console_new(O_RDWR) : px_device_new('n', O_RDWR);
    for (int fd = 0; fd < 3 && f != nullptr; fd++) {
        px_fd_set(fd, f);
        if (fd != 0)
            atomic_fetch_add_explicit(&f->users, 1, memory_order_relaxed);
    }
}

bool px_process_init(uint8_t *random)
{
    static const uint8_t none[PX_RANDOM_BYTES];
    size_t len = 0;
    struct px_self_record self = { .umask = px_umask_now() };
    const void *told = vx_bundle_bytes("posix.self", &len);
    if (told != nullptr && len == sizeof self)
        memcpy(&self, told, sizeof self);
    px_pid = self.pid != 0 ? self.pid : vx_bundle()->task_id;
    parent = self.parent != 0 ? self.parent : 1;
    px_has_parent = self.parent != 0;
    group = self.group != 0 ? self.group : px_pid;
    session = self.session != 0 ? self.session : group;
    px_self()->mask = self.mask;
    px_signals_ignore(self.ignored);
    px_umask_set(self.umask);
    const char *cwd = vx_bundle_bytes("posix.cwd", &len);
    if (len > 0 && len < sizeof px_cwd && cwd[0] == '/') {
        memcpy(px_cwd, cwd, len);
        px_cwd[len] = '\0';
    }
    const void *records = vx_bundle_bytes("posix.fds", &len);
    if (records != nullptr)
        take_descriptors(records, len / sizeof(struct px_fd_record));
    else
        usual_descriptors();
    struct px_about about;
    if (self.in_front != 0)
        (void)px_proc_about(0, &about); /* answered when our parent has told the service of us */
    memcpy(random, self.random, sizeof self.random);
    return memcmp(self.random, none, sizeof none) != 0;
}

/* Set when another Task is this process: no call does anything any more. */
_Atomic bool px_replaced;

void px_stand_in(vx_task task)
{
    uint32_t status = 0;
    uint64_t why = 0;
    atomic_store_explicit(&px_replaced, true, memory_order_release);
    atomic_store_explicit(&px_attention, 1, memory_order_seq_cst);
    px_pipes_leave();
    px_robust_leave();
    px_console_leave();
    while (vx_sys_waitpid(task, 0, &status, &why) == ERR_INTERRUPTED)
        ;
    vx_cause_t cause = (vx_cause_t)(why & 255);
    vx_sys_task_exit(cause == VX_CAUSE_EXIT        ? status
                     : cause == VX_CAUSE_DESTROYED ? PX_STATUS_ASK
                                                   : px_status_of_signal(px_signal_of_cause(cause)));
}

/* --- the calls --- */

long px_exit_group(long status)
{
    if (px_is_child())
        px_child_exits((int)status);
    px_end((uint32_t)status & 255);
}

void __vectra_abort(const void *pc, const void *record)
{
    struct px_thread *t = px_self();
    px_enter(t);
    (void)px_proc_aborted(t->kernel_id, pc, record);
    px_end(px_status_of_signal(SIGABRT));
}

long px_getpid(void)
{
    return px_pid;
}

/* 1 once the parent has ended. */
long px_getppid(void)
{
    struct px_about about;
    if (parent == 1 || px_proc_about(0, &about) != 0)
        return parent;
    if (about.parent == 0)
        parent = 1;
    return parent;
}

static bool is_self(long pid)
{
    return pid == 0 || pid == (long)px_pid;
}

int px_own_group(void)
{
    return (int)group;
}

bool px_leads_session(void)
{
    return session == px_pid;
}

long px_getpgid(long pid)
{
    struct px_about about;
    if (is_self(pid))
        return group;
    long answer = pid < 0 ? -ESRCH : px_proc_about((int)pid, &about);
    return answer == 0 ? (long)about.group : -ESRCH;
}

long px_getsid(long pid)
{
    struct px_about about;
    if (is_self(pid))
        return session;
    long answer = pid < 0 ? -ESRCH : px_proc_about((int)pid, &about);
    return answer == 0 ? (long)about.session : -ESRCH;
}

/* Of a child never: its program runs from its first moment on (EACCES). */
long px_setpgid(long pid, long to)
{
    if (to < 0 || to > INT32_MAX || pid < 0)
        return -EINVAL;
    if (px_is_child() && is_self(pid)) {
        px_child_wants_group((int)to);
        return 0;
    }
    if (is_self(pid)) {
        if (session == px_pid)
            return -EPERM;
        if (to == (long)group)
            return 0;
        pid = 0;
    }
    long answer = px_proc_set_group((int)pid, (int)to);
    if (answer == -ENOSYS && pid == 0 && (to == 0 || to == (long)px_pid))
        answer = 0;
    if (answer == 0)
        group = to == 0 ? px_pid : (uint32_t)to;
    return answer == -EAGAIN ? -EACCES : answer == -ENOSYS ? -ESRCH : answer;
}

long px_setsid(void)
{
    if (px_is_child()) {
        px_child_wants_session();
        return px_pid; /* nobody knows the child's yet */
    }
    if (group == px_pid)
        return -EPERM;
    long answer = px_proc_new_session();
    if (answer != 0 && answer != -ENOSYS)
        return answer;
    group = session = px_pid;
    return session;
}
