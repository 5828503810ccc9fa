/* SPDX-License-Identifier: MIT
 * The capability table: calls 2, 3, 4, 14, 38. */
#include "syscalls.h"

static struct vx_cap_facts facts;

static struct vx_result inspect_at(uint64_t a)
{
    return SYS(cap_inspect, kit.sem, a);
}

static struct vx_result inspect_handle(uint64_t handle)
{
    return SYS(cap_inspect, handle, P(&facts));
}

static void inspect(void)
{
    struct vx_result r = SYS(cap_inspect, kit.sem, P(&facts));
    C(cap_inspect, ok,
      r.value == VX_CAP_SEM && facts.type == VX_CAP_SEM && facts.handle == kit.sem && facts.destroyed == 0 &&
          facts.a == 0 && (facts.rights & VX_R_SIGNAL) != 0);
    C(cap_inspect, ok, SYS(cap_inspect, kit.dead, P(&facts)).value == VX_CAP_SEM && facts.destroyed == 1);
    C(cap_inspect, ok,
      SYS(cap_inspect, kit.reticle, P(&facts)).value == VX_CAP_RETICLE && facts.a >= facts.b && facts.b > 0 &&
          facts.c <= facts.b);
    C(cap_inspect, ok,
      SYS(cap_inspect, kit.mem, P(&facts)).value == VX_CAP_MEM && facts.a == 0 && facts.b == 4096 && facts.c == 0 &&
          facts.d == 4096);
    E(cap_inspect, BAD_HANDLE, SYS(cap_inspect, 0, P(&facts)));
    kit_hostile_out("cap_inspect.BAD_ADDRESS", 64, inspect_at);
    kit_hostile_handle("cap_inspect.hostile", inspect_handle);
}

static struct vx_result drop_handle(uint64_t handle)
{
    return SYS(cap_drop, handle);
}

static void drop(void)
{
    struct check_accounts before = check_accounts();
    vx_handle_t sem = (vx_handle_t)SYS(sem_create, 0, 1).value;
    S(cap_drop, SYS(cap_drop, sem));
    E(cap_drop, BAD_HANDLE, SYS(cap_drop, sem)); /* stale: the generation moved on */
    check_no_leak("cap_drop gives the object's memory back", before);
    /* a child of what is dropped stays, as a child of its parent */
    (void)SYS(cap_inspect, kit.sem, P(&facts));
    vx_handle_t middle = (vx_handle_t)SYS(cap_narrow, kit.sem, facts.rights, 0, 0).value;
    vx_handle_t leaf = (vx_handle_t)SYS(cap_narrow, middle, facts.rights, 0, 0).value;
    (void)SYS(cap_drop, middle);
    C(cap_drop, ok, STATUS(cap_inspect, leaf, P(&facts)) == OK && facts.parent == kit.sem);
    (void)SYS(cap_drop, leaf);
    kit_hostile_handle("cap_drop.hostile", drop_handle);
}

static struct vx_result narrow_handle(uint64_t handle)
{
    return SYS(cap_narrow, handle, VX_R_READ, 0, 0);
}

static void narrow_ranges(void)
{
    vx_handle_t big = (vx_handle_t)SYS(mem_alloc, 0, 4 * 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0).value;
    vx_handle_t part = (vx_handle_t)SYS(cap_narrow, big, VX_R_READ | VX_R_COPY, 4096, 8192).value;
    C(cap_narrow, ok,
      STATUS(cap_inspect, part, P(&facts)) == OK && facts.a == 4096 && facts.b == 8192 && facts.parent == big &&
          facts.rights == (VX_R_READ | VX_R_COPY));
    vx_handle_t rest = (vx_handle_t)SYS(cap_narrow, part, VX_R_READ, 4096, 0).value;
    C(cap_narrow, ok, STATUS(cap_inspect, rest, P(&facts)) == OK && facts.a == 8192 && facts.b == 4096);
    E(cap_narrow, BAD_ARGUMENT, SYS(cap_narrow, part, VX_R_READ, 4096, 8192)); /* reaches beyond its parent */
    E(cap_narrow, BAD_ARGUMENT, SYS(cap_narrow, kit.sem, VX_R_SIGNAL, 8, 0));  /* a semaphore has no parts */
    E(cap_narrow, BAD_ARGUMENT, SYS(cap_narrow, kit.sem, 0x10000 | VX_R_SIGNAL, 0, 0));
    C(cap_narrow, hostile,
      STATUS(cap_narrow, big, VX_R_READ, UINT64_MAX, 2) == ERR_BAD_ARGUMENT &&
          STATUS(cap_narrow, big, VX_R_READ, 4096, UINT64_MAX - 4095) == ERR_BAD_ARGUMENT &&
          STATUS(cap_narrow, big, VX_R_READ, UINT64_MAX - 4095, 8192) == ERR_BAD_ARGUMENT &&
          STATUS(cap_narrow, big, VX_R_READ, 1u << 20, 0) == ERR_BAD_ARGUMENT);
    (void)SYS(cap_drop, rest);
    (void)SYS(cap_drop, part);
    (void)SYS(cap_drop, big);
}

static void narrow(void)
{
    vx_handle_t weak = (vx_handle_t)SYS(cap_narrow, kit.sem, VX_R_SIGNAL | VX_R_COPY, 0, 0).value;
    C(cap_narrow, ok,
      STATUS(sem_signal, weak, 1) == OK && STATUS(sem_wait, weak, 1, 0) == ERR_NO_RIGHTS &&
          STATUS(sem_wait, kit.sem, 1, 0) == OK);
    C(cap_narrow, NO_RIGHTS, STATUS(cap_narrow, weak, VX_R_SIGNAL | VX_R_WAIT, 0, 0) != OK); /* more than it has */
    vx_handle_t leaf = (vx_handle_t)SYS(cap_narrow, weak, VX_R_SIGNAL, 0, 0).value;
    E(cap_narrow, NO_RIGHTS, SYS(cap_narrow, leaf, VX_R_SIGNAL, 0, 0)); /* no COPY */
    (void)SYS(cap_drop, leaf);
    (void)SYS(cap_drop, weak);
    E(cap_narrow, BAD_HANDLE, SYS(cap_narrow, 0, VX_R_READ, 0, 0));
    E(cap_narrow, DESTROYED, SYS(cap_narrow, kit.dead, VX_R_SIGNAL, 0, 0));
    narrow_ranges();
    kit_hostile_handle("cap_narrow.hostile", narrow_handle);
    static vx_handle_t taken[CAP_SLOTS_DEFAULT];
    unsigned n = 0;
    struct vx_result r = {};
    while (n < CAP_SLOTS_DEFAULT && vx_result_status((r = SYS(cap_narrow, kit.sem, 0, 0, 0)).value) == OK)
        taken[n++] = (vx_handle_t)r.value;
    status_t full = vx_result_status(r.value);
    status_t create = STATUS(sem_create, 0, 0);
    status_t ring = STATUS(ring_create, 0, 0, 0);
    status_t surface = STATUS(surface_create, 0, 8, 8, VX_FORMAT_XRGB8888);
    status_t carve = STATUS(reticle_carve, 0, 4096);
    status_t mem = STATUS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0);
    vx_handle_t child = kit_child("exit", 0, 0, nullptr);
    while (n > 0)
        (void)SYS(cap_drop, taken[--n]);
    C(cap_narrow, TABLE_FULL, full == ERR_TABLE_FULL);
    C(sem_create, TABLE_FULL, create == ERR_TABLE_FULL);
    C(ring_create, TABLE_FULL, ring == ERR_TABLE_FULL);
    C(surface_create, TABLE_FULL, surface == ERR_TABLE_FULL);
    C(reticle_carve, TABLE_FULL, carve == ERR_TABLE_FULL);
    C(mem_alloc, TABLE_FULL, mem == ERR_TABLE_FULL);
    C(spawn, hostile, child == 0);
}

static struct vx_result revoke_handle(uint64_t handle)
{
    return SYS(cap_revoke, handle);
}

static void revoke(void)
{
    struct check_accounts before = check_accounts();
    vx_handle_t root = (vx_handle_t)SYS(sem_create, 0, 0).value;
    (void)SYS(cap_inspect, root, P(&facts));
    vx_handle_t a = (vx_handle_t)SYS(cap_narrow, root, facts.rights, 0, 0).value;
    vx_handle_t b = (vx_handle_t)SYS(cap_narrow, a, facts.rights, 0, 0).value;
    vx_handle_t c = (vx_handle_t)SYS(cap_narrow, root, VX_R_SIGNAL, 0, 0).value;
    C(cap_revoke, ok, SYS(cap_revoke, a).value == 1 && STATUS(sem_signal, b, 1) == ERR_BAD_HANDLE);
    C(cap_revoke, ok,
      SYS(cap_revoke, root).value == 2 && STATUS(sem_signal, c, 1) == ERR_BAD_HANDLE &&
          STATUS(sem_signal, root, 1) == OK && SYS(cap_revoke, root).value == 0);
    E(cap_revoke, BAD_HANDLE, SYS(cap_revoke, a));
    vx_handle_t weak = kit_without(root, VX_R_REVOKE);
    E(cap_revoke, NO_RIGHTS, SYS(cap_revoke, weak));
    (void)SYS(cap_revoke, root);
    (void)SYS(cap_drop, root);
    vx_handle_t tomb = kit_tombstone();
    E(cap_revoke, DESTROYED, SYS(cap_revoke, tomb));
    (void)SYS(cap_drop, tomb);
    /* what was mapped through a revoked capability is gone from the address space */
    vx_handle_t mem = (vx_handle_t)SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0).value;
    (void)SYS(cap_inspect, mem, P(&facts));
    vx_handle_t child = (vx_handle_t)SYS(cap_narrow, mem, facts.rights, 0, 0).value;
    uint64_t at = SYS(mem_map, child, 0, 4096, 0, VX_PROT_READ | VX_PROT_WRITE).value;
    bool mapped = STATUS(console_write, kit.console, at, 0) == OK && STATUS(getrandom, at, 8) == OK;
    (void)SYS(cap_revoke, mem);
    C(cap_revoke, hostile, mapped && STATUS(getrandom, at, 8) == ERR_BAD_ADDRESS);
    (void)SYS(cap_drop, mem);
    kit_hostile_handle("cap_revoke.hostile", revoke_handle);
    check_no_leak("cap_revoke leaves nothing behind", before);
}

static struct vx_result destroy_handle(uint64_t handle)
{
    return SYS(destroy, handle);
}

static void destroy(void)
{
    struct check_accounts before = check_accounts();
    vx_handle_t sem = (vx_handle_t)SYS(sem_create, 0, 0).value;
    vx_handle_t copy = (vx_handle_t)SYS(cap_narrow, sem, VX_R_SIGNAL, 0, 0).value;
    S(destroy, SYS(destroy, sem));
    E(destroy, DESTROYED, SYS(destroy, sem));
    C(destroy, ok,
      STATUS(sem_signal, copy, 1) == ERR_DESTROYED && STATUS(cap_inspect, copy, P(&facts)) == OK &&
          facts.destroyed == 1);
    (void)SYS(cap_drop, copy);
    (void)SYS(cap_drop, sem);
    vx_handle_t weak = kit_without(kit.sem, VX_R_DESTROY);
    E(destroy, NO_RIGHTS, SYS(destroy, weak));
    (void)SYS(cap_drop, weak);
    E(destroy, BAD_HANDLE, SYS(destroy, FORGED));
    /* a Reticle, with what was made of it */
    vx_handle_t carved = (vx_handle_t)SYS(reticle_carve, 0, 1 << 16).value;
    vx_handle_t inside = (vx_handle_t)SYS(sem_create, carved, 0).value;
    C(destroy, ok, STATUS(destroy, carved) == OK && STATUS(sem_signal, inside, 1) == ERR_DESTROYED);
    (void)SYS(cap_drop, inside);
    (void)SYS(cap_drop, carved);
    /* an end of a Ring that was destroyed with the other */
    struct ring gone = kit_ring(2, 0);
    (void)SYS(destroy, gone.tx);
    E(destroy, PEER_CLOSED, SYS(destroy, gone.rx));
    E(cap_revoke, PEER_CLOSED, SYS(cap_revoke, gone.rx));
    E(cap_narrow, PEER_CLOSED, SYS(cap_narrow, gone.rx, VX_R_RECV, 0, 0));
    kit_ring_drop(gone);
    check_no_leak("destroy gives everything back", before);
    kit_hostile_handle("destroy.hostile", destroy_handle);
}

void test_cap(void)
{
    inspect();
    drop();
    narrow();
    revoke();
    destroy();
}
