/* SPDX-License-Identifier: MIT
 * The parts of a PC that the kernel drives itself, in the order in which boot code starts them. */
#pragma once

struct machine;

void q35_console_init(void);                    /* first of all: no tables are needed */
void q35_init(const struct machine *m);         /* clock chip and power register; *m outlives the kernel */
void q35_mask_legacy_pics(void);                /* before the local APIC stops listening to them */
void q35_irqchip_init(const struct machine *m); /* I/O APICs; the local APIC runs */
