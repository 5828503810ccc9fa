/* SPDX-License-Identifier: MIT
 * Devices: calls 12, 22, 23. The successes need a device; consoled drives the serial port through these calls in every
 * boot, and with "device" and "irq" in the Bundle (the test graph hands them over) they are made here as well. */
#include "syscalls.h"

static vx_handle_t device, irq;
static struct vx_cap_facts facts;

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

static void always(void)
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

static void map(void)
{
    (void)SYS(cap_inspect, device, P(&facts));
    S(device_map_mmio, SYS(device_map_mmio, device, 0, facts.c == VX_DEVICE_PORTS ? 1 : 4096));
    E(device_map_mmio, BAD_ARGUMENT, SYS(device_map_mmio, device, 0, facts.b + 4096));
    E(device_map_mmio, BAD_ARGUMENT, SYS(device_map_mmio, device, UINT64_MAX - 4095, 8192));
    vx_handle_t weak = kit_without(device, VX_R_READ);
    E(device_map_mmio, NO_RIGHTS, SYS(device_map_mmio, weak, 0, 4096));
    (void)SYS(cap_drop, weak);
}

static void dma(void)
{
    struct vx_result r = SYS(dma_alloc, device, 8192);
    S(dma_alloc, r);
    C(dma_alloc, ok,
      STATUS(cap_inspect, r.value, P(&facts)) == OK && facts.c != 0 &&
          ((volatile uint8_t *)(uintptr_t)r.second)[8191] == 0);
    (void)SYS(cap_drop, r.value);
    E(dma_alloc, BAD_ARGUMENT, SYS(dma_alloc, device, 0));
    E(dma_alloc, TOO_BIG, SYS(dma_alloc, device, UINT64_MAX));
    E(dma_alloc, NO_MEMORY, SYS(dma_alloc, device, UINT64_C(1) << 36));
    vx_handle_t weak = kit_without(device, VX_R_DMA);
    E(dma_alloc, NO_RIGHTS, SYS(dma_alloc, weak, 4096));
    (void)SYS(cap_drop, weak);
}

static void bind_irq(void)
{
    S(device_bind_irq, SYS(device_bind_irq, irq, 40));
    S(device_bind_irq, SYS(device_bind_irq, irq, 64));
    E(device_bind_irq, BAD_ARGUMENT, SYS(device_bind_irq, irq, 65));
    vx_handle_t weak = kit_without(irq, VX_R_BIND);
    E(device_bind_irq, NO_RIGHTS, SYS(device_bind_irq, weak, 1));
    (void)SYS(cap_drop, weak);
}

void test_device(void)
{
    device = vx_bundle_device("device").raw;
    irq = vx_bundle_irq("irq").raw;
    always();
    if (device != 0) {
        map();
        dma();
    }
    if (irq != 0)
        bind_irq();
    if (device == 0 || irq == 0)
        vx_printf("# no device or irq in the Bundle: those calls were tested for their errors only\n");
}
