/* SPDX-License-Identifier: MIT
 * What a program needs to know about AArch64 that C does not say. */
#pragma once
#include <stdint.h>

static constexpr unsigned isa_elf_machine = 183;          /* e_machine of its executables */
static constexpr bool isa_tls_before_pointer = false;     /* thread-local storage of variant I */
static constexpr uint64_t isa_relative_relocation = 1027; /* R_AARCH64_RELATIVE */
