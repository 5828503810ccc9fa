/* SPDX-License-Identifier: MIT
 * Power, and the old interrupt controllers put to rest. [ICH9] "PM1_CNT", "Reset Control Register". */
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/io.h>
#include <isa/plat.h>
#include <kernel/firmware/machine.h>

static constexpr uint16_t Q35_PM1_CONTROL = 0x604, Q35_S5 = 0x2000;
static constexpr uint16_t RESET_CONTROL = 0xcf9;

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
    if (m->apic.has_legacy_pics)
        mask_legacy_pics();
}

/* Where the chip set has it that QEMU emulates. The first Task, which can read ACPI's tables, has tried what they say.
 */
void arch_poweroff(void)
{
    port_write16(Q35_PM1_CONTROL, Q35_S5);
    arch_halt();
}

void arch_reboot(void)
{
    port_write8(RESET_CONTROL, 0x02);
    port_write8(RESET_CONTROL, 0x06);
    arch_halt();
}
