/* SPDX-License-Identifier: MIT
 * Memory: calls 15, 18, 19, 27, 37, 45. */
#include "syscalls.h"

static struct vx_cap_facts facts;

static void sem_create(void)
{
    struct vx_result r = SYS(sem_create, 0, 7);
    C(sem_create, ok, vx_result_status(r.value) == OK && STATUS(cap_inspect, r.value, P(&facts)) == OK && facts.a == 7);
    (void)SYS(cap_drop, r.value);
    E(sem_create, BAD_HANDLE, SYS(sem_create, FORGED, 1));
    E(sem_create, WRONG_TYPE, SYS(sem_create, kit.mem, 1));
    vx_handle_t weak = kit_without(kit.reticle, VX_R_WRITE);
    E(sem_create, NO_RIGHTS, SYS(sem_create, weak, 1));
    E(mem_alloc, NO_RIGHTS, SYS(mem_alloc, weak, 4096, RW_COMMIT | VX_MEM_HANDLE, 0));
    E(reticle_carve, NO_RIGHTS, SYS(reticle_carve, weak, 4096));
    E(surface_create, NO_RIGHTS, SYS(surface_create, weak, 8, 8, VX_FORMAT_XRGB8888));
    (void)SYS(cap_drop, weak);
    vx_handle_t gone = (vx_handle_t)SYS(reticle_carve, 0, 65536).value;
    (void)SYS(destroy, gone);
    E(sem_create, DESTROYED, SYS(sem_create, gone, 1));
    E(mem_alloc, DESTROYED, SYS(mem_alloc, gone, 4096, RW_COMMIT | VX_MEM_HANDLE, 0));
    E(reticle_carve, DESTROYED, SYS(reticle_carve, gone, 4096));
    E(surface_create, DESTROYED, SYS(surface_create, gone, 8, 8, VX_FORMAT_XRGB8888));
    (void)SYS(cap_drop, gone);
    E(sem_create, TOO_BIG, SYS(sem_create, 0, (uint64_t)SEM_COUNT_MAX + 1));
    r = SYS(sem_create, 0, SEM_COUNT_MAX);
    C(sem_create, hostile, vx_result_status(r.value) == OK && STATUS(sem_create, 0, UINT32_MAX) == ERR_TOO_BIG);
    (void)SYS(cap_drop, r.value);
    vx_handle_t tiny = (vx_handle_t)SYS(reticle_carve, 0, 4096).value;
    status_t st = OK;
    static vx_handle_t made[200];
    unsigned n = 0;
    while (n < 200 && (st = vx_result_status((r = SYS(sem_create, tiny, 0)).value)) == OK)
        made[n++] = (vx_handle_t)r.value;
    C(sem_create, NO_MEMORY, st == ERR_NO_MEMORY);
    while (n > 0)
        (void)SYS(cap_drop, made[--n]);
    (void)SYS(cap_drop, tiny);
}

static void carve(void)
{
    struct check_accounts before = check_accounts();
    struct vx_result r = SYS(reticle_carve, 0, 100000);
    C(reticle_carve, ok,
      vx_result_status(r.value) == OK && STATUS(cap_inspect, r.value, P(&facts)) == OK && facts.a == 131072 &&
          facts.b <= facts.a);
    (void)SYS(cap_drop, r.value);
    r = SYS(reticle_carve, 0, 1);
    C(reticle_carve, ok, STATUS(cap_inspect, r.value, P(&facts)) == OK && facts.a == 4096); /* at least one page */
    (void)SYS(cap_drop, r.value);
    check_no_leak("reticle_carve: dropping it gives the block back whole", before);
    E(reticle_carve, BAD_HANDLE, SYS(reticle_carve, FORGED, 4096));
    E(reticle_carve, WRONG_TYPE, SYS(reticle_carve, kit.sem, 4096));
    E(reticle_carve, BAD_ARGUMENT, SYS(reticle_carve, 0, 0));
    E(reticle_carve, NO_MEMORY, SYS(reticle_carve, 0, UINT64_C(1) << 37));
    C(reticle_carve, hostile,
      STATUS(reticle_carve, 0, UINT64_MAX) != OK && STATUS(reticle_carve, 0, (UINT64_C(1) << 63) + 1) != OK);
}

static void surface(void)
{
    struct check_accounts before = check_accounts();
    struct vx_result r = SYS(surface_create, 0, 64, 16, VX_FORMAT_XRGB8888);
    volatile uint32_t *pixel = (volatile uint32_t *)(uintptr_t)r.second;
    bool good = vx_result_status(r.value) == OK && STATUS(cap_inspect, r.value, P(&facts)) == OK;
    C(surface_create, ok,
      good && facts.type == VX_CAP_SURFACE && facts.a == 64 && facts.b == 16 && facts.d >= 64 * 16 * 4);
    if (good) {
        bool zero = pixel[0] == 0 && pixel[64 * 16 - 1] == 0;
        pixel[64 * 16 - 1] = 0xffffff;
        C(surface_create, ok, zero && pixel[64 * 16 - 1] == 0xffffff);
    }
    (void)SYS(cap_drop, r.value);
    check_no_leak("surface_create gives everything back", before);
    E(surface_create, BAD_HANDLE, SYS(surface_create, FORGED, 8, 8, VX_FORMAT_XRGB8888));
    E(surface_create, WRONG_TYPE, SYS(surface_create, kit.mem, 8, 8, VX_FORMAT_XRGB8888));
    E(surface_create, BAD_ARGUMENT, SYS(surface_create, 0, 0, 8, VX_FORMAT_XRGB8888));
    E(surface_create, BAD_ARGUMENT, SYS(surface_create, 0, 8, 8, 99));
    E(surface_create, TOO_BIG, SYS(surface_create, 0, SURFACE_SIDE_MAX + 1, 8, VX_FORMAT_XRGB8888));
    E(surface_create, NO_MEMORY, SYS(surface_create, 0, SURFACE_SIDE_MAX, SURFACE_SIDE_MAX, VX_FORMAT_XRGB8888));
    C(surface_create, hostile,
      STATUS(surface_create, 0, UINT32_MAX, UINT32_MAX, VX_FORMAT_XRGB8888) != OK &&
          STATUS(surface_create, 0, 0x10000, 0x10000, VX_FORMAT_XRGB8888) != OK);
}

static void alloc_errors(void)
{
    E(mem_alloc, BAD_HANDLE, SYS(mem_alloc, FORGED, 4096, RW_COMMIT | VX_MEM_HANDLE, 0));
    E(mem_alloc, WRONG_TYPE, SYS(mem_alloc, kit.sem, 4096, RW_COMMIT | VX_MEM_HANDLE, 0));
    E(mem_alloc, BAD_ARGUMENT, SYS(mem_alloc, 0, 0, RW_COMMIT, 0));
    E(mem_alloc, BAD_ARGUMENT, SYS(mem_alloc, 0, 4096, VX_PROT_WRITE | VX_PROT_EXEC | VX_PROT_READ | VX_MEM_COMMIT, 0));
    E(mem_alloc, BAD_ARGUMENT, SYS(mem_alloc, 0, 4096, RW_LAZY | VX_MEM_HANDLE, 0));
    E(mem_alloc, BAD_ARGUMENT, SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_LAZY, 0));
    E(mem_alloc, BAD_ARGUMENT, SYS(mem_alloc, 0, 4096, RW_COMMIT | 0x10000, 0));
    E(mem_alloc, BAD_ARGUMENT, SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_FIXED, 0x200000001));
    E(mem_alloc, BAD_ARGUMENT, SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_FIXED, UINT64_C(0xffff800000000000)));
    E(mem_alloc, TOO_BIG, SYS(mem_alloc, 0, (uint64_t)MEM_BYTES_MAX + 4096, VX_MEM_RESERVE, 0));
    E(mem_alloc, NO_MEMORY, SYS(mem_alloc, 0, UINT64_C(1) << 36, RW_COMMIT, 0));
    E(mem_alloc, BUSY, SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_FIXED, P(kit.page)));
    C(mem_alloc, hostile,
      STATUS(mem_alloc, 0, UINT64_MAX, RW_COMMIT, 0) != OK &&
          STATUS(mem_alloc, 0, UINT64_MAX - 4094, RW_LAZY, 0) != OK &&
          STATUS(mem_alloc, 0, 8192, RW_COMMIT | VX_MEM_FIXED, UINT64_C(0x7fffffffe000)) != OK &&
          STATUS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_FIXED, 0) != OK &&
          STATUS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_FIXED, VX_BUNDLE_ADDRESS) != OK);
}

static void alloc(void)
{
    struct check_accounts before = check_accounts();
    struct vx_result r = SYS(mem_alloc, 0, 8192, RW_COMMIT, 0);
    volatile uint8_t *p = (volatile uint8_t *)(uintptr_t)r.second;
    S(mem_alloc, r);
    bool zero = p[0] == 0 && p[8191] == 0;
    p[8191] = 9;
    C(mem_alloc, ok, r.value == 0 && zero && p[8191] == 9);
    S(mem_free, SYS(mem_free, 0, r.second, 8192));
    C(mem_free, ok, STATUS(getrandom, r.second, 8) == ERR_BAD_ADDRESS);
    r = SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0);
    C(mem_alloc, ok, r.value != 0 && r.second != 0 && SYS(cap_inspect, r.value, P(&facts)).value == VX_CAP_MEM);
    C(mem_free, ok,
      STATUS(mem_free, r.value, 0, 0) == OK && STATUS(cap_inspect, r.value, P(&facts)) == ERR_BAD_HANDLE &&
          STATUS(getrandom, r.second, 8) == ERR_BAD_ADDRESS);
    r = SYS(mem_alloc, 0, UINT64_C(1) << 32, VX_MEM_RESERVE, 0); /* 4 GiB of addresses cost next to nothing */
    C(mem_alloc, ok, vx_result_status(r.value) == OK && STATUS(getrandom, r.second, 8) == ERR_BAD_ADDRESS);
    (void)SYS(mem_free, 0, r.second, UINT64_C(1) << 32);
    r = SYS(mem_alloc, 0, 16384, RW_LAZY, 0);
    C(mem_alloc, ok, STATUS(getrandom, r.second + 8192, 8) == OK); /* the kernel's own touch counts as the first */
    (void)SYS(mem_free, 0, r.second, 16384);
    check_no_leak("mem_alloc and mem_free balance", before);
    alloc_errors();
}

static struct vx_result free_handle(uint64_t handle)
{
    return SYS(mem_free, handle, 0, 0);
}

static void free_errors(void)
{
    E(mem_free, BAD_HANDLE, SYS(mem_free, FORGED, 0, 0));
    E(mem_free, WRONG_TYPE, SYS(mem_free, kit.sem, 0, 0));
    E(mem_free, BAD_ARGUMENT, SYS(mem_free, 0, P(kit.page) + 1, 4096));
    E(mem_free, BAD_ARGUMENT, SYS(mem_free, 0, P(kit.page), 0));
    E(mem_free, NOT_FOUND, SYS(mem_free, 0, UINT64_C(0x500000000000), 4096));
    C(mem_free, hostile,
      STATUS(mem_free, 0, UINT64_C(0xffff800000000000), 4096) != OK &&
          STATUS(mem_free, 0, UINT64_MAX - 4095, 8192) != OK &&
          STATUS(mem_free, 0, P(kit.page), UINT64_MAX - 4095) != OK && kit.page[0] == kit.page[0]);
    kit_hostile_handle("mem_free.hostile", free_handle);
    vx_handle_t dead = (vx_handle_t)SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0).value;
    (void)SYS(destroy, dead);
    E(mem_free, DESTROYED, SYS(mem_free, dead, UINT64_C(0x500000000000), 4096));
    E(mem_map, DESTROYED, SYS(mem_map, dead, 0, 4096, 0, VX_PROT_READ));
    (void)SYS(cap_drop, dead);
}

static struct vx_result map_handle(uint64_t handle)
{
    return SYS(mem_map, handle, 0, 4096, 0, VX_PROT_READ);
}

static void map_errors(void)
{
    E(mem_map, BAD_HANDLE, SYS(mem_map, FORGED, 0, 4096, 0, VX_PROT_READ));
    E(mem_map, WRONG_TYPE, SYS(mem_map, kit.sem, 0, 4096, 0, VX_PROT_READ));
    vx_handle_t weak = kit_without(kit.mem, VX_R_WRITE);
    E(mem_map, NO_RIGHTS, SYS(mem_map, weak, 0, 4096, 0, VX_PROT_READ | VX_PROT_WRITE));
    struct vx_result r = SYS(mem_map, weak, 0, 4096, 0, VX_PROT_READ);
    /* what was mapped read-only through a weaker capability cannot be made writable */
    C(mem_map, hostile,
      vx_result_status(r.value) == OK && STATUS(mem_map, 0, 0, 4096, r.value, VX_PROT_READ | VX_PROT_WRITE) != OK &&
          STATUS(getrandom, r.value, 8) == ERR_BAD_ADDRESS);
    (void)SYS(cap_drop, weak);
    E(mem_map, BAD_ARGUMENT, SYS(mem_map, kit.mem, 1, 4096, 0, VX_PROT_READ));
    E(mem_map, BAD_ARGUMENT, SYS(mem_map, kit.mem, 4096, 4096, 0, VX_PROT_READ));
    E(mem_map, BAD_ARGUMENT, SYS(mem_map, kit.mem, 0, 8192, 0, VX_PROT_READ));
    E(mem_map, BAD_ARGUMENT, SYS(mem_map, 0, 0, 4096, P(kit.page), VX_PROT_WRITE | VX_PROT_EXEC | VX_PROT_READ));
    E(mem_map, BUSY, SYS(mem_map, kit.mem, 0, 4096, P(kit.page), VX_PROT_READ));
    E(mem_map, NOT_FOUND, SYS(mem_map, 0, 0, 4096, UINT64_C(0x500000000000), VX_PROT_READ));
    C(mem_map, hostile,
      STATUS(mem_map, kit.mem, UINT64_MAX - 4095, 8192, 0, VX_PROT_READ) != OK &&
          STATUS(mem_map, kit.mem, 0, UINT64_MAX - 4095, 0, VX_PROT_READ) != OK &&
          STATUS(mem_map, kit.mem, 0, 4096, UINT64_C(0xffff800000000000), VX_PROT_READ) != OK &&
          STATUS(mem_map, 0, 0, UINT64_MAX - 4095, P(kit.page), VX_PROT_READ) != OK);
    kit_hostile_handle("mem_map.hostile", map_handle);
}

/* Page tables are charged too: scattered mappings run a small child dry. */
static void no_memory(void)
{
    vx_handle_t child = kit_child("map-until-dry", 0, 0, nullptr);
    uint32_t bits = kit_child_end(child);
    C(mem_map, NO_MEMORY, bits < 1000 && (bits & 1) != 0);
    C(ring_map, NO_MEMORY, bits < 1000 && (bits & 2) != 0);
}

static void map(void)
{
    struct check_accounts before = check_accounts();
    struct vx_result a = SYS(mem_map, kit.mem, 0, 4096, 0, VX_PROT_READ | VX_PROT_WRITE);
    struct vx_result b = SYS(mem_map, kit.mem, 0, 4096, 0, VX_PROT_READ);
    S(mem_map, a);
    volatile uint32_t *wide = (volatile uint32_t *)(uintptr_t)a.value;
    wide[3] = 0x12345678;
    C(mem_map, ok,
      vx_result_status(b.value) == OK && ((volatile uint32_t *)(uintptr_t)b.value)[3] == 0x12345678 &&
          STATUS(getrandom, b.value, 8) == ERR_BAD_ADDRESS);
    S(mem_free, SYS(mem_free, kit.mem, a.value, 4096));
    (void)SYS(mem_free, kit.mem, b.value, 4096);
    C(mem_free, ok, STATUS(getrandom, a.value, 8) == ERR_BAD_ADDRESS && STATUS(cap_inspect, kit.mem, P(&facts)) == OK);
    uint8_t *pages = check_pages(3 * 4096, RW_COMMIT);
    C(mem_map, ok,
      STATUS(mem_map, 0, 0, 4096, P(pages + 4096), VX_PROT_NONE) == OK &&
          STATUS(getrandom, P(pages + 4096), 8) == ERR_BAD_ADDRESS && STATUS(getrandom, P(pages), 8) == OK &&
          STATUS(getrandom, P(pages + 8192), 8) == OK);
    C(mem_map, ok,
      STATUS(mem_map, 0, 0, 4096, P(pages), VX_MAP_RESERVE) == OK &&
          STATUS(getrandom, P(pages), 8) == ERR_BAD_ADDRESS &&
          STATUS(mem_map, 0, 0, 4096, P(pages), VX_PROT_READ | VX_PROT_WRITE | VX_MAP_COMMIT) == OK &&
          STATUS(getrandom, P(pages), 8) == OK);
    (void)SYS(mem_free, 0, P(pages), 3 * 4096);
    check_no_leak("mem_map leaves nothing behind", before);
}

void test_mem(void)
{
    sem_create();
    carve();
    surface();
    alloc();
    free_errors();
    map();
    map_errors();
    no_memory();
}
