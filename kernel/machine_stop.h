/* SPDX-License-Identifier: MIT
 * The end of the first Task is the end of the machine. */
#pragma once
#include <stdint.h>

[[noreturn]] void machine_stop(uint32_t status, uint32_t cause);
