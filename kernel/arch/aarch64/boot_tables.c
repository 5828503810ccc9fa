/* SPDX-License-Identifier: MIT
 * The kernel's final translation tables: the image with one protection for each of its parts, and the direct map, which
 * holds RAM and nothing else, so that the hart cannot even speculate into device registers. */
#include "boot.h"
#include "kmap.h"
#include <arch/mmu.h>
#include <isa/plat.h>
#include <kernel/entry.h>
#include <kernel/firmware/machine.h>

static constexpr uint32_t PROT_RW = VX_PROT_READ | VX_PROT_WRITE;
static constexpr uint64_t SPARE_TABLES = 26; /* for arch_map_device() and the stacks of further harts */

struct span {
    uint64_t start, end;
};

static struct span span_of(const char *from, const char *to)
{
    return (struct span){ arch_virt_to_phys(from).raw, arch_virt_to_phys(to).raw };
}

static void add(uint64_t base, struct span pa, uint32_t prot)
{
    if (!kmap_add(base + pa.start, pa.start, pa.end - pa.start, prot, MEM_NORMAL))
        kernel_refuse("the memory map is too scattered: no room for its page tables");
}

/* The first thing in [s.start, s.end) that the direct map must treat specially: memory that may not be mapped, or the
 * kernel's own pages, which are read-only here. Rounded outwards to pages; {end, end}: nothing. */
static struct span next_hole(const struct machine *m, struct span s)
{
    struct span first = { s.end, s.end };
    for (uint32_t i = 0; i <= m->n_reserved; i++) {
        struct span h = span_of(image_start, __image_end);
        if (i < m->n_reserved) {
            if (m->reserved[i].kind != RESERVED_NO_MAP)
                continue;
            h.start = page_down(m->reserved[i].base);
            h.end = page_up(m->reserved[i].base + m->reserved[i].len_bytes);
        }
        if (h.end > s.start && h.start < first.start)
            first = (struct span){ h.start > s.start ? h.start : s.start, h.end < s.end ? h.end : s.end };
    }
    return first;
}

static void add_ram(const struct machine *m, const struct phys_range *r)
{
    struct span s = { page_up(r->base), page_down(r->base + r->len_bytes) };
    while (s.start < s.end) {
        struct span hole = next_hole(m, s);
        add(LAYOUT_DIRECT, (struct span){ s.start, hole.start }, PROT_RW);
        s.start = hole.end;
    }
}

static void add_image(const char *from, const char *to, uint32_t prot)
{
    uint64_t bytes = (uint64_t)(to - from);
    if (!kmap_add((uint64_t)(uintptr_t)from, arch_virt_to_phys(from).raw, bytes, prot, MEM_NORMAL))
        kernel_refuse("no room for the kernel's own page tables");
}

void boot_final_tables(struct machine *m)
{
    uint64_t block = machine_free_from(m, 0, BLOCK_BYTES, BLOCK_BYTES);
    if (block == UINT64_MAX)
        kernel_refuse("too little memory: no 2 MiB are free for page tables");
    kmap_init(block, BLOCK_BYTES, boot_view(SLOT_TABLES, block, false));

    add_image(image_start, __text_end, VX_PROT_READ | VX_PROT_EXEC);
    add_image(__text_end, __sealed_start, VX_PROT_READ);
    add_image(__sealed_start, __rodata_end, PROT_RW);
    add_image(__rodata_end, __stack_guard, PROT_RW);
    add_image(__stack_guard + ARCH_PAGE_SIZE, __image_end, PROT_RW);
    for (uint32_t i = 0; i < m->n_ram; i++)
        add_ram(m, &m->ram[i]);
    add(LAYOUT_DIRECT, span_of(image_start, __image_end), VX_PROT_READ);
    void *console = nullptr;
    if (m->console.kind == CONSOLE_PL011)
        console = arch_map_device((paddr_t){ m->console.base.address }, ARCH_PAGE_SIZE);

    /* boot_switch_tables() runs in the identity map, which TTBR0 still holds. */
    uint64_t empty = arch_virt_to_phys(empty_table).raw;
    uint64_t at = arch_virt_to_phys((const void *)(uintptr_t)boot_switch_tables).raw;
    ((void (*)(uint64_t, uint64_t))(uintptr_t)at)(kmap_root(), empty);
    __asm__ volatile("msr ttbr0_el1, %0\n\tisb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::"r"(empty) : "memory");
    plat_console_at(console); /* the boot window is gone */

    if (machine_add_reserved(m, block, kmap_settle(SPARE_TABLES), RESERVED_FIRMWARE) != OK)
        kernel_refuse("the device tree reserves more ranges than the kernel can keep apart");
}
