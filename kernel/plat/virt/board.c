/* SPDX-License-Identifier: MIT
 * QEMU's virt machine, and others that describe themselves the same way: which device does what comes from the device
 * tree. Also its small devices: PL011 output, and PSCI for power and further harts.
 * Sources: [PL011] "Programmers model"; [PSCI] "Function specifications". */
#include "virt.h"
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/io.h>
#include <arch/mmu.h>
#include <isa/plat.h>

enum : uint32_t { UART_DR = 0x00, UART_FR = 0x18, UART_LCRH = 0x2c, UART_CR = 0x30 };
static constexpr uint32_t FR_TX_FULL = 1u << 5;
static constexpr uint32_t LCRH_FIFO = 0x10, LCRH_8_BITS = 0x60;
static constexpr uint32_t CR_ON = 0x301;          /* UART, transmitter, receiver; baud rate as the firmware left it */
static constexpr uint32_t WAIT_POLLS = 1'000'000; /* many characters' time on any real line */

static constexpr uint32_t PSCI_CPU_ON = 0xc400'0003, PSCI_SYSTEM_OFF = 0x8400'0008, PSCI_SYSTEM_RESET = 0x8400'0009;
enum : int32_t { PSCI_ALREADY_ON = -4, PSCI_ON_PENDING = -5 };

SEALED static char *uart;
static bool uart_on;    /* set up at the first character: nobody is touched unless there is something to say */
static bool uart_stuck; /* it had no room for WAIT_POLLS: from now on a full FIFO drops characters */
SEALED static enum psci_method psci;

void plat_console_at(void *regs)
{
    uart = regs;
    uart_on = false;
}

void arch_early_putc(char c)
{
    if (uart == nullptr)
        return;
    if (!uart_on) {
        /* the FIFOs stay as they are: turning them on would lose what was typed already */
        mmio_write32(uart + UART_LCRH, (mmio_read32(uart + UART_LCRH) & LCRH_FIFO) | LCRH_8_BITS);
        mmio_write32(uart + UART_CR, CR_ON);
        uart_on = true;
    }
    uint32_t polls = 0;
    while ((mmio_read32(uart + UART_FR) & FR_TX_FULL) != 0)
        if (uart_stuck || ++polls == WAIT_POLLS) {
            uart_stuck = true;
            return;
        }
    uart_stuck = false;
    mmio_write32(uart + UART_DR, (uint8_t)c);
}

/* Without a word from the device tree (it may be what is broken), firmware below us is asked the way it must be there:
 * whoever started us at EL2 can only sit at EL3. A call that nobody answers comes back. */
[[noreturn]] static void firmware_stop(uint32_t function)
{
    (void)isa_firmware(function, 0, 0, 0, psci == PSCI_NONE ? isa_boot_el == 2 : psci == PSCI_SMC);
    arch_halt();
}

status_t plat_hart_on(uint64_t hw_id, uint64_t entry, uint64_t context)
{
    if (psci == PSCI_NONE)
        return ERR_NOT_SUPPORTED;
    int32_t answer = (int32_t)isa_firmware(PSCI_CPU_ON, hw_id, entry, context, psci == PSCI_SMC);
    bool runs = answer == PSCI_ALREADY_ON || answer == PSCI_ON_PENDING;
    return answer == 0 ? OK : runs ? ERR_BUSY : ERR_NOT_SUPPORTED;
}

void arch_poweroff(void)
{
    firmware_stop(PSCI_SYSTEM_OFF);
}

void arch_reboot(void)
{
    firmware_stop(PSCI_SYSTEM_RESET);
}

void plat_init(struct machine *m)
{
    psci = m->psci;
    gic_init(m);
}
