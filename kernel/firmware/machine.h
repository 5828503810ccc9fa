/* SPDX-License-Identifier: MIT
 * Filling in a struct machine (abi/machine.h): what the firmware parsers share. */
#pragma once
#include <abi/machine.h>
#include <abi/status.h>

/* For the parsers, and for who takes memory before there is a Reticle. A machine is all zeroes before the first parser.
 */

/* Records that something was found and left out. */
void machine_leave_out(struct machine *m, enum left_out reason);
/* ERR_BAD_ARGUMENT: the range wraps or overlaps RAM already there. Empty ranges are ignored. */
status_t machine_add_ram(struct machine *m, uint64_t base, uint64_t len_bytes);
/* ERR_TOO_BIG: the table is full. ERR_BAD_ARGUMENT: the range wraps. Empty ranges are ignored. */
status_t machine_add_reserved(struct machine *m, uint64_t base, uint64_t len_bytes, enum reserved_kind kind);
/* Adds a hart of domain 0 unless its id is there already. nullptr: left out. */
struct hart_info *machine_add_hart(struct machine *m, uint64_t hw_id);
/* nullptr: there is none. */
struct hart_info *machine_find_hart(struct machine *m, uint64_t hw_id);
/* The first multiple of `align` (a power of two) at or above `at` from which on len_bytes are RAM and not reserved;
 * UINT64_MAX: there is none. */
uint64_t machine_free_from(const struct machine *m, uint64_t at, uint64_t len_bytes, uint64_t align);
/* Sets the command line, cut where it does not fit. `text` need not end in a zero byte within len_bytes. */
void machine_set_cmdline(struct machine *m, const char *text, size_t len_bytes);
/* Appends boot-time entropy, cut where it does not fit. */
void machine_add_seed(struct machine *m, const void *bytes, size_t len_bytes);
