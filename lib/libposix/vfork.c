/* SPDX-License-Identifier: MIT
 * vfork. The child is not there until it becomes a program: the thread that called vfork goes on as if it were the
 * child, on its own stack, while what it changes of descriptors, directory, mask and dispositions is remembered. Its
 * execve starts the program with that state (spawn.c), puts everything back, and lets vfork return a second time, with
 * the program's id. Its _exit leaves a child that has ended.
 *
 * As POSIX has it for vfork, the child may do little else; other threads of a program that plays a child should not
 * open or close descriptors meanwhile, since the table is put back. */
#define _GNU_SOURCE
#include "vfork.h"
#include "children.h"
#include "process.h"
#include "signal.h"
#include <spawn.h>

struct played {
    uint64_t registers[PX_VFORK_REGISTERS];
    struct px_thread *thread;
    uint64_t mask;
    int flags, group; /* POSIX_SPAWN_* */
    char cwd[sizeof px_cwd];
    struct px_fd_state fds;
    struct px_actions_state actions;
};
static struct played *_Atomic played; /* one at a time */

bool px_is_child(void)
{
    const struct played *p = atomic_load_explicit(&played, memory_order_acquire);
    return p != nullptr && p->thread == px_self();
}

long px_vfork(const uint64_t registers[PX_VFORK_REGISTERS])
{
    struct played *p = px_pages(sizeof *p), *none = nullptr;
    if (p == nullptr)
        return -ENOMEM;
    if (!atomic_compare_exchange_strong_explicit(&played, &none, p, memory_order_acq_rel, memory_order_relaxed)) {
        px_pages_free(p, sizeof *p);
        return -EAGAIN; /* another thread plays its child, or this one does already */
    }
    memcpy(p->registers, registers, sizeof p->registers);
    p->thread = px_self();
    p->mask = p->thread->mask;
    px_cwd_copy(p->cwd);
    px_fd_save(&p->fds);
    px_actions_save(&p->actions);
    return 0;
}

/* Everything is the parent's again. */
[[noreturn]] static void parent_again(long value)
{
    struct played *p = played;
    uint64_t registers[PX_VFORK_REGISTERS];
    memcpy(registers, p->registers, sizeof registers);
    px_leave(p->thread); /* of the call that it became a program, or ended, by */
    p->thread->mask = p->mask;
    memcpy(px_cwd, p->cwd, sizeof p->cwd);
    px_fd_restore(&p->fds);
    px_actions_restore(&p->actions);
    atomic_store_explicit(&played, nullptr, memory_order_release);
    px_pages_free(p, sizeof *p);
    px_vfork_again(registers, value);
}

void px_child_wants_group(int group)
{
    played->flags |= POSIX_SPAWN_SETPGROUP;
    played->group = group;
}

void px_child_wants_session(void)
{
    played->flags |= POSIX_SPAWN_SETSID;
}

long px_child_becomes(const char *path, char *const *argv, char *const *envp)
{
    struct vectra_spawn spawn = {
        .path = path, .argv = argv, .envp = envp, .flags = played->flags, .group = played->group
    };
    long answer = __vectra_spawn(&spawn);
    if (answer > 0)
        parent_again(answer);
    return answer;
}

void px_child_exits(int status)
{
    parent_again(px_child_add_ended((status & 255) << 8));
}
