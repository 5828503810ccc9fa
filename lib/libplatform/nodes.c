/* SPDX-License-Identifier: MIT
 * Whose RAM and whose harts are whose: nodes, and the domains that threads move in. Keeps the invariants of struct
 * platform, whatever the tables say. */
#include <base/string.h>
#include <platform/platform.h>
#include <stdckdint.h>

void platform_leave_out(struct platform *p, uint32_t reason)
{
    p->machine.left_out |= reason;
    p->machine.n_left_out++;
}

void platform_begin(struct platform *p)
{
    const struct machine *m = &p->machine;
    p->n_nodes = 1;
    p->n_memories = m->n_ram;
    for (uint32_t i = 0; i < m->n_ram; i++)
        p->memory[i] = (struct platform_memory){ m->ram[i].base, m->ram[i].len_bytes, 0 };
}

/* Harts of one domain have the same number in the machine description; ours count from 0. */
void platform_end(struct platform *p)
{
    const struct machine *m = &p->machine;
    p->n_domains = 0;
    for (uint32_t i = 0; i < m->n_harts; i++) {
        uint32_t same = 0;
        while (m->hart[same].domain != m->hart[i].domain || p->hart[same].node != p->hart[i].node)
            same++; /* ends at i */
        p->hart[i].domain = same < i ? p->hart[same].domain : p->n_domains++;
    }
    if (p->n_domains == 0)
        p->n_domains = 1;
}

/* Checks a node number of the firmware's and makes room for it; answers the node to use. */
static uint32_t node_of(struct platform *p, uint64_t firmware_node)
{
    if (firmware_node >= NUMA_NODE_MAX) {
        platform_leave_out(p, LEFT_OUT_NODE);
        return 0;
    }
    uint32_t node = (uint32_t)firmware_node;
    if (p->n_nodes <= node)
        p->n_nodes = node + 1;
    return node;
}

void platform_set_hart_node(struct platform *p, uint64_t hw_id, uint64_t firmware_node)
{
    for (uint32_t i = 0; i < p->machine.n_harts; i++)
        if (p->machine.hart[i].hw_id == hw_id)
            p->hart[i].node = node_of(p, firmware_node);
}

/* Cuts region `i` in two at address `at`. False when the table is full: the region stays whole. */
static bool split(struct platform *p, uint32_t i, uint64_t at)
{
    struct platform_memory *r = &p->memory[i];
    if (p->n_memories == MEMORY_REGION_MAX) {
        platform_leave_out(p, LEFT_OUT_NODE);
        return false;
    }
    uint64_t head = at - r->base;
    memmove(r + 2, r + 1, (p->n_memories++ - i - 1) * sizeof *r);
    r[1] = (struct platform_memory){ at, r->len_bytes - head, r->node };
    r->len_bytes = head;
    return true;
}

void platform_set_memory_node(struct platform *p, uint64_t base, uint64_t len_bytes, uint64_t firmware_node)
{
    uint32_t node = node_of(p, firmware_node);
    uint64_t end;
    if (ckd_add(&end, base, len_bytes))
        end = UINT64_MAX;
    for (uint32_t i = 0; i < p->n_memories; i++) {
        struct platform_memory *r = &p->memory[i];
        uint64_t ram_end = r->base + r->len_bytes;
        if (ram_end <= base || r->base >= end || r->node == node)
            continue;
        if (r->base < base) {
            if (!split(p, i, base))
                return;
            continue; /* the part that is ours comes next */
        }
        if (end < ram_end && !split(p, i, end))
            return;
        r->node = node;
    }
}
