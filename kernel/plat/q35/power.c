/* SPDX-License-Identifier: MIT
 * Power, the clock chip, and the old interrupt controllers put to rest. [ACPI] "PM1 Control Registers", "Reset
 * Register"; [MC146818A] for the clock. */
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/io.h>
#include <arch/mmu.h>
#include <isa/plat.h>
#include <kernel/firmware/machine.h>

static constexpr uint16_t PM1_SCI_EN = 1, PM1_SLP_EN = 1 << 13;
static constexpr uint16_t Q35_PM1_CONTROL = 0x604, Q35_S5 = 0x2000;
static constexpr uint16_t CMOS_INDEX = 0x70, CMOS_DATA = 0x71, RESET_CONTROL = 0xcf9, KEYBOARD_COMMAND = 0x64;
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

struct cmos_time {
    uint8_t second, minute, hour, day, month, year, century;
};

static uint8_t cmos_read(uint8_t index)
{
    port_write8(CMOS_INDEX, index);
    return port_read8(CMOS_DATA);
}

static struct cmos_time cmos_read_time(void)
{
    uint8_t century = machine->rtc.cmos_century;
    return (struct cmos_time){ cmos_read(0),
                               cmos_read(2),
                               cmos_read(4),
                               cmos_read(7),
                               cmos_read(8),
                               cmos_read(9),
                               century != 0 ? cmos_read(century) : 0 };
}

static bool same_time(const struct cmos_time *a, const struct cmos_time *b)
{
    return a->second == b->second && a->minute == b->minute && a->hour == b->hour && a->day == b->day &&
           a->month == b->month && a->year == b->year && a->century == b->century;
}

/* Status register B, bit 2: the clock counts in binary. */
static uint32_t number(uint8_t v, uint8_t mode)
{
    return (mode & 4) != 0 ? v : (uint32_t)(v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; years start in March, so that leap days come last. */
static uint64_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
    year -= month <= 2;
    uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (uint64_t)year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

status_t arch_rtc_read(uint64_t *seconds)
{
    if (machine == nullptr || machine->rtc.kind != RTC_CMOS)
        return ERR_NOT_SUPPORTED;
    struct cmos_time t = {}, again = cmos_read_time();
    unsigned tries = 0;
    do { /* two equal readings outside an update */
        if (++tries == POLLS_MAX)
            return ERR_NOT_SUPPORTED;
        t = again;
        again = cmos_read_time();
    } while ((cmos_read(0x0a) & 0x80) != 0 || !same_time(&t, &again));
    uint8_t mode = cmos_read(0x0b);
    uint32_t second = number(t.second, mode), minute = number(t.minute, mode), hour = number(t.hour & 0x7f, mode);
    uint32_t day = number(t.day, mode), month = number(t.month, mode);
    uint32_t year = number(t.year, mode), century = number(t.century, mode);
    if ((mode & 2) == 0) /* twelve hours, and bit 7 for the second dozen */
        hour = hour % 12 + ((t.hour & 0x80) != 0 ? 12 : 0);
    year += century != 0 ? century * 100 : year < 70 ? 2000 : 1900;
    if (second > 60 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12 || year < 1970)
        return ERR_NOT_SUPPORTED;
    *seconds = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return OK;
}
