/* SPDX-License-Identifier: MIT
 * How a test drives the host architecture: it plays the user code of whatever thread the kernel last resumed. */
#pragma once
#include <abi/status.h>
#include <base/addr.h>
#include <isa/hart.h>
#include <isa/mmu.h>
#include <stddef.h>
#include <stdint.h>

struct trap;

/* What the hart does when the kernel is left. */
typedef enum host_stop {
    HOST_USER = 0,     /* runs hart->current in user mode */
    HOST_IDLE = 1,     /* nothing can run, and no timer is armed */
    HOST_POWEROFF = 2, /* arch_poweroff, arch_reboot */
    HOST_HALT = 3,     /* arch_halt: a panic */
} host_stop_t;

/* Runs `enter`, which may leave by arch_resume() and the like, and tells where the hart came out. */
host_stop_t host_run(void (*enter)(void *), void *argument);

/* The running thread makes a system call; afterwards some thread runs, perhaps another. The results are in its frame.
 */
host_stop_t host_syscall(uint64_t nr, const uint64_t arg[static 6]);
host_stop_t host_trap(const struct trap *t);
host_stop_t host_timer(void); /* the timer interrupt, at its deadline or now */
host_stop_t host_irq(uint32_t line);

/* Lets time pass while the hart is idle: true (the default), it jumps to the armed deadline; false, arch_idle_wait
 * stops. */
extern bool host_idle_skips_time;
extern _Thread_local uint64_t host_timer_deadline; /* UINT64_MAX: none */
/* Whether arch_random() gives a number, which is always the same. */
extern bool host_has_random;
/* Every character of arch_early_putc(); null: stderr. */
extern void (*host_putc)(char c);

/* User memory as the running thread sees it, through its page tables and the simulated TLB. ERR_BAD_ADDRESS where the
 * processor would fault. */
status_t host_user_read(void *dst, uint64_t src, size_t len);
status_t host_user_write(uint64_t dst, const void *src, size_t len);
/* Several harts, each on its thread, with hart->id set. Takes the interrupts that wait, if any, as a processor would
 * between two instructions of user code. */
host_stop_t host_interrupts(void);
/* Makes the system call that is in the running thread's frame, its pc on the instruction. */
host_stop_t host_syscall_again(void);
/* Every hart is idle, nothing is sent, no timer runs: nothing happens any more. */
bool host_all_idle(uint32_t harts);
/* Idle harts stop from then on; or, before they start: do not. */
void host_harts_stop(bool stop);
/* How often a hart is held up, and the seed of that; for the calling thread. 0: never. */
void host_dawdle_set(uint32_t seed, uint32_t one_in);
/* The running thread's vector registers: 64 bytes. */
unsigned char *host_vector_registers(void);
/* Address spaces between arch_aspace_init and _fini. */
size_t host_live_aspaces(void);
