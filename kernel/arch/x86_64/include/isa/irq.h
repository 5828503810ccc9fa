/* SPDX-License-Identifier: MIT
 * x86-64: how the 224 interrupt vectors are used, and what the platform needs of the local APIC. */
#pragma once
#include <stdint.h>

enum x86_vector : uint8_t {
    X86_VECTOR_PIC = 0x20,  /* 16 vectors for the masked 8259s: only their spurious interrupts can arrive */
    X86_VECTOR_LINE = 0x30, /* line n of the I/O APICs arrives as X86_VECTOR_LINE + n */
    X86_VECTOR_LINE_END = 0xf0,
    X86_VECTOR_TIMER = 0xf0,
    X86_VECTOR_SPURIOUS = 0xff,
};

/* The local APIC id of this hart: where lines are routed to. */
uint32_t x86_lapic_id(void);
