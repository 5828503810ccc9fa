/* SPDX-License-Identifier: MIT
 * Flattened device trees: from the blob the boot loader passed to struct machine. */
#pragma once
#include <kernel/firmware/machine.h>

/**
 * How long the device tree is whose first bytes are given; so that the kernel can map the rest of it.
 * Errors: ERR_BAD_ARGUMENT not a device tree, or fewer than 8 bytes; ERR_TOO_BIG beyond FDT_SIZE_MAX.
 */
status_t fdt_size(const void *first_bytes, size_t n, size_t *total);

/**
 * Adds all that the tree says to *out, which machine_init() prepared. The blob may have any alignment and is only read;
 * its own pages are not reserved here, because the parser cannot know where they are.
 * Errors: ERR_BAD_ARGUMENT malformed; ERR_NOT_SUPPORTED another version; ERR_TOO_BIG too long, too deep, or too many
 * reservations; ERR_NOT_FOUND no memory node. out->error then names the place (`where`: offset in the blob).
 */
status_t fdt_parse(const void *blob, size_t blob_size, struct machine *out);
