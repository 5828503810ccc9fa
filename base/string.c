/* SPDX-License-Identifier: MIT
 * Memory and string functions for code without a C library: plain loops over eight bytes at a time, which is what costs
 * least under emulation. The definitions are weak, so that a port or a library may bring better ones.
 * Compiled with -ffreestanding, for otherwise the compiler would see memcpy in these loops and call it. */
#include <base/string.h>
#include <stdint.h>

/* An unaligned word that may alias anything. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;

static inline uint64_t word_at(const void *p)
{
    return *(const word_t *)p;
}

static inline void set_word(void *p, uint64_t value)
{
    *(word_t *)p = value;
}

/* Upwards. Right for separate ranges, and for dst below src: nothing is overwritten before it was read. */
static inline void copy_up(unsigned char *d, const unsigned char *s, size_t len)
{
    if (len < 8) {
        for (; len != 0; len--)
            *d++ = *s++;
        return;
    }
    uint64_t last = word_at(s + len - 8); /* read first: the loops may write over it */
    unsigned char *last_at = d + len - 8;
    for (; len >= 64; len -= 64, d += 64, s += 64) {
        for (int half = 0; half < 64; half += 32) {
            uint64_t a = word_at(s + half), b = word_at(s + half + 8);
            uint64_t c = word_at(s + half + 16), e = word_at(s + half + 24);
            set_word(d + half, a);
            set_word(d + half + 8, b);
            set_word(d + half + 16, c);
            set_word(d + half + 24, e);
        }
    }
    for (; len >= 8; len -= 8, d += 8, s += 8)
        set_word(d, word_at(s));
    set_word(last_at, last);
}

[[gnu::weak]] void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
    copy_up(dst, src, len);
    return dst;
}

[[gnu::weak]] void *memmove(void *dst, const void *src, size_t len)
{
    if ((uintptr_t)dst - (uintptr_t)src >= len)
        copy_up(dst, src, len);
    else /* nothing that costs time moves memory this way: a byte at a time will do */
        for (size_t i = len; i-- > 0;)
            ((unsigned char *)dst)[i] = ((const unsigned char *)src)[i];
    return dst;
}

[[gnu::weak]] void *memset(void *dst, int byte, size_t len)
{
    unsigned char *d = dst;
    uint64_t pattern = UINT64_C(0x0101010101010101) * (unsigned char)byte;
    if (len < 8) {
        for (; len != 0; len--)
            *d++ = (unsigned char)byte;
        return dst;
    }
    set_word(d + len - 8, pattern);
    for (; len >= 64; len -= 64, d += 64)
        for (int i = 0; i < 64; i += 8)
            set_word(d + i, pattern);
    for (; len >= 8; len -= 8, d += 8)
        set_word(d, pattern);
    return dst;
}

[[gnu::weak]] int memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    for (; len >= 8 && word_at(x) == word_at(y); len -= 8) {
        x += 8;
        y += 8;
    }
    for (; len != 0; len--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

[[gnu::weak]] size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n] != '\0')
        n++;
    return n;
}

[[gnu::weak]] int strncmp(const char *a, const char *b, size_t len)
{
    for (; len != 0; len--, a++, b++) {
        unsigned char x = (unsigned char)*a, y = (unsigned char)*b;
        if (x != y)
            return x < y ? -1 : 1;
        if (x == '\0')
            break;
    }
    return 0;
}
