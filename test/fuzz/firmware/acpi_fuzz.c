// sources: kernel/firmware/acpi/acpi.c base/acpi/acpi_tables.c lib/libplatform/acpi/tables.c
// sources: lib/libplatform/nodes.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * Any physical memory as ACPI tables. Checksums are put right first wherever a region looks like a table, because
 * otherwise hardly anything would get past them. */
#include "sane.h"
#include <kernel/firmware/acpi/acpi.h>

static void fix_sum(uint8_t *p, size_t len, size_t at)
{
    uint8_t sum = 0;
    p[at] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + p[i]);
    p[at] = (uint8_t)-sum;
}

static void fix_region(uint8_t *p, size_t region)
{
    uint32_t len;
    if (region >= 20 && memcmp(p, "RSD PTR ", 8) == 0) {
        fix_sum(p, 20, 8);
        if (region >= 36)
            fix_sum(p, 36, 32);
        return;
    }
    if (region < 36)
        return;
    memcpy(&len, p + 4, sizeof len);
    if (len >= 36 && len <= region)
        fix_sum(p, len, 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine m;
    if (size < 16)
        return 0;
    uint8_t *copy = malloc(size);
    require(copy != nullptr);
    memcpy(copy, data, size);
    bool fix = (copy[0] & 1) == 0; /* "P" of PHYSMEM1 */
    for (size_t off = 16; fix && off <= size && size - off >= 16;) {
        uint64_t region = word_at(copy + off + 8);
        off += 16;
        if (region > size - off)
            region = size - off;
        fix_region(copy + off, region);
        off += region;
    }
    struct fuzz_memory f = { copy, size };
    struct firmware_memory mem = { fuzz_memory_at, &f };
    m = (struct machine){};
    require(machine_add_ram(&m, 0, 0x9fc00) == OK && machine_add_ram(&m, 0x100000, 0x40000000) == OK);
    status_t st = acpi_parse(&mem, word_at(copy + 8), &m);
    require((st == OK) == (m.error.what == nullptr));
    require(st != OK || (machine_is_sane(&m) && m.n_harts > 0));
    static struct platform p; /* whatever the kernel thought of them: it may have been told of other tables */
    if (st != OK) {
        m = (struct machine){};
        require(machine_add_ram(&m, 0x100000, 0x40000000) == OK);
    }
    m.rsdp = word_at(copy + 8);
    p = (struct platform){ .machine = m };
    platform_from_acpi(&p, &mem);
    require(platform_is_sane(&p));
    free(copy);
    return 0;
}
