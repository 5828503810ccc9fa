/* SPDX-License-Identifier: MIT
 * The formatter: a directive is read into a struct spec, then printed. Nothing is allocated; no state outlives a call.
 */
#include <base/format.h>
#include <base/string.h>
#include <stdint.h>

struct spec {
    bool left, zero, plus, space, alternate;
    bool has_precision;
    size_t width, precision;
    unsigned bytes; /* of the integer argument */
};

struct out {
    format_sink_t *sink;
    void *ctx;
};

static void emit(const struct out *o, const char *text, size_t len)
{
    if (len != 0)
        o->sink(o->ctx, text, len);
}

static void pad(const struct out *o, char c, size_t count)
{
    char run[16];
    memset(run, c, sizeof run);
    while (count != 0) {
        size_t n = count < sizeof run ? count : sizeof run;
        emit(o, run, n);
        count -= n;
    }
}

static void emit_text(const struct out *o, const struct spec *s, const char *text)
{
    if (text == nullptr)
        text = "(null)";
    size_t len = 0;
    while (!(s->has_precision && len == s->precision) && text[len] != '\0')
        len++;
    size_t fill = s->width > len ? s->width - len : 0;
    if (!s->left)
        pad(o, ' ', fill);
    emit(o, text, len);
    if (s->left)
        pad(o, ' ', fill);
}

static void emit_number(const struct out *o, const struct spec *s, uint64_t value, unsigned base, bool upper,
                        const char *sign)
{
    char digits[24];
    size_t at = sizeof digits;
    const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (uint64_t rest = value; rest != 0; rest /= base)
        digits[--at] = alphabet[rest % base];
    size_t n = sizeof digits - at, least = s->has_precision ? s->precision : 1;
    size_t zeros = least > n ? least - n : 0;
    size_t sign_len = strlen(sign);
    size_t used = sign_len + zeros + n;
    size_t fill = s->width > used ? s->width - used : 0;
    if (s->zero && !s->left && !s->has_precision) {
        zeros += fill;
        fill = 0;
    }
    if (!s->left)
        pad(o, ' ', fill);
    emit(o, sign, sign_len);
    pad(o, '0', zeros);
    emit(o, digits + at, n);
    if (s->left)
        pad(o, ' ', fill);
}

static size_t read_count(const char **at, va_list *args, struct spec *s, bool is_width)
{
    size_t n = 0;
    if (**at == '*') {
        (*at)++;
        int given = va_arg(*args, int);
        if (given < 0 && is_width)
            s->left = true;
        else if (given < 0)
            s->has_precision = false;
        return given < 0 ? (is_width ? (size_t)0 - (size_t)given : 0) : (size_t)given;
    }
    for (; **at >= '0' && **at <= '9'; (*at)++)
        n = n < 100000 ? n * 10 + (size_t)(**at - '0') : n;
    return n;
}

static void read_flags(const char **at, struct spec *s)
{
    for (;; (*at)++) {
        switch (**at) {
        case '-':
            s->left = true;
            break;
        case '0':
            s->zero = true;
            break;
        case '+':
            s->plus = true;
            break;
        case ' ':
            s->space = true;
            break;
        case '#':
            s->alternate = true;
            break;
        default:
            return;
        }
    }
}

static unsigned read_length(const char **at)
{
    unsigned bytes = sizeof(int);
    for (;; (*at)++) {
        switch (**at) {
        case 'h':
            bytes = bytes == sizeof(short) ? 1 : sizeof(short);
            break;
        case 'l':
        case 'z':
        case 'j':
        case 't':
            bytes = sizeof(uint64_t);
            break;
        default:
            return bytes;
        }
    }
}

static uint64_t take_unsigned(va_list *args, unsigned bytes)
{
    if (bytes == sizeof(uint64_t))
        return va_arg(*args, uint64_t);
    uint64_t value = va_arg(*args, unsigned);
    return bytes == 4 ? value : value & ((UINT64_C(1) << (bytes * 8)) - 1);
}

static int64_t take_signed(va_list *args, unsigned bytes)
{
    if (bytes == sizeof(int64_t))
        return va_arg(*args, int64_t);
    int value = va_arg(*args, int);
    return bytes == 1 ? (signed char)value : bytes == 2 ? (short)value : value;
}

static void emit_signed(const struct out *o, const struct spec *s, int64_t value)
{
    uint64_t magnitude = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
    emit_number(o, s, magnitude, 10, false, value < 0 ? "-" : s->plus ? "+" : s->space ? " " : "");
}

/* One directive, `*at` behind its '%'. False: not one of ours. */
static bool emit_directive(const struct out *o, const char **at, va_list *args)
{
    struct spec s = {};
    read_flags(at, &s);
    s.width = read_count(at, args, &s, true);
    if (**at == '.') {
        (*at)++;
        s.has_precision = true;
        s.precision = read_count(at, args, &s, false);
    }
    s.bytes = read_length(at);
    char c = *(*at)++;
    switch (c) {
    case 'd':
    case 'i':
        emit_signed(o, &s, take_signed(args, s.bytes));
        return true;
    case 'u':
        emit_number(o, &s, take_unsigned(args, s.bytes), 10, false, "");
        return true;
    case 'o':
        emit_number(o, &s, take_unsigned(args, s.bytes), 8, false, s.alternate ? "0" : "");
        return true;
    case 'x':
        emit_number(o, &s, take_unsigned(args, s.bytes), 16, false, s.alternate ? "0x" : "");
        return true;
    case 'X':
        emit_number(o, &s, take_unsigned(args, s.bytes), 16, true, s.alternate ? "0X" : "");
        return true;
    case 'p':
        emit_number(o, &s, (uintptr_t)va_arg(*args, void *), 16, false, "0x");
        return true;
    case 's':
        emit_text(o, &s, va_arg(*args, const char *));
        return true;
    case 'c': {
        char text[2] = { (char)va_arg(*args, int) };
        if (text[0] == '\0')
            emit(o, text, 1);
        else
            emit_text(o, &s, text);
        return true;
    }
    case '%':
        emit(o, "%", 1);
        return true;
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
        emit(&o, from, (size_t)(format - from));
        if (*format == '\0')
            break;
        from = format++;
        if (!emit_directive(&o, &format, &rest)) {
            if (*format != '\0')
                format++;
            emit(&o, from, (size_t)(format - from));
        }
    }
    va_end(rest);
}
