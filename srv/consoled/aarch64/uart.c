/* SPDX-License-Identifier: MIT
 * PL011. Source: [PL011] "Programmers Model". */
#include "../uart.h"
#include <vectra/syscall.h>

enum : uint32_t {
    REG_DR = 0x000,
    REG_FR = 0x018,
    REG_IMSC = 0x038,
    REG_ICR = 0x044,
    FR_RXFE = 1u << 4, /* the receive FIFO is empty */
    INT_RX = 1u << 4,
    INT_RX_TIMEOUT = 1u << 6, /* bytes lie in the FIFO below its trigger level */
    INT_OVERRUN = 1u << 10,
    DR_ERRORS = 0xf00,
};

static uintptr_t registers;

static uint32_t reg_read(uint32_t offset)
{
    return *(const volatile uint32_t *)(registers + offset);
}

static void reg_write(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(registers + offset) = value;
}

status_t uart_open(vx_device device)
{
    struct vx_cap_facts facts;
    status_t st = vx_sys_cap_inspect(device.raw, &facts, nullptr);
    if (st != OK)
        return st;
    if (facts.c != VX_DEVICE_MMIO)
        return ERR_NOT_SUPPORTED;
    void *address = nullptr;
    st = vx_sys_device_map_mmio(device, 0, 4096, &address);
    if (st != OK)
        return st;
    registers = (uintptr_t)address;
    reg_write(REG_ICR, INT_RX | INT_RX_TIMEOUT | INT_OVERRUN);
    reg_write(REG_IMSC, INT_RX | INT_RX_TIMEOUT);
    return OK;
}

size_t uart_read(uint8_t *buffer, size_t room)
{
    size_t n = 0;
    /* Before the bytes are taken, never after: one that comes between the last look and the clearing would lie there
     * with its interrupt forgotten, and what follows it makes no new one, since the FIFO is not empty then. */
    reg_write(REG_ICR, INT_RX | INT_RX_TIMEOUT | INT_OVERRUN);
    while (n < room && (reg_read(REG_FR) & FR_RXFE) == 0) {
        uint32_t data = reg_read(REG_DR);
        if ((data & DR_ERRORS) == 0)
            buffer[n++] = (uint8_t)data;
    }
    return n;
}
