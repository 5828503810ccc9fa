/* SPDX-License-Identifier: MIT
 * Copying file data: as memcpy, with the widest loads there are when it is worth it. */
#pragma once
#include <stddef.h>

void fs_copy(void *restrict to, const void *restrict from, size_t bytes);
