/* SPDX-License-Identifier: MIT
 * The device tree of the machine we run on: memory that the kernel hands to the first Task. */
#include "../read.h"
#include <vectra/bundle.h>
#include <vectra/syscall.h>

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
}
