/* SPDX-License-Identifier: MIT */
#include "landing.h"
#include "crash.h"
#include <abi/landing.h>
#include <vectra/rpc_proc.h>

enum : uint32_t { EM_X86_64 = 62, THREADS_AT_ONCE = 8, STATE_STOPPED = 2, NO_CALL = UINT32_MAX };

static status_t control(const struct proc *p, uint32_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t *done)
{
    uint64_t unused;
    return vx_sys_task_control(p->task, op, a, b, c, done != nullptr ? done : &unused, nullptr);
}

static bool read_memory(const struct proc *p, uint64_t from, void *to, size_t bytes)
{
    uint64_t done = 0;
    return control(p, VX_TASK_READ_MEM, from, (uintptr_t)to, bytes, &done) == OK && done == bytes;
}

static bool write_memory(const struct proc *p, uint64_t to, const void *from, size_t bytes)
{
    uint64_t done = 0;
    return control(p, VX_TASK_WRITE_MEM, to, (uintptr_t)from, bytes, &done) == OK && done == bytes;
}

/* --- registers, by what the frame says it is of --- */

static uint64_t pc_of(const struct vx_frame *f)
{
    return f->arch == EM_X86_64 ? f->reg[16] : f->reg[32];
}

static uint64_t argument_of(const struct vx_frame *f)
{
    return f->arch == EM_X86_64 ? f->reg[5] : f->reg[0];
}

/* A frame at a function's entry, with an argument that is also its stack. */
static struct vx_frame frame_at(const struct vx_frame *of, uint64_t entry, uint64_t argument)
{
    struct vx_frame f = { .arch = of->arch, .count = of->count };
    bool x86 = of->arch == EM_X86_64;
    f.reg[x86 ? 5 : 0] = argument;
    f.reg[x86 ? 7 : 31] = argument;
    f.reg[x86 ? 16 : 32] = entry;
    f.reg[x86 ? 17 : 33] = x86 ? 0x202 : 0; /* interrupts on, direction forward; every flag clear */
    return f;
}

/* --- landing --- */

/* The thread is stopped. BUSY: another one is there, whose id is in *other. */
static status_t land(const struct proc *p, uint32_t thread, uint32_t cause, uint64_t address, uint32_t *other)
{
    struct vx_landing record;
    if (!read_memory(p, p->landing.record, &record, sizeof record))
        return ERR_BAD_ADDRESS;
    *other = record.thread;
    if (record.used != 0)
        return ERR_BUSY;
    record = (struct vx_landing){ .used = 1, .thread = thread, .cause = cause, .address = address };
    status_t st = control(p, VX_TASK_READ_FRAME, thread, (uintptr_t)&record.frame, 0, nullptr);
    if (st != OK)
        return st;
    if (!write_memory(p, p->landing.record, &record, sizeof record))
        return ERR_BAD_ADDRESS;
    struct vx_frame f = frame_at(&record.frame, p->landing.entry, p->landing.record);
    st = control(p, VX_TASK_WRITE_FRAME, thread, (uintptr_t)&f, 0, nullptr);
    if (st != OK) {
        record.used = 0;
        (void)write_memory(p, p->landing.record, &record, sizeof record.used);
    }
    return st;
}

static void go_on(const struct proc *p)
{
    if (p->state == VX_PROC_STATE_RUNNING)
        (void)control(p, VX_TASK_RESUME, 0, 0, 0, nullptr);
}

static bool find_thread(const struct proc *p, uint32_t id, uint64_t stopped_at, struct vx_thread_info *out)
{
    struct vx_thread_info info[THREADS_AT_ONCE];
    uint64_t n = 0, next = id;
    do {
        if (vx_sys_task_control(p->task, VX_TASK_THREADS, (uintptr_t)info, THREADS_AT_ONCE, next, &n, &next) != OK)
            return false;
        for (uint64_t i = 0; i < n; i++) {
            *out = info[i];
            if (id != 0 ? info[i].id == id : info[i].state == STATE_STOPPED && info[i].pc == stopped_at)
                return true;
        }
    } while (next != 0 && id == 0);
    return false;
}

status_t landing_set(struct proc *p, const struct landing *where)
{
    if (p->task.raw == VX_HANDLE_NONE)
        return ERR_NOT_SUPPORTED;
    p->landing = *where;
    return OK;
}

status_t landing_reach(struct proc *p, uint32_t thread, uint64_t busy, uint32_t *reached)
{
    struct vx_thread_info info;
    uint32_t word, other;
    if (p->landing.record == 0 || thread == 0)
        return ERR_NOT_SUPPORTED;
    if (p->state != VX_PROC_STATE_RUNNING || control(p, VX_TASK_STOP, 0, 0, 0, nullptr) != OK)
        return OK;
    status_t st = OK;
    if (find_thread(p, thread, 0, &info) && info.state == STATE_STOPPED && info.syscall == NO_CALL &&
        read_memory(p, busy, &word, sizeof word) && word == 0) {
        st = land(p, thread, VX_LANDING_ASKED, 0, &other);
        *reached = st == OK;
    }
    go_on(p);
    return st == ERR_BUSY ? st : OK;
}

/* --- faults --- */

void landing_watch(const struct proc *p)
{
    (void)control(p, VX_TASK_BIND_FAULT, LANDING_BIT, 0, 0, nullptr);
}

void landing_unwatch(const struct proc *p)
{
    (void)control(p, VX_TASK_BIND_FAULT, 64, 0, 0, nullptr);
}

static void end(struct proc *p, uint32_t thread, uint32_t cause, uint64_t address, const struct vx_frame *f)
{
    crash_report(p, thread, cause, address, f);
    p->killed_by = crash_signal(cause);
    (void)vx_sys_destroy(p->task.raw);
}

/* The thread asks for the registers that it had. */
static bool take_back(const struct proc *p, uint32_t thread, uint64_t at)
{
    struct vx_frame f;
    return read_memory(p, at, &f, sizeof f) && control(p, VX_TASK_WRITE_FRAME, thread, (uintptr_t)&f, 0, nullptr) == OK;
}

static void fault(struct proc *p, const struct vx_task_info *task)
{
    struct vx_thread_info thread;
    struct vx_frame f;
    struct vx_landing record;
    uint32_t other = 0;
    /* not found: it went on, and faults again if it still has a reason to */
    if (!find_thread(p, 0, task->fault_pc, &thread) ||
        control(p, VX_TASK_READ_FRAME, thread.id, (uintptr_t)&f, 0, nullptr) != OK) {
        go_on(p);
        return;
    }
    uint64_t pc = pc_of(&f);
    if (p->landing.record != 0 && pc == p->landing.resume && take_back(p, thread.id, argument_of(&f))) {
        go_on(p);
        return;
    }
    if (p->landing.record != 0 && pc == p->landing.give_up &&
        read_memory(p, p->landing.record, &record, sizeof record)) {
        end(p, record.thread, record.cause, record.address, &record.frame);
        return;
    }
    if (p->landing.record != 0) {
        status_t st = land(p, thread.id, task->cause, task->fault_address, &other);
        if (st == OK || (st == ERR_BUSY && other != thread.id)) { /* busy: it faults again, until it is its turn */
            go_on(p);
            return;
        }
    }
    end(p, thread.id, task->cause, task->fault_address, &f);
}

void landing_faults(void)
{
    struct vx_task_info info;
    for (uint32_t i = 0; i < procs_used; i++) {
        struct proc *p = &procs[i];
        if (p->id == 0 || p->task.raw == VX_HANDLE_NONE || p->state != VX_PROC_STATE_RUNNING ||
            control(p, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr) != OK || info.faults == p->faults)
            continue; /* one that is stopped faults again when it goes on */
        p->faults = info.faults;
        if (info.state == VX_TASK_RUNNING)
            fault(p, &info);
    }
}

/* The thread stands in a call to us: what it was doing is what it says, the rest of its registers is of that call. */
status_t landing_aborted(struct proc *p, uint32_t thread, uint64_t pc, uint64_t record)
{
    struct vx_frame f;
    if (p->task.raw == VX_HANDLE_NONE || p->state != VX_PROC_STATE_RUNNING)
        return ERR_NOT_SUPPORTED;
    if (control(p, VX_TASK_STOP, 0, 0, 0, nullptr) == OK &&
        control(p, VX_TASK_READ_FRAME, thread, (uintptr_t)&f, 0, nullptr) == OK) {
        bool x86 = f.arch == EM_X86_64;
        f.reg[x86 ? 6 : 29] = record;
        f.reg[x86 ? 16 : 32] = pc;
        crash_report(p, thread, CRASH_ABORTED, 0, &f);
    }
    p->killed_by = crash_signal(CRASH_ABORTED);
    (void)vx_sys_destroy(p->task.raw);
    return OK;
}
