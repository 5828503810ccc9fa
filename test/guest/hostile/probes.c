/* SPDX-License-Identifier: MIT
 * Instructions that no program may execute, one after the other, with the kernel's addresses in every register. A child
 * of the attack runs them; each fault stops it, and it is sent on to the next. */
#include "hostile.h"

enum : uint32_t { PROBE_BYTES = 32, FAULT_BIT = 20 };

/* ISA/probes.S */
extern const uint8_t hostile_probes[], hostile_probes_end[];
extern const struct {
    uint8_t may_pass, bytes;
} hostile_probe_facts[];

extern const uint32_t hostile_probe_pc, hostile_probe_sp; /* registers of struct vx_frame */

static vx_handle_t victim(void)
{
    static struct vx_spawn s;
    const char *argv[] = { "/test/hostile", "victim" };
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv, .memory = 256 << 10 };
    vx_task task = {};
    uint32_t id;
    vx_spawn_begin(&s);
    return vx_spawn_end(&s, &task, &id) == OK ? task.raw : 0;
}

/* true: it faulted where it stands, and as nothing but a fault of its own. */
static bool probe(vx_handle_t task, uint32_t thread, const struct vx_frame *clean, uint32_t n, uint64_t slide,
                  uint64_t sp)
{
    struct vx_frame f = *clean;
    struct vx_task_info info = {};
    uint64_t at = P(hostile_probes) + n * PROBE_BYTES + slide;
    for (uint32_t i = 0; i < hostile_probe_pc; i++)
        f.reg[i] = KERNEL_ADDRESS;
    f.reg[hostile_probe_pc] = at;
    f.reg[hostile_probe_sp] = sp;
    if (STATUS(task_control, task, VX_TASK_WRITE_FRAME, thread, P(&f)) != OK ||
        STATUS(task_control, task, VX_TASK_RESUME) != OK ||
        STATUS(signal_wait, 1u << FAULT_BIT, vx_deadline_in(5 * VX_NS_PER_S)) != OK ||
        STATUS(task_control, task, VX_TASK_INFO, P(&info), sizeof info) != OK) {
        vx_printf("#   probe %u: no fault\n", n);
        return false;
    }
    bool passed = info.cause == VX_CAUSE_ILLEGAL && info.fault_pc == at + hostile_probe_facts[n].bytes;
    if (info.state != VX_TASK_DEAD && (!passed || hostile_probe_facts[n].may_pass))
        return true;
    vx_printf("#   probe %u: state %u, cause %u, pc + 0x%llx\n", n, info.state, info.cause,
              (unsigned long long)(info.fault_pc - at));
    return false;
}

/* Stopped where it can be given other registers: not on another hart any more, and not between the steps of a call. */
static bool stopped(vx_handle_t task, struct vx_thread_info *t, struct vx_frame *clean)
{
    for (uint32_t i = 0; i < 1000; i++) {
        if (STATUS(task_control, task, VX_TASK_STOP) == OK &&
            STATUS(task_control, task, VX_TASK_THREADS, P(t), 1, 0) == OK &&
            STATUS(task_control, task, VX_TASK_READ_FRAME, t->id, P(clean)) == OK &&
            STATUS(task_control, task, VX_TASK_WRITE_FRAME, t->id, P(clean)) == OK)
            return true;
        (void)SYS(task_control, task, VX_TASK_RESUME);
        (void)SYS(nanosleep, vx_deadline_in(VX_NS_PER_MS));
    }
    return false;
}

bool forbidden_instructions(void)
{
    struct vx_task_info own = {}, its = {};
    struct vx_thread_info t = {};
    struct vx_frame clean = {};
    vx_handle_t task = victim();
    if (task == 0 || STATUS(task_control, 0, VX_TASK_INFO, P(&own), sizeof own) != OK ||
        STATUS(task_control, task, VX_TASK_INFO, P(&its), sizeof its) != OK ||
        STATUS(task_control, task, VX_TASK_BIND_FAULT, FAULT_BIT) != OK || !stopped(task, &t, &clean))
        return false;
    const uint64_t stacks[] = { clean.reg[hostile_probe_sp], KERNEL_ADDRESS };
    const uint32_t count = (uint32_t)((hostile_probes_end - hostile_probes) / PROBE_BYTES);
    bool good = true;
    for (size_t s = 0; s < sizeof stacks / sizeof stacks[0]; s++)
        for (uint32_t n = 0; n < count; n++)
            good = probe(task, t.id, &clean, n, its.image_base - own.image_base, stacks[s]) && good;
    (void)SYS(destroy, task);
    (void)SYS(waitpid, task, 0);
    return STATUS(cap_drop, task) == OK && good;
}
