/* SPDX-License-Identifier: MIT
 * The connection to the process service (abi/protocols/proc.def). A child finds it in its Bundle. The first of a family
 * connects by name, if it may, when it first needs to, and says who it is. Without one, this process knows itself and
 * its children's Tasks, and nobody else.
 *
 * One call at a time, under `lock`, and none of them waits for anything but the service. An interruption does not end a
 * call: it is given back to the thread for its next wait. */
#define _GNU_SOURCE
#include "keeper.h"
#include "process.h"
#include "signal.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <vectra/rpc.h>
#include <vectra/rpc_console.h>
#include <vectra/rpc_proc.h>

static struct vx_mutex lock;
static struct vx_client client;
static enum { UNKNOWN, CONNECTED, NONE } state;

/* Both halves of a call, however often a signal interrupts them. */
static status_t call_for_cap_locked(uint16_t op, const void *q, size_t q_len, vx_handle_t cap, void *a, size_t a_len,
                                    vx_handle_t *got)
{
    struct vx_message m = { .word = { op } };
    bool interrupted = false;
    status_t st;
    if (q_len != 0)
        memcpy(&m.word[1], q, q_len);
    do {
        st = vx_rpc_start(&client, &m, cap, VX_FOREVER);
        interrupted |= st == ERR_INTERRUPTED;
    } while (st == ERR_INTERRUPTED);
    while (st == OK) {
        st = vx_rpc_finish(&client, &m, got, VX_FOREVER);
        if (st != ERR_INTERRUPTED)
            break;
        interrupted = true;
        st = OK;
    }
    if (st == OK && a_len != 0)
        memcpy(a, &m.word[1], a_len);
    if (st == ERR_PEER_CLOSED)
        state = NONE;
    if (interrupted)
        (void)vx_sys_thread_interrupt(px_self()->kernel_id);
    return st;
}

static status_t call_locked(uint16_t op, const void *q, size_t q_len, vx_handle_t cap, void *a, size_t a_len)
{
    return call_for_cap_locked(op, q, q_len, cap, a, a_len, nullptr);
}

/* A root has no parent that handed its Task over, so it brings a bell: a semaphore whose rise posts the bit. */
static bool say_hello(void)
{
    vx_sem bell = {};
    if (vx_sys_sem_create(VX_OWN_RETICLE, 0, &bell) != OK)
        return false;
    struct vx_proc_hello_request q = { .id = px_pid };
    bool good = vx_sys_bind(bell.raw, PX_BIT_BELL) == OK &&
                call_locked(VX_PROC_HELLO, &q, sizeof q, bell.raw, nullptr, 0) == OK;
    if (!good)
        (void)vx_sys_cap_drop(bell.raw);
    return good;
}

static bool connected_locked(void)
{
    if (state != UNKNOWN)
        return state == CONNECTED;
    state = NONE;
    bool handed = vx_client_from_bundle(&client, "proc") == OK;
    if (!handed && vx_connect("proc", &client) != OK)
        return false;
    state = CONNECTED;
    if (!px_has_parent && !say_hello())
        state = NONE;
    else if (!px_has_parent)
        px_keeper_wanted(); /* nobody can act on it but itself */
    return state == CONNECTED;
}

/* -ENOSYS: there is no service. */
static long ask(uint16_t op, const void *q, size_t q_len, void *a, size_t a_len)
{
    vx_mutex_lock(&lock);
    status_t st = ERR_PEER_CLOSED;
    if (connected_locked())
        st = call_locked(op, q, q_len, VX_HANDLE_NONE, a, a_len);
    vx_mutex_unlock(&lock);
    px_keeper_settle();
    switch (st) {
    case OK:
        return 0;
    case ERR_PEER_CLOSED:
        return -ENOSYS;
    case ERR_NOT_FOUND:
        return -ESRCH;
    case ERR_NO_RIGHTS:
        return -EPERM;
    case ERR_BUSY:
    case ERR_TABLE_FULL:
        return -EAGAIN;
    default:
        return px_error(st);
    }
}

bool px_proc_there(void)
{
    vx_mutex_lock(&lock);
    bool good = connected_locked();
    vx_mutex_unlock(&lock);
    px_keeper_settle();
    return good;
}

void px_proc_aware(void)
{
    vx_mutex_lock(&lock);
    /* one that has not connected yet is told of nothing, and one that connects by name is aware from the start */
    if (state == CONNECTED || (state == UNKNOWN && px_has_parent && connected_locked()))
        (void)call_locked(VX_PROC_AWARE, nullptr, 0, VX_HANDLE_NONE, nullptr, 0);
    vx_mutex_unlock(&lock);
}

bool px_proc_take(struct px_note *out)
{
    struct vx_proc_take_reply a = {};
    vx_mutex_lock(&lock);
    bool good = state == CONNECTED && call_locked(VX_PROC_TAKE, nullptr, 0, VX_HANDLE_NONE, &a, sizeof a) == OK &&
                a.signal - 1 < 64;
    vx_mutex_unlock(&lock);
    if (good)
        *out = (struct px_note){
            .signal = (int)a.signal, .code = a.code, .sender = a.sender, .status = a.status, .value = a.value
        };
    return good;
}

long px_proc_kill(int target, int signal, int code, uint64_t value, uint32_t *self)
{
    struct vx_proc_kill_request q = { .target = target, .signal = (uint32_t)signal, .code = code, .value = value };
    struct vx_proc_kill_reply a = {};
    long answer = ask(VX_PROC_KILL, &q, sizeof q, &a, sizeof a);
    *self = a.self;
    return answer;
}

long px_proc_stop(int signal)
{
    struct vx_proc_stop_request q = { .signal = (uint32_t)signal };
    long answer = ask(VX_PROC_STOP, &q, sizeof q, nullptr, 0);
    if (answer == 0)
        px_keeper_take(); /* SIGCONT, and what came meanwhile, before the program goes on */
    return answer;
}

long px_proc_about(int pid, struct px_about *out)
{
    struct vx_proc_about_request q = { .id = (uint32_t)pid };
    struct vx_proc_about_reply a = {};
    long answer = ask(VX_PROC_ABOUT, &q, sizeof q, &a, sizeof a);
    *out = (struct px_about){ .parent = a.parent, .group = a.group, .session = a.session, .state = a.state };
    return answer;
}

bool px_is_dead(uint32_t id)
{
    struct px_about about;
    return id != 0 && id != px_pid && (px_proc_about((int)id, &about) == -ESRCH || about.state == VX_PROC_STATE_ENDED);
}

long px_proc_thread_ids(uint32_t *first)
{
    struct vx_proc_thread_ids_reply a = {};
    long answer = ask(VX_PROC_THREAD_IDS, nullptr, 0, &a, sizeof a);
    *first = a.first;
    return answer;
}

long px_proc_land(const void *record, void (*entry)(void), void (*resume)(void), void (*give_up)(void))
{
    struct vx_proc_land_request q = { .record = (uintptr_t)record,
                                      .entry = (uintptr_t)entry,
                                      .resume = (uintptr_t)resume,
                                      .give_up = (uintptr_t)give_up };
    return ask(VX_PROC_LAND, &q, sizeof q, nullptr, 0);
}

long px_proc_aborted(uint32_t thread, const void *pc, const void *record)
{
    struct vx_proc_aborted_request q = { .thread = thread, .pc = (uintptr_t)pc, .record = (uintptr_t)record };
    return ask(VX_PROC_ABORTED, &q, sizeof q, nullptr, 0);
}

long px_proc_reach(uint32_t thread, const _Atomic uint32_t *busy)
{
    struct vx_proc_reach_request q = { .thread = thread, .busy = (uintptr_t)busy };
    struct vx_proc_reach_reply a = {};
    long answer = ask(VX_PROC_REACH, &q, sizeof q, &a, sizeof a);
    return answer == 0 ? (long)a.reached : answer;
}

long px_proc_set_group(int pid, int group)
{
    struct vx_proc_set_group_request q = { .id = (uint32_t)pid, .group = (uint32_t)group };
    return ask(VX_PROC_SET_GROUP, &q, sizeof q, nullptr, 0);
}

long px_proc_new_session(void)
{
    struct vx_proc_new_session_reply a;
    return ask(VX_PROC_NEW_SESSION, nullptr, 0, &a, sizeof a);
}

long px_proc_child_event(int which, bool stopped, bool continued, int *status)
{
    struct vx_proc_child_event_request q = {
        .which = which, .events = (stopped ? VX_PROC_EVENT_STOPPED : 0) | (continued ? VX_PROC_EVENT_CONTINUED : 0)
    };
    struct vx_proc_child_event_reply a = {};
    long answer = ask(VX_PROC_CHILD_EVENT, &q, sizeof q, &a, sizeof a);
    *status = a.status == 0 ? 0xffff : a.status << 8 | 0x7f;
    return answer == 0 ? (long)a.id : 0;
}

int px_proc_killed_by(uint32_t pid)
{
    struct vx_proc_ended_request q = { .id = pid };
    struct vx_proc_ended_reply a = {};
    return ask(VX_PROC_ENDED, &q, sizeof q, &a, sizeof a) == 0 ? (int)a.signal : 0;
}

void px_proc_forget(uint32_t pid)
{
    vx_mutex_lock(&lock);
    if (state == CONNECTED)
        while (vx_proc_forget(client.tx, pid, VX_FOREVER) == ERR_INTERRUPTED)
            ;
    vx_mutex_unlock(&lock);
}

long px_proc_front(int *group)
{
    struct vx_proc_front_reply a = {};
    long answer = ask(VX_PROC_FRONT, nullptr, 0, &a, sizeof a);
    *group = (int)a.group;
    return answer;
}

long px_proc_set_front(int group)
{
    struct vx_proc_set_front_request q = { .group = (uint32_t)group };
    return ask(VX_PROC_SET_FRONT, &q, sizeof q, nullptr, 0);
}

bool px_proc_orphaned(void)
{
    struct vx_proc_orphaned_reply a = {};
    return ask(VX_PROC_ORPHANED, nullptr, 0, &a, sizeof a) != 0 || a.orphaned != 0;
}

long px_proc_terminal(struct vx_client *terminal)
{
    status_t st = ERR_PEER_CLOSED;
    vx_mutex_lock(&lock);
    if (connected_locked()) {
        do
            st = vx_proc_terminal_requests(client.tx, terminal->tx, VX_FOREVER);
        while (st == ERR_INTERRUPTED);
        if (st == OK)
            st = call_locked(VX_PROC_TERMINAL_REPLIES, nullptr, 0, terminal->rx.raw, nullptr, 0);
    }
    vx_mutex_unlock(&lock);
    return st == OK ? 0 : st == ERR_NO_RIGHTS ? -EPERM : px_error(st);
}

/* --- children --- */

bool px_proc_prepare(struct vx_client *child, vx_ring_rx *requests)
{
    *requests = (vx_ring_rx){};
    return px_proc_there() && vx_rpc_half(VX_OWN_RETICLE, child, requests) == OK;
}

/* The service's end of the new Task's connection, before the Task. One that was not sent is dropped. */
static status_t send_end_locked(vx_ring_rx requests)
{
    status_t st;
    do
        st = vx_proc_child_requests(client.tx, requests, VX_FOREVER);
    while (st == ERR_INTERRUPTED);
    if (st != OK)
        (void)vx_sys_cap_drop(requests.raw);
    return st;
}

long px_proc_child(vx_ring_rx requests, vx_task task, struct px_birth *birth)
{
    struct vx_proc_child_request q = {
        .flags = birth->flags, .group = birth->group, .ignored = birth->ignored, .blocked = birth->blocked
    };
    struct vx_proc_child_reply a = {};
    vx_mutex_lock(&lock);
    status_t st = send_end_locked(requests);
    if (st == OK)
        st = call_locked(VX_PROC_CHILD, &q, sizeof q, task.raw, &a, sizeof a);
    vx_mutex_unlock(&lock);
    birth->group = a.group;
    return st == OK ? 0 : st == ERR_NO_RIGHTS ? -EPERM : st == ERR_TABLE_FULL ? -EAGAIN : px_error(st);
}

long px_proc_replace(vx_ring_rx requests, vx_task task, const struct px_birth *birth)
{
    struct vx_proc_replace_request q = { .ignored = birth->ignored, .blocked = birth->blocked };
    vx_mutex_lock(&lock);
    status_t st = send_end_locked(requests);
    if (st == OK)
        st = call_locked(VX_PROC_REPLACE, &q, sizeof q, task.raw, nullptr, 0);
    vx_mutex_unlock(&lock);
    return px_error(st);
}

/* --- names of local sockets --- */

/* The name in parts, then what is asked about it: the length of the name is its first argument. */
static status_t ask_name_locked(const struct px_name *name, uint16_t op, void *a, size_t a_len, vx_handle_t *got)
{
    uint32_t length = name->length;
    status_t st = connected_locked() ? OK : ERR_NOT_SUPPORTED;
    for (uint32_t at = 0; st == OK && at < length; at += 48) {
        uint32_t part = length - at < 48 ? length - at : 48;
        do
            st = vx_proc_name(client.tx, at, name->bytes + at, part, VX_FOREVER);
        while (st == ERR_INTERRUPTED);
    }
    return st == OK ? call_for_cap_locked(op, &length, sizeof length, VX_HANDLE_NONE, a, a_len, got) : st;
}

static status_t ask_name(const struct px_name *name, uint16_t op)
{
    vx_mutex_lock(&lock);
    status_t st = ask_name_locked(name, op, nullptr, 0, nullptr);
    vx_mutex_unlock(&lock);
    px_keeper_settle();
    return st;
}

status_t px_proc_bind(const struct px_name *name)
{
    return ask_name(name, VX_PROC_BIND_NAME);
}

void px_proc_unbind(const struct px_name *name)
{
    (void)ask_name(name, VX_PROC_UNBIND_NAME);
}

status_t px_proc_listen(const struct px_name *name, vx_mem *door)
{
    vx_mutex_lock(&lock);
    status_t st = ask_name_locked(name, VX_PROC_LISTEN, nullptr, 0, &door->raw);
    vx_mutex_unlock(&lock);
    return st;
}

/* Capabilities that came although another did not. */
static void drop_all(vx_mem *mem, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (mem[i].raw != VX_HANDLE_NONE)
            (void)vx_sys_cap_drop(mem[i].raw);
}

/* n capabilities, the first with the connection's number. */
static status_t connection(const struct px_name *name, const uint16_t *op, size_t n, uint32_t *id, vx_mem *mem)
{
    status_t st;
    vx_mutex_lock(&lock);
    st = ask_name_locked(name, op[0], id, sizeof *id, &mem[0].raw);
    for (size_t i = 1; i < n && st == OK; i++)
        st = call_for_cap_locked(op[i], nullptr, 0, VX_HANDLE_NONE, nullptr, 0, &mem[i].raw);
    vx_mutex_unlock(&lock);
    px_keeper_settle();
    if (st != OK)
        drop_all(mem, n);
    return st;
}

status_t px_proc_connect(const struct px_name *name, uint32_t *id, vx_mem mem[3])
{
    static const uint16_t ops[] = { VX_PROC_CONNECT, VX_PROC_CONNECT_BACK, VX_PROC_CONNECT_DOOR };
    return connection(name, ops, 3, id, mem);
}

status_t px_proc_accept(const struct px_name *name, uint32_t *id, vx_mem mem[2])
{
    static const uint16_t ops[] = { VX_PROC_ACCEPT, VX_PROC_ACCEPT_BACK };
    return connection(name, ops, 2, id, mem);
}

bool px_proc_peer_gone(uint32_t id)
{
    struct vx_proc_peer_gone_request q = { .connection = id };
    struct vx_proc_peer_gone_reply a = {};
    return ask(VX_PROC_PEER_GONE, &q, sizeof q, &a, sizeof a) != 0 || a.gone != 0;
}
