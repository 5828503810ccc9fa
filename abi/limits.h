/* SPDX-License-Identifier: MIT
 * The limits of limits.def as integer constants. */
#pragma once

enum {
#define X(name, value, unit, text) name = value,
#include <abi/limits.def>
#undef X
};
