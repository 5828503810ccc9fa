/* SPDX-License-Identifier: MIT
 * The local APIC: acknowledging interrupts, sending them to other harts, and the one-shot timer. [SDM-3] "Advanced
 * Programmable Interrupt Controller". Its registers are memory (xAPIC) unless the firmware runs it as x2APIC or a
 * hart's id needs that. */
#include "x86.h"
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/io.h>
#include <arch/mmu.h>
#include <isa/plat.h>
#include <kernel/firmware/machine.h>

enum : uint32_t {
    REG_ID = 0x020,
    REG_TASK_PRIORITY = 0x080,
    REG_EOI = 0x0b0,
    REG_SPURIOUS = 0x0f0,
    REG_COMMAND = 0x300,
    REG_COMMAND_TO = 0x310,
    REG_LVT_TIMER = 0x320,
    REG_LVT_LINT0 = 0x350,
    REG_LVT_LINT1 = 0x360,
    REG_LVT_ERROR = 0x370,
    REG_TIMER_INITIAL = 0x380,
    REG_TIMER_CURRENT = 0x390,
    REG_TIMER_DIVIDE = 0x3e0,
};
static constexpr uint32_t LVT_MASKED = 1 << 16, LVT_NMI = 4 << 8, LVT_DEADLINE = 2 << 17;
static constexpr uint32_t SPURIOUS_ENABLE = 1 << 8, DIVIDE_BY_1 = 0xb;
static constexpr uint32_t MSR_APIC_BASE = 0x1b, MSR_X2APIC = 0x800;
static constexpr uint32_t COMMAND_PENDING = 1 << 12;
static constexpr uint64_t BASE_BOOT_HART = 1 << 8, BASE_ENABLE = 1 << 11, BASE_X2APIC = 1 << 10;
static constexpr uint64_t BASE_ADDRESS = 0x000ffffffffff000;

/* The same for every hart, which finds its own registers there. */
SEALED static uint64_t mode;
SEALED static volatile uint8_t *registers; /* nullptr: x2APIC */

static uint32_t lapic_read(uint32_t reg)
{
    return registers != nullptr ? mmio_read32(registers + reg) : (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
}

static void lapic_write(uint32_t reg, uint32_t value)
{
    if (registers != nullptr)
        mmio_write32(registers + reg, value);
    else
        wrmsr(MSR_X2APIC + reg / 16, value);
}

void x86_lapic_init(const struct machine *m)
{
    mode = rdmsr(MSR_APIC_BASE) & (BASE_ADDRESS | BASE_X2APIC);
    if (x86_cpu.x2apic && m->apic.x2apic_needed)
        mode |= BASE_X2APIC;
    if ((mode & BASE_X2APIC) == 0)
        registers = arch_map_device((paddr_t){ mode }, ARCH_PAGE_SIZE);
    x86_lapic_local_init();
}

void x86_lapic_local_init(void)
{
    uint64_t is_boot_hart = rdmsr(MSR_APIC_BASE) & BASE_BOOT_HART;
    wrmsr(MSR_APIC_BASE, mode | BASE_ENABLE | is_boot_hart);
    lapic_write(REG_SPURIOUS, SPURIOUS_ENABLE | X86_VECTOR_SPURIOUS);
    lapic_write(REG_LVT_LINT0, LVT_MASKED); /* the 8259s' way in */
    lapic_write(REG_LVT_LINT1, LVT_NMI);
    lapic_write(REG_LVT_ERROR, LVT_MASKED);
    lapic_write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
    lapic_write(REG_LVT_TIMER, X86_VECTOR_TIMER | (x86_cpu.tsc_deadline ? LVT_DEADLINE : 0));
    lapic_write(REG_TASK_PRIORITY, 0); /* after LINT0: QEMU's APIC looks again at what is pending only here */
    x86_lapic_eoi();
}

/* [SDM-3] "Interrupt Command Register (ICR)". Stores before it are seen by whoever gets the interrupt: a store to xAPIC
 * registers waits for them, as these are uncacheable; one to x2APIC registers must be made to ("MSR Access in x2APIC
 * Mode"). */
void x86_lapic_send(uint64_t hw_id, uint32_t command)
{
    if (registers == nullptr) {
        __asm__ volatile("mfence; lfence" ::: "memory");
        wrmsr(MSR_X2APIC + REG_COMMAND / 16, hw_id << 32 | command);
        return;
    }
    while ((lapic_read(REG_COMMAND) & COMMAND_PENDING) != 0)
        arch_relax();
    lapic_write(REG_COMMAND_TO, (uint32_t)hw_id << 24);
    lapic_write(REG_COMMAND, command);
}

uint32_t x86_lapic_id(void)
{
    uint32_t id = lapic_read(REG_ID);
    return registers != nullptr ? id >> 24 : id;
}

void x86_lapic_eoi(void)
{
    lapic_write(REG_EOI, 0);
}

void x86_lapic_timer_start(uint32_t ticks)
{
    lapic_write(REG_TIMER_INITIAL, ticks);
}

uint32_t x86_lapic_timer_left(void)
{
    return lapic_read(REG_TIMER_CURRENT);
}
