/* SPDX-License-Identifier: MIT
 * What every fuzzer needs. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds)
{
    if (!holds)
        abort();
}

/* strnlen, which strict C23 does not have. */
static inline size_t bounded_length(const char *text, size_t room)
{
    const char *end = memchr(text, '\0', room);
    return end != nullptr ? (size_t)(end - text) : room;
}

/* Exactly these bytes on the heap, so that a read behind them is seen. Freed by the caller. */
static inline void *exact_copy(const void *data, size_t size)
{
    void *copy = malloc(size != 0 ? size : 1);
    require(copy != nullptr);
    if (size != 0)
        memcpy(copy, data, size);
    return copy;
}
