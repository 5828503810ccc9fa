/* SPDX-License-Identifier: MIT
 * The ACPI tables of the machine we run on: they lie in memory that is not RAM, so whoever may touch all devices may
 * map them. */
#include "../read.h"
#include <vectra/bundle.h>
#include <vectra/syscall.h>

enum { VIEWS_MAX = 64, PAGE = 4096 };

struct view {
    uint64_t pa, bytes;
    void *at;
};

struct views {
    vx_device mmio;
    uint32_t n;
    struct view view[VIEWS_MAX];
};

/* A firmware_memory's: what is mapped already, or whole pages around it. */
static const void *view_at(void *ctx, uint64_t pa, size_t len)
{
    struct views *s = ctx;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct view *v = &s->view[i];
        if (pa >= v->pa && len <= v->bytes && pa - v->pa <= v->bytes - len)
            return (const char *)v->at + (pa - v->pa);
    }
    struct view *v = &s->view[s->n];
    uint64_t first = pa & ~(uint64_t)(PAGE - 1), bytes = ((pa - first) + len + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    if (s->n == VIEWS_MAX || vx_sys_device_map_mmio(s->mmio, first, bytes, &v->at) != OK)
        return nullptr;
    v->pa = first;
    v->bytes = bytes;
    s->n++;
    return (const char *)v->at + (pa - first);
}

void platform_read_tables(struct platform *p)
{
    static struct views s;
    struct firmware_memory mem = { view_at, &s };
    s = (struct views){ .mmio = vx_bundle_device("mmio") };
    if (s.mmio.raw == VX_HANDLE_NONE)
        return;
    platform_from_acpi(p, &mem);
    for (uint32_t i = 0; i < s.n; i++)
        (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)s.view[i].at, s.view[i].bytes);
}
