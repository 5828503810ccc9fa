/* SPDX-License-Identifier: MIT
 * Copying, where the C library knows how. */
#pragma once
#include <stddef.h>
#include <vectra/string.h>

static constexpr size_t isa_copy_block = 256;

static inline void isa_copy_wide(void *to, const void *from, size_t blocks)
{
    memcpy(to, from, blocks * isa_copy_block);
}
