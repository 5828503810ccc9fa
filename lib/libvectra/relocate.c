/* SPDX-License-Identifier: MIT
 * A static-PIE image relocates itself, before anything else in it runs. Until then a pointer that the linker stored is
 * wrong, so nothing here reads one: only the Bundle, and the image through the address in it.
 * Sources: [gABI] "Dynamic Section"; [x86-64-ABI] and [AAELF64] "Relocation Types". */
#include "start.h"
#include <isa/machine.h>

enum : uint32_t { PT_DYNAMIC = 2 };
enum : uint64_t {
    DT_NULL = 0,
    DT_NEEDED = 1,
    DT_PLTRELSZ = 2,
    DT_RELA = 7,
    DT_RELASZ = 8,
    DT_RELAENT = 9,
    DT_REL = 17
};
enum : uint64_t { DT_TEXTREL = 22, DT_RELR = 36 };

struct dynamic {
    uint64_t tag, value;
};

struct rela {
    uint64_t address, info, addend;
};

/* The dynamic section, if the image has one. */
static const struct dynamic *find_dynamic(const struct vx_bundle *b)
{
    const struct elf_phdr *ph = (const struct elf_phdr *)b->phdr_address;
    for (unsigned i = 0; ph != nullptr && i < b->phdr_count; i++)
        if (ph[i].type == PT_DYNAMIC)
            return (const struct dynamic *)(b->image_base + ph[i].vaddr);
    return nullptr;
}

bool vx_relocate(const struct vx_bundle *b)
{
    const struct rela *table = nullptr;
    uint64_t bytes = 0, entry_bytes = sizeof *table;
    for (const struct dynamic *d = find_dynamic(b); d != nullptr && d->tag != DT_NULL; d++) {
        if (d->tag == DT_NEEDED || d->tag == DT_REL || d->tag == DT_RELR || d->tag == DT_TEXTREL ||
            (d->tag == DT_PLTRELSZ && d->value != 0))
            return false;
        if (d->tag == DT_RELA)
            table = (const struct rela *)(b->image_base + d->value);
        if (d->tag == DT_RELASZ)
            bytes = d->value;
        if (d->tag == DT_RELAENT)
            entry_bytes = d->value;
    }
    if (bytes % sizeof *table != 0 || entry_bytes != sizeof *table)
        return false;
    for (uint64_t i = 0; i < bytes / sizeof *table; i++) {
        if (table[i].info != isa_relative_relocation)
            return false;
        *(uint64_t *)(b->image_base + table[i].address) = b->image_base + table[i].addend;
    }
    return true;
}
