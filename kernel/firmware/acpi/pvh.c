/* SPDX-License-Identifier: MIT
 * Reads hvm_start_info.
 * Source: [PVH] "x86/HVM direct boot ABI", struct hvm_start_info, hvm_modlist_entry, hvm_memmap_table_entry. */
#include <kernel/firmware/acpi/pvh.h>
#include <base/bytes.h>
#include <stdckdint.h>

enum : uint32_t { PVH_MAGIC = 0x336ec578, PVH_V0_BYTES = 40, PVH_V1_BYTES = 56, MODULE_BYTES = 32, MEMMAP_BYTES = 24 };

/* Element `i` of an array at `base`, or nullptr. */
static const uint8_t *element(const struct firmware_memory *mem, uint64_t base, uint64_t i, uint32_t size)
{
    uint64_t pa, end;
    if (ckd_add(&pa, base, i * size) || ckd_add(&end, pa, size))
        return nullptr;
    return mem->at(mem->ctx, pa, size);
}

static status_t read_memory_map(const struct firmware_memory *mem, uint64_t map, uint32_t n, struct machine *m)
{
    if (n > PVH_MEMMAP_MAX)
        return firmware_fail(&m->error, ERR_TOO_BIG, "PVH: memory map too long", map);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *e = element(mem, map, i, MEMMAP_BYTES);
        if (e == nullptr)
            return firmware_fail(&m->error, ERR_BAD_ADDRESS, "PVH: memory map", map);
        uint64_t base = load_le64(e), len_bytes = load_le64(e + 8);
        uint32_t type = load_le32(e + 16); /* 1: RAM; 2 to 7 and what the future brings: not ours */
        status_t st = type == 1 ? machine_add_ram(m, base, len_bytes)
                                : machine_add_reserved(m, base, len_bytes, RESERVED_FIRMWARE);
        if (st != OK)
            return st;
    }
    return m->n_ram > 0 ? OK : firmware_fail(&m->error, ERR_NOT_FOUND, "PVH: no RAM in the memory map", map);
}

static status_t read_modules(const struct firmware_memory *mem, uint64_t list, uint32_t n, struct machine *m)
{
    if (n > RESERVED_REGION_MAX)
        return firmware_fail(&m->error, ERR_TOO_BIG, "PVH: too many modules", list);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *e = element(mem, list, i, MODULE_BYTES);
        if (e == nullptr)
            return firmware_fail(&m->error, ERR_BAD_ADDRESS, "PVH: module list", list);
        struct phys_range r = { load_le64(e), load_le64(e + 8) };
        status_t st = machine_add_reserved(m, r.base, r.len_bytes, RESERVED_FIRMWARE);
        if (st != OK)
            return st;
        if (i == 0)
            m->initrd = r;
    }
    return OK;
}

static status_t read_cmdline(const struct firmware_memory *mem, uint64_t pa, struct machine *m)
{
    char text[CMDLINE_MAX + 1]; /* one more than fits, so that cutting is noticed */
    size_t n = 0;
    for (; n < sizeof text; n++) {
        const uint8_t *c = element(mem, pa, n, 1);
        if (c == nullptr)
            return firmware_fail(&m->error, ERR_BAD_ADDRESS, "PVH: command line", pa);
        text[n] = (char)*c;
        if (*c == 0)
            break;
    }
    machine_set_cmdline(m, text, n);
    return OK;
}

status_t pvh_parse(const struct firmware_memory *mem, uint64_t start_info_pa, struct machine *out)
{
    const uint8_t *p = element(mem, start_info_pa, 0, PVH_V0_BYTES);
    if (p == nullptr)
        return firmware_fail(&out->error, ERR_BAD_ADDRESS, "PVH: start info", start_info_pa);
    if (load_le32(p) != PVH_MAGIC)
        return firmware_fail(&out->error, ERR_BAD_ARGUMENT, "PVH: start info: magic", start_info_pa);
    if (load_le32(p + 4) == 0)
        return firmware_fail(&out->error, ERR_NOT_SUPPORTED, "PVH: version 0 has no memory map", start_info_pa);
    p = element(mem, start_info_pa, 0, PVH_V1_BYTES);
    if (p == nullptr)
        return firmware_fail(&out->error, ERR_BAD_ADDRESS, "PVH: start info", start_info_pa);
    out->rsdp = load_le64(p + 32);
    status_t st = read_memory_map(mem, load_le64(p + 40), load_le32(p + 48), out);
    if (st == OK)
        st = read_modules(mem, load_le64(p + 16), load_le32(p + 12), out);
    if (st == OK && load_le64(p + 24) != 0)
        st = read_cmdline(mem, load_le64(p + 24), out);
    return st;
}
