/* SPDX-License-Identifier: MIT
 * COM1, an NS16550, output only and polled. [16550] "Line Status Register". */
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/io.h>
#include <isa/plat.h>

enum : uint16_t { COM1 = 0x3f8, DATA = 0, INTERRUPT_ENABLE = 1, LINE_CONTROL = 3, MODEM_CONTROL = 4, LINE_STATUS = 5 };
static constexpr uint8_t LSR_ROOM = 0x20;
static constexpr unsigned POLLS_MAX = 100'000; /* a port that never has room is a port that is not there */

void plat_console_init(void)
{
    port_write8(COM1 + INTERRUPT_ENABLE, 0);
    port_write8(COM1 + LINE_CONTROL, 0x80); /* divisor latch */
    port_write8(COM1 + DATA, 1);            /* 115200 */
    port_write8(COM1 + INTERRUPT_ENABLE, 0);
    port_write8(COM1 + LINE_CONTROL, 0x03);  /* 8 data bits, no parity, 1 stop bit */
    port_write8(COM1 + MODEM_CONTROL, 0x0b); /* DTR, RTS, and OUT2, which lets its interrupt through */
}

void arch_early_putc(char c)
{
    for (unsigned i = 0; i < POLLS_MAX && (port_read8(COM1 + LINE_STATUS) & LSR_ROOM) == 0; i++)
        arch_relax();
    port_write8(COM1 + DATA, (uint8_t)c);
}
