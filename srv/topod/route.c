/* SPDX-License-Identifier: MIT
 * Sources: [ICH9] "Interrupt Pin Registers, D25IR to D31IR" with their defaults, which firmware leaves; QEMU's ACPI
 * tables for q35 (_PRT) and device tree for virt (interrupt-map) say the same. */
#include "route.h"

enum { PIRQ_A = 16, PIRQ_E = 20, VIRT_FIRST = 35 };
enum { SLOT_GRAPHICS = 24, SLOT_CHIPSET = 25, SLOT_BRIDGE = 30 };

uint32_t route_q35(uint8_t slot, uint8_t pin)
{
    pin &= 3;
    if (slot == SLOT_BRIDGE)
        return PIRQ_E + pin;
    if (slot >= SLOT_CHIPSET)
        return PIRQ_A + pin;
    return PIRQ_E + ((slot + pin) & 3);
}

uint32_t route_virt(uint8_t slot, uint8_t pin)
{
    return VIRT_FIRST + ((slot + pin) & 3u);
}
