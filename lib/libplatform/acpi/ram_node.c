/* SPDX-License-Identifier: MIT
 * RAM and nodes come from different ACPI tables: first the map, then who owns what of it. A device tree says both at
 * once. */
#include <base/string.h>
#include <platform/platform.h>
#include <stdckdint.h>

/* Cuts region `i` in two at address `at`. False when the table is full: the region stays whole. */
static bool ram_split(struct machine *m, uint32_t i, uint64_t at)
{
    if (m->n_ram == MEMORY_REGION_MAX) {
        platform_leave_out(m, LEFT_OUT_NODE);
        return false;
    }
    uint64_t head = at - m->ram[i].base;
    memmove(&m->ram[i + 2], &m->ram[i + 1], (m->n_ram++ - i - 1) * sizeof m->ram[0]);
    m->ram[i + 1] = (struct ram_region){ at, m->ram[i].len_bytes - head, m->ram[i].node };
    m->ram[i].len_bytes = head;
    return true;
}

void platform_set_ram_node(struct machine *m, uint64_t base, uint64_t len_bytes, uint32_t node)
{
    uint64_t end;
    if (ckd_add(&end, base, len_bytes))
        end = UINT64_MAX;
    for (uint32_t i = 0; i < m->n_ram; i++) {
        uint64_t ram_end = m->ram[i].base + m->ram[i].len_bytes;
        if (ram_end <= base || m->ram[i].base >= end || m->ram[i].node == node)
            continue;
        if (m->ram[i].base < base) {
            if (!ram_split(m, i, base))
                return;
            continue; /* the part that is ours comes next */
        }
        if (end < ram_end && !ram_split(m, i, end))
            return;
        m->ram[i].node = node;
    }
}
