/* SPDX-License-Identifier: MIT
 * What architecture code may call in the portable kernel, and the struct hart fields that entry code uses. */
#pragma once
#include <abi/limits.h>
#include <kernel/hart_sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct arch_frame;
struct arch_aspace;
struct thread;

/* What one hart asks others to do, and who asks this one; see kernel_harts_call(). */
struct hart_calls {
    alignas(64) _Atomic uint64_t from; /* bit i: hart i's call is meant for this hart too. Written by all */
    alignas(64) void (*fn)(const void *);
    const void *arg;
    _Atomic uint32_t left; /* harts that have not run it yet */
};

/* Per hart. Invariant: `frame` is the frame of `current`, whenever the hart runs in user mode.
 * Entry code depends on the offsets of the first fields. */
struct hart {
    union {                       /*  0 */
        struct thread *current;   /* nullptr while idle */
        struct arch_frame *frame; /* its first field: where entry code saves user registers */
    };
    uint64_t kernel_stack_top;   /*  8: where C code runs after entry */
    const void *const *syscalls; /* 16: the dispatch table: SYSCALL_TABLE_ENTRIES functions */
    uint32_t need_switch;        /* 24: not 0: leave the kernel through kernel_syscall_slow / kernel_return_to_user */
    uint32_t id;                 /* 28 */
    uint64_t scratch[2];         /* 32: entry code's own */
    struct hart *self;           /* 48 */
    struct arch_aspace *aspace;  /* 56: active user address space */
    uint64_t arch_word;          /* 64: arch code's own, for its inline functions */
    uint64_t hw_id;              /* 72: MPIDR or APIC id */
    _Atomic uint32_t gate;       /* 80: enum gate_state, kernel/gate.h */
    _Atomic uint32_t phase;      /* enum hart_phase */
    uint64_t domain;             /* struct hart_info */
    uint64_t arch_key[2];        /* 96: arch code's own secret */
    bool at_syscall;             /* it waits at the gate, or for it, at the start of a system call */
    union {
        struct {
            enum call_outcome outcome;
            bool rerunning; /* inside a call that sched_run() runs again */
            bool alone;     /* it has closed the gate */
        };
        uint32_t unusual; /* 0: it runs a call that user mode made, beside others, and that has not parked its thread */
    };
    struct hart_sched sched;
    struct hart_calls calls;
};
static_assert(offsetof(struct hart, frame) == 0 && offsetof(struct hart, kernel_stack_top) == 8);
static_assert(offsetof(struct hart, syscalls) == 16 && offsetof(struct hart, need_switch) == 24);
static_assert(offsetof(struct hart, self) == 48 && offsetof(struct hart, arch_word) == 64);
static_assert(offsetof(struct hart, gate) == 80 && offsetof(struct hart, arch_key) == 96);

enum hart_phase : uint32_t { HART_STARTING, HART_ONLINE, HART_ABANDONED };
extern struct hart *harts[HART_MAX]; /* by id, without gaps; those that are online */
extern uint32_t n_harts;
#define SYSCALL_TABLE_ENTRIES 64 /* power of two above SYSCALL_LIMIT; the rest answer BAD_SYSCALL */

/* Handlers take the six argument registers as they are and return both result registers in two registers.
 * Entry code calls hart->syscalls[nr](a0..a5) (nr >= SYSCALL_TABLE_ENTRIES: result ERR_BAD_SYSCALL), then, if
 * hart->need_switch is 0, returns to user mode with (first, second) and all other registers unchanged; else it calls
 * kernel_syscall_slow(first, second). The frame in hart->frame is complete in either case: all user registers as they
 * were at entry, pc after the system-call instruction. */
struct sysret {
    uint64_t first, second;
};
[[noreturn]] void kernel_syscall_slow(uint64_t first, uint64_t second);

/* A trap from user mode that is no system call: the frame is in hart->frame. */
struct trap {
    uint32_t cause;   /* enum vx_cause */
    uint32_t access;  /* VX_PROT_READ, _WRITE or _EXEC: what was tried; page faults only */
    uint64_t address; /* faulting address */
    uint64_t code;    /* raw syndrome or error code, for the report */
    const char *name; /* the vector's name */
};
[[noreturn]] void kernel_user_trap(const struct trap *t);
/* A trap in kernel mode that the fix-up table does not know: a broken kernel. */
[[noreturn]] void kernel_trap(const struct trap *t, const struct arch_frame *f);
/* Interrupts; both from user mode and from arch_idle_wait(). Called with interrupts masked; return to the caller,
 * which, if it came from user mode, then calls kernel_return_to_user(). */
void kernel_irq(uint32_t line);
void kernel_timer(void);
[[noreturn]] void kernel_return_to_user(void);

/* Called by entry code on every way in from user mode, on the kernel stack and with the frame complete, when the
 * exchange of hart->gate did not give GATE_OUT (kernel/gate.h). Returns when the hart is in; a system call then goes on
 * with its registers taken from the frame. Does not return from a system call whose thread was taken away meanwhile;
 * after a trap or an interrupt hart->current may be nullptr. */
void kernel_gate_closed(uint64_t is_syscall);
/* The interrupt that arch_ipi_send() raises; like kernel_irq(). */
void kernel_ipi(void);
/* Runs fn(arg) on every hart of the set but this one, on each with interrupts masked at a place where it holds nothing
 * that fn may touch, and returns when all have done so. fn takes no lock. Any number of harts may do so at a time. */
void kernel_harts_call(uint64_t harts, void (*fn)(const void *arg), const void *arg);
/* Zeroed memory of 2^order pages for a hart's own data, for ever, while the machine starts. nullptr: none left. */
void *kernel_boot_pages(uint32_t order);
/* A further hart's first C in the portable kernel: on its kernel stack, with the final page tables, its traps, timer
 * and share of the interrupt controller initialised, interrupts masked, arch_hart_self() == h. */
[[noreturn]] void kernel_hart_main(struct hart *h);

/* Boot: called once on the boot hart, on its kernel stack, with the final kernel page tables, the whole of RAM in the
 * direct map, console and interrupt controller and timer initialised, interrupts masked. machine->reserved covers the
 * kernel image, the boot page tables and everything else that must not be handed out. */
[[noreturn]] void kernel_main(struct machine *m, struct hart *boot_hart);

/* Reports and stops. The formats are those of kernel/format.c. */
[[noreturn]] void kernel_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
typedef enum log_level : uint8_t { LOG_QUIET = 0, LOG_NORMAL = 1, LOG_DEBUG = 2 } log_level_t;
void log_at(log_level_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define kprintf(...) log_at(LOG_NORMAL, __VA_ARGS__)
/* For boot code that finds the machine unusable: one clear message, then power off. */
[[noreturn]] void kernel_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
