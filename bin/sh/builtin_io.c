/* SPDX-License-Identifier: MIT
 * echo, printf, read. */
#include "builtin.h"
#include "expand.h"
#include "out.h"
#include "shell.h"
#include "trap.h"
#include "vars.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The byte that the escape at text[0] ('\\') stands for, as echo and %b have them (`octal_zero`: \0ooo) and printf's
 * format has them (\ooo). Returns how much was read; *end is set by \c. */
static size_t escape(const char *text, bool octal_zero, char *out, bool *end)
{
    static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
    const char *found = text[1] != '\0' ? strchr(letters, text[1]) : nullptr;
    if (found != nullptr) {
        *out = bytes[found - letters];
        return 2;
    }
    if (text[1] == 'c' && octal_zero) {
        *end = true;
        return 2;
    }
    if (text[1] >= '0' && text[1] <= '7' && (text[1] == '0' || !octal_zero)) {
        unsigned value = 0;
        size_t n = octal_zero ? 2 : 1, most = n + 3;
        while (n < most && text[n] >= '0' && text[n] <= '7')
            value = value * 8 + (unsigned)(text[n++] - '0');
        *out = (char)value;
        return n;
    }
    *out = '\\';
    return 1;
}

/* False after \c. */
static bool out_escaped(const char *text)
{
    for (size_t i = 0; text[i] != '\0';) {
        char c = text[i];
        bool end = false;
        i += c == '\\' ? escape(text + i, true, &c, &end) : 1;
        if (end)
            return false;
        out_char(c);
    }
    return true;
}

int builtin_echo(int argc, char **argv)
{
    bool newline = argc < 2 || strcmp(argv[1], "-n") != 0;
    for (int i = newline ? 1 : 2; i < argc; i++) {
        if (!out_escaped(argv[i]))
            return 0;
        if (i + 1 < argc)
            out_char(' ');
    }
    if (newline)
        out_char('\n');
    return 0;
}

/* --- printf --- */

struct printing {
    char **next; /* arguments that are left */
    int status;
    bool end; /* \c */
};

static const char *next_text(struct printing *p)
{
    return *p->next != nullptr ? *p->next++ : "";
}

static void bad_number(struct printing *p, const char *text, const char *end, const char *start)
{
    if (end == start && *text != '\0')
        sh_warn("printf: %s: expected numeric value", text);
    else if (*end != '\0')
        sh_warn("printf: %s: not completely converted", text);
    else if (errno == ERANGE)
        sh_warn("printf: %s: %s", text, strerror(errno));
    else
        return;
    p->status = 1;
}

static long long next_number(struct printing *p, bool is_unsigned)
{
    const char *text = next_text(p);
    char *end = (char *)text;
    if (text[0] == '\'' || text[0] == '"')
        return (unsigned char)text[1];
    errno = 0;
    long long value = 0;
    if (*text != '\0')
        value = is_unsigned ? (long long)strtoull(text, &end, 0) : strtoll(text, &end, 0);
    bad_number(p, text, end, text);
    return value;
}

static double next_double(struct printing *p)
{
    const char *text = next_text(p);
    char *end = (char *)text;
    if (text[0] == '\'' || text[0] == '"')
        return (unsigned char)text[1];
    errno = 0;
    double value = *text != '\0' ? strtod(text, &end) : 0;
    bad_number(p, text, end, text);
    return value;
}

static void out_padded(const char *text, size_t len, int width, bool left)
{
    size_t pad = width > 0 && (size_t)width > len ? (size_t)width - len : 0;
    for (size_t i = 0; !left && i < pad; i++)
        out_char(' ');
    out_bytes(text, len);
    for (size_t i = 0; left && i < pad; i++)
        out_char(' ');
}

/* %b: the text with its escapes; \c ends everything. */
static void out_b(struct printing *p, const char *text, int width, int precision, bool left)
{
    struct text t = { .arena = &sh.temp };
    for (size_t i = 0; text[i] != '\0' && !p->end;) {
        char c = text[i];
        i += c == '\\' ? escape(text + i, true, &c, &p->end) : 1;
        if (!p->end)
            text_char(&t, c);
    }
    size_t len = precision >= 0 && (size_t)precision < t.len ? (size_t)precision : t.len;
    out_padded(text_end(&t), len, width, left);
}

static int star_or_number(struct printing *p, const char **at)
{
    if (**at == '*') {
        ++*at;
        long long value = next_number(p, false);
        return value > INT_MAX / 2 ? INT_MAX / 2 : value < -INT_MAX / 2 ? -INT_MAX / 2 : (int)value;
    }
    long value = 0;
    while (**at >= '0' && **at <= '9') {
        value = value * 10 + (*(*at)++ - '0');
        value = value > INT_MAX / 2 ? INT_MAX / 2 : value;
    }
    return (int)value;
}

/* The C library's format for a conversion; a negative precision is none. */
static void make_format(char out[static 24], const char *flags, const char *size, char conversion)
{
    (void)snprintf(out, 24, "%%%s*.*%s%c", flags, size, conversion);
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
static void out_number(const char *flags, int width, int precision, char conversion, long long value)
{
    char format[24];
    make_format(format, flags, "ll", conversion);
    out_format(format, width, precision, value);
}

static void out_double(const char *flags, int width, int precision, char conversion, double value)
{
    char format[24];
    make_format(format, flags, "", conversion);
    out_format(format, width, precision, value);
}
#pragma clang diagnostic pop

/* One conversion at "%": returns what is behind it. */
static const char *convert(struct printing *p, const char *at)
{
    char flags[8];
    size_t n = 0;
    at++;
    while (*at != '\0' && strchr("-+ #0", *at) != nullptr)
        if (n + 1 < sizeof flags && memchr(flags, *at, n) == nullptr)
            flags[n++] = *at++;
        else
            at++;
    flags[n] = '\0';
    int width = star_or_number(p, &at), precision = -1;
    if (*at == '.') {
        at++;
        precision = star_or_number(p, &at);
    }
    bool left = strchr(flags, '-') != nullptr || width < 0;
    if (width < 0) {
        width = -width;
        if (strchr(flags, '-') == nullptr)
            (void)strcat(flags, "-");
    }
    char c = *at != '\0' ? *at++ : '\0';
    switch (c) {
    case 'd':
    case 'i':
        out_number(flags, width, precision, c, next_number(p, false));
        break;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        out_number(flags, width, precision, c, next_number(p, true));
        break;
    case 'c': {
        const char *text = next_text(p);
        out_padded(text, text[0] != '\0', width, left);
        break;
    }
    case 's': {
        const char *text = next_text(p);
        size_t len = strlen(text);
        out_padded(text, precision >= 0 && (size_t)precision < len ? (size_t)precision : len, width, left);
        break;
    }
    case 'b':
        out_b(p, next_text(p), width, precision, left);
        break;
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        out_double(flags, width, precision, c, next_double(p));
        break;
    default:
        sh_warn("printf: %%%c: no such conversion", c);
        p->status = STATUS_ERROR;
        p->end = true;
        break;
    }
    return at;
}

int builtin_printf(int argc, char **argv)
{
    int at = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    if (at >= argc) {
        sh_warn("printf: usage: printf FORMAT [ARGUMENT...]");
        return STATUS_ERROR;
    }
    struct printing p = { .next = argv + at + 1 };
    char **before;
    do {
        before = p.next;
        for (const char *f = argv[at]; *f != '\0' && !p.end;) {
            char c = *f;
            if (c == '%' && f[1] == '%') {
                out_char('%');
                f += 2;
            } else if (c == '%') {
                f = convert(&p, f);
            } else {
                f += c == '\\' ? escape(f, false, &c, &p.end) : 1;
                out_char(c);
            }
        }
    } while (*p.next != nullptr && p.next != before && !p.end);
    return p.status;
}

/* --- read --- */

struct line {
    struct text bytes, marks; /* 'q': quoted by a backslash */
};

/* One byte at a time: what is behind the line is for others. 1, 0 at the end, -1 interrupted. */
static int read_byte(char *c)
{
    for (;;) {
        ssize_t n = read(0, c, 1);
        if (n >= 0)
            return (int)n;
        if (errno != EINTR || traps_first_due() != 0 || trap_interrupt_noted())
            return -1;
    }
}

static bool read_line(struct line *l, bool raw)
{
    for (;;) {
        char c;
        if (read_byte(&c) <= 0)
            return false;
        if (c == '\0')
            continue;
        if (c == '\\' && !raw) {
            if (read_byte(&c) <= 0)
                return false;
            if (c == '\n')
                continue;
            text_char(&l->bytes, c);
            text_char(&l->marks, 'q');
            continue;
        }
        if (c == '\n')
            return true;
        text_char(&l->bytes, c);
        text_char(&l->marks, ' ');
    }
}

static bool splits_at(const struct line *l, size_t at, bool blank)
{
    return at < l->bytes.len && l->marks.at[at] != 'q' &&
           (blank ? is_ifs_blank(l->bytes.at[at]) : is_ifs(l->bytes.at[at]));
}

/* The last variable takes the rest, without blanks at its end; and without one separator, if that is all there is. */
static size_t rest_end(const struct line *l, size_t from)
{
    size_t end = l->bytes.len, at = from;
    while (end > from && splits_at(l, end - 1, true))
        end--;
    while (at < end && !splits_at(l, at, false))
        at++;
    size_t field = at;
    while (splits_at(l, at, true))
        at++;
    if (splits_at(l, at, false) && !splits_at(l, at, true))
        at++;
    while (splits_at(l, at, true))
        at++;
    return at >= end ? field : end;
}

static void set_part(const char *name, const struct line *l, size_t from, size_t to)
{
    var_set(name, arena_text(&sh.temp, l->bytes.len != 0 ? l->bytes.at + from : "", to - from));
}

int builtin_read(int argc, char **argv)
{
    bool raw = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (strcmp(argv[at], "-r") != 0) {
            sh_warn("read: %s: no such option", argv[at]);
            return STATUS_ERROR;
        }
        raw = true;
    }
    if (at == argc) {
        sh_warn("read: a name is missing");
        return STATUS_ERROR;
    }
    struct line l = { { .arena = &sh.temp }, { .arena = &sh.temp } };
    bool whole = read_line(&l, raw);
    size_t i = 0;
    while (splits_at(&l, i, true))
        i++;
    for (; at + 1 < argc; at++) {
        size_t from = i;
        while (i < l.bytes.len && !splits_at(&l, i, false))
            i++;
        set_part(argv[at], &l, from, i);
        while (splits_at(&l, i, true))
            i++;
        if (splits_at(&l, i, false) && !splits_at(&l, i, true)) {
            i++;
            while (splits_at(&l, i, true))
                i++;
        }
    }
    set_part(argv[at], &l, i, rest_end(&l, i));
    return whole ? 0 : 1;
}
