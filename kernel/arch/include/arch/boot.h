/* SPDX-License-Identifier: MIT
 * What boot code and the platform offer to the portable kernel. */
#pragma once
#include <abi/status.h>
#include <base/addr.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

/* The serial port, polled: usable from the first instruction of C. Never blocks for ever. Input belongs to consoled. */
void arch_early_putc(char c);
/* A random number from the processor. False: it has none, or none now. */
bool arch_random(uint64_t *word);
[[noreturn]] void arch_poweroff(void);
[[noreturn]] void arch_reboot(void);
/* Physical ranges that only the kernel may touch (interrupt controller, timers): the i-th, or false. */
bool arch_kernel_device(unsigned i, paddr_t *base, uint64_t *len_bytes);
