/* SPDX-License-Identifier: MIT
 * The device tree of the machine we run on: memory that the kernel hands to the first Task. */
#include "../read.h"
#include <vectra/bundle.h>
#include <vectra/syscall.h>

enum { PAGE = 4096, V2M_MSI_TYPER = 8 };

/* [GICv2m] "MSI_TYPER": which lines its messages are. */
static void ask_v2m(struct platform *p)
{
    struct message_info *w = &p->machine.messages;
    void *at = nullptr;
    if (w->first == 0 && vx_sys_device_map_mmio(vx_bundle_device("mmio"), p->v2m.base, PAGE, &at) == OK) {
        uint32_t type = *(const volatile uint32_t *)((const char *)at + V2M_MSI_TYPER);
        w->first = w->data = type >> 16 & 0x3ff;
        w->count = type & 0x3ff;
        (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)at, PAGE);
    }
}

void platform_read_tables(struct platform *p)
{
    vx_mem mem = vx_bundle_mem("device-tree");
    struct vx_cap_facts facts = {};
    void *at = nullptr;
    if (vx_sys_cap_inspect(mem.raw, &facts, nullptr) != OK ||
        vx_sys_mem_map(mem, 0, facts.b, 0, VX_PROT_READ, &at) != OK)
        return;
    platform_from_device_tree(p, at, facts.b);
    (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)at, (facts.b + 4095) & ~UINT64_C(4095));
    if (p->v2m.len_bytes != 0)
        ask_v2m(p);
}
