/* SPDX-License-Identifier: MIT
 * Looks up kernel functions by address; see ksyms.h. */
#include <kernel/ksyms.h>

extern const char image_start[]; /* linker script */

const char *ksym_find(uint64_t address, uint64_t *offset)
{
    uint64_t base = (uint64_t)(uintptr_t)image_start;
    if (address < base || address - base > UINT32_MAX || ksym_count == 0)
        return nullptr;
    uint32_t wanted = (uint32_t)(address - base), low = 0, high = ksym_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (ksym_offset[middle] <= wanted)
            low = middle;
        else
            high = middle;
    }
    if (ksym_offset[low] > wanted)
        return nullptr;
    *offset = wanted - ksym_offset[low];
    return &ksym_names[ksym_name[low]];
}
