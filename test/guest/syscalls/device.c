/* SPDX-License-Identifier: MIT
 * Devices: calls 12, 22, 23. A guest program is handed no device, so only what needs none is tested here: forged
 * handles and wrong types. The rest is in test/unit/kernel/sys_mem_test.c, and consoled uses two of the calls in every
 * boot. */
#include "syscalls.h"

static struct vx_result map_handle(uint64_t handle)
{
    return SYS(device_map_mmio, handle, 0, 4096);
}

static struct vx_result dma_handle(uint64_t handle)
{
    return SYS(dma_alloc, handle, 4096);
}

static struct vx_result bind_handle(uint64_t handle)
{
    return SYS(device_bind_irq, handle, 1);
}

void test_device(void)
{
    E(device_map_mmio, BAD_HANDLE, SYS(device_map_mmio, FORGED, 0, 4096));
    E(device_map_mmio, WRONG_TYPE, SYS(device_map_mmio, kit.mem, 0, 4096));
    E(dma_alloc, BAD_HANDLE, SYS(dma_alloc, FORGED, 4096));
    E(dma_alloc, WRONG_TYPE, SYS(dma_alloc, kit.mem, 4096));
    E(device_bind_irq, BAD_HANDLE, SYS(device_bind_irq, FORGED, 1));
    E(device_bind_irq, WRONG_TYPE, SYS(device_bind_irq, kit.sem, 1));
    kit_hostile_handle("device_map_mmio.hostile", map_handle);
    kit_hostile_handle("dma_alloc.hostile", dma_handle);
    kit_hostile_handle("device_bind_irq.hostile", bind_handle);
}
