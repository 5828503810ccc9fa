/* SPDX-License-Identifier: MIT
 * The start information of the x86 PVH boot protocol: memory map, initial RAM disk, command line, RSDP. */
#pragma once
#include <kernel/firmware/machine.h>

/**
 * Adds all that hvm_start_info says to *out. The structure, the module list and the command line are not reserved:
 * they have been copied. Module 0 is the initial RAM disk; any further module is reserved and otherwise ignored.
 * Errors: ERR_BAD_ARGUMENT malformed; ERR_BAD_ADDRESS not readable; ERR_NOT_SUPPORTED version 0, which has no memory
 * map; ERR_NOT_FOUND no RAM in the map; ERR_TOO_BIG too long a map or too many reservations.
 */
status_t pvh_parse(const struct firmware_memory *mem, uint64_t start_info_pa, struct machine *out);
