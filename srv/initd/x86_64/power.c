/* SPDX-License-Identifier: MIT
 * Power-off and reset of a PC, as its ACPI tables say. [ACPI] "PM1 Control Registers", "Reset Register". */
#include "../initd.h"
#include <platform/platform.h>
#include <vectra/bundle.h>
#include <vectra/syscall.h>

static constexpr uint16_t PM1_SCI_EN = 1, PM1_SLP_EN = 1 << 13;
static constexpr unsigned POLLS_MAX = 100'000, PORTS = 65536;

static uint16_t read16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

/* PCs have these registers in port space; what is elsewhere is left to the kernel. */
static void write_register(const struct firmware_register *r, uint16_t value)
{
    if (r->space == REGISTER_IO && r->width_bits == 8)
        write8((uint16_t)r->address, (uint8_t)value);
    else if (r->space == REGISTER_IO)
        __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"((uint16_t)r->address));
}

/* The sleep bits work only while ACPI owns the hardware. */
static void enter_acpi_mode(const struct power_info *p)
{
    if (p->smi_command_port == 0 || p->pm1a_control.space != REGISTER_IO)
        return;
    uint16_t control = (uint16_t)p->pm1a_control.address;
    if ((read16(control) & PM1_SCI_EN) != 0)
        return;
    write8(p->smi_command_port, p->acpi_enable);
    for (unsigned i = 0; i < POLLS_MAX && (read16(control) & PM1_SCI_EN) == 0; i++)
        __asm__ volatile("pause");
}

void power_leave(const struct power_info *p, bool restart)
{
    void *ports;
    if (vx_sys_device_map_mmio(vx_bundle_device("ports"), 0, PORTS, &ports) != OK)
        return;
    if (restart) {
        write_register(&p->reset, p->reset_value);
    } else if (p->has_s5) {
        enter_acpi_mode(p);
        write_register(&p->pm1a_control, (uint16_t)(p->slp_typ_a << 10) | PM1_SLP_EN);
        write_register(&p->pm1b_control, (uint16_t)(p->slp_typ_b << 10) | PM1_SLP_EN);
    }
}
