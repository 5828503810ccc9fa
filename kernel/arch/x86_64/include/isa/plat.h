/* SPDX-License-Identifier: MIT
 * What an x86-64 board supplies to this port, and what the port offers to it beside the contract. */
#pragma once
#include <stdint.h>

struct machine;

/* kernel/plat, in the order in which boot code calls: */
void plat_console_init(void);              /* first of all: no tables are needed */
void plat_init(const struct machine *m);   /* clock chip, power register, the 8259s masked; *m outlives the kernel */
void plat_irqchip_init(struct machine *m); /* I/O APICs and messages; the local APIC runs */

/* kernel/arch/x86_64: how the 224 interrupt vectors are used */
enum x86_vector : uint8_t {
    X86_VECTOR_PIC = 0x20,  /* 16 vectors for the masked 8259s: only their spurious interrupts can arrive */
    X86_VECTOR_LINE = 0x30, /* line n arrives as X86_VECTOR_LINE + n */
    X86_VECTOR_LINE_END = 0xf0,
    X86_VECTOR_TIMER = 0xf0,
    X86_VECTOR_IPI = 0xf1,
    X86_VECTOR_SPURIOUS = 0xff,
};
/* The local APIC id of this hart: where lines are routed to. */
uint32_t x86_lapic_id(void);
