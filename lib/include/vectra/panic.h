/* SPDX-License-Identifier: MIT
 * A program's own bugs: say where, then end the Task with status 134. */
#pragma once

#define VX_PANIC_STATUS 134

[[noreturn]] void vx_panic_at(const char *file, int line, const char *what);
#define vx_panic(what) vx_panic_at(__FILE__, __LINE__, (what))
#define vx_assert(condition) ((condition) ? (void)0 : vx_panic_at(__FILE__, __LINE__, #condition))

[[noreturn]] void vx_exit(unsigned status);
