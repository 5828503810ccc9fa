#define _DEFAULT_SOURCE /* nanosleep */
/* SPDX-License-Identifier: MIT
 * The host architecture's processor: entry and exit of the kernel as setjmp and longjmp, time, vector state, power. */
#include <abi/types.h>
#include <arch/boot.h>
#include <arch/debug.h>
#include <arch/fp.h>
#include <arch/frame.h>
#include <arch/hart.h>
#include <arch/timer.h>
#include <host.h>
#include <kernel/entry.h>
#include <kernel/gate.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EM_HOST 62u /* frames are written as x86-64's: the ABI knows no other number for this machine */

_Thread_local struct hart *host_hart;
_Atomic uint64_t host_cycles;
uint64_t host_cycles_per_reading;
_Thread_local uint64_t host_timer_deadline = UINT64_MAX;
bool host_idle_skips_time = true;
bool host_has_random = true;
void (*host_putc)(char c);

static _Thread_local jmp_buf leave;
static _Thread_local bool inside;
static _Thread_local uint64_t tls;

/* --- entering and leaving the kernel --- */

host_stop_t host_run(void (*enter)(void *), void *argument)
{
    if (inside) {
        fprintf(stderr, "host: the kernel is entered from the kernel\n");
        abort();
    }
    inside = true;
    int how = setjmp(leave);
    if (how == 0) {
        enter(argument);
        how = HOST_USER + 1;
    }
    inside = false;
    return (host_stop_t)(how - 1);
}

[[noreturn]] static void stop(host_stop_t why)
{
    if (!inside) {
        fprintf(stderr, "host: the kernel stops (%d) outside host_run\n", (int)why);
        abort();
    }
    longjmp(leave, (int)why + 1);
}

void arch_resume(void)
{
    gate_leave(host_hart);
    stop(HOST_USER);
}

/* From user mode; what entry code does in assembly. */
static void gate_in(bool is_syscall)
{
    struct hart *h = host_hart;
    /* acquire: pairs with the owner's release when it opened the gate. */
    uint32_t before = atomic_exchange_explicit(&h->gate, GATE_IN, memory_order_acquire);
    if (before != GATE_OUT && before != GATE_IN) /* IN: a test came in on its own, with one hart */
        kernel_gate_closed(is_syscall);
}

/* What entry code does: straight back to user mode with two results, unless the kernel wants more. */
static void enter_syscall(void *)
{
    gate_in(true);
    struct arch_frame *f = host_hart->frame;
    uint64_t nr = f->r[8];
    struct sysret result = { (uint64_t)(int64_t)ERR_BAD_SYSCALL, 0 };
    if (nr < SYSCALL_TABLE_ENTRIES) {
        typedef struct sysret handler_t(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
        handler_t *handler = (handler_t *)(uintptr_t)host_hart->syscalls[nr];
        result = handler(f->r[0], f->r[1], f->r[2], f->r[3], f->r[4], f->r[5]);
    }
    if (host_hart->need_switch != 0)
        kernel_syscall_slow(result.first, result.second);
    arch_frame_set_result(f, result.first, result.second);
    gate_leave(host_hart);
}

host_stop_t host_syscall_again(void)
{
    host_hart->frame->pc += HOST_SYSCALL_BYTES;
    return host_run(enter_syscall, nullptr);
}

host_stop_t host_syscall(uint64_t nr, const uint64_t arg[static 6])
{
    struct arch_frame *f = host_hart->frame;
    memcpy(f->r, arg, 6 * sizeof *arg);
    f->r[8] = nr;
    return host_syscall_again();
}

static void enter_trap(void *t)
{
    gate_in(false);
    kernel_user_trap(t);
}

host_stop_t host_trap(const struct trap *t)
{
    return host_run(enter_trap, (void *)(uintptr_t)t);
}

static void enter_timer(void *)
{
    gate_in(false);
    kernel_timer();
    kernel_return_to_user();
}

host_stop_t host_timer(void)
{
    if (host_timer_deadline != UINT64_MAX && host_timer_deadline > host_cycles)
        host_cycles = host_timer_deadline;
    host_timer_deadline = UINT64_MAX;
    return host_run(enter_timer, nullptr);
}

static void enter_irq(void *line)
{
    gate_in(false);
    kernel_irq((uint32_t)(uintptr_t)line);
    kernel_return_to_user();
}

host_stop_t host_irq(uint32_t line)
{
    return host_run(enter_irq, (void *)(uintptr_t)line);
}

/* --- harts and time --- */

void arch_hart_local_init(void)
{
}

#ifdef HOST_SMP
/* What is outside a hart and belongs to it. */
static struct {
    _Atomic bool ipi;
    _Atomic bool idle; /* and no timer runs */
} outside[HART_MAX];
/* relaxed, like `idle`: nothing that a test watches may order what the kernel does. */
static _Atomic uint64_t idle_ends; /* how often a hart stopped being idle */
static _Atomic bool stopping;
static _Thread_local uint32_t dawdle_seed, dawdle_one_in;

void host_dawdle_set(uint32_t seed, uint32_t one_in)
{
    dawdle_seed = seed;
    dawdle_one_in = one_in;
}

void host_dawdle(void)
{
    if (dawdle_one_in == 0)
        return;
    dawdle_seed ^= dawdle_seed << 13;
    dawdle_seed ^= dawdle_seed >> 17;
    dawdle_seed ^= dawdle_seed << 5;
    if (dawdle_seed % dawdle_one_in != 0)
        return;
    if (dawdle_seed >> 16 & 7)
        (void)sched_yield();
    else
        nanosleep(&(struct timespec){ .tv_nsec = 1000 }, nullptr);
}

void host_relax(void)
{
    (void)sched_yield();
}

/* release: what the sender wrote is visible to the handler. */
void arch_ipi_send(const struct hart *h)
{
#ifdef MUTATE_HOST_NO_IPI /* as of a kernel that raises none for what it sends, only for calls */
    if (atomic_load_explicit(&h->calls.from, memory_order_relaxed) == 0)
        return;
#endif
    atomic_store_explicit(&outside[h->id].ipi, true, memory_order_seq_cst);
}

static bool take_ipi(void)
{
    return atomic_load_explicit(&outside[host_hart->id].ipi, memory_order_relaxed) &&
           atomic_exchange_explicit(&outside[host_hart->id].ipi, false, memory_order_seq_cst);
}

static bool take_timer(void)
{
    if (host_timer_deadline > atomic_load_explicit(&host_cycles, memory_order_relaxed))
        return false;
    host_timer_deadline = UINT64_MAX;
    return true;
}

static void enter_ipi(void *)
{
    gate_in(false);
    kernel_ipi();
    kernel_return_to_user();
}

host_stop_t host_interrupts(void)
{
    if (take_ipi())
        return host_run(enter_ipi, nullptr);
    if (take_timer())
        return host_run(enter_timer, nullptr);
    return HOST_USER;
}

bool host_all_idle(uint32_t harts_running)
{
    uint64_t ends = atomic_load(&idle_ends);
    for (uint32_t i = 0; i < harts_running; i++)
        if (!atomic_load(&outside[i].idle) || atomic_load(&outside[i].ipi))
            return false;
    return atomic_load(&idle_ends) == ends;
}

void host_harts_stop(bool stop)
{
    for (uint32_t i = 0; i < HART_MAX && !stop; i++)
        atomic_store(&outside[i].idle, false);
    atomic_store(&stopping, stop);
}

void arch_idle_wait(void)
{
    constexpr uint64_t pass_ns = 500;
    uint32_t me = host_hart->id, n = 0;
    for (;;) {
        if (atomic_load_explicit(&outside[me].ipi, memory_order_relaxed)) {
            if (atomic_load_explicit(&outside[me].idle, memory_order_relaxed)) {
                atomic_fetch_add_explicit(&idle_ends, 1, memory_order_relaxed);
                atomic_store_explicit(&outside[me].idle, false, memory_order_relaxed);
            }
            (void)take_ipi();
            gate_enter(host_hart);
            kernel_ipi();
            return;
        }
        if (take_timer()) {
            gate_enter(host_hart);
            kernel_timer();
            return;
        }
        if (atomic_load(&stopping))
            stop(HOST_IDLE);
        if (host_timer_deadline == UINT64_MAX)
            atomic_store_explicit(&outside[me].idle, true, memory_order_relaxed);
        atomic_fetch_add_explicit(&host_cycles, pass_ns, memory_order_relaxed);
        if (++n % 16 == 0)
            nanosleep(&(struct timespec){ .tv_nsec = 20000 }, nullptr);
        else
            (void)sched_yield();
    }
}

void arch_irq_window(void)
{
    if (take_ipi())
        kernel_ipi();
    if (take_timer())
        kernel_timer();
}
#else
void arch_ipi_send(const struct hart *h)
{
    (void)h;
}

void arch_idle_wait(void)
{
    if (host_timer_deadline == UINT64_MAX || !host_idle_skips_time)
        stop(HOST_IDLE);
    if (host_timer_deadline > host_cycles)
        host_cycles = host_timer_deadline;
    host_timer_deadline = UINT64_MAX;
    gate_enter(host_hart);
    kernel_timer();
}

void arch_irq_window(void)
{
}
#endif

void arch_halt(void)
{
    if (inside)
        stop(HOST_HALT);
    abort();
}

void arch_poweroff(void)
{
    stop(HOST_POWEROFF);
}

void arch_reboot(void)
{
    stop(HOST_POWEROFF);
}

uint64_t arch_timer_now_ns(void)
{
    return arch_cycles();
}

void arch_timer_arm(uint64_t deadline_ns)
{
#ifdef MUTATE_HOST_LATE_ARM /* as of a kernel that forgets what is due already */
    if (deadline_ns <= atomic_load_explicit(&host_cycles, memory_order_relaxed))
        deadline_ns = UINT64_MAX;
#endif
    host_timer_deadline = deadline_ns;
}

void arch_time_params(struct arch_time *out)
{
    *out = (struct arch_time){ .mult = 1, .counter_hz = UINT64_C(1000000000), .invariant = 1 };
}

/* --- registers --- */

void arch_frame_init(struct arch_frame *f, uaddr_t pc, uaddr_t sp, uint64_t arg0, uint64_t arg1)
{
    *f = (struct arch_frame){ .r = { arg0, arg1 }, .pc = pc.raw, .sp = sp.raw };
}

void arch_frame_get_regs(const struct arch_frame *f, struct vx_frame *out)
{
    *out = (struct vx_frame){ .arch = EM_HOST, .count = HOST_REGISTERS + 2 };
    memcpy(out->reg, f->r, sizeof f->r);
    out->reg[HOST_REGISTERS] = f->pc;
    out->reg[HOST_REGISTERS + 1] = f->sp;
}

status_t arch_frame_set_regs(struct arch_frame *f, const struct vx_frame *in)
{
    if (in->arch != EM_HOST || in->count != HOST_REGISTERS + 2)
        return ERR_BAD_ARGUMENT;
    memcpy(f->r, in->reg, sizeof f->r);
    f->pc = in->reg[HOST_REGISTERS];
    f->sp = in->reg[HOST_REGISTERS + 1];
    return OK;
}

void arch_tls_set(uint64_t address)
{
    tls = address;
}

uint64_t arch_tls_get(void)
{
    return tls;
}

/* The vector state is 64 bytes that tests can look at; a hart has one register file. */
static _Thread_local unsigned char vector_registers[64];

unsigned char *host_vector_registers(void)
{
    return vector_registers;
}

size_t arch_fp_bytes(void)
{
    return sizeof vector_registers;
}

void arch_fp_clear(void *state)
{
    memset(state, 0, sizeof vector_registers);
}

void arch_fp_switch(void *from, const void *to)
{
    if (from != nullptr)
        memcpy(from, vector_registers, sizeof vector_registers);
    memcpy(vector_registers, to, sizeof vector_registers);
}

void arch_fp_clobber(void)
{
    memset(vector_registers, 0xcc, sizeof vector_registers);
}

/* --- the rest --- */

void arch_early_putc(char c)
{
    if (host_putc != nullptr)
        host_putc(c);
    else
        fputc(c, stderr);
}

bool arch_random(uint64_t *word)
{
    for (size_t i = 0; i < sizeof *word; i++)
        ((unsigned char *)word)[i] = (unsigned char)(i * 37 + 11);
    return host_has_random;
}

bool arch_kernel_device(unsigned i, paddr_t *base, uint64_t *len_bytes)
{
    if (i != 0)
        return false;
    *base = (paddr_t){ UINT64_C(0xfee00000) };
    *len_bytes = 4096;
    return true;
}

size_t arch_backtrace(uint64_t *out, size_t max, const struct arch_frame *from)
{
    (void)out;
    (void)max;
    (void)from;
    return 0;
}

void arch_frame_dump(const struct arch_frame *f)
{
    kprintf("pc %lx sp %lx\n", (unsigned long)f->pc, (unsigned long)f->sp);
}

struct hart *arch_hart_create(uint32_t id, uint64_t hw_id)
{
    (void)id;
    (void)hw_id;
    return nullptr;
}

status_t arch_hart_start(struct hart *h)
{
    (void)h;
    return ERR_NOT_SUPPORTED;
}
