/* SPDX-License-Identifier: MIT
 * The end of a program, wanted or not. */
#include <vectra/panic.h>
#include <vectra/io.h>
#include <vectra/syscall.h>

[[noreturn]] void vx_exit(unsigned status)
{
    vx_sys_task_exit(status);
}

[[noreturn]] void vx_panic_at(const char *file, int line, const char *what)
{
    vx_printf("%s:%d: %s\n", file, line, what);
    vx_sys_task_exit(VX_PANIC_STATUS);
}
