/* SPDX-License-Identifier: MIT
 * Children: waiting for them, and what they leave behind.
 *
 *  1. A slot with a task is a child that has not been waited for. Its end is noticed at most once (`ended`): what it
 *     held of pipes is given back then and SIGCHLD raised, its status kept until somebody waits.
 *  2. Each child's Task is bound to one signal bit of this Task, so one wait is for all of them. Where the keeper runs,
 *     the bit is the keeper's, and others wait for px_children_word.
 *  3. What only the process service knows (stops, who ended a child) is asked there. */
#define _GNU_SOURCE
#include "children.h"
#include "keeper.h"
#include "process.h"
#include "records.h"
#include "signal.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum : unsigned { CHILDREN_MAX = 64 };
enum : uint32_t { NO_TASK = UINT32_MAX, IDS_WITHOUT_TASK = 0x40000000 }; /* children that never were a Task */
enum : uint64_t { SLICE_NS = 100 * VX_NS_PER_MS };

struct child {
    vx_task task;
    uint32_t id;
    bool ended;
    int killed_by; /* the signal that we ended it with, where there is no process service */
    int status;    /* as wait4 has it */
    uint64_t cpu_ns;
    struct px_held held[PX_RECORD_PIPES];
    size_t n_held;
};
static struct child *children; /* CHILDREN_MAX of them, from the first child on */
static unsigned used;          /* slots from here on never had one */
static struct vx_mutex lock;
static _Atomic uint32_t waiters;
static _Atomic uint64_t reaped_cpu_ns;

uint64_t px_children_cpu_ns(void)
{
    return atomic_load_explicit(&reaped_cpu_ns, memory_order_relaxed);
}

/* The slot of a new child, or nullptr. */
static struct child *place_locked(void)
{
    for (unsigned i = 0; i < CHILDREN_MAX; i++)
        if (children[i].task.raw == VX_HANDLE_NONE) {
            used = i < used ? used : i + 1;
            return &children[i];
        }
    return nullptr;
}

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
    struct child *c = place_locked();
    if (c != nullptr) {
        memset(c, 0, offsetof(struct child, held)); /* as many as are held are written */
        c->task = task;
        c->id = id;
        c->n_held = n_held;
        memcpy(c->held, held, n_held * sizeof *held);
        (void)vx_sys_bind(task.raw, PX_BIT_CHILD);
    }
    vx_mutex_unlock(&lock);
    if (c == nullptr) {
        (void)vx_sys_destroy(task.raw);
        (void)vx_sys_cap_drop(task.raw);
        return -EAGAIN;
    }
    return id;
}

long px_child_add_ended(int status)
{
    static uint32_t last = IDS_WITHOUT_TASK;
    long answer = px_child_room();
    vx_mutex_lock(&lock);
    struct child *c = answer == 0 ? place_locked() : nullptr;
    if (c != nullptr) {
        *c = (struct child){ .task = { NO_TASK }, .id = ++last, .ended = true, .status = status };
        answer = last;
    }
    vx_mutex_unlock(&lock);
    if (answer > 0 && px_keeper_runs())
        (void)px_signal_process(&(struct px_note){
            .signal = SIGCHLD, .code = CLD_EXITED, .sender = (uint32_t)answer, .status = WEXITSTATUS(status) });
    return answer;
}

int px_signal_of_cause(vx_cause_t cause)
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
    if (cause == VX_CAUSE_DESTROYED || (cause == VX_CAUSE_EXIT && status == PX_STATUS_ASK)) {
        int by = c->killed_by != 0 ? c->killed_by : px_proc_killed_by(c->id);
        return by != 0 ? by : SIGKILL;
    }
    if (cause != VX_CAUSE_EXIT)
        return px_signal_of_cause(cause);
    int signal = (int)(status >> 8 & 127);
    return signal != 0 && status == px_status_of_signal(signal) ? signal : (int)(status & 255) << 8;
}

static void give_back(struct child *c)
{
    struct vx_task_info info = {};
    if (vx_sys_task_control(c->task, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr, nullptr) == OK)
        c->cpu_ns = info.cpu_ns;
    for (size_t i = 0; i < c->n_held; i++) {
        px_pipe_release(c->held[i].pipe, c->held[i].holder);
        px_pipe_put(c->held[i].pipe);
    }
    c->n_held = 0;
}

static void drop_child(struct child *c)
{
    if (c->task.raw != NO_TASK) {
        px_proc_forget(c->id);
        (void)vx_sys_cap_drop(c->task.raw);
    }
    c->task.raw = VX_HANDLE_NONE;
}

/* True when it has just been noticed that it ended. */
static bool look_locked(struct child *c)
{
    uint32_t status = 0;
    uint64_t why = 0;
    if (c->task.raw == VX_HANDLE_NONE || c->ended || vx_sys_waitpid(c->task, VX_WAIT_NOHANG, &status, &why) != OK)
        return false;
    c->ended = true;
    c->status = wait_status(c, status, (vx_cause_t)(why & 255));
    give_back(c);
    return true;
}

static struct px_note note_of(const struct child *c)
{
    bool killed = WIFSIGNALED(c->status);
    return (struct px_note){ .signal = SIGCHLD,
                             .code = killed ? CLD_KILLED : CLD_EXITED,
                             .sender = c->id,
                             .status = killed ? WTERMSIG(c->status) : WEXITSTATUS(c->status) };
}

/* Looks at a child, and tells of its end: SIGCHLD is for who asked for it, which started the keeper. */
static void look(struct child *c)
{
    vx_mutex_lock(&lock);
    bool ended = look_locked(c);
    struct px_note n = note_of(c);
    if (ended && px_children_unwanted())
        drop_child(c);
    vx_mutex_unlock(&lock);
    if (ended && px_keeper_runs())
        (void)px_signal_process(&n);
}

void px_children_look(void)
{
    for (unsigned i = 0; i < used; i++)
        if (children[i].task.raw != VX_HANDLE_NONE)
            look(&children[i]);
}

/* --- waiting --- */

/* A child, as wait4 names them: > 0 that one, -1 any, 0 of the caller's group, < -1 of that group. */
static bool matches(const struct child *c, long which)
{
    if (c->task.raw == VX_HANDLE_NONE)
        return false;
    if (which > 0)
        return c->id == (uint32_t)which;
    if (which == -1 || (which == 0 && c->task.raw == NO_TASK))
        return true;
    return px_getpgid(c->id) == (which == 0 ? px_own_group() : -which);
}

struct ended {
    uint32_t id;
    int status;
    uint64_t cpu_ns;
};

/* Takes a child that has ended (or only looks at it): its id; 0: none has; -ECHILD: there is none to wait for. */
static long reap(long which, bool keep, struct ended *out)
{
    long answer = -ECHILD;
    vx_mutex_lock(&lock);
    for (unsigned i = 0; i < used; i++) {
        struct child *c = &children[i];
        if (!matches(c, which))
            continue;
        if (!c->ended) {
            if (answer == -ECHILD)
                answer = 0;
            continue;
        }
        answer = c->id;
        *out = (struct ended){ .id = c->id, .status = c->status, .cpu_ns = c->cpu_ns };
        if (!keep) {
            atomic_fetch_add_explicit(&reaped_cpu_ns, c->cpu_ns, memory_order_relaxed);
            drop_child(c);
        }
        break;
    }
    vx_mutex_unlock(&lock);
    return answer;
}

/* Until something about a child may have happened since the word was seen; 0 or -EINTR. */
static long wait_for_news(uint32_t seen)
{
    constexpr uint64_t bits = UINT64_C(1) << PX_BIT_CHILD | UINT64_C(1) << PX_BIT_BELL;
    status_t st;
    if (px_keeper_runs()) {
        st = PX_WAIT(vx_sys_futex_wait((uintptr_t)&px_children_word, seen, VX_FOREVER));
        return st == ERR_INTERRUPTED ? -EINTR : 0;
    }
    /* several waiting threads take the bit from one another, so nobody relies on it alone */
    bool alone = atomic_load_explicit(&waiters, memory_order_relaxed) == 1;
    st = PX_WAIT(vx_sys_signal_wait(bits, alone ? VX_FOREVER : vx_deadline_in(SLICE_NS), nullptr));
    return st == ERR_INTERRUPTED ? -EINTR : 0;
}

struct wanted {
    long which;
    bool ended, stopped, continued, no_wait, keep;
};

/* The child's id and *out; 0: none, with no_wait; or an error. */
static long wait_for_child(const struct wanted *w, struct ended *out)
{
    long answer;
    atomic_fetch_add_explicit(&waiters, 1, memory_order_relaxed);
    for (;;) {
        uint32_t seen = atomic_load_explicit(&px_children_word, memory_order_acquire);
        if (w->no_wait || !px_keeper_runs()) /* who waits with a keeper waits for its word */
            px_children_look();
        answer = reap(w->which, w->keep || !w->ended, out);
        if (answer > 0 && !w->ended)
            answer = 0;
        if (answer == 0 && (w->stopped || w->continued)) {
            *out = (struct ended){};
            answer = px_proc_child_event((int)w->which, w->stopped, w->continued, &out->status);
            out->id = (uint32_t)answer;
        }
        if (answer != 0 || w->no_wait)
            break;
        answer = wait_for_news(seen);
        if (answer != 0)
            break;
    }
    atomic_fetch_sub_explicit(&waiters, 1, memory_order_relaxed);
    return answer;
}

static void put_usage(struct rusage *u, uint64_t cpu_ns)
{
    memset(u, 0, offsetof(struct rusage, __reserved));
    u->ru_utime = (struct timeval){ .tv_sec = (time_t)(cpu_ns / VX_NS_PER_S),
                                    .tv_usec = (suseconds_t)(cpu_ns % VX_NS_PER_S / VX_NS_PER_US) };
}

long px_wait4(long pid, long status, long options, long usage)
{
    if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED)) != 0)
        return -EINVAL;
    struct wanted w = { .which = (int)pid,
                        .ended = true,
                        .stopped = (options & WUNTRACED) != 0,
                        .continued = (options & WCONTINUED) != 0,
                        .no_wait = (options & WNOHANG) != 0 };
    struct ended e = {};
    long answer = wait_for_child(&w, &e);
    if (answer > 0 && status != 0)
        *(int *)status = e.status;
    if (answer > 0 && usage != 0)
        put_usage((struct rusage *)usage, e.cpu_ns);
    return answer;
}

static void put_info(siginfo_t *info, const struct ended *e)
{
    *info = (siginfo_t){};
    if (e->id == 0)
        return;
    info->si_signo = SIGCHLD;
    info->si_pid = (int)e->id;
    info->si_uid = 1000;
    if (WIFEXITED(e->status)) {
        info->si_code = CLD_EXITED;
        info->si_status = WEXITSTATUS(e->status);
    } else if (WIFSTOPPED(e->status)) {
        info->si_code = CLD_STOPPED;
        info->si_status = WSTOPSIG(e->status);
    } else if (WIFCONTINUED(e->status)) {
        info->si_code = CLD_CONTINUED;
        info->si_status = SIGCONT;
    } else {
        info->si_code = CLD_KILLED;
        info->si_status = WTERMSIG(e->status);
    }
}

long px_waitid(long type, long id, long info, long options, long usage)
{
    constexpr long kinds = WEXITED | WSTOPPED | WCONTINUED;
    if ((options & ~(kinds | WNOHANG | WNOWAIT)) != 0 || (options & kinds) == 0)
        return -EINVAL;
    struct wanted w = { .ended = (options & WEXITED) != 0,
                        .stopped = (options & WSTOPPED) != 0,
                        .continued = (options & WCONTINUED) != 0,
                        .no_wait = (options & WNOHANG) != 0,
                        .keep = (options & WNOWAIT) != 0 };
    switch (type) {
    case P_ALL:
        w.which = -1;
        break;
    case P_PID:
        w.which = (int)id;
        break;
    case P_PGID:
        w.which = -(int)id; /* 0: the caller's */
        break;
    default:
        return -EINVAL;
    }
    if ((type == P_PID && w.which <= 0) || (type == P_PGID && (id < 0 || id == 1)))
        return type == P_PGID && id == 1 ? -ECHILD : -EINVAL;
    struct ended e = {};
    long answer = wait_for_child(&w, &e);
    if (answer < 0)
        return answer;
    if (info != 0)
        put_info((siginfo_t *)info, &e);
    if (usage != 0)
        put_usage((struct rusage *)usage, e.cpu_ns);
    return 0;
}

/* --- without a process service --- */

static bool ends(long signal)
{
    return signal != 0 && signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH && signal != SIGCONT &&
           signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU && signal != SIGSTOP;
}

long px_child_signal(int pid, int signal)
{
    long answer = -ESRCH;
    vx_mutex_lock(&lock);
    for (unsigned i = 0; pid > 0 && i < used; i++) {
        struct child *c = &children[i];
        if (!matches(c, pid))
            continue;
        answer = 0;
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
