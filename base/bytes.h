/* SPDX-License-Identifier: MIT
 * Reads integers out of byte strings of any alignment. */
#pragma once
#include <base/string.h>
#include <stdint.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "every port is little endian");

static inline uint32_t load_le32(const void *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v); /* a load, and no call */
    return v;
}

static inline uint64_t load_le64(const void *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v); /* a load, and no call */
    return v;
}
