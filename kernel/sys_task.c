/* SPDX-License-Identifier: MIT
 * Ends of Tasks as calls and as faults: TASK_EXIT, WAITPID, user traps; and the small calls: console, clock, random,
 * FP. Ends go on alone, behind the closed gate. */
#include <kernel/entropy.h>
#include <kernel/log.h>
#include <kernel/syscall.h>
#include <arch/fp.h>
#include <arch/timer.h>

struct sysret sys_task_exit(uint64_t status)
{
    task_kill(current_task(), (uint32_t)status, VX_CAUSE_EXIT);
    return SYS_BLOCKED;
}

struct sysret sys_waitpid(uint64_t task, uint64_t flags)
{
    struct cap *c;
    status_t st = cap_get(&current_task()->caps, task, VX_CAP_TASK, VX_R_WAIT, &c);
    if (st != OK)
        return sys_status(st);
    if ((flags & ~(uint64_t)VX_WAIT_NOHANG) != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    struct task *t = task_of(c->obj);
    if (t->ended)
        return sys_ok(t->exit_status, (t->fault_address & ~UINT64_C(0xff)) | t->cause);
    return thread_block_call(&t->exit_waiters, &t->lock, flags != 0 ? VX_POLL : VX_FOREVER);
}

void task_fault(struct thread *t, uint32_t cause, uint64_t address, const char *name)
{
    struct task *task = t->task;
    task->n_faults++;
    task->fault_address = address;
    task->cause = cause; /* for who looks at a Task that goes on; its end says another */
    task->fault_pc = arch_frame_pc(&t->frame);
    if (task->fault_binding.task != nullptr) { /* a debugger wants it stopped, not dead */
        t->state = THREAD_STOPPED;
        arch_hart_self()->need_switch = 1;
        binding_post(&task->fault_binding);
        return;
    }
    kprintf("task %u (%s): %s at 0x%llx, pc 0x%llx (0x%llx of its image), sp 0x%llx; ended\n", task->id, task->name,
            name, (unsigned long long)address, (unsigned long long)task->fault_pc,
            (unsigned long long)(task->fault_pc - task->image_base), (unsigned long long)arch_frame_sp(&t->frame));
    task_kill(task, 0, cause);
}

[[noreturn]] void kernel_user_trap(const struct trap *trap)
{
    struct thread *t = current_thread();
    uint32_t cause = trap->cause;
    const char *name = trap->name;
    if (cause == VX_CAUSE_PAGE_FAULT) {
        struct vm *vm = &t->task->vm;
        lock_take(&vm->lock, LOCK_VM);
        status_t st = urange_ok(trap->address, 1) ? vm_fault(vm, trap->address, trap->access) : ERR_BAD_ADDRESS;
        bool guard = st == ERR_BAD_ADDRESS && vm_is_guard(vm, trap->address);
        lock_release(&vm->lock, LOCK_VM);
        if (st == OK)
            kernel_return_to_user();
        cause = st == ERR_NO_MEMORY ? VX_CAUSE_NO_MEMORY : guard ? VX_CAUSE_STACK : cause;
        name = st == ERR_NO_MEMORY ? "no memory left" : guard ? "stack overflow" : name;
    }
    if (gate_close(arch_hart_self(), false)) {
        task_fault(t, cause, trap->address, name);
        work_begin();
        (void)(work_spend(WORK_STEP / 2) && object_reap()); /* half of the step's work was the line for the log */
    }
    kernel_return_to_user();
}

struct sysret sys_console_write(uint64_t console, uint64_t buffer, uint64_t len)
{
    struct cap *c;
    char chunk[256];
    status_t st = cap_get(&current_task()->caps, console, VX_CAP_CONSOLE, VX_R_WRITE, &c);
    if (st == ERR_WRONG_TYPE)
        st = cap_get(&current_task()->caps, console, VX_CAP_ENTROPY, VX_R_WRITE, &c);
    if (st != OK)
        return sys_status(st);
    if (len > CONSOLE_WRITE_MAX)
        len = CONSOLE_WRITE_MAX;
    for (uint64_t done = 0; done < len;) {
        size_t n = len - done < sizeof chunk ? (size_t)(len - done) : sizeof chunk;
        st = copy_from_user_raw(chunk, buffer + done, n);
        if (st != OK)
            return done == 0 ? sys_status(st) : sys_ok(done, 0);
        if (c->type == VX_CAP_CONSOLE)
            log_console(chunk, n);
        else
            entropy_contribute(chunk, n);
        done += n;
    }
    return sys_ok(len, 0);
}

struct sysret sys_clock_get_time(uint64_t clock)
{
    struct vm *vm = &current_task()->vm;
    uint64_t cycles;
    switch (clock) {
    case VX_CLOCK_MONOTONIC:
        return sys_ok(arch_timer_now_ns(), 0);
    case VX_CLOCK_TASK_CPU:
        lock_take(&vm->lock, LOCK_VM);
        cycles = task_cpu_cycles(current_task());
        lock_release(&vm->lock, LOCK_VM);
        return sys_ok(sched_cycles_to_ns(cycles), 0);
    case VX_CLOCK_THREAD_CPU:
        return sys_ok(sched_cycles_to_ns(thread_cpu_cycles(current_thread())), 0);
    default:
        return sys_status(ERR_BAD_ARGUMENT);
    }
}

/* A chunk at a time: interrupts come between. */
struct sysret sys_getrandom(uint64_t buffer, uint64_t len)
{
    uint8_t chunk[256];
    uint64_t done = progress_take();
    if (len > GETRANDOM_MAX)
        return sys_status(ERR_TOO_BIG);
    if (!urange_ok(buffer, len))
        return sys_status(ERR_BAD_ADDRESS);
    size_t n = len - done < sizeof chunk ? (size_t)(len - done) : sizeof chunk;
    entropy_fill(chunk, n);
    status_t st = copy_to_user(buffer + done, chunk, n);
    return st != OK ? sys_status(st) : sys_step(done + n < len ? done + n : 0, sys_ok(len, 0));
}

struct sysret sys_fp_clobber(void)
{
#ifdef VECTRA_DEBUG
    void *state = thread_fp(current_thread());
    arch_fp_switch(state, state);
    arch_fp_clobber();
    arch_fp_switch(nullptr, state);
    return sys_ok(0, 0);
#else
    return sys_status(ERR_NOT_SUPPORTED);
#endif
}
