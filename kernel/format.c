/* SPDX-License-Identifier: MIT
 * The kernel's formatter: those of base/format.h's formats that the kernel prints with, which are %d %u %x %s, a
 * width, the flag 0 for numbers, and the lengths l ll z. Whatever else is printed as it stands; a test reads the
 * kernel's sources for such. User space has the whole: lib/libvectra/format.c. */
#include <base/format.h>
#include <base/string.h>
#include <stdint.h>

struct out {
    format_sink_t *sink;
    void *ctx;
};

struct spec {
    bool zero, is_long;
    size_t width;
};

static void emit_text(const struct out *o, const struct spec *s, const char *text)
{
    size_t len = strlen(text);
    for (size_t n = len; n < s->width; n++)
        o->sink(o->ctx, " ", 1);
    o->sink(o->ctx, text, len);
}

static void emit_number(const struct out *o, const struct spec *s, uint64_t value, unsigned base, bool negative)
{
    char digits[32] = {};
    size_t at = sizeof digits - 1, used = 0, least = s->zero && s->width < sizeof digits - 1 ? s->width : 1;
    for (; value != 0 || used + negative < least; value /= base, used++)
        digits[--at] = "0123456789abcdef"[value % base];
    if (negative)
        digits[--at] = '-';
    emit_text(o, s, digits + at);
}

/* One directive, `*at` behind its '%'. False: not one of ours. */
static bool emit_directive(const struct out *o, const char **at, va_list *args)
{
    struct spec s = { .zero = **at == '0' };
    for (; **at >= '0' && **at <= '9'; (*at)++)
        s.width = s.width < 1000 ? s.width * 10 + (size_t)(**at - '0') : s.width;
    for (; **at == 'l' || **at == 'z'; (*at)++)
        s.is_long = true;
    char what = *(*at)++;
    switch (what) {
    case 'd':
    case 'u':
    case 'x': {
        uint64_t value = s.is_long     ? va_arg(*args, uint64_t)
                         : what == 'd' ? (uint64_t)(int64_t)va_arg(*args, int)
                                       : va_arg(*args, unsigned);
        bool negative = what == 'd' && (int64_t)value < 0;
        emit_number(o, &s, negative ? -value : value, what == 'x' ? 16 : 10, negative);
        return true;
    }
    case 's': {
        const char *text = va_arg(*args, const char *);
        emit_text(o, &s, text != nullptr ? text : "(null)");
        return true;
    }
    default:
        (*at)--;
        return false;
    }
}

void format_va(format_sink_t *sink, void *ctx, const char *format, va_list args)
{
    struct out o = { sink, ctx };
    va_list rest;
    va_copy(rest, args);
    while (*format != '\0') {
        const char *from = format;
        while (*format != '\0' && *format != '%')
            format++;
        sink(ctx, from, (size_t)(format - from));
        from = format;
        if (*format == '%') {
            format++;
            if (!emit_directive(&o, &format, &rest))
                sink(ctx, from, (size_t)(format - from));
        }
    }
    va_end(rest);
}
