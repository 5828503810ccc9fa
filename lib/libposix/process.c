/* SPDX-License-Identifier: MIT
 * This process: who it is, and what it was handed. What a parent of ours tells its child beyond the usual slots:
 *
 *   "posix.fds"    BYTES  a struct px_fd_record for each descriptor
 *   "pipe.N"       MEM    the pipes that the records name
 *   "posix.cwd"    BYTES  the current directory
 *   "posix.umask" "posix.parent" "posix.group" "posix.session" "posix.mask" "posix.ignored"  INT
 *
 * A program that somebody else started has descriptors 0 to 2 on its terminal. */
#define _GNU_SOURCE
#include "process.h"
#include "console.h"
#include "inherit.h"
#include "pipe.h"
#include "records.h"
#include "signal.h"
#include <fcntl.h>
#include <signal.h>
#include <vectra/cpio.h>

uint32_t px_pid;
static uint32_t group, session, parent;

long __vectra_getpid(void)
{
    return px_pid;
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

static struct px_file *file_of_pipe(const struct px_fd_record *r, struct px_pipe **pipes)
{
    char name[] = "pipe.00";
    if (r->pipe >= PX_RECORD_PIPES)
        return nullptr;
    name[5] = (char)('0' + r->pipe / 10);
    name[6] = (char)('0' + r->pipe % 10);
    if (pipes[r->pipe] == nullptr)
        pipes[r->pipe] = px_pipe_adopt(vx_bundle_mem(name), r->holder);
    return pipes[r->pipe] == nullptr
               ? nullptr
               : px_pipe_end(pipes[r->pipe], (r->flags & O_ACCMODE) == O_RDONLY, r->flags & ~O_ACCMODE);
}

static struct px_file *file_of(const struct px_fd_record *r, struct px_pipe **pipes)
{
    switch (r->kind) {
    case 't':
        return px_console_new(r->flags);
    case 'f':
        return file_of_rom(r);
    case 'p':
        return file_of_pipe(r, pipes);
    case 'F':
    case 'D':
        return px_inherited(r);
    default:
        return px_device_new((char)r->kind, r->flags);
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
    for (size_t i = 0; i < PX_RECORD_PIPES; i++)
        if (pipes[i] != nullptr)
            px_pipe_put(pipes[i]);
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

void px_process_init(void)
{
    size_t len = 0;
    px_pid = vx_bundle()->task_id;
    parent = (uint32_t)vx_bundle_int("posix.parent", 1);
    group = (uint32_t)vx_bundle_int("posix.group", px_pid);
    session = (uint32_t)vx_bundle_int("posix.session", group);
    px_self()->mask = vx_bundle_int("posix.mask", 0);
    px_signals_ignore(vx_bundle_int("posix.ignored", 0));
    px_umask_set((unsigned)vx_bundle_int("posix.umask", px_umask_now()));
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
}

/* --- the calls --- */

long px_exit_group(long status)
{
    px_end((uint32_t)status & 255);
}

long px_getpid(void)
{
    return px_pid;
}

long px_getppid(void)
{
    return parent;
}

static bool is_self(long pid)
{
    return pid == 0 || pid == (long)px_pid;
}

long px_getpgid(long pid)
{
    return is_self(pid) ? (long)group : -ESRCH;
}

long px_getsid(long pid)
{
    return is_self(pid) ? (long)session : -ESRCH;
}

long px_setpgid(long pid, long to)
{
    if (to < 0)
        return -EINVAL;
    if (!is_self(pid))
        return -ESRCH;
    if (session == px_pid)
        return -EPERM;
    group = to == 0 ? px_pid : (uint32_t)to;
    return 0;
}

long px_setsid(void)
{
    if (group == px_pid)
        return -EPERM;
    group = session = px_pid;
    return session;
}
