/* SPDX-License-Identifier: MIT
 * Entropy from the boot loader: no ACPI table has any. */
#include <kernel/firmware/machine.h>
#include <base/string.h>

void machine_add_seed(struct machine *m, const void *bytes, size_t len_bytes)
{
    size_t room = FIRMWARE_SEED_MAX - m->seed_len_bytes;
    if (len_bytes > room) {
        machine_leave_out(m, LEFT_OUT_SEED);
        len_bytes = room;
    }
    if (len_bytes > 0) /* `bytes` may be nullptr otherwise */
        memcpy(m->seed + m->seed_len_bytes, bytes, len_bytes);
    m->seed_len_bytes += (uint32_t)len_bytes;
}
