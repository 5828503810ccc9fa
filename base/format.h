/* SPDX-License-Identifier: MIT
 * printf's formats for kernel, services and programs alike: %d %i %u %x %X %o %c %s %p %%, flags - 0 + space #,
 * width and precision (also *), lengths hh h l ll z j t. No floating point. An unknown conversion is printed as it
 * stands. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

/* Takes the text piece by piece. */
typedef void format_sink_t(void *ctx, const char *text, size_t len);

void format_va(format_sink_t *sink, void *ctx, const char *format, va_list args);
/* Into a buffer, cut at room - 1 and NUL-terminated (room >= 1). Answers the length that the whole text would have. */
size_t format_into_va(char *out, size_t room, const char *format, va_list args);
[[gnu::format(printf, 3, 4)]] size_t format_into(char *out, size_t room, const char *format, ...);
