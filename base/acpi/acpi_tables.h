/* SPDX-License-Identifier: MIT
 * ACPI tables as bytes that have been checked: how they are found and how their fields are read. What they mean is said
 * by who reads them: kernel/firmware/acpi for what the kernel needs, lib/libplatform for the rest. */
#pragma once
#include <abi/machine.h>

struct acpi {
    const struct firmware_memory *mem;
    const uint8_t *root; /* the RSDT or XSDT */
    uint32_t n_entries;
    uint32_t entry_bytes;        /* 4 or 8 */
    uint32_t n_unsound;          /* tables that were passed over, or entries of the root table beyond the limit */
    struct firmware_error error; /* after a call failed */
};

/* A table that has been read and summed; without bytes if there is none. */
struct acpi_table {
    const uint8_t *bytes;
    uint32_t len;
    uint64_t pa;
};

/* Opens the root table. Errors as acpi_parse(); said in a->error. */
status_t acpi_open(struct acpi *a, const struct firmware_memory *mem, uint64_t rsdp_pa);
status_t acpi_table_open(const struct acpi *a, uint64_t pa, struct acpi_table *out);
/* The first sound table of that signature, or one without bytes. */
struct acpi_table acpi_table_find(struct acpi *a, const char signature[static 4]);
/* The fields of a table; 0 beyond its end, as older and shorter revisions want it. */
uint64_t acpi_field(const struct acpi_table *t, uint32_t off, uint32_t size);
/* A Generic Address Structure. */
struct firmware_register acpi_register(const struct acpi_table *t, uint32_t off);
/* A register of the FADT, given as one of those in new tables and as a port number in all. */
struct firmware_register acpi_fadt_register(const struct acpi_table *t, uint32_t gas, uint32_t port,
                                            uint8_t width_bits);
/* Visits the entries of MADT and SRAT, from `off` on: type, length, then the rest. Those of a type below n_types have a
 * least length. ERR_BAD_ARGUMENT. */
status_t acpi_each_entry(struct acpi *a, const struct acpi_table *t, uint32_t off, const uint8_t *least, size_t n_types,
                         void (*visit)(void *ctx, const struct acpi_table *entry), void *ctx);
