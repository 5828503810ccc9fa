/* SPDX-License-Identifier: MIT
 * What a program needs to know about x86-64 that C does not say. */
#pragma once
#include <stdint.h>

static constexpr unsigned isa_elf_machine = 62;        /* e_machine of its executables */
static constexpr bool isa_tls_before_pointer = true;   /* thread-local storage of variant II */
static constexpr uint64_t isa_relative_relocation = 8; /* R_X86_64_RELATIVE */
