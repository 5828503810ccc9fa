/* SPDX-License-Identifier: MIT
 * What a program needs to know about the building machine that C does not say. */
#pragma once
#include <stdint.h>

static constexpr unsigned isa_elf_machine = 0;         /* e_machine of its executables */
static constexpr bool isa_tls_before_pointer = true;   /* thread-local storage of variant II */
static constexpr uint64_t isa_relative_relocation = 8; /* as on x86-64 */
