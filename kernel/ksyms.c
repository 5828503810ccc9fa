/* SPDX-License-Identifier: MIT
 * Looks up kernel functions by address; see ksyms.h. */
#include <kernel/ksyms.h>

extern const char image_start[]; /* linker script */

const char *ksym_find(uint64_t address, uint64_t *offset)
{
    uint64_t base = (uint64_t)(uintptr_t)image_start;
    if (address < base || address - base > UINT32_MAX || ksym_count == 0)
        return nullptr;
    uint32_t wanted = (uint32_t)(address - base),
             i = ksym_count - 1; /* only reports ask: there is time to look at all */
    while (i > 0 && ksym_offset[i] > wanted)
        i--;
    if (ksym_offset[i] > wanted)
        return nullptr;
    *offset = wanted - ksym_offset[i];
    return &ksym_names[ksym_name[i]];
}
