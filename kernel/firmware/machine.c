/* SPDX-License-Identifier: MIT
 * The machine description: the parsers add to it here, so its invariants (machine.h) are kept in one file. */
#include <kernel/firmware/machine.h>
#include <base/string.h>
#include <stdckdint.h>

void machine_leave_out(struct machine *m, enum left_out reason)
{
    m->left_out |= reason;
    m->n_left_out++;
}

status_t machine_add_ram(struct machine *m, uint64_t base, uint64_t len_bytes)
{
    uint64_t end;
    if (len_bytes == 0)
        return OK;
    if (ckd_add(&end, base, len_bytes))
        return firmware_fail(&m->error, ERR_BAD_ARGUMENT, "RAM region wraps", base);
    uint32_t at = 0;
    while (at < m->n_ram && m->ram[at].base + m->ram[at].len_bytes <= base)
        at++;
    if (at < m->n_ram && m->ram[at].base < end)
        return firmware_fail(&m->error, ERR_BAD_ARGUMENT, "RAM regions overlap", base);
    if (m->n_ram == MEMORY_REGION_MAX) {
        machine_leave_out(m, LEFT_OUT_RAM);
        return OK;
    }
    memmove(&m->ram[at + 1], &m->ram[at], (m->n_ram++ - at) * sizeof m->ram[0]);
    m->ram[at] = (struct phys_range){ base, len_bytes };
    return OK;
}

status_t machine_add_reserved(struct machine *m, uint64_t base, uint64_t len_bytes, enum reserved_kind kind)
{
    uint64_t end;
    if (len_bytes == 0)
        return OK;
    if (ckd_add(&end, base, len_bytes))
        return firmware_fail(&m->error, ERR_BAD_ARGUMENT, "reserved region wraps", base);
    if (m->n_reserved == RESERVED_REGION_MAX)
        return firmware_fail(&m->error, ERR_TOO_BIG, "too many reserved regions", base);
    m->reserved[m->n_reserved++] = (struct reserved_region){ base, len_bytes, kind };
    return OK;
}

static uint64_t align_up(uint64_t at, uint64_t align)
{
    uint64_t up;
    return ckd_add(&up, at, align - 1) ? UINT64_MAX : up & ~(align - 1);
}

uint64_t machine_free_from(const struct machine *m, uint64_t at, uint64_t len_bytes, uint64_t align)
{
    bool moved = true;
    while (moved) {
        uint64_t in_ram = UINT64_MAX;
        for (uint32_t i = 0; i < m->n_ram; i++) {
            uint64_t base = m->ram[i].base, end = base + m->ram[i].len_bytes;
            uint64_t start = align_up(base > at ? base : at, align);
            if (start < end && end - start >= len_bytes && start < in_ram)
                in_ram = start;
        }
        at = in_ram;
        moved = false;
        for (uint32_t i = 0; i < m->n_reserved && at != UINT64_MAX; i++) {
            const struct reserved_region *r = &m->reserved[i];
            if (r->base < at + len_bytes && at < r->base + r->len_bytes) {
                at = align_up(r->base + r->len_bytes, align);
                moved = true;
            }
        }
    }
    return at;
}

struct hart_info *machine_find_hart(struct machine *m, uint64_t hw_id)
{
    for (uint32_t i = 0; i < m->n_harts; i++)
        if (m->hart[i].hw_id == hw_id)
            return &m->hart[i];
    return nullptr;
}

struct hart_info *machine_add_hart(struct machine *m, uint64_t hw_id)
{
    struct hart_info *h = machine_find_hart(m, hw_id);
    if (h != nullptr)
        return h;
    if (m->n_harts == HART_MAX) {
        machine_leave_out(m, LEFT_OUT_HART);
        return nullptr;
    }
    h = &m->hart[m->n_harts++];
    *h = (struct hart_info){ .hw_id = hw_id };
    return h;
}

void machine_set_cmdline(struct machine *m, const char *text, size_t len_bytes)
{
    size_t n = 0;
    for (; n < len_bytes && n < CMDLINE_MAX - 1 && text[n] != '\0'; n++)
        m->cmdline[n] = text[n];
    if (n < len_bytes && text[n] != '\0')
        machine_leave_out(m, LEFT_OUT_CMDLINE);
    m->cmdline[n] = '\0';
}
