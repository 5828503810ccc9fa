/* SPDX-License-Identifier: MIT
 * The serial port as the kernel uses it: polled output. Input belongs to consoled. */
#pragma once
#include <stddef.h>

void console_write(const char *bytes, size_t len); /* unchanged, waits for room (bounded) */
