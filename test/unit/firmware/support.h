/* SPDX-License-Identifier: MIT
 * What the firmware tests share: physical memory with exact edges, and the invariants of struct machine. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <kernel/firmware/machine.h>
#include <platform/platform.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A heap copy of exactly that size, so that the sanitizer sees a step beyond either end. */
static inline void *exact_copy(const void *bytes, size_t len)
{
    void *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

enum { PHYS_REGIONS = 32, PHYS_LOANS = 8192 };

struct phys_region {
    uint64_t pa;
    size_t len;
    const uint8_t *bytes;
};

/* Readable regions; everything else answers nullptr. What is lent out is a copy of just the bytes asked for. */
struct phys {
    size_t n;
    struct phys_region region[PHYS_REGIONS];
    size_t n_loans;
    void *loan[PHYS_LOANS];
};

static inline void phys_add(struct phys *p, uint64_t pa, const void *bytes, size_t len)
{
    assert_true(p->n < PHYS_REGIONS);
    p->region[p->n++] = (struct phys_region){ pa, len, bytes };
}

static inline const void *phys_at(void *ctx, uint64_t pa, size_t len)
{
    struct phys *p = ctx;
    for (size_t i = 0; i < p->n; i++) {
        const struct phys_region *r = &p->region[i];
        if (pa < r->pa || pa - r->pa > r->len || len > r->len - (pa - r->pa))
            continue;
        if (p->n_loans == PHYS_LOANS)
            return r->bytes + (pa - r->pa);
        return p->loan[p->n_loans++] = exact_copy(r->bytes + (pa - r->pa), len);
    }
    return nullptr;
}

static inline struct firmware_memory phys_memory(struct phys *p)
{
    return (struct firmware_memory){ phys_at, p };
}

static inline void phys_return_loans(struct phys *p)
{
    for (size_t i = 0; i < p->n_loans; i++)
        free(p->loan[i]);
    p->n_loans = 0;
}

static inline uint64_t le64_at(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Lays out a .mem dump (tools/make-firmware-dumps) and answers where hvm_start_info is. */
static inline uint64_t phys_load_dump(struct phys *p, const uint8_t *dump, size_t len)
{
    assert_memory_equal(dump, "PHYSMEM1", 8);
    *p = (struct phys){};
    for (size_t off = 16; off < len;) {
        phys_add(p, le64_at(dump + off), dump + off + 16, le64_at(dump + off + 8));
        off += 16 + le64_at(dump + off + 8);
    }
    return le64_at(dump + 8);
}

/* The invariants of machine.h, which hold after every parser that answered OK. */
static inline void assert_sane(const struct machine *m)
{
    assert_true(m->n_ram <= MEMORY_REGION_MAX && m->n_reserved <= RESERVED_REGION_MAX && m->n_harts <= HART_MAX);
    assert_true(m->apic.n_ioapics <= MACHINE_IOAPIC_MAX);
    assert_true(m->gic.n_regs <= MACHINE_GIC_REGS_MAX && m->seed_len_bytes <= FIRMWARE_SEED_MAX);
    for (uint32_t i = 0; i < m->n_ram; i++) {
        uint64_t end = m->ram[i].base + m->ram[i].len_bytes;
        assert_true(end > m->ram[i].base);
        assert_true(i + 1 == m->n_ram || end <= m->ram[i + 1].base);
    }
    for (uint32_t i = 0; i < m->n_reserved; i++)
        assert_true(m->reserved[i].base + m->reserved[i].len_bytes > m->reserved[i].base);
    for (uint32_t i = 0; i < m->n_harts; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_true(m->hart[i].hw_id != m->hart[j].hw_id);
    assert_true(memchr(m->cmdline, 0, sizeof m->cmdline) != nullptr);
    assert_true((m->left_out != 0) == (m->n_left_out != 0));
    assert_null(m->error.what);
}

/* Those of platform.h. */
static inline void assert_platform_sane(const struct platform *p)
{
    assert_true(p->n_nodes >= 1 && p->n_nodes <= NUMA_NODE_MAX && p->n_domains >= 1);
    assert_true(p->n_virtio_mmio <= MACHINE_VIRTIO_MMIO_MAX && p->n_overrides <= MACHINE_IRQ_OVERRIDE_MAX);
    assert_true(p->n_pci <= MACHINE_PCI_WINDOW_MAX && p->n_memories <= MEMORY_REGION_MAX);
    for (uint32_t i = 0; i < p->n_memories; i++) {
        uint64_t end = p->memory[i].base + p->memory[i].len_bytes;
        assert_true(end > p->memory[i].base && p->memory[i].node < p->n_nodes);
        assert_true(i + 1 == p->n_memories || end <= p->memory[i + 1].base);
    }
    for (uint32_t i = 0; i < p->machine.n_harts; i++) {
        assert_true(p->hart[i].node < p->n_nodes && p->hart[i].domain < p->n_domains);
        for (uint32_t j = 0; j < i; j++)
            assert_true(p->hart[i].domain != p->hart[j].domain || p->hart[i].node == p->hart[j].node);
    }
}

static inline void assert_ram(const struct machine *m, uint32_t i, uint64_t base, uint64_t len_bytes)
{
    assert_true(i < m->n_ram);
    assert_int_equal(m->ram[i].base, base);
    assert_int_equal(m->ram[i].len_bytes, len_bytes);
}

static inline void assert_memory(const struct platform *p, uint32_t i, uint64_t base, uint64_t len_bytes, uint32_t node)
{
    assert_true(i < p->n_memories);
    assert_int_equal(p->memory[i].base, base);
    assert_int_equal(p->memory[i].len_bytes, len_bytes);
    assert_int_equal(p->memory[i].node, node);
}

static inline void assert_irq(struct irq_info irq, uint32_t number, bool edge, bool active_low)
{
    assert_int_equal(irq.number, number);
    assert_int_equal(irq.edge, edge);
    assert_int_equal(irq.active_low, active_low);
}
