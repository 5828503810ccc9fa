/* SPDX-License-Identifier: MIT
 * The machine we run on: the kernel's description of it, then the tables. */
#include "read.h"
#include <base/string.h>
#include <vectra/bundle.h>
#include <vectra/syscall.h>

status_t platform_read(struct platform *p)
{
    vx_mem mem = vx_bundle_mem("machine");
    struct vx_cap_facts facts = {};
    void *at = nullptr;
    *p = (struct platform){};
    if (mem.raw == VX_HANDLE_NONE)
        return ERR_NOT_FOUND;
    status_t st = vx_sys_cap_inspect(mem.raw, &facts, nullptr);
    if (st == OK && facts.b < sizeof p->machine)
        st = ERR_BAD_ARGUMENT;
    if (st == OK)
        st = vx_sys_mem_map(mem, 0, facts.b, 0, VX_PROT_READ, &at);
    if (st != OK)
        return st;
    memcpy(&p->machine, at, sizeof p->machine);
    (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)at, (facts.b + 4095) & ~UINT64_C(4095));
    platform_begin(p); /* so much is there without tables */
    platform_end(p);
    platform_read_tables(p);
    return OK;
}
