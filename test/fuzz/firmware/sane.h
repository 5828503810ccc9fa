/* SPDX-License-Identifier: MIT
 * What must hold of a machine whatever bytes it was made from, and physical memory made from those bytes. */
#pragma once
#include <kernel/firmware/machine.h>
#include <platform/platform.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds)
{
    if (!holds)
        abort();
}

/* The invariants of machine.h. */
static inline bool machine_is_sane(const struct machine *m)
{
    if (m->n_ram > MEMORY_REGION_MAX || m->n_reserved > RESERVED_REGION_MAX || m->n_harts > HART_MAX ||
        m->apic.n_ioapics > MACHINE_IOAPIC_MAX || m->gic.n_regs > MACHINE_GIC_REGS_MAX ||
        m->seed_len_bytes > FIRMWARE_SEED_MAX || memchr(m->cmdline, 0, sizeof m->cmdline) == nullptr)
        return false;
    for (uint32_t i = 0; i < m->n_ram; i++) {
        uint64_t end = m->ram[i].base + m->ram[i].len_bytes;
        if (end <= m->ram[i].base || (i + 1 < m->n_ram && end > m->ram[i + 1].base))
            return false;
    }
    return (m->left_out != 0) == (m->n_left_out != 0);
}

static inline bool platform_is_sane(const struct platform *p)
{
    if (p->n_virtio_mmio > MACHINE_VIRTIO_MMIO_MAX || p->n_overrides > MACHINE_IRQ_OVERRIDE_MAX)
        return false;
    for (uint32_t i = 0; i < p->n_pci; i++)
        if (p->pci[i].ecam.base + p->pci[i].ecam.len_bytes < p->pci[i].ecam.base)
            return false;
    for (uint32_t i = 0; i < p->n_memories; i++) {
        uint64_t end = p->memory[i].base + p->memory[i].len_bytes;
        if (end <= p->memory[i].base || p->memory[i].node >= p->n_nodes ||
            (i + 1 < p->n_memories && end > p->memory[i + 1].base))
            return false;
    }
    for (uint32_t i = 0; i < p->machine.n_harts; i++)
        if (p->hart[i].node >= p->n_nodes || p->hart[i].domain >= p->n_domains)
            return false;
    return machine_is_sane(&p->machine) && p->n_pci <= MACHINE_PCI_WINDOW_MAX && p->n_memories <= MEMORY_REGION_MAX &&
           p->n_nodes >= 1 && p->n_nodes <= NUMA_NODE_MAX;
}

/* The format of test/data/firmware/NAME.mem: "PHYSMEM1", a start address, then regions of address, length, bytes. */
struct fuzz_memory {
    const uint8_t *data;
    size_t size;
};

static inline uint64_t word_at(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline const void *fuzz_memory_at(void *ctx, uint64_t pa, size_t len)
{
    const struct fuzz_memory *f = ctx;
    for (size_t off = 16; off <= f->size && f->size - off >= 16;) {
        uint64_t base = word_at(f->data + off), region = word_at(f->data + off + 8);
        off += 16;
        if (region > f->size - off)
            region = f->size - off;
        if (pa >= base && pa - base <= region && len <= region - (pa - base))
            return f->data + off + (pa - base);
        off += region;
    }
    return nullptr;
}
