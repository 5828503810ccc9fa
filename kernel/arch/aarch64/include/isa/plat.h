/* SPDX-License-Identifier: MIT
 * What an AArch64 board supplies to this port, and what the port offers to it beside the contract. */
#pragma once
#include <abi/status.h>
#include <stdint.h>

struct hart;
struct machine;

/* kernel/plat: */
/* From now on the console's registers are at `regs`. */
void plat_console_at(void *regs);
/* Maps and starts the console and the interrupt controller, for this hart; finds the clock chip and the power switch.
 * What the kernel cannot do without is refused with a message. */
void plat_init(struct machine *m);
/* Starts this further hart's share of the interrupt controller. */
void plat_hart_init(void);
/* Asks the firmware to start a hart at physical address `entry` with `context` in x0 and the MMU off. */
status_t plat_hart_on(uint64_t hw_id, uint64_t entry, uint64_t context);
/* Takes at most one interrupt and hands it to kernel_irq(), kernel_timer() or kernel_ipi(). Context: interrupts masked.
 */
void plat_irq(void);

/* kernel/arch/aarch64: */
extern uint64_t isa_boot_el; /* the exception level the boot loader entered us at: 1 or 2 */
/* The timer's interrupt line goes low before this returns. */
void isa_timer_quiet(void);
/* A firmware call ([SMCCC]), by SMC or else HVC; ~0 where there is nobody to answer. */
uint64_t isa_firmware(uint64_t function, uint64_t a, uint64_t b, uint64_t c, bool smc);
