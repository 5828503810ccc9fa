/* SPDX-License-Identifier: MIT
 * For reports: backtraces and register dumps. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct arch_frame;
/* Return addresses from frame pointers, innermost first, only while they lie in kernel text and on this hart's stack.
 */
size_t arch_backtrace(uint64_t *out, size_t max, const struct arch_frame *from /* nullptr: here */);
/* Prints every register of the frame through kprintf. */
void arch_frame_dump(const struct arch_frame *f);
