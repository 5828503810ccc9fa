/* SPDX-License-Identifier: MIT
 * Configuration space and registers by way of the DEVICE capability over everything. One bus is mapped at a time. */
#include "devices.h"
#include <vectra/bundle.h>

enum { BUS_BYTES = 1 << 20 };

void *registers_map(uint64_t base, uint64_t length)
{
    vx_device mmio = vx_bundle_device("mmio");
    struct vx_cap_facts facts = {};
    void *at = nullptr;
    if (mmio.raw == VX_HANDLE_NONE || vx_sys_cap_inspect(mmio.raw, &facts, nullptr) != OK || base < facts.a)
        return nullptr;
    if (vx_sys_device_map_mmio(mmio, base - facts.a, length, &at) != OK)
        return nullptr;
    return at;
}

void registers_unmap(void *at, uint64_t length)
{
    (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)at, length); /* what stays mapped only costs addresses */
}

void ecam_close(struct ecam *e)
{
    if (e->bus != nullptr)
        registers_unmap(e->bus, BUS_BYTES);
    e->bus = nullptr;
}

static volatile uint32_t *ecam_at(struct ecam *e, uint16_t address, uint32_t offset)
{
    uint32_t number = address >> 8;
    if (number < e->bridge->first_bus || number > e->bridge->last_bus)
        return nullptr;
    uint64_t at = (uint64_t)(number - e->bridge->first_bus) * BUS_BYTES;
    if (at + BUS_BYTES > e->bridge->ecam.len_bytes)
        return nullptr;
    if (e->bus == nullptr || e->number != number) {
        ecam_close(e);
        e->bus = registers_map(e->bridge->ecam.base + at, BUS_BYTES);
        e->number = number;
    }
    if (e->bus == nullptr)
        return nullptr;
    return (volatile uint32_t *)(void *)((char *)e->bus + ((uint32_t)(address & 0xff) << 12) + (offset & 0xffc));
}

uint32_t ecam_read(void *ctx, uint16_t address, uint32_t offset)
{
    const volatile uint32_t *at = ecam_at(ctx, address, offset);
    return at == nullptr ? UINT32_MAX : *at;
}

void ecam_write(void *ctx, uint16_t address, uint32_t offset, uint32_t value)
{
    volatile uint32_t *at = ecam_at(ctx, address, offset);
    if (at != nullptr)
        *at = value;
}
