/* SPDX-License-Identifier: MIT
 * The limits of abi/service_limits.def as constants. */
#pragma once
#include <stdint.h>

enum vx_service_limit : uint64_t {
#define X(name, value, unit, text) name = value,
#include <abi/service_limits.def>
#undef X
};
