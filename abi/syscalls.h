/* SPDX-License-Identifier: MIT
 * The numbers of abi/syscalls.def as constants. */
#pragma once

enum vx_syscall {
#define SYSCALL(nr, name, n, args, results, errors, text) VX_SYS_##name = nr,
#include <abi/syscalls.def>
#undef SYSCALL
};
