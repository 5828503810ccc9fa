/* SPDX-License-Identifier: MIT
 * The receiving half of the machine's serial port. Sending stays with the kernel (CONSOLE_WRITE), which never touches
 * the registers used here after boot. One of these per architecture: PL011 over MMIO, NS16550 over I/O ports. */
#pragma once
#include <abi/status.h>
#include <stddef.h>
#include <stdint.h>
#include <vectra/handles.h>

/* Takes the registers over and turns the receive interrupt on. The FIFOs stay as the firmware left them: to turn them
 * on empties them, and somebody may be typing. */
status_t uart_open(vx_device device);
/* Takes what has arrived, and lets the next byte interrupt again. Fewer bytes than room: there is nothing left. */
size_t uart_read(uint8_t *buffer, size_t room);
