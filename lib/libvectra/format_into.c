/* SPDX-License-Identifier: MIT
 * Formatting into a buffer, over whatever formatter it is linked with. */
#include <base/format.h>
#include <base/string.h>

struct buffer {
    char *at;
    size_t room, total;
};

static void buffer_sink(void *ctx, const char *text, size_t len)
{
    struct buffer *b = ctx;
    size_t n = len < b->room ? len : b->room;
    memcpy(b->at, text, n);
    b->at += n;
    b->room -= n;
    b->total += len;
}

size_t format_into_va(char *out, size_t room, const char *format, va_list args)
{
    struct buffer b = { .at = out, .room = room - 1 };
    format_va(buffer_sink, &b, format, args);
    *b.at = '\0';
    return b.total;
}

size_t format_into(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t total = format_into_va(out, room, format, args);
    va_end(args);
    return total;
}
