/* SPDX-License-Identifier: MIT
 * Power, and the old interrupt controllers put to rest. [ACPI] "PM1 Control Registers", "Reset Register". */
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/io.h>
#include <arch/mmu.h>
#include <isa/plat.h>
#include <kernel/firmware/machine.h>

static constexpr uint16_t PM1_SCI_EN = 1, PM1_SLP_EN = 1 << 13;
static constexpr uint16_t Q35_PM1_CONTROL = 0x604, Q35_S5 = 0x2000;
static constexpr uint16_t RESET_CONTROL = 0xcf9, KEYBOARD_COMMAND = 0x64;
static constexpr unsigned POLLS_MAX = 100'000;

static const struct machine *machine; /* nullptr until plat_init(): power-off then tries what QEMU has */

/* Masks the 8259s, and moves them off the exception vectors, where their spurious interrupts would look like faults.
 * The firmware's timer may be asserting their output just now; the local APIC must still listen to see it go away. */
static void mask_legacy_pics(void)
{
    static const uint16_t command[2] = { 0x20, 0xa0 };
    for (unsigned i = 0; i < 2; i++) {
        port_write8(command[i] + 1, 0xff);
        port_write8(command[i], 0x11);
        port_write8(command[i] + 1, (uint8_t)(X86_VECTOR_PIC + 8 * i));
        port_write8(command[i] + 1, i == 0 ? 4 : 2);
        port_write8(command[i] + 1, 1);
        port_write8(command[i] + 1, 0xff);
    }
}

void plat_init(const struct machine *m)
{
    machine = m;
    if (m->apic.has_legacy_pics)
        mask_legacy_pics();
}

/* PCs have these registers in port space; what is elsewhere is left to the ways that every PC has. */
static void write_register(const struct firmware_register *r, uint16_t value)
{
    if (r->space == REGISTER_IO && r->width_bits == 8)
        port_write8((uint16_t)r->address, (uint8_t)value);
    else if (r->space == REGISTER_IO)
        port_write16((uint16_t)r->address, value);
}

/* The sleep bits work only while ACPI owns the hardware. */
static void enter_acpi_mode(const struct power_info *p)
{
    if (p->smi_command_port == 0 || p->pm1a_control.space != REGISTER_IO)
        return;
    uint16_t control = (uint16_t)p->pm1a_control.address;
    if ((port_read16(control) & PM1_SCI_EN) != 0)
        return;
    port_write8(p->smi_command_port, p->acpi_enable);
    for (unsigned i = 0; i < POLLS_MAX && (port_read16(control) & PM1_SCI_EN) == 0; i++)
        arch_relax();
}

void arch_poweroff(void)
{
    if (machine != nullptr && machine->power.has_s5) {
        const struct power_info *p = &machine->power;
        enter_acpi_mode(p);
        write_register(&p->pm1a_control, (uint16_t)(p->slp_typ_a << 10) | PM1_SLP_EN);
        write_register(&p->pm1b_control, (uint16_t)(p->slp_typ_b << 10) | PM1_SLP_EN);
    }
    port_write16(Q35_PM1_CONTROL, Q35_S5);
    arch_halt();
}

void arch_reboot(void)
{
    if (machine != nullptr)
        write_register(&machine->power.reset, machine->power.reset_value);
    port_write8(RESET_CONTROL, 0x02);
    port_write8(RESET_CONTROL, 0x06);
    for (unsigned i = 0; i < POLLS_MAX && (port_read8(KEYBOARD_COMMAND) & 2) != 0; i++)
        arch_relax();
    port_write8(KEYBOARD_COMMAND, 0xfe);
    arch_halt();
}
