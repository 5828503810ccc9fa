/* SPDX-License-Identifier: MIT
 * See fs/copy.h. */
#include <fs/copy.h>
#include <vectra/string.h>

void fs_copy(void *restrict to, const void *restrict from, size_t bytes)
{
    memcpy(to, from, bytes);
}
