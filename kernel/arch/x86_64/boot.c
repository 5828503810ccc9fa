/* SPDX-License-Identifier: MIT
 * From the first instruction of C to kernel_main(): find out where to run and what the machine is, map it, start what
 * the kernel needs. start.S has mapped the low 4 GiB, writable and executable, and the image wherever it may run; those
 * tables are in use until x86_mmu_build(). */
#include "x86.h"
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <kernel/firmware/acpi/acpi.h>
#include <kernel/firmware/acpi/pvh.h>
#include <kernel/firmware/machine.h>
#include <base/string.h>
#include <isa/plat.h>
#include <kernel/slide.h>

static constexpr uint64_t EARLY_MAP_END = UINT64_C(1) << 32;

/* Whole pages: the page below each stack is never mapped, so an overflow is a (double) fault and not a mystery. */
[[gnu::section(".bss.stack"), gnu::aligned(4096)]] uint8_t x86_stack_guard[ARCH_PAGE_SIZE + X86_STACK_BYTES];
[[gnu::section(".bss.stack"), gnu::aligned(4096)]] uint8_t x86_ist_guard[ARCH_PAGE_SIZE + X86_IST_STACK_BYTES];

uint64_t x86_boot_slide(uint32_t start_info_pa);
[[noreturn]] void x86_boot(uint32_t start_info_pa, uint64_t tsc_at_entry);

static struct hart boot_hart;
static alignas(ARCH_PAGE_SIZE) struct x86_hart boot_hart_x86;
SEALED static struct machine machine;

extern const uint64_t x86_smap_sites_start[], x86_smap_sites_end[];

/* Without SMAP, stac and clac are undefined: they become three-byte no-ops while text is still writable. */
static void patch_smap_sites(void)
{
    for (const uint64_t *site = x86_smap_sites_start; !x86_cpu.smap && site < x86_smap_sites_end; site++)
        memcpy((void *)*site, "\x0f\x1f\x00", 3);
}

static const void *early_at(void *, uint64_t pa, size_t len)
{
    return pa < EARLY_MAP_END && len <= EARLY_MAP_END - pa ? arch_phys_to_virt((paddr_t){ pa }) : nullptr;
}

/* Where the image is linked, before anything else: how far from there it runs from now on. x86_boot() does all of this
 * once more, and says what is wrong with it. */
uint64_t x86_boot_slide(uint32_t start_info_pa)
{
    struct firmware_memory memory = { .at = early_at };
    boot_hart.self = &boot_hart;
    arch_hart_set_self(&boot_hart);
    plat_console_init();
    x86_cpu_detect();
    (void)pvh_parse(&memory, start_info_pa, &machine);
    uint64_t slide = slide_image(&machine);
    machine = (struct machine){};
    return slide;
}

static void read_firmware(uint32_t start_info_pa)
{
    struct firmware_memory memory = { .at = early_at };
    machine = (struct machine){};
    const char *whose = "PVH start information";
    status_t st = pvh_parse(&memory, start_info_pa, &machine);
    if (st == OK) {
        whose = "ACPI tables";
        st = acpi_parse(&memory, machine.rsdp, &machine);
    }
    if (st != OK)
        kernel_refuse("the %s are unusable: %s (near 0x%lx)", whose,
                      machine.error.what != nullptr ? machine.error.what : "unknown reason", machine.error.where);
}

void x86_boot(uint32_t start_info_pa, uint64_t tsc_at_entry)
{
    boot_hart.self = &boot_hart;
    boot_hart.kernel_stack_top = (uint64_t)x86_stack_guard + sizeof x86_stack_guard;
    boot_hart.scratch[1] = (uint64_t)&boot_hart_x86;
    boot_hart_x86.tss.ist[0] = (uint64_t)x86_ist_guard + sizeof x86_ist_guard;
    arch_hart_set_self(&boot_hart);
    plat_console_init();
    x86_cpu_detect();
    patch_smap_sites();
    arch_hart_local_init();
    read_firmware(start_info_pa);
    x86_mmu_build(&machine);
    plat_init(&machine);
    x86_lapic_init(&machine);
    boot_hart.hw_id = x86_lapic_id();
    plat_irqchip_init(&machine);
    x86_time_init(&machine, tsc_at_entry);
#ifdef VECTRA_DEBUG
    x86_hart_check();
#endif
    kernel_main(&machine, &boot_hart);
}

/* What only the kernel drives. Memory is a page each. */
bool arch_kernel_device(unsigned i, paddr_t *base, uint64_t *len_bytes)
{
    const struct apic_info *a = &machine.apic;
    *len_bytes = ARCH_PAGE_SIZE;
    if (i == 0) {
        base->raw = a->lapic_base & ~UINT64_C(0xfff);
        return true;
    }
    if (i == 1) { /* may be 0, "none": page 0 is nobody's in any case */
        base->raw = machine.timer.hpet_base & ~UINT64_C(0xfff);
        return true;
    }
    if (i - 2 >= a->n_ioapics)
        return false;
    base->raw = a->ioapic[i - 2].base & ~UINT64_C(0xfff);
    return true;
}
