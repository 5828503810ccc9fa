/* SPDX-License-Identifier: MIT
 * Harts (hardware threads). Complete inline versions come from <isa/hart.h>. */
#pragma once
#include <stdint.h>
#include <isa/hart.h>
/* <isa/hart.h> supplies, inline:
 *   struct hart *arch_hart_self(void);      this hart's struct hart (kernel/hart.h), whose first fields entry code uses
 *   void arch_hart_set_self(struct hart *h);
 *   void arch_relax(void);                  a hint inside spin loops
 *   uint64_t arch_cycles(void);             the raw counter of the time page                                    */

/* Sets up this hart's traps, protection features (SMEP SMAP UMIP NX; PAN PXN UXN) and per-hart tables.
 * Call once per hart, with the kernel's final page tables active. */
void arch_hart_local_init(void);

/* Waits for an interrupt with interrupts masked on entry and on return; the interrupt has been handled by then. */
void arch_idle_wait(void);

/* Stops this hart for ever. */
[[noreturn]] void arch_halt(void);
