/* SPDX-License-Identifier: MIT
 * Memory and strings: there is no C library underneath. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#if __STDC_HOSTED__
#include <string.h>
size_t strnlen(const char *s, size_t max); /* POSIX, which strict C hides */
#else
void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
void *memchr(const void *s, int byte, size_t len);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int byte);
char *strrchr(const char *s, int byte);
char *strstr(const char *s, const char *part);
#endif

static inline bool vx_streq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Copies with truncation; dst always ends in a NUL (room >= 1). False: it was cut. */
bool vx_strcopy(char *dst, size_t room, const char *src);
/* A number in base 10, or 16 after 0x: the whole of text. False: not a number, or it does not fit. */
bool vx_parse_u64(const char *text, size_t len, uint64_t *out);
