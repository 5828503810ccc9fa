/* SPDX-License-Identifier: MIT
 * What arch/host wants from the portable kernel, for tests that link only a part of it: a hart, and up-calls that fail.
 */
#pragma once
#include <host.h>
#include <kernel/entry.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define UNEXPECTED(prototype)                                                                                          \
    prototype                                                                                                          \
    {                                                                                                                  \
        abort();                                                                                                       \
    }
UNEXPECTED(void kernel_syscall_slow(uint64_t first [[maybe_unused]], uint64_t second [[maybe_unused]]))
UNEXPECTED(void kernel_user_trap(const struct trap *t [[maybe_unused]]))
UNEXPECTED(void kernel_irq(uint32_t line [[maybe_unused]]))
UNEXPECTED(void kernel_timer(void))
UNEXPECTED(void kernel_return_to_user(void))
UNEXPECTED(void kernel_gate_closed(uint64_t is_syscall [[maybe_unused]]))
#undef UNEXPECTED

void log_at(log_level_t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}
