/* SPDX-License-Identifier: MIT
 * Harts (hardware threads). Complete inline versions come from <isa/hart.h>. */
#pragma once
#include <abi/status.h>
#include <stdint.h>
#include <isa/hart.h>
/* <isa/hart.h> supplies, inline:
 *   struct hart *arch_hart_self(void);      this hart's struct hart (kernel/hart.h), whose first fields entry code uses
 *   void arch_relax(void);                  a hint inside spin loops
 *   uint64_t arch_cycles(void);             the raw counter of the time page                                    */

/* Sets up this hart's traps, protection features (SMEP SMAP UMIP NX; PAN PXN UXN) and per-hart tables.
 * Call once per hart, with the kernel's final page tables active. */
void arch_hart_local_init(void);

/* Waits for an interrupt with interrupts masked on entry and on return; the interrupt has been handled by then. The
 * hart is outside the gate on entry and inside on return: whoever handles the interrupt calls gate_enter() first. */
void arch_idle_wait(void);

/* Takes the interrupts that wait, if any, in the middle of long work: masked on entry and on return. */
void arch_irq_window(void);

/* Memory of a further hart: its struct hart (id and hw_id set), what arch code needs beside it, and its stack above a
 * page that is not mapped; from kernel_boot_pages(). nullptr: no memory. */
struct hart *arch_hart_create(uint32_t id, uint64_t hw_id);
/* Starts it. It comes to kernel_hart_main(), or never. Not OK: the firmware refuses. */
status_t arch_hart_start(struct hart *h);
/* Raises kernel_ipi() on another hart that is online. Whatever was written before is visible to it there. */
void arch_ipi_send(const struct hart *h);

/* Stops this hart for ever. */
[[noreturn]] void arch_halt(void);
