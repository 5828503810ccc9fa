/* SPDX-License-Identifier: MIT
 * What a system call leaves in registers. */
#pragma once
#include <stdint.h>

/* Both result registers of a call. */
struct vx_result {
    uint64_t value; /* a result, or an error as a small negative number */
    uint64_t second;
};
