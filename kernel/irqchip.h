/* SPDX-License-Identifier: MIT
 * The interrupt controller, one per platform (kernel/plat). Lines are GIC INTIDs or ACPI GSIs. */
#pragma once
#include <abi/status.h>
#include <stdint.h>

status_t irqchip_configure(uint32_t line); /* ERR_NOT_FOUND: the machine has no such line; ERR_BUSY: the kernel's own */
void irqchip_wire(uint32_t line, bool edge, bool low); /* of one that is masked; by the owner of the gate */
void irqchip_unmask(uint32_t line);
void irqchip_mask(uint32_t line);
bool irqchip_is_level(uint32_t line);
uint32_t irqchip_lines(void); /* one past the highest line */
