/* SPDX-License-Identifier: MIT
 * What the files of this port share: boot steps, and the symbols of kernel.ld. */
#pragma once
#include <stdint.h>

struct hart;
struct machine;

extern char __stack_guard[], __stack_top[];
extern char __fixup_start[], __fixup_end[];
extern uint64_t boot_window[512], empty_table[512];
extern char vectors[];

void boot_switch_tables(uint64_t root, uint64_t empty);
uint64_t boot_slide(uint64_t dtb_pa, uint64_t el);
[[noreturn]] void boot_main(uint64_t image_pa);

/* The counter's rate: `dt_hz` if the device tree says so, else CNTFRQ_EL0. Refuses a machine whose rate is unusable. */
void time_init(uint64_t dt_hz);
void mmu_init(void);
extern uint64_t mmu_features; /* of the boot hart: ID_AA64MMFR0_EL1.{ASIDBits,PARange} */

/* head.S: where the firmware starts a further hart, and where that goes on in C. */
void hart_entry(void);
[[noreturn]] void hart_begins(struct hart *h);

/* fp.c: gives the current thread its zeroed vector registers; it was not allowed them. */
void fp_first_use(void);
void fp_fill(uint64_t pattern); /* fp.S: every vector register; and no modes, no flags */

extern struct hart boot_hart;
