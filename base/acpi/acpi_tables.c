/* SPDX-License-Identifier: MIT
 * Finds and checks ACPI tables.
 *
 * A table is used only after acpi_table_open() has checked that all of it can be read and that it sums to zero; after
 * that the one thing to check is that a field lies before its end. Which tables exist is asked of the root table each
 * time, so nothing is stored and their order does not matter.
 *
 * Sources: [ACPI] "Root System Description Pointer", "System Description Table Header", "Generic Address Structure". */
#include <base/acpi/acpi_tables.h>
#include <base/bytes.h>
#include <stdckdint.h>

enum : uint32_t { RSDP_V1_BYTES = 20, RSDP_V2_BYTES = 36, TABLE_HEADER_BYTES = 36 };

static const void *mem_at(const struct firmware_memory *mem, uint64_t pa, size_t len)
{
    uint64_t end;
    return ckd_add(&end, pa, len) ? nullptr : mem->at(mem->ctx, pa, len);
}

static bool sums_to_zero(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + p[i]);
    return sum == 0;
}

status_t acpi_table_open(const struct acpi *a, uint64_t pa, struct acpi_table *out)
{
    const uint8_t *p = mem_at(a->mem, pa, TABLE_HEADER_BYTES);
    if (p == nullptr)
        return ERR_BAD_ADDRESS;
    uint32_t len = load_le32(p + 4);
    if (len < TABLE_HEADER_BYTES)
        return ERR_BAD_ARGUMENT;
    if (len > ACPI_TABLE_MAX)
        return ERR_TOO_BIG;
    p = mem_at(a->mem, pa, len);
    if (p == nullptr)
        return ERR_BAD_ADDRESS;
    if (load_le32(p + 4) != len || !sums_to_zero(p, len))
        return ERR_BAD_ARGUMENT;
    *out = (struct acpi_table){ p, len, pa };
    return OK;
}

struct acpi_table acpi_table_find(struct acpi *a, const char signature[static 4])
{
    struct acpi_table t;
    for (uint32_t i = 0; i < a->n_entries; i++) {
        const uint8_t *entry = a->root + TABLE_HEADER_BYTES + (size_t)i * a->entry_bytes;
        uint64_t pa = a->entry_bytes == 8 ? load_le64(entry) : load_le32(entry);
        const void *p = mem_at(a->mem, pa, TABLE_HEADER_BYTES);
        if (p == nullptr || memcmp(p, signature, 4) != 0)
            continue;
        if (acpi_table_open(a, pa, &t) == OK)
            return t;
        a->n_unsound++;
    }
    return (struct acpi_table){};
}

uint64_t acpi_field(const struct acpi_table *t, uint32_t off, uint32_t size)
{
    uint64_t v = 0;
    if (off <= t->len && size <= t->len - off)
        memcpy(&v, t->bytes + off, size);
    return v;
}

struct firmware_register acpi_register(const struct acpi_table *t, uint32_t off)
{
    uint64_t space = acpi_field(t, off, 1), address = acpi_field(t, off + 4, 8);
    if (space > 1 || address == 0)
        return (struct firmware_register){};
    return (struct firmware_register){ space == 0 ? REGISTER_MEMORY : REGISTER_IO, (uint8_t)acpi_field(t, off + 1, 1),
                                       address };
}

struct firmware_register acpi_fadt_register(const struct acpi_table *t, uint32_t gas, uint32_t port, uint8_t width_bits)
{
    struct firmware_register r = acpi_register(t, gas);
    uint64_t number = acpi_field(t, port, 4);
    if (r.space == REGISTER_NONE && number != 0)
        r = (struct firmware_register){ REGISTER_IO, width_bits, number };
    return r;
}

status_t acpi_each_entry(struct acpi *a, const struct acpi_table *t, uint32_t off, const uint8_t *least, size_t n_types,
                         void (*visit)(void *ctx, const struct acpi_table *entry), void *ctx)
{
    while (off != t->len) {
        uint32_t len = (uint32_t)acpi_field(t, off + 1, 1);
        struct acpi_table entry = { t->bytes + off, len, t->pa + off };
        if (len < 2 || len > t->len - off || (entry.bytes[0] < n_types && len < least[entry.bytes[0]]))
            return firmware_fail(&a->error, ERR_BAD_ARGUMENT, "ACPI: MADT or SRAT: entry", entry.pa);
        visit(ctx, &entry);
        off += len;
    }
    return OK;
}

status_t acpi_open(struct acpi *a, const struct firmware_memory *mem, uint64_t rsdp_pa)
{
    struct acpi_table root;
    *a = (struct acpi){ .mem = mem, .entry_bytes = 4 };
    if (rsdp_pa == 0)
        return firmware_fail(&a->error, ERR_NOT_FOUND, "ACPI: no RSDP", 0);
    const uint8_t *p = mem_at(mem, rsdp_pa, RSDP_V1_BYTES);
    if (p == nullptr || memcmp(p, "RSD PTR ", 8) != 0 || !sums_to_zero(p, RSDP_V1_BYTES))
        return firmware_fail(&a->error, p == nullptr ? ERR_BAD_ADDRESS : ERR_BAD_ARGUMENT, "ACPI: RSDP", rsdp_pa);
    uint64_t pa = load_le32(p + 16);
    bool is_v2 = p[15] >= 2;
    if (is_v2) {
        p = mem_at(mem, rsdp_pa, RSDP_V2_BYTES);
        if (p == nullptr || load_le32(p + 20) != RSDP_V2_BYTES || !sums_to_zero(p, RSDP_V2_BYTES))
            return firmware_fail(&a->error, ERR_BAD_ARGUMENT, "ACPI: RSDP: extended part", rsdp_pa);
        if (load_le64(p + 24) != 0) {
            pa = load_le64(p + 24);
            a->entry_bytes = 8;
        }
    }
    status_t st = acpi_table_open(a, pa, &root);
    if (st == OK && memcmp(root.bytes, a->entry_bytes == 8 ? "XSDT" : "RSDT", 4) != 0)
        st = ERR_BAD_ARGUMENT;
    if (st != OK)
        return firmware_fail(&a->error, st, "ACPI: RSDT or XSDT", pa);
    a->root = root.bytes;
    a->n_entries = (root.len - TABLE_HEADER_BYTES) / a->entry_bytes;
    if (a->n_entries > ACPI_TABLE_COUNT_MAX) {
        a->n_unsound++;
        a->n_entries = ACPI_TABLE_COUNT_MAX;
    }
    return OK;
}
