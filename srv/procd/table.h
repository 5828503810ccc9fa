/* SPDX-License-Identifier: MIT
 * procd's processes: who is whose child, in which group and session, and which signals wait for whom.
 *
 * Invariants:
 *  1. A record is free (id 0) or has an id that no other record has. A record whose process has ended stays until its
 *     parent says that it was waited for, or the parent has ended.
 *  2. A process that is alive has a link, its connection; it has a Task or a bell, by which it can be told. `task` and
 *     `bell` are dropped once, when it ends.
 *  3. A standard signal is pending at most once; queued signals (32 and up) at most PROC_QUEUE_MAX at a time.
 *  4. A process that is not aware has changed none of its dispositions: what a signal does to it is done here. One that
 *     is aware is only told, but for SIGKILL, SIGSTOP and going on.
 *
 * Who may signal whom: processes of one session each other, and whoever started a process (or started who started it)
 * that one, whatever session it is in. The kernel's authority behind it is the Task that the parent handed over. */
#pragma once
#include <abi/service_limits.h>
#include <vectra/service.h>

enum : uint32_t { FIRST_QUEUED = 32, LAST_SIGNAL = 64 };
/* The signals that mean something here, in the numbers that programs use. */
enum : uint32_t {
    SIG_HUP = 1,
    SIG_INT = 2,
    SIG_QUIT = 3,
    SIG_KILL = 9,
    SIG_CHLD = 17,
    SIG_CONT = 18,
    SIG_STOP = 19,
    SIG_TSTP = 20,
    SIG_TTIN = 21,
    SIG_TTOU = 22,
    SIG_URG = 23,
    SIG_WINCH = 28,
};
/* How a program is told why SIGCHLD came, or a signal that no process sent. */
enum : int32_t { CODE_STOPPED = 5, CODE_CONTINUED = 6, CODE_KERNEL = 128 };

struct note {
    uint32_t signal;
    int32_t code;
    uint32_t sender;
    int32_t status;
    uint64_t value;
};

/* Where the process's threads go on that are taken out of their course: abi/landing.h. record 0: nowhere. */
struct landing {
    uint64_t record, entry, resume, give_up;
};

struct proc {
    uint32_t id; /* 0: free */
    uint32_t parent, group, session;
    uint32_t threads; /* the first of its threads' numbers; 0: it has asked for none */
    uint32_t state;   /* VX_PROC_STATE_* */
    bool aware;
    uint32_t event;      /* VX_PROC_EVENT_* that its parent has not asked about */
    uint32_t stopped_by; /* of the last stop */
    uint32_t killed_by;  /* the signal that we ended it with */
    vx_task task;
    vx_sem bell;
    struct landing landing;
    uint64_t faults; /* of its Task that were looked at */
    struct vx_session *link;
    uint64_t ignored, blocked; /* as at its start; used while it is not aware */
    uint64_t pending;
    struct note note[FIRST_QUEUED]; /* by signal */
    struct note queue[PROC_QUEUE_MAX];
    uint32_t n_queued;
};

/* What came over a connection before the process behind it was complete, and the process. */
struct link {
    struct proc *proc;
    vx_ring_rx requests; /* of a child to come */
    vx_ring_tx terminal; /* of a terminal to come */
};

static inline uint64_t signal_bit(uint32_t signal)
{
    return UINT64_C(1) << (signal - 1);
}

extern struct proc procs[PROC_PROCESSES_MAX];
extern uint32_t procs_used; /* records from here on are free */
struct proc *proc_find(uint32_t id);
/* The process that has the thread of that number, or nullptr. */
struct proc *proc_of_thread(uint32_t number);
/* The first of the numbers that its threads have. */
uint32_t proc_threads(struct proc *p);
/* A free record with that id, or nullptr: taken already, or all are in use. */
struct proc *proc_new(uint32_t id);
/* The process of a connection is gone. */
void proc_ended(struct proc *p);
/* Gives the record of a process that has ended back. */
void proc_forget(struct proc *p);

bool proc_may_signal(const struct proc *sender, const struct proc *target);
/* True when nobody in the group has a parent elsewhere in the session, who could let it go on. */
bool group_orphaned(uint32_t group, uint32_t session);
bool group_exists(uint32_t group, uint32_t session);
/* 0: there is no such group. */
uint32_t group_session(uint32_t group);

/* Does to the process what the signal does, or keeps it for it. BUSY: no room for a queued one. NO_RIGHTS: it takes
 * authority over a Task that we were not given. */
status_t proc_signal(struct proc *p, const struct note *n);
void group_signal(uint32_t group, uint32_t session, uint32_t signal);
/* The next signal for an aware process. */
bool proc_take(struct proc *p, struct note *out);
/* From here on it is told. */
void proc_aware(struct proc *p);
/* NOT_SUPPORTED: there is no Task to stop. */
status_t proc_stop(struct proc *p, uint32_t signal);
/* The process lives on as another Task. */
void proc_replaced(struct proc *p, vx_task task, struct vx_session *link, uint64_t ignored, uint64_t blocked);
