/* SPDX-License-Identifier: MIT
 * Children: waiting for them, and what they leave behind.
 *
 *  1. A slot with a task is a child that has not been waited for. Its end is noticed at most once (`ended`): what it
 * held of pipes is given back then, its status kept until somebody waits.
 *  2. Each child's Task is bound to one signal bit of this Task, so one wait is for all of them. */
#define _GNU_SOURCE
#include "children.h"
#include "process.h"
#include "records.h"
#include "signal.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum : unsigned { CHILDREN_MAX = 64, BIT = 47 };
enum : uint64_t { SLICE_NS = 100 * VX_NS_PER_MS };

struct child {
    vx_task task;
    uint32_t id;
    bool ended;
    int killed_by; /* the signal that we ended it with */
    int status;    /* as wait4 has it */
    struct px_held held[PX_RECORD_PIPES];
    size_t n_held;
};
static struct child *children; /* CHILDREN_MAX of them, from the first child on */
static struct vx_mutex lock;
static _Atomic uint32_t waiters;

long px_child_room(void)
{
    vx_mutex_lock(&lock);
    if (children == nullptr)
        children = px_pages(CHILDREN_MAX * sizeof *children);
    vx_mutex_unlock(&lock);
    if (children == nullptr)
        return -ENOMEM;
    for (unsigned i = 0; i < CHILDREN_MAX; i++)
        if (children[i].task.raw == VX_HANDLE_NONE)
            return 0;
    return -EAGAIN;
}

long px_child_add(uint32_t id, vx_task task, const struct px_held *held, size_t n_held)
{
    vx_mutex_lock(&lock);
    struct child *c = nullptr;
    for (unsigned i = 0; i < CHILDREN_MAX && c == nullptr; i++)
        if (children[i].task.raw == VX_HANDLE_NONE)
            c = &children[i];
    if (c != nullptr) {
        *c = (struct child){ .task = task, .id = id, .n_held = n_held };
        memcpy(c->held, held, n_held * sizeof *held);
        (void)vx_sys_bind(task.raw, BIT);
    }
    vx_mutex_unlock(&lock);
    if (c == nullptr) {
        (void)vx_sys_destroy(task.raw);
        (void)vx_sys_cap_drop(task.raw);
        return -EAGAIN;
    }
    return id;
}

static int signal_of_cause(vx_cause_t cause)
{
    switch (cause) {
    case VX_CAUSE_PAGE_FAULT:
    case VX_CAUSE_PROTECTION:
    case VX_CAUSE_STACK:
        return SIGSEGV;
    case VX_CAUSE_NO_MEMORY:
    case VX_CAUSE_ALIGNMENT:
    case VX_CAUSE_MACHINE:
        return SIGBUS;
    case VX_CAUSE_ILLEGAL:
        return SIGILL;
    case VX_CAUSE_ARITHMETIC:
        return SIGFPE;
    case VX_CAUSE_BREAKPOINT:
        return SIGTRAP;
    default:
        return SIGKILL;
    }
}

static int wait_status(const struct child *c, uint32_t status, vx_cause_t cause)
{
    if (cause != VX_CAUSE_EXIT)
        return cause == VX_CAUSE_DESTROYED && c->killed_by != 0 ? c->killed_by : signal_of_cause(cause);
    int signal = (int)(status >> 8 & 127);
    return signal != 0 && status == px_status_of_signal(signal) ? signal : (int)(status & 255) << 8;
}

static void look_locked(struct child *c)
{
    uint32_t status = 0;
    uint64_t why = 0;
    if (c->task.raw == VX_HANDLE_NONE || c->ended || vx_sys_waitpid(c->task, VX_WAIT_NOHANG, &status, &why) != OK)
        return;
    c->ended = true;
    c->status = wait_status(c, status, (vx_cause_t)(why & 255));
    for (size_t i = 0; i < c->n_held; i++) {
        px_pipe_release(c->held[i].pipe, c->held[i].holder);
        px_pipe_put(c->held[i].pipe);
    }
    c->n_held = 0;
}

void px_children_look(void)
{
    vx_mutex_lock(&lock);
    for (unsigned i = 0; children != nullptr && i < CHILDREN_MAX; i++)
        look_locked(&children[i]);
    vx_mutex_unlock(&lock);
}

static bool matches(const struct child *c, long pid)
{
    return c->task.raw != VX_HANDLE_NONE && (pid <= 0 || c->id == (uint32_t)pid);
}

/* Takes a child that has ended: its id; 0: none has; -ECHILD: there is none to wait for. */
static long reap(long pid, int *status)
{
    long answer = -ECHILD;
    vx_mutex_lock(&lock);
    for (unsigned i = 0; children != nullptr && i < CHILDREN_MAX; i++) {
        struct child *c = &children[i];
        look_locked(c);
        if (!matches(c, pid))
            continue;
        if (!c->ended) {
            if (answer == -ECHILD)
                answer = 0;
            continue;
        }
        answer = c->id;
        *status = c->status;
        (void)vx_sys_cap_drop(c->task.raw);
        c->task.raw = VX_HANDLE_NONE;
        break;
    }
    vx_mutex_unlock(&lock);
    return answer;
}

long px_wait4(long pid, long status, long options, long usage)
{
    int found = 0;
    if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED)) != 0)
        return -EINVAL;
    if (usage != 0)
        memset((void *)usage, 0, offsetof(struct rusage, __reserved));
    long answer;
    atomic_fetch_add_explicit(&waiters, 1, memory_order_relaxed);
    while ((answer = reap(pid, &found)) == 0 && (options & WNOHANG) == 0) {
        /* several waiting threads take the bit from one another, so nobody relies on it alone */
        bool alone = atomic_load_explicit(&waiters, memory_order_relaxed) == 1;
        status_t st =
            PX_WAIT(vx_sys_signal_wait(UINT64_C(1) << BIT, alone ? VX_FOREVER : vx_deadline_in(SLICE_NS), nullptr));
        if (st == ERR_INTERRUPTED) {
            answer = -EINTR;
            break;
        }
    }
    atomic_fetch_sub_explicit(&waiters, 1, memory_order_relaxed);
    if (answer > 0 && status != 0)
        *(int *)status = found;
    return answer;
}

static bool ends(long signal)
{
    return signal != 0 && signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH && signal != SIGCONT &&
           signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU && signal != SIGSTOP;
}

/* A child cannot be asked yet, so what would end it by default does. */
long px_child_signal(int pid, int signal)
{
    long answer = -ESRCH;
    vx_mutex_lock(&lock);
    for (unsigned i = 0; children != nullptr && i < CHILDREN_MAX; i++) {
        struct child *c = &children[i];
        if (!matches(c, pid) || pid <= 0)
            continue;
        answer = 0;
        look_locked(c);
        if (c->ended || signal == 0)
            break;
        if (signal == SIGSTOP || signal == SIGTSTP)
            (void)vx_sys_task_control(c->task, VX_TASK_STOP, 0, 0, 0, nullptr, nullptr);
        else if (signal == SIGCONT)
            (void)vx_sys_task_control(c->task, VX_TASK_RESUME, 0, 0, 0, nullptr, nullptr);
        else if (ends(signal)) {
            c->killed_by = signal;
            (void)vx_sys_destroy(c->task.raw);
        }
        break;
    }
    vx_mutex_unlock(&lock);
    return answer;
}
