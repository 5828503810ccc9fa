/* SPDX-License-Identifier: MIT
 * Flattened device trees: from the blob the boot loader passed to struct machine. */
#pragma once
#include <kernel/firmware/machine.h>

/**
 * Adds all that the tree says to *out. The blob may have any alignment, and is only
 * read, but for the seeds: those are taken out of it. Its own pages are not reserved here, because the parser cannot
 * know where they are. Errors: ERR_BAD_ARGUMENT malformed; ERR_NOT_SUPPORTED another version; ERR_TOO_BIG too long, too
 * deep, or too many reservations; ERR_NOT_FOUND no memory node. out->error then names the place (`where`: offset in the
 * blob).
 */
status_t fdt_parse(void *blob, size_t blob_size, struct machine *out);
