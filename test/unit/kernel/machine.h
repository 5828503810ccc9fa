/* SPDX-License-Identifier: MIT
 * A whole machine in a process: the portable kernel over arch/host, with Tasks whose user code is the test. The
 * including program lists the kernel's files as its sources; what they want from platform and console is here.
 *
 * A call is made as the thread that runs: call() answers its results if the thread runs on, and says so if another
 * does. */
#pragma once
#include <abi/bundle.h>
#include <host.h>
#include <base/format.h>
#include <kernel/log.h>
#include <kernel/entropy.h>
#include <kernel/entry.h>
#include <kernel/irq.h>
#include <kernel/irqchip.h>
#include <kernel/log.h>
#include <abi/machine.h>
#include <kernel/ram.h>
#include <kernel/mem.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/spawn.h>
#include <kernel/sync.h>
#include <kernel/syscall.h>
#include <kernel/wallclock.h>
#include "map.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACHINE_RAM_BASE UINT64_C(0x40000000)
#define MACHINE_RAM (UINT64_C(16) << 20)
#define MACHINE_MMIO UINT64_C(0x10000000) /* a device of four pages */
#define MACHINE_PORTS 0x60u
#define MACHINE_IRQ 32u               /* lines 32 to 39; even ones are level-triggered */
#define USER_BASE UINT64_C(0x1000000) /* committed, in every Task that machine_task() makes */
#define USER_BYTES UINT64_C(0x10000)

static struct hart machine_hart;
static struct reticle machine_root;
static char machine_console[8192];
static size_t machine_console_len;
static bool machine_verbose; /* MACHINE_LOG in the environment: prints the kernel's log and every call */
static bool machine_irq_masked[IRQ_LINE_MAX], machine_irq_edge[IRQ_LINE_MAX];

/* --- what the kernel wants --- */

void log_console(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        machine_console[machine_console_len++ % sizeof machine_console] = bytes[i];
}

bool kernel_is_panicking(void)
{
    return false;
}

static void machine_log_sink(void *, const char *text, size_t len)
{
    if (machine_verbose)
        fwrite(text, 1, len, stderr);
}

void log_at(log_level_t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_va(machine_log_sink, nullptr, format, args);
    va_end(args);
}

void kernel_panic(const char *format, ...)
{
    fprintf(stderr, "kernel panic: %s\n", format);
    abort();
}

void machine_stop(uint32_t, uint32_t)
{
    arch_halt();
}

status_t irqchip_configure(uint32_t line)
{
    return line < irqchip_lines() ? OK : ERR_NOT_FOUND;
}

void irqchip_wire(uint32_t line, bool edge, bool)
{
    machine_irq_edge[line % IRQ_LINE_MAX] = edge;
}

void irqchip_unmask(uint32_t line)
{
    machine_irq_masked[line % IRQ_LINE_MAX] = false;
}

void irqchip_mask(uint32_t line)
{
    machine_irq_masked[line % IRQ_LINE_MAX] = true;
}

bool irqchip_is_level(uint32_t line)
{
    return !machine_irq_edge[line % IRQ_LINE_MAX];
}

uint32_t irqchip_lines(void)
{
    return 64;
}

/* --- the machine --- */

#define machine_must(cond)                                                                                             \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                                                 \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static void machine_boot(void)
{
    static const struct ram_range ram[] = { { MACHINE_RAM_BASE, MACHINE_RAM } };
    static const struct machine described = { .n_ram = 1, .ram = { { MACHINE_RAM_BASE, MACHINE_RAM } } };
    machine_verbose = getenv("MACHINE_LOG") != nullptr;
    host_ram_reset();
    host_ram_add(ram[0].base, ram[0].len);
    machine_must(reticle_boot(&machine_root, ram, 1) == OK);
    ram_init(&described);
    machine_hart = (struct hart){ .syscalls = syscall_table, .self = &machine_hart };
    host_hart = &machine_hart;
    harts[0] = &machine_hart;
    n_harts = 1;
    host_cycles = 1000;
    host_cycles_per_reading = 1;
    sched_init();
    wallclock_init(1);
    entropy_init();
}

/* Every page is accounted for, and nothing is free that was not at the time of the snapshot. */
static void machine_check(void)
{
    const char *why;
    bool ok = reticle_check(&machine_root, &why);
    if (!ok)
        fprintf(stderr, "reticle_check: %s\n", why);
    machine_must(ok);
}

/* An object of the root's with one capability in t's table. */
static inline vx_handle_t machine_grant_new(struct task *t, uint8_t type, size_t size, vx_rights_t rights,
                                            uint64_t offset, uint64_t length, struct object **out)
{
    struct cap *slot;
    machine_must(object_create(&machine_root, type, size, out) == OK && cap_reserve(&t->caps, &slot) == OK);
    return cap_make(slot, *out, type, rights, offset, length);
}

static inline vx_handle_t machine_grant_console(struct task *t)
{
    struct object *o;
    return machine_grant_new(t, VX_CAP_CONSOLE, sizeof *o, VX_RIGHTS_ALL, 0, 0, &o);
}

static inline vx_handle_t machine_grant_device(struct task *t, uint64_t base, uint64_t length, uint32_t kind)
{
    struct object *o;
    vx_handle_t h = machine_grant_new(t, VX_CAP_DEVICE, sizeof(struct device), VX_RIGHTS_ALL, 0, length, &o);
    struct device *d = (struct device *)(void *)o;
    d->base = base;
    d->length = length;
    d->kind = kind;
    return h;
}

static inline vx_handle_t machine_grant_irqs(struct task *t)
{
    struct object *o;
    return machine_grant_new(t, VX_CAP_IRQ, sizeof *o, VX_RIGHTS_ALL, MACHINE_IRQ, 8, &o);
}

/* A capability of t's to an object, the first of its kind. */
static inline vx_handle_t machine_grant(struct task *t, struct object *o, uint8_t type, vx_rights_t rights)
{
    struct cap *slot;
    machine_must(cap_reserve(&t->caps, &slot) == OK);
    return cap_make(slot, o, type, rights, 0, 0);
}

/* A Task with one thread, ready to run, USER_BYTES of memory at USER_BASE, and a capability to its own Reticle
 * (*reticle). */
[[maybe_unused]] static struct task *machine_task(uint32_t order, uint32_t band, struct task *parent,
                                                  vx_handle_t *reticle)
{
    struct task *t;
    struct thread *th;
    uint64_t at;
    machine_must(task_create(&machine_root, order, CAP_SLOTS_DEFAULT, parent, &t) == OK);
    t->band = (uint8_t)band;
    snprintf(t->name, sizeof t->name, "test%u", t->id);
    machine_must(
        map_anon_whole(&t->vm, USER_BASE, USER_BYTES, VX_PROT_READ | VX_PROT_WRITE, VX_MEM_COMMIT, true, &at) == OK);
    struct vx_slot s = {};
    give_own_reticle(t, &s);
    *reticle = (vx_handle_t)s.value;
    machine_must(thread_create(t, (uaddr_t){ 0x400000 }, (uaddr_t){ USER_BASE + USER_BYTES }, 0, 0, false, &th) == OK);
    thread_start(th);
    return t;
}

static void machine_enter_sched(void *)
{
    machine_hart.need_switch = 1;
    kernel_return_to_user();
}

/* Lets the scheduler choose. */
[[maybe_unused]] static host_stop_t machine_run(void)
{
    return host_run(machine_enter_sched, nullptr);
}

/* --- user code --- */

struct call_result {
    status_t st; /* OK, or the error; of a thread that runs on */
    uint64_t first, second;
    bool switched; /* another thread runs now, or none */
};

static inline struct thread *running(void)
{
    return machine_hart.current;
}

[[maybe_unused]] static status_t ring_create_whole(struct reticle *home, uint32_t slots, bool with_caps,
                                                   struct ring **out)
{
    int32_t left = work_left;
    status_t st = ring_create(home, slots, with_caps, out);
    work_begin();
    while (st == OK && !ring_make_some(*out))
        work_begin();
    work_left = left;
    return st;
}

/* Until nothing is left in the graveyard. */
static inline void object_reap_all(void)
{
    do
        work_begin();
    while (!object_reap());
}

/* Every object of the root Reticle ends, and what hangs on it. */
[[maybe_unused]] static void machine_end_all(void)
{
    do
        work_begin();
    while (!object_end_all(&machine_root));
    object_reap_all();
}

static inline struct call_result results_of(const struct thread *t)
{
    int64_t first = (int64_t)t->frame.r[0];
    return (struct call_result){
        .st = first < 0 && first > -64 ? (status_t)first : OK,
        .first = t->frame.r[0],
        .second = t->frame.r[1],
    };
}

static inline struct call_result call_array(uint64_t nr, const uint64_t arg[static 6])
{
    struct thread *t = running();
    machine_must(t != nullptr);
    host_stop_t stop = host_syscall(nr, arg);
#ifndef MACHINE_ONE_STEP /* of a call that goes on in steps */
    while (stop == HOST_USER && running() == t && (t->progress | t->making) != 0)
        stop = host_syscall_again();
#endif
    if (stop != HOST_USER || running() != t)
        return (struct call_result){ .switched = true };
    return results_of(t);
}

#define call(nr, ...) call_array((nr), (const uint64_t[6]){ __VA_ARGS__ })

/* Numbers by name: NR_ring_send. */
enum call_number {
#define SYSCALL(nr, name, n, args, results, errors, text) NR_##name = nr,
#include <abi/syscalls.def>
#undef SYSCALL
};
