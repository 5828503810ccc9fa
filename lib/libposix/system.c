/* SPDX-License-Identifier: MIT
 * What a program asks about the system and itself: names, limits, identity, scheduling. There is one user. */
#define _GNU_SOURCE
#include "process.h"
#include "thread.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

enum : long { USER = 1000 };

static void put_name(char *to, const char *name)
{
    memset(to, 0, sizeof((struct utsname *)nullptr)->sysname);
    memcpy(to, name, strlen(name));
}

long px_uname(long out)
{
    struct utsname *u = (struct utsname *)out;
    put_name(u->sysname, "VectraOS");
    put_name(u->nodename, "vectra");
    put_name(u->release, VECTRA_VERSION);
    put_name(u->version, "VectraOS " VECTRA_VERSION);
    put_name(u->machine, VECTRA_ARCH);
    put_name(u->domainname, "");
    return 0;
}

long px_sysinfo(long out)
{
    struct sysinfo *s = (struct sysinfo *)out;
    struct vx_cap_facts facts = {};
    memset(s, 0, sizeof *s);
    (void)vx_sys_cap_inspect(vx_bundle_reticle("reticle").raw, &facts, nullptr);
    s->uptime = (unsigned long)(vx_clock_monotonic_ns() / VX_NS_PER_S);
    s->totalram = facts.a;
    s->freeram = facts.b;
    s->mem_unit = 1;
    s->procs = 1;
    return 0;
}

/* --- identity --- */

long px_getuid(void)
{
    return USER;
}

long px_geteuid(void)
{
    return USER;
}

long px_getgid(void)
{
    return USER;
}

long px_getegid(void)
{
    return USER;
}

static long three(long real, long effective, long saved)
{
    *(unsigned *)real = *(unsigned *)effective = *(unsigned *)saved = (unsigned)USER;
    return 0;
}

long px_getresuid(long real, long effective, long saved)
{
    return three(real, effective, saved);
}

long px_getresgid(long real, long effective, long saved)
{
    return three(real, effective, saved);
}

long px_getgroups(long n, long list)
{
    if (n == 0)
        return 1;
    *(unsigned *)list = (unsigned)USER;
    return 1;
}

/* Becoming who one is already is all that can be asked for. */
static long same(long id)
{
    return (int)id == -1 || id == USER ? 0 : -EPERM;
}

long px_setuid(long id)
{
    return same(id);
}

long px_setgid(long id)
{
    return same(id);
}

long px_setreuid(long real, long effective)
{
    return same(real) != 0 ? -EPERM : same(effective);
}

long px_setregid(long real, long effective)
{
    return same(real) != 0 ? -EPERM : same(effective);
}

long px_setresuid(long real, long effective, long saved)
{
    return same(real) != 0 || same(effective) != 0 ? -EPERM : same(saved);
}

long px_setresgid(long real, long effective, long saved)
{
    return same(real) != 0 || same(effective) != 0 ? -EPERM : same(saved);
}

/* --- limits and scheduling --- */

static struct rlimit limit_of(int what)
{
    const struct vx_bundle *b = vx_bundle();
    struct rlimit l = { RLIM_INFINITY, RLIM_INFINITY };
    switch (what) {
    case RLIMIT_STACK:
        l.rlim_cur = l.rlim_max = b->stack_high - b->stack_low;
        break;
    case RLIMIT_NOFILE:
        l.rlim_cur = l.rlim_max = PX_FD_MAX;
        break;
    case RLIMIT_NPROC:
        l.rlim_cur = l.rlim_max = THREADS_PER_TASK_MAX;
        break;
    case RLIMIT_CORE:
        l.rlim_cur = l.rlim_max = 0;
        break;
    default:
        break;
    }
    return l;
}

long px_prlimit64(long pid, long what, long new_limit, long old_limit)
{
    if (what < 0 || what >= RLIM_NLIMITS)
        return -EINVAL;
    if (pid != 0 && pid != (long)px_pid)
        return -ESRCH;
    struct rlimit now = limit_of((int)what);
    if (new_limit != 0) {
        const struct rlimit *l = (const struct rlimit *)new_limit;
        if (l->rlim_cur > l->rlim_max)
            return -EINVAL;
        if (l->rlim_max > now.rlim_max)
            return -EPERM;
    }
    if (old_limit != 0)
        *(struct rlimit *)old_limit = now;
    return 0;
}

long px_getrlimit(long what, long out)
{
    return px_prlimit64(0, what, 0, out);
}

long px_setrlimit(long what, long limit)
{
    return px_prlimit64(0, what, limit, 0);
}

long px_sched_getaffinity(long tid, long bytes, long out)
{
    const struct vx_time_page *t = (const struct vx_time_page *)VX_TIME_PAGE_ADDRESS;
    uint32_t harts = t->harts != 0 ? t->harts : 1;
    (void)tid;
    if (bytes < 8 || bytes % 8 != 0 || (uint32_t)bytes * 8 < harts)
        return -EINVAL;
    memset((void *)out, 0, 8);
    for (uint32_t i = 0; i < harts && i < 64; i++)
        *(uint64_t *)out |= UINT64_C(1) << i;
    return 8;
}

long px_sched_setaffinity(long tid, long bytes, long set)
{
    (void)tid, (void)bytes, (void)set;
    return 0; /* a hint; the kernel balances */
}

long px_getcpu(long cpu, long node, long unused)
{
    (void)unused;
    if (cpu != 0)
        *(unsigned *)cpu = 0;
    if (node != 0)
        *(unsigned *)node = 0;
    return 0;
}

long px_sched_getscheduler(long tid)
{
    (void)tid;
    return SCHED_OTHER;
}

long px_sched_setscheduler(long tid, long policy, long param)
{
    (void)tid;
    if (policy != SCHED_OTHER)
        return policy >= 0 && policy <= SCHED_IDLE ? -EPERM : -EINVAL;
    return ((const struct sched_param *)param)->sched_priority == 0 ? 0 : -EINVAL;
}

long px_sched_getparam(long tid, long param)
{
    (void)tid;
    *(int *)param = 0;
    return 0;
}

long px_sched_setparam(long tid, long param)
{
    (void)tid;
    return *(const int *)param == 0 ? 0 : -EINVAL;
}

long px_sched_get_priority_max(long policy)
{
    return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0
           : policy == SCHED_FIFO || policy == SCHED_RR                           ? 99
                                                                                  : -EINVAL;
}

long px_sched_get_priority_min(long policy)
{
    return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0
           : policy == SCHED_FIFO || policy == SCHED_RR                           ? 1
                                                                                  : -EINVAL;
}

long px_sched_rr_get_interval(long tid, long out)
{
    (void)tid;
    *(struct timespec *)out = (struct timespec){ .tv_nsec = (long)TIME_SLICE_NS };
    return 0;
}

long px_getpriority(long which, long who)
{
    (void)who;
    return which < PRIO_PROCESS || which > PRIO_USER ? -EINVAL : 20; /* as the call has it: 20 - nice */
}

long px_setpriority(long which, long who, long nice)
{
    (void)who;
    return which < PRIO_PROCESS || which > PRIO_USER ? -EINVAL : nice < 0 ? -EACCES : 0;
}

long px_prctl(long option, long a, long b, long c, long d)
{
    (void)b, (void)c, (void)d;
    switch (option) {
    case PR_SET_NAME:
        (void)vx_sys_task_control(VX_SELF, VX_TASK_SET_NAME, (uint64_t)a, strnlen((const char *)a, 15), 0, nullptr,
                                  nullptr);
        return 0;
    case PR_GET_NAME: {
        struct vx_task_info info = {};
        (void)vx_sys_task_control(VX_SELF, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr, nullptr);
        memcpy((char *)a, info.name, 15);
        ((char *)a)[15] = '\0';
        return 0;
    }
    case PR_GET_DUMPABLE:
        return 1;
    case PR_SET_DUMPABLE:
    case PR_SET_NO_NEW_PRIVS:
    case PR_SET_PDEATHSIG:
        return 0;
    default:
        return -EINVAL;
    }
}
