/* SPDX-License-Identifier: MIT
 * The memory and string functions that a freestanding compiler may call anyway. The kernel supplies them itself;
 * on the host they are the C library's. */
#pragma once
#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
int strncmp(const char *a, const char *b, size_t len);
