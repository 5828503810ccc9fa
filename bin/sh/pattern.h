/* SPDX-License-Identifier: MIT
 * Shell patterns (XCU 2.13): * ? [...]. Bytes are characters. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* A pattern is text with a mark for each byte: quoted bytes stand for themselves. */
struct pattern {
    const char *text;
    const uint8_t *quoted; /* nullptr: nothing is */
    size_t len;
};
bool pattern_match(struct pattern p, const char *text, size_t len);
/* True if there is anything in it but plain text. */
bool pattern_is_one(struct pattern p);
