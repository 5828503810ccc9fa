/* SPDX-License-Identifier: MIT
 * Where capabilities for services come from: a slot of initd's own Bundle by its name, or a part of one that the
 * machine description points out: uart.regs  the serial port's registers, of "mmio" or "ports"      uart.irq  its
 * interrupt line, of "irqs" */
#include "initd.h"
#include <platform/platform.h>
#include <vectra/bundle.h>
#include <vectra/string.h>

enum { PAGE = 4096, NS16550_PORTS = 8, CMOS_FIRST_PORT = 0x70, CMOS_PORTS = 2 };

static vx_mem platform_mem; /* for who wants to see it: "platform" */

static status_t part_of(vx_handle_t whole, uint64_t first, uint64_t length, vx_handle_t *out);

static void wire(struct irq_info irq)
{
    enum vx_irq_bind how = irq.edge ? (irq.active_low ? VX_IRQ_EDGE_LOW : VX_IRQ_EDGE)
                                    : (irq.active_low ? VX_IRQ_LEVEL_LOW : VX_IRQ_LEVEL);
    vx_irq line;
    if (irq.number == 0 || part_of(vx_bundle_irq("irqs").raw, irq.number, 1, &line.raw) != OK)
        return;
    (void)vx_sys_device_bind_irq(line, how);
    (void)vx_sys_cap_drop(line.raw);
}

/* Tells the kernel which lines are not as it takes them. Nobody has one yet. */
static void wire_lines(const struct platform *p)
{
    wire(p->console_irq);
    for (uint32_t i = 0; i < p->n_overrides; i++)
        wire(p->override[i].irq);
    for (uint32_t i = 0; i < p->n_virtio_mmio; i++)
        wire(p->virtio_mmio[i].irq);
    for (uint32_t i = 0; p->v2m.len_bytes != 0 && i < p->machine.messages.count; i++)
        wire((struct irq_info){ p->machine.messages.first + i, true, false });
}

/* Read once, when it is first asked for. nullptr: there is no description, or no memory for it. */
static const struct platform *platform(void)
{
    static struct platform *p;
    void *at = nullptr;
    if (p != nullptr)
        return p;
    constexpr uint64_t flags = VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE;
    if (vx_sys_mem_alloc(VX_OWN_RETICLE, sizeof *p, flags, 0, &platform_mem, &at) == OK && platform_read(at) == OK) {
        p = at;
        wire_lines(p);
    }
    return p;
}

static const struct console_info *serial_port(void)
{
    const struct platform *p = platform();
    return p != nullptr && p->machine.console.kind != CONSOLE_NONE ? &p->machine.console : nullptr;
}

/* The part of `whole` that starts at the absolute address, port or line `first`. */
static status_t part_of(vx_handle_t whole, uint64_t first, uint64_t length, vx_handle_t *out)
{
    struct vx_cap_facts facts = {};
    if (whole == VX_HANDLE_NONE)
        return ERR_NOT_FOUND;
    status_t st = vx_sys_cap_inspect(whole, &facts, nullptr);
    if (st != OK)
        return st;
    if (first < facts.a || first - facts.a > facts.b)
        return ERR_NOT_FOUND;
    return vx_sys_cap_narrow(whole, facts.rights, first - facts.a, length, out);
}

static status_t uart_registers(vx_handle_t *out)
{
    const struct console_info *console = serial_port();
    if (console == nullptr)
        return ERR_NOT_FOUND;
    const struct firmware_register *base = &console->base;
    bool is_port = base->space == REGISTER_IO;
    vx_device whole = vx_bundle_device(is_port ? "ports" : "mmio");
    return part_of(whole.raw, base->address, is_port ? NS16550_PORTS : PAGE, out);
}

static status_t uart_line(vx_handle_t *out)
{
    if (serial_port() == nullptr)
        return ERR_NOT_FOUND;
    return part_of(vx_bundle_irq("irqs").raw, platform()->console_irq.number, 1, out);
}

status_t source_clock_chip(vx_handle_t *handle, const struct rtc_info **chip)
{
    const struct platform *p = platform();
    if (p == nullptr || p->rtc.kind == RTC_NONE)
        return ERR_NOT_FOUND;
    *chip = &p->rtc;
    return p->rtc.kind == RTC_CMOS ? part_of(vx_bundle_device("ports").raw, CMOS_FIRST_PORT, CMOS_PORTS, handle)
                                   : part_of(vx_bundle_device("mmio").raw, p->rtc.pl031.base, PAGE, handle);
}

const struct power_info *source_power(void)
{
    const struct platform *p = platform();
    return p != nullptr ? &p->power : nullptr;
}

status_t source_find(const char *name, vx_handle_t *handle, bool *made)
{
    *made = true;
    if (vx_streq(name, "uart.regs"))
        return uart_registers(handle);
    if (vx_streq(name, "uart.irq"))
        return uart_line(handle);
    *made = false;
    if (vx_streq(name, "platform")) {
        status_t st = platform() != nullptr ? OK : ERR_NOT_FOUND;
        *handle = platform_mem.raw;
        return st;
    }
    const struct vx_slot *slot = vx_bundle_find(vx_bundle(), name);
    if (slot == nullptr || slot->kind != VX_SLOT_CAP)
        return ERR_NOT_FOUND;
    *handle = (vx_handle_t)slot->value;
    return OK;
}
