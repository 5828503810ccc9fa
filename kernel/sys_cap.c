/* SPDX-License-Identifier: MIT
 * The calls on capabilities themselves, and DESTROY.
 * Locking: they run alone. */
#include <kernel/syscall.h>

struct sysret sys_cap_inspect(uint64_t handle, uint64_t facts)
{
    struct cap_table *table = &current_task()->caps;
    struct vx_cap_facts f;
    struct cap *c;
    status_t st = cap_get_any(table, handle, 0, true, &c);
    if (st != OK)
        return sys_status(st);
    cap_facts(table, c, &f);
    st = copy_to_user(facts, &f, sizeof f);
    return st == OK ? sys_ok(f.type, 0) : sys_status(st);
}

struct sysret sys_cap_drop(uint64_t handle)
{
    struct cap_table *table = &current_task()->caps;
    struct cap *c;
    status_t st = cap_get_any(table, handle, 0, true, &c);
    if (st != OK)
        return sys_status(st);
    if (!cap_release(c))
        return thread_rerun_call();
    cap_delete(table, c);
    return sys_ok(0, 0);
}

struct sysret sys_cap_narrow(uint64_t handle, uint64_t rights, uint64_t offset, uint64_t length)
{
    struct cap_table *table = &current_task()->caps;
    struct cap *c, *slot;
    status_t st = cap_get_any(table, handle, VX_R_COPY, false, &c);
    if (st != OK)
        return sys_status(st);
    if ((rights & ~(uint64_t)VX_RIGHTS_ALL) != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if ((rights & ~(uint64_t)c->rights) != 0)
        return sys_status(ERR_NO_RIGHTS);
    /* What is no range has length 0. */
    if ((offset != 0 && offset >= c->length) || length > c->length - offset)
        return sys_status(ERR_BAD_ARGUMENT);
    if (length == 0)
        length = c->length - offset;
    if ((st = cap_reserve(table, &slot)) != OK)
        return sys_status(st);
    return sys_ok(cap_derive(slot, c, (vx_rights_t)rights, c->offset + offset, length), 0);
}

struct sysret sys_cap_revoke(uint64_t handle)
{
    struct thread *t = current_thread();
    struct cap *c;
    status_t st = cap_get_any(&t->task->caps, handle, VX_R_REVOKE, false, &c);
    if (st == OK && !cap_revoke(c, &t->progress))
        return thread_rerun_call();
    uint64_t n = t->progress;
    t->progress = 0; /* also when the capability was dropped between two steps */
    return st == OK ? sys_ok(n, 0) : sys_status(st);
}

struct sysret sys_destroy(uint64_t handle)
{
    struct cap *c;
    status_t st = cap_get_any(&current_task()->caps, handle, VX_R_DESTROY, false, &c);
    if (st != OK)
        return sys_status(st);
    if (c->type >= VX_CAP_DEVICE) /* parts of the machine */
        return sys_status(ERR_NOT_SUPPORTED);
    if (c->type == VX_CAP_TASK)
        task_kill(task_of(c->obj), 0, VX_CAUSE_DESTROYED);
    else
        object_destroy(c->obj, END_OBJECT);
    return sys_ok(0, 0);
}
