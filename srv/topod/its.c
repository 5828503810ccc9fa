/* SPDX-License-Identifier: MIT
 * Source: [GICv3] "The ITS", "ITS commands", "ITS register descriptions". One collection: every interrupt goes to the
 * hart that the kernel receives them on. The tables are flat and live in one block:
 *
 *     commands   a page, of which the ITS reads at its own pace; we wait for it after each command
 *     collections  a page
 *     devices      an entry for each id
 *     events       of each device that was mapped, EVENTS_MAX of them */
#include "its.h"
#include "devices.h"
#include <stdatomic.h>
#include <vectra/bundle.h>

enum { PAGE = 4096, COMMANDS_ALIGN = 65536, COMMAND_WORDS = 4, POLLS = 1'000'000, TABLES = 8, EVENTS_MAX = 8 };
enum { MAPPED_MAX = 32, EVENTS_ALIGN = 256, EVENT_BITS = 3, FIRST_LPI = 8192 };
static_assert(1 << EVENT_BITS == EVENTS_MAX);
enum {
    CTLR = 0,
    TYPER = 0x8,
    CBASER = 0x80,
    CWRITER = 0x88,
    CREADR = 0x90,
    BASER = 0x100,
    TABLE_DEVICES = 1,
    TABLE_COLLECTIONS = 4
};
enum { MAPD = 8, MAPC = 9, MAPTI = 10, INV = 12, SYNC = 5 };
static constexpr uint64_t valid = UINT64_C(1) << 63, cached = UINT64_C(7) << 59 | 1 << 10; /* write-back, shareable */
static constexpr uint32_t enabled = 1, quiescent = 1u << 31;

static uint8_t *registers;
static uint64_t bus, events_at, events_bytes, hart;
static volatile uint64_t *commands;
static uint32_t n_mapped, write_at;

static volatile uint64_t *reg64(uint32_t offset)
{
    return (volatile uint64_t *)(void *)(registers + offset);
}

static volatile uint32_t *reg32(uint32_t offset)
{
    return (volatile uint32_t *)(void *)(registers + offset);
}

/* One command, done when this answers true. The ITS stops at one that it cannot do. */
static bool command(uint64_t what, uint64_t w1, uint64_t w2)
{
    volatile uint64_t *at = commands + write_at / sizeof *commands;
    at[0] = what;
    at[1] = w1;
    at[2] = w2;
    at[3] = 0;
    write_at = (write_at + COMMAND_WORDS * sizeof *at) % PAGE;
    atomic_thread_fence(memory_order_seq_cst); /* it is in memory before the ITS is told */
    *reg64(CWRITER) = write_at;
    for (uint32_t polls = 0; *reg64(CREADR) != write_at; polls++)
        if (polls == POLLS || (*reg64(CREADR) & 1) != 0)
            return false;
    return true;
}

static bool synchronize(void)
{
    return command(SYNC, 0, hart);
}

/* Gives the ITS a table of a page or more for what `type` says it wants one for. */
static bool place_table(uint32_t type, uint64_t at, uint64_t bytes)
{
    for (uint32_t i = 0; i < TABLES; i++) {
        volatile uint64_t *base = reg64(BASER + 8 * i);
        if ((*base >> 56 & 7) != type)
            continue;
        *base = valid | cached | at | (bytes / PAGE - 1);
        return (*base & (3 << 8)) == 0 && (*base >> 63) == 1; /* in pages of 4 KiB, as we meant it */
    }
    return false;
}

static uint64_t table_bytes(uint32_t type, uint64_t entries)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < TABLES; i++)
        if ((*reg64(BASER + 8 * i) >> 56 & 7) == type)
            bytes = ((*reg64(BASER + 8 * i) >> 48 & 31) + 1) * entries;
    return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static bool turn_off(void)
{
    *reg32(CTLR) &= ~enabled;
    for (uint32_t polls = 0; (*reg32(CTLR) & quiescent) == 0; polls++)
        if (polls == POLLS)
            return false;
    return true;
}

static uint8_t *allocate(uint64_t bytes)
{
    vx_mem mem = {};
    struct vx_cap_facts facts = {};
    void *at = nullptr;
    if (vx_sys_dma_alloc(vx_bundle_device("mmio"), bytes < COMMANDS_ALIGN ? COMMANDS_ALIGN : bytes, &mem, &at) != OK)
        return nullptr;
    if (vx_sys_cap_inspect(mem.raw, &facts, nullptr) != OK || facts.c % COMMANDS_ALIGN != 0) {
        (void)vx_sys_mem_free(mem, 0, 0);
        return nullptr;
    }
    bus = facts.c;
    return at;
}

bool its_start(const struct machine *m, uint32_t ids)
{
    if (m->gic.its.len_bytes == 0 || (registers = registers_map(m->gic.its.base, COMMANDS_ALIGN)) == nullptr)
        return false;
    uint64_t type = *reg64(TYPER), devices = table_bytes(TABLE_DEVICES, ids),
             collections = table_bytes(TABLE_COLLECTIONS, 1);
    events_at = PAGE + collections + devices;
    events_bytes = (((type >> 4 & 15) + 1) * EVENTS_MAX + EVENTS_ALIGN - 1) & ~(uint64_t)(EVENTS_ALIGN - 1);
    hart = (uint64_t)m->gic.its_target << 16;
    /* Harts by the address of their redistributor, which is the kernel's: such an ITS is left alone. */
    bool by_address = (type >> 19 & 1) != 0;
    uint8_t *block = by_address || !turn_off() ? nullptr : allocate(events_at + MAPPED_MAX * events_bytes);
    commands = (volatile uint64_t *)(void *)block;
    if (block == nullptr || !place_table(TABLE_DEVICES, bus + PAGE + collections, devices) ||
        (collections != 0 && !place_table(TABLE_COLLECTIONS, bus + PAGE, collections)))
        return false;
    *reg64(CBASER) = valid | cached | bus;
    *reg64(CWRITER) = 0;
    *reg32(CTLR) |= enabled;
    return command(MAPC, 0, valid | hart) && synchronize();
}

bool its_map(uint32_t id, uint32_t first, uint32_t n)
{
    uint64_t device = (uint64_t)id << 32;
    if (n_mapped == MAPPED_MAX || n > EVENTS_MAX)
        return false;
    uint64_t events = bus + events_at + n_mapped++ * events_bytes;
    bool done = command(MAPD | device, EVENT_BITS - 1, valid | events);
    for (uint32_t i = 0; done && i < n; i++)
        done = command(MAPTI | device, (uint64_t)(FIRST_LPI + first + i) << 32 | i, 0) && command(INV | device, i, 0);
    return done && synchronize();
}
