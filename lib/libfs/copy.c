/* SPDX-License-Identifier: MIT
 * See fs/copy.h. */
#include <fs/copy.h>
#include <isa/copy.h>
#include <vectra/string.h>

/* Below this the state that a thread has to save from then on costs more than the copy saves. */
static constexpr size_t worth_it = 1024;

void fs_copy(void *restrict to, const void *restrict from, size_t bytes)
{
    size_t wide = bytes < worth_it ? 0 : bytes / isa_copy_block;
    if (wide != 0)
        isa_copy_wide(to, from, wide);
    wide *= isa_copy_block;
    if (wide != bytes)
        memcpy((char *)to + wide, (const char *)from + wide, bytes - wide);
}
