/* SPDX-License-Identifier: MIT
 * What the files of this port share: boot steps, and the symbols of kernel.ld. */
#pragma once
#include <stdint.h>

struct hart;
struct machine;

extern char image_start[], __text_end[], __sealed_start[], __rodata_end[], __image_end[];
extern char __stack_guard[], __stack_top[];
extern char __fixup_start[], __fixup_end[];
extern uint64_t boot_window[512], empty_table[512];
extern char vectors[];

void boot_switch_tables(uint64_t root, uint64_t empty);
uint64_t boot_slide(uint64_t dtb_pa, uint64_t el);
[[noreturn]] void boot_main(uint64_t image_pa);
/* Builds the final tables from m->ram and m->reserved, switches to them, and reserves the pages they take. */
void boot_final_tables(struct machine *m);
/* A 2 MiB view of physical memory in the boot window, slot 0..511. Each slot is used once. */
void *boot_view(unsigned slot, uint64_t pa, bool device);

/* The counter's rate: `dt_hz` if the device tree says so, else CNTFRQ_EL0. False: unusable. */
bool time_init(uint64_t dt_hz);
void mmu_init(void);
extern uint64_t mmu_features; /* of the boot hart: ID_AA64MMFR0_EL1.{ASIDBits,PARange} */

/* head.S: where the firmware starts a further hart, and where that goes on in C. */
void hart_entry(void);
[[noreturn]] void hart_begins(struct hart *h);

extern struct hart boot_hart;
enum hart_scratch { HART_TRAP_DEPTH }; /* how struct hart.scratch is used; [1] is the platform's */

enum boot_slot { SLOT_UART = 0, SLOT_DTB = 1, SLOT_TABLES = 3, SLOT_CONSOLE = 4 };
static constexpr uint64_t BLOCK_BYTES = UINT64_C(1) << 21;
