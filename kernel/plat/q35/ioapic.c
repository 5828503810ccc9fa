/* SPDX-License-Identifier: MIT
 * Interrupt lines: the I/O APICs. A line is an ACPI global system interrupt; line n arrives as X86_VECTOR_LINE + n. The
 * vectors that are left stand for messages: a device's own store to the local APIC, which nothing can mask but the
 * device. [82093AA] "I/O Redirection Table Registers"; [SDM-3] "Message Signalled Interrupts".
 *
 * Every line goes to the boot hart. Any hart may mask and unmask.
 * Invariants: 1. every line is masked until irqchip_unmask(). 2. trigger and polarity change only while all other harts
 * are outside the kernel. */
#include <arch/io.h>
#include <arch/mmu.h>
#include <isa/plat.h>
#include <kernel/entry.h>
#include <kernel/gate.h>
#include <kernel/firmware/machine.h>
#include <kernel/irqchip.h>

enum : uint32_t { LINES_MAX = X86_VECTOR_LINE_END - X86_VECTOR_LINE, ISA_LINES = 16 };
enum : uint32_t { REG_VERSION = 1, REG_TABLE = 0x10, MESSAGES = 0xfee00000 };
static constexpr uint32_t ENTRY_ACTIVE_LOW = 1 << 13, ENTRY_LEVEL = 1 << 15, ENTRY_MASKED = 1 << 16;

struct ioapic {
    volatile uint8_t *registers;
    uint32_t first, end; /* the lines it has */
};
SEALED static struct ioapic chip[MACHINE_IOAPIC_MAX];
SEALED static uint32_t n_chips, n_lines;
static uint32_t entry[LINES_MAX]; /* the low half of each redirection entry; 0: no such line */
static _Atomic bool busy;         /* a hart is between the two accesses to a register, or changes entry[] */

static uint32_t ioapic_read(const struct ioapic *c, uint32_t reg)
{
    mmio_write32(c->registers, reg);
    return mmio_read32(c->registers + 0x10);
}

static void ioapic_write(const struct ioapic *c, uint32_t reg, uint32_t value)
{
    mmio_write32(c->registers, reg);
    mmio_write32(c->registers + 0x10, value);
}

static const struct ioapic *chip_of(uint32_t line)
{
    for (uint32_t i = 0; line < LINES_MAX && i < n_chips; i++)
        if (line >= chip[i].first && line < chip[i].end)
            return &chip[i];
    return nullptr;
}

void plat_irqchip_init(struct machine *m)
{
    const struct apic_info *a = &m->apic;
    for (uint32_t i = 0; i < a->n_ioapics; i++) {
        struct ioapic *c = &chip[n_chips];
        c->registers = arch_map_device((paddr_t){ a->ioapic[i].base }, 32);
        if (c->registers == nullptr)
            kernel_refuse("no room to map the I/O APIC at 0x%lx", a->ioapic[i].base);
        c->first = a->ioapic[i].gsi_base;
        c->end = c->first + (ioapic_read(c, REG_VERSION) >> 16 & 0xff) + 1;
        n_chips++;
        for (uint32_t line = c->first; line < c->end; line++) {
            uint32_t reg = REG_TABLE + 2 * (line - c->first);
            ioapic_write(c, reg, ENTRY_MASKED);
            if (line >= LINES_MAX) /* more lines than vectors: the rest cannot be used */
                continue;
            entry[line] = (X86_VECTOR_LINE + line) | ENTRY_MASKED;
            if (line >= ISA_LINES) /* those of PCI */
                entry[line] |= ENTRY_LEVEL | ENTRY_ACTIVE_LOW;
            ioapic_write(c, reg + 1, x86_lapic_id() << 24);
            ioapic_write(c, reg, entry[line]);
            n_lines = line >= n_lines ? line + 1 : n_lines;
        }
    }
    uint32_t self = x86_lapic_id(),
             n = self < 256 ? LINES_MAX - n_lines : 0; /* a message has 8 bits for whom it is to */
    m->messages = (struct message_info){ MESSAGES | self << 12, n_lines, n, X86_VECTOR_LINE + n_lines };
}

status_t irqchip_configure(uint32_t line)
{
    return chip_of(line) != nullptr || (line >= n_lines && line < LINES_MAX) ? OK : ERR_NOT_FOUND;
}

void irqchip_wire(uint32_t line, bool edge, bool low)
{
    const struct ioapic *c = chip_of(line);
    if (c == nullptr)
        return;
    entry[line] = (X86_VECTOR_LINE + line) | ENTRY_MASKED | (edge ? 0 : ENTRY_LEVEL) | (low ? ENTRY_ACTIVE_LOW : 0);
    ioapic_write(c, REG_TABLE + 2 * (line - c->first), entry[line]);
}

static void set_masked(uint32_t line, uint32_t masked)
{
    const struct ioapic *c = chip_of(line);
    if (c == nullptr)
        return;
    /* acquire: pairs with the release below. */
    while (atomic_exchange_explicit(&busy, true, memory_order_acquire)) {
        harts_poll(arch_hart_self());
        arch_relax();
    }
    if ((entry[line] & ENTRY_MASKED) != masked) {
        entry[line] ^= ENTRY_MASKED;
        ioapic_write(c, REG_TABLE + 2 * (line - c->first), entry[line]);
    }
    atomic_store_explicit(&busy, false, memory_order_release);
}

void irqchip_unmask(uint32_t line)
{
    set_masked(line, 0);
}

void irqchip_mask(uint32_t line)
{
    set_masked(line, ENTRY_MASKED);
}

bool irqchip_is_level(uint32_t line)
{
    return chip_of(line) != nullptr && (entry[line] & ENTRY_LEVEL) != 0;
}

uint32_t irqchip_lines(void)
{
    return LINES_MAX;
}
