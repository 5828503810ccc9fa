/* SPDX-License-Identifier: MIT
 * NS16550. Source: [16550] "Registers". */
#include "../uart.h"
#include <vectra/syscall.h>

enum : uint16_t {
    REG_DATA = 0,
    REG_IER = 1,
    REG_IIR = 2,
    REG_MCR = 4,
    REG_LSR = 5,
};
enum : uint8_t {
    IER_RX = 1,
    MCR_DTR_RTS = 3,
    MCR_OUT2 = 8, /* the gate between the chip and the interrupt line */
    LSR_DATA = 1,
    LSR_ERRORS = 0x1c, /* parity, framing, break */
};

static uint16_t base_port;

static uint8_t port_read(uint16_t offset)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)(base_port + offset)));
    return value;
}

static void port_write(uint16_t offset, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"((uint16_t)(base_port + offset)));
}

status_t uart_open(vx_device device)
{
    struct vx_cap_facts facts;
    status_t st = vx_sys_cap_inspect(device.raw, &facts, nullptr);
    if (st != OK)
        return st;
    if (facts.c != VX_DEVICE_PORTS || facts.b < 8)
        return ERR_NOT_SUPPORTED;
    void *port = nullptr;
    st = vx_sys_device_map_mmio(device, 0, 8, &port);
    if (st != OK)
        return st;
    base_port = (uint16_t)(uintptr_t)port;
    port_write(REG_MCR, MCR_DTR_RTS | MCR_OUT2);
    port_write(REG_IER, IER_RX);
    return OK;
}

size_t uart_read(uint8_t *buffer, size_t room)
{
    size_t n = 0;
    (void)port_read(REG_IIR); /* acknowledges */
    for (;;) {
        uint8_t status = port_read(REG_LSR);
        if (n == room || (status & LSR_DATA) == 0)
            return n;
        uint8_t data = port_read(REG_DATA);
        if ((status & LSR_ERRORS) == 0)
            buffer[n++] = data;
    }
}
