/* SPDX-License-Identifier: MIT
 * The limits of abi/limits.def as constants. */
#pragma once
#include <stdint.h>

enum vx_limit : uint64_t {
#define X(name, value, unit, text) name = value,
#include <abi/limits.def>
#undef X
};
