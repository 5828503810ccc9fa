/* SPDX-License-Identifier: MIT
 * Prints system calls as they happen, by number and with all six argument registers (./vectra trace makes names of
 * them): every entry of the tracing table is one function that finds out which call it is from the saved frame, prints
 * it, and makes it. */
#include <kernel/cmdline.h>
#include <kernel/entry.h>
#include <kernel/log.h>
#include <kernel/syscall.h>
#include <kernel/trace.h>
#include <base/string.h>

static char wanted[32];

typedef struct sysret call_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static struct sysret traced(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    const struct thread *t = current_thread();
    const struct task *task = t->task;
    uint64_t nr = arch_frame_syscall_nr(&t->frame), entry = nr < SYSCALL_TABLE_ENTRIES ? nr : SYSCALL_TABLE_ENTRIES - 1;
    bool show = strncmp(wanted, "all", sizeof wanted) == 0 || strncmp(wanted, task->name, sizeof wanted) == 0;
    uint32_t id = task->id, thread_id = t->id;
    if (show)
        log_urgent("trace %u.%u call %llu(0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx)\n", id, thread_id,
                   (unsigned long long)nr, (unsigned long long)a0, (unsigned long long)a1, (unsigned long long)a2,
                   (unsigned long long)a3, (unsigned long long)a4, (unsigned long long)a5);
    struct sysret r = ((call_fn *)(uintptr_t)syscall_table[entry])(a0, a1, a2, a3, a4, a5);
    const struct thread *after = current_thread();
    if (!show)
        return r;
    if (after != t)
        log_urgent("trace %u.%u = gone\n", id, thread_id);
    else if (after->parked)
        log_urgent("trace %u.%u = waits\n", id, thread_id);
    else
        log_urgent("trace %u.%u = %lld, 0x%llx\n", id, thread_id, (long long)r.first, (unsigned long long)r.second);
    return r;
}

static const void *const traced_table[SYSCALL_TABLE_ENTRIES] = { [0 ... SYSCALL_TABLE_ENTRIES - 1] =
                                                                     (const void *)traced };

void trace_init(const char *cmdline)
{
    if (cmdline_get(cmdline, "trace", wanted, sizeof wanted))
        arch_hart_self()->syscalls = traced_table;
}
