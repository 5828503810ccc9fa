/* SPDX-License-Identifier: MIT
 * ACPI tables: harts, interrupt routing, NUMA, timers, PCI configuration space and power-off. */
#pragma once
#include <kernel/firmware/machine.h>

/**
 * Adds all that the tables say to *out. RAM must be there already (pvh_parse), so that SRAT can give it to its nodes.
 * @rsdp_pa  as PVH says; 0: there is none
 * A table that cannot be read or fails its checksum is left out (LEFT_OUT_ACPI_TABLE), as is one beyond
 * ACPI_TABLE_MAX; the RSDP, the root table and the MADT must be sound.
 * Errors: ERR_NOT_FOUND no RSDP, MADT or enabled hart; ERR_BAD_ADDRESS not readable; ERR_BAD_ARGUMENT malformed;
 * ERR_TOO_BIG a root table beyond ACPI_TABLE_MAX. out->error then names the table (`where`: physical address).
 */
status_t acpi_parse(const struct firmware_memory *mem, uint64_t rsdp_pa, struct machine *out);
