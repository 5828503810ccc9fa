/* SPDX-License-Identifier: MIT
 * Which interrupt line a PCI pin of the root bus arrives on, where neither AML nor the device tree's interrupt-map is
 * at hand: the fixed wiring of the two boards. Pure. */
#pragma once
#include <stdint.h>

/* q35 with its I/O APIC: pin 0 to 3 of a device 0 to 31 on bus 0, as a global system interrupt 16 to 23. */
uint32_t route_q35(uint8_t slot, uint8_t pin);
/* virt: shared peripheral interrupts 3 to 6, as the INTID 35 to 38. */
uint32_t route_virt(uint8_t slot, uint8_t pin);
