/* SPDX-License-Identifier: MIT
 * Memory and string functions. The memory ones move eight bytes at a time where they can: they are the common case of
 * message and page copies, and a compiler may call them for any struct. */
#include <vectra/string.h>

/* An unaligned word that may alias anything. */
typedef uint64_t word_t __attribute__((may_alias, aligned(1)));

#if !__STDC_HOSTED__
void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
    uint8_t *d = dst;
    const uint8_t *s = src;
    for (; len >= 32; len -= 32, d += 32, s += 32) {
        word_t a = ((const word_t *)s)[0], b = ((const word_t *)s)[1];
        word_t c = ((const word_t *)s)[2], e = ((const word_t *)s)[3];
        ((word_t *)d)[0] = a;
        ((word_t *)d)[1] = b;
        ((word_t *)d)[2] = c;
        ((word_t *)d)[3] = e;
    }
    for (; len >= 8; len -= 8, d += 8, s += 8)
        *(word_t *)d = *(const word_t *)s;
    for (; len != 0; len--)
        *d++ = *s++;
    return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
    uint8_t *d = dst;
    const uint8_t *s = src;
    if (d == s || (uintptr_t)d - (uintptr_t)s >= len)
        return memcpy(dst, src, len); /* copying upwards never overtakes what is still to be read */
    while (len >= 8) {
        len -= 8;
        *(word_t *)(d + len) = *(const word_t *)(s + len);
    }
    while (len != 0) {
        len--;
        d[len] = s[len];
    }
    return dst;
}

void *memset(void *dst, int byte, size_t len)
{
    uint8_t *d = dst;
    word_t pattern = UINT64_C(0x0101010101010101) * (uint8_t)byte;
    for (; len >= 32; len -= 32, d += 32) {
        ((word_t *)d)[0] = pattern;
        ((word_t *)d)[1] = pattern;
        ((word_t *)d)[2] = pattern;
        ((word_t *)d)[3] = pattern;
    }
    for (; len >= 8; len -= 8, d += 8)
        *(word_t *)d = pattern;
    for (; len != 0; len--)
        *d++ = (uint8_t)byte;
    return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;
    for (; len >= 8 && *(const word_t *)x == *(const word_t *)y; len -= 8) {
        x += 8;
        y += 8;
    }
    for (; len != 0; len--, x++, y++) {
        if (*x != *y)
            return *x < *y ? -1 : 1;
    }
    return 0;
}

void *memchr(const void *s, int byte, size_t len)
{
    for (const uint8_t *at = s; len != 0; len--, at++) {
        if (*at == (uint8_t)byte)
            return (void *)(uintptr_t)at;
    }
    return nullptr;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n] != '\0')
        n++;
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n] != '\0')
        n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t max)
{
    for (; max != 0; max--, a++, b++) {
        if (*a != *b)
            return (uint8_t)*a < (uint8_t)*b ? -1 : 1;
        if (*a == '\0')
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int byte)
{
    for (;; s++) {
        if (*s == (char)byte)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return nullptr;
    }
}

char *strrchr(const char *s, int byte)
{
    const char *found = nullptr;
    for (;; s++) {
        if (*s == (char)byte)
            found = s;
        if (*s == '\0')
            return (char *)(uintptr_t)found;
    }
}

char *strstr(const char *s, const char *part)
{
    size_t len = strlen(part);
    for (;; s++) {
        if (strncmp(s, part, len) == 0)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return nullptr;
    }
}
#endif

bool vx_strcopy(char *dst, size_t room, const char *src)
{
    size_t len = strnlen(src, room);
    bool fits = len < room;
    size_t n = fits ? len : room - 1;
    memcpy(dst, src, n);
    dst[n] = '\0';
    return fits;
}

static unsigned digit_of(char c)
{
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
           : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                  : 99;
}

bool vx_parse_u64(const char *text, size_t len, uint64_t *out)
{
    unsigned base = 10;
    if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
        len -= 2;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned d = digit_of(text[i]);
        if (d >= base || __builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, d, &value))
            return false;
    }
    if (len == 0)
        return false;
    *out = value;
    return true;
}
