/* SPDX-License-Identifier: MIT
 * Numbers and checksums for ACPI tables made or changed by tests. */
#pragma once
#include "support.h"

static inline void put(uint8_t *at, uint64_t v, size_t size)
{
    memcpy(at, &v, size);
}

static inline void set_sum(uint8_t *bytes, size_t len, size_t at)
{
    uint8_t sum = 0;
    bytes[at] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[at] = (uint8_t)-sum;
}
