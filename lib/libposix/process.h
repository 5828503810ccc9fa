/* SPDX-License-Identifier: MIT
 * This process, its family, and the process service that knows them all. */
#pragma once
#include "file.h"
#include <vectra/rpc.h>

struct px_note;

extern uint32_t px_pid;
extern bool px_has_parent; /* a process of ours started it, and made its connection to the process service */

/* Learns who this is from the Bundle, opens descriptors 0 to 2. The random bytes that the parent gave are in
 * random[0, 16) then; false: it gave none. */
bool px_process_init(uint8_t *random);
/* Its process group, as this process knows it: nobody else changes it. */
int px_own_group(void);
bool px_leads_session(void);
/* After execve: waits for the Task that is this process now, and ends as it does. */
[[noreturn]] void px_stand_in(vx_task task);
/* Notices children that have ended, and gives back what they held of pipes. */
void px_children_look(void);
/* Without a process service: ends, stops or continues a child's Task at a signal's wish. -ESRCH: not a child. */
/* The signal that stands for the cause of a Task's end. */
int px_signal_of_cause(vx_cause_t cause);
extern _Atomic bool px_replaced;
long px_child_signal(int pid, int signal);
/* Processor time of the children that were waited for. */
uint64_t px_children_cpu_ns(void);

/* The exit status of one that stood in for a program which was ended from outside: the process service knows how. */
enum : uint32_t { PX_STATUS_ASK = 1u << 16 };

/* --- the process service (proc.c); -ENOSYS: there is none --- */

struct px_about {
    uint32_t parent, group, session, state;
};
bool px_proc_there(void);
void px_proc_aware(void);
bool px_proc_take(struct px_note *out);
/* self: the caller is meant too, and was left out. */
long px_proc_kill(int target, int signal, int code, uint64_t value, uint32_t *self);
/* Stops this process; answers 0 when it goes on. */
long px_proc_stop(int signal);
long px_proc_about(int pid, struct px_about *out);
/* True when the service says that the process is no more, or that of this thread. 0 and this process's id: false. */
bool px_is_dead(uint32_t id);
/* The first of the numbers that threads of this process have. */
long px_proc_thread_ids(uint32_t *first);
/* Threads that land, and one that is to: landing.h. */
long px_proc_land(const void *record, void (*entry)(void), void (*resume)(void), void (*give_up)(void));
/* Ends this process by SIGABRT, and is answered only if it did not: -EOPNOTSUPP or whatever stands in the way. */
long px_proc_aborted(uint32_t thread, const void *pc, const void *record);
long px_proc_reach(uint32_t thread, const _Atomic uint32_t *busy);
long px_proc_set_group(int pid, int group);
long px_proc_new_session(void);
/* A child that was stopped or continued, and how wait4 says it; 0: none. */
long px_proc_child_event(int which, bool stopped, bool continued, int *status);
/* The signal that ended a child, if it was not its own doing; else 0. */
int px_proc_killed_by(uint32_t pid);
void px_proc_forget(uint32_t pid);
long px_proc_front(int *group);
long px_proc_set_front(int group);
/* True when a stop would last for ever. */
bool px_proc_orphaned(void);
/* Hands over a connection to the terminal; it is gone afterwards. */
long px_proc_terminal(struct vx_client *terminal);

struct px_birth {
    uint32_t flags, group; /* VX_PROC_*; group: in and out */
    uint64_t ignored, blocked;
};
/* A new Task's connection: its own end, and the service's, which goes there with the Task. */
bool px_proc_prepare(struct vx_client *child, vx_ring_rx *requests);
long px_proc_child(vx_ring_rx requests, vx_task task, struct px_birth *birth);
long px_proc_replace(vx_ring_rx requests, vx_task task, const struct px_birth *birth);
/* Names of local sockets. */
struct px_name {
    uint32_t length;
    uint8_t bytes[108];
};
status_t px_proc_bind(const struct px_name *name);
void px_proc_unbind(const struct px_name *name);
status_t px_proc_listen(const struct px_name *name, vx_mem *door);
/* The memory to the peer, from it, and the door to knock at. */
status_t px_proc_connect(const struct px_name *name, uint32_t *id, vx_mem mem[3]);
/* The memory from the peer, and to it. */
status_t px_proc_accept(const struct px_name *name, uint32_t *id, vx_mem mem[2]);
bool px_proc_peer_gone(uint32_t id);
/* What a handler is told: fills a siginfo_t. */
void px_describe(const struct px_note *n, void *info);
