/* SPDX-License-Identifier: MIT
 * From the first line of C to kernel_main(): read the device tree, move, build the final tables, start the board.
 *
 * Until final_tables() the hart runs on the tables of head.S: the image is writable, and other memory is seen
 * through the boot window. Everything found unusable ends in kernel_refuse() with one message. */
#include "boot.h"
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <isa/plat.h>
#include <kernel/entry.h>
#include <base/dt/fdt_tree.h>
#include <kernel/entropy.h>
#include <kernel/kmap.h>
#include <kernel/slide.h>
#include <kernel/firmware/dt/fdt.h>

enum boot_slot { SLOT_UART = 0, SLOT_DTB = 1, SLOT_TABLES = 3, SLOT_CONSOLE = 4 };
static constexpr uint64_t BLOCK_BYTES = UINT64_C(1) << 21;

struct hart boot_hart;
SEALED uint64_t arch_image_offset, isa_boot_el;
SEALED static struct machine machine;

/* A 2 MiB view of physical memory in the boot window, slot 0..511. Each slot is used once. */
static void *boot_view(unsigned slot, uint64_t pa, bool device)
{
    uint64_t prot = VX_PROT_READ | VX_PROT_WRITE;
    boot_window[slot] = pte_leaf(pa & ~(BLOCK_BYTES - 1), 1, (uint32_t)prot, device ? MEM_DEVICE : MEM_NORMAL);
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
    return (void *)(uintptr_t)(LAYOUT_WINDOW + slot * BLOCK_BYTES + (pa & (BLOCK_BYTES - 1)));
}

/* The boot protocol allows at most 2 MiB, so two views cover any device tree. */
static void read_device_tree(uint64_t pa)
{
    size_t size;
    if (pa == 0 || pa >= UINT64_C(1) << LAYOUT_PA_BITS || pa % 8 != 0)
        kernel_refuse("no device tree: x0 is %llx at entry; start the kernel as an arm64 Image",
                      (unsigned long long)pa);
    void *blob = boot_view(SLOT_DTB, pa, false);
    if (fdt_size(blob, 8, &size) != OK)
        kernel_refuse("no device tree at %llx: bad magic or size", (unsigned long long)pa);
    if (pa % BLOCK_BYTES + size > BLOCK_BYTES)
        (void)boot_view(SLOT_DTB + 1, pa + BLOCK_BYTES, false);
    if (fdt_parse(blob, size, &machine) != OK)
        kernel_refuse("unusable device tree: %s (at %llx)",
                      machine.error.what != nullptr ? machine.error.what : "malformed",
                      (unsigned long long)machine.error.where);
    machine.device_tree = (struct phys_range){ pa, size };
}

/* Where the image is linked, before anything else: how far from there it runs from now on. */
uint64_t boot_slide(uint64_t dtb_pa, uint64_t el)
{
    isa_boot_el = el;
    plat_console_at((void *)(uintptr_t)(LAYOUT_WINDOW + SLOT_UART * BLOCK_BYTES));
    read_device_tree(dtb_pa);
    if (machine.console.kind == CONSOLE_PL011 && machine.console.base.address < UINT64_C(1) << LAYOUT_PA_BITS)
        plat_console_at(boot_view(SLOT_CONSOLE, machine.console.base.address, true));
    uint64_t slide = slide_image(&machine);
    entropy_fill(boot_hart.arch_key, sizeof boot_hart.arch_key);
    return slide;
}

static void reserve(uint64_t pa, uint64_t bytes)
{
    uint64_t start = page_down(pa);
    if (machine_add_reserved(&machine, start, page_up(pa + bytes) - start, RESERVED_FIRMWARE) != OK)
        kernel_refuse("the device tree reserves more ranges than the kernel can keep apart");
}

/* RAM that the windows cannot reach is left out, aloud. */
static void check_memory(struct machine *m)
{
    uint64_t limit = UINT64_C(1) << LAYOUT_PA_BITS;
    for (uint32_t i = 0; i < m->n_ram; i++) {
        struct phys_range *r = &m->ram[i];
        if (r->base >= limit || r->len_bytes > limit - r->base) {
            kprintf("memory at %llx lies beyond 64 TiB and is not used\n", (unsigned long long)r->base);
            machine_leave_out(m, LEFT_OUT_RAM);
            r->len_bytes = r->base >= limit ? 0 : limit - r->base;
        }
    }
}

extern int32_t pac_sites_start[], pac_sites_end[];

static void patch_pac_sites(void)
{
    for (int32_t *site = pac_sites_start; (ISA_READ("sctlr_el1") & SCTLR_PAC) == 0 && site != pac_sites_end; site++)
        *(uint32_t *)((char *)site + *site) = 0xd503201f; /* nop */
    arch_sync_icache(image_start, (size_t)(text_end - image_start));
}

static void final_tables(struct machine *m)
{
    static char *const guard[] = { __stack_guard };
    uint64_t features = ISA_READ("id_aa64pfr1_el1"), block = kmap_choose(m), empty = arch_virt_to_phys(empty_table).raw;
    kmap_build(m, block, boot_view(SLOT_TABLES, block, false), guard, 1, (features & 15) != 0 ? PTE_GUARDED : 0);
    void *console = nullptr;
    if (m->console.kind == CONSOLE_PL011)
        console = arch_map_device((paddr_t){ m->console.base.address }, ARCH_PAGE_SIZE);

    /* boot_switch_tables() runs in the identity map, which TTBR0 still holds. */
    uint64_t at = arch_virt_to_phys((const void *)(uintptr_t)boot_switch_tables).raw;
    ((void (*)(uint64_t, uint64_t))(uintptr_t)at)(arch_virt_to_phys(kernel_root).raw, empty);
    __asm__ volatile("msr ttbr0_el1, %0\n\tisb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::"r"(empty) : "memory");
    plat_console_at(console); /* the boot window is gone */
    kmap_settle(m);
}

void boot_main(uint64_t image_pa)
{
    arch_image_offset = image_pa - (uint64_t)(uintptr_t)image_start;
    boot_hart.self = &boot_hart;
    patch_pac_sites();
    boot_hart.hw_id = ISA_READ("mpidr_el1") & UINT64_C(0xff00ffffff);
    struct machine *m = &machine;
    time_init(m->timer.counter_hz);
    check_memory(m);
    reserve(image_pa, (uint64_t)(image_end - image_start));
    reserve(m->device_tree.base, m->device_tree.len_bytes);

    final_tables(m);
    mmu_init();
    arch_hart_local_init();
    plat_init(m);
    kernel_main(m, &boot_hart);
}
