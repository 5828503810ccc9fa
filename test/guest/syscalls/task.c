/* SPDX-License-Identifier: MIT
 * Tasks: calls 1, 21, 28, 29. */
#include "syscalls.h"

static vx_mem image;
alignas(16) static uint8_t spec_bytes[4096];
static size_t spec_len;

/* A specification for this very program in the role "exit". */
static void make_spec(void)
{
    static const char argv[] = "/test/syscalls\0child-exit";
    struct vx_spec s;
    vx_spec_init(&s, spec_bytes, sizeof spec_bytes);
    vx_spec_bytes(&s, "argv", argv, sizeof argv);
    (void)vx_spec_finish(&s, &spec_len);
}

static struct vx_slot *first_slot(void)
{
    struct vx_bundle *b = (struct vx_bundle *)spec_bytes;
    return (struct vx_slot *)(spec_bytes + b->slots_at);
}

static status_t spawn_status(void)
{
    struct vx_result r = SYS(spawn, image.raw, P(spec_bytes), spec_len);
    status_t st = vx_result_status(r.value);
    if (st == OK) {
        (void)SYS(waitpid, r.value, 0);
        (void)SYS(cap_drop, r.value);
    }
    return st;
}

static struct vx_result spawn_at(uint64_t a)
{
    return SYS(spawn, image.raw, a, spec_len);
}

static struct vx_result spawn_handle(uint64_t handle)
{
    return SYS(spawn, handle, P(spec_bytes), spec_len);
}

static void spawn_errors(void)
{
    E(spawn, BAD_HANDLE, SYS(spawn, FORGED, P(spec_bytes), spec_len));
    E(spawn, WRONG_TYPE, SYS(spawn, kit.sem, P(spec_bytes), spec_len));
    vx_handle_t weak = kit_without(kit.initrd, VX_R_EXEC);
    E(spawn, NO_RIGHTS, SYS(spawn, weak, P(spec_bytes), spec_len));
    (void)SYS(cap_drop, weak);
    vx_handle_t dead = (vx_handle_t)SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0).value;
    vx_handle_t junk = (vx_handle_t)SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0).value;
    (void)SYS(destroy, dead);
    status_t gone = STATUS(spawn, dead, P(spec_bytes), spec_len);
    C(spawn, DESTROYED, gone == ERR_DESTROYED);
    status_t bad = STATUS(spawn, junk, P(spec_bytes), spec_len);
    C(spawn, BAD_IMAGE, bad == ERR_BAD_IMAGE);
    (void)SYS(cap_drop, dead);
    (void)SYS(cap_drop, junk);
    E(spawn, TOO_BIG, SYS(spawn, image.raw, P(spec_bytes), (uint64_t)BUNDLE_MAX_BYTES + 8));
    kit_hostile_in("spawn.BAD_ADDRESS", spec_len, spawn_at);
    kit_hostile_handle("spawn.hostile", spawn_handle);
    static vx_handle_t taken[CAP_SLOTS_DEFAULT];
    unsigned n = 0;
    struct vx_result r;
    while (n < CAP_SLOTS_DEFAULT && vx_result_status((r = SYS(cap_narrow, kit.sem, 0, 0, 0)).value) == OK)
        taken[n++] = (vx_handle_t)r.value;
    status_t full = spawn_status();
    while (n > 0)
        (void)SYS(cap_drop, taken[--n]);
    C(spawn, TABLE_FULL, full == ERR_TABLE_FULL);
}

/* Specifications that lie. */
static void spawn_specs(void)
{
    struct vx_bundle *b = (struct vx_bundle *)spec_bytes;
    make_spec();
    b->magic ^= 1;
    C(spawn, BAD_ARGUMENT, spawn_status() == ERR_BAD_ARGUMENT);
    make_spec();
    b->slots_at = 0xfffffff8;
    C(spawn, BAD_ARGUMENT, spawn_status() == ERR_BAD_ARGUMENT);
    make_spec();
    b->n_slots = 0xffff;
    C(spawn, BAD_ARGUMENT, spawn_status() != OK);
    make_spec();
    b->bytes = 0xffffffff;
    C(spawn, BAD_ARGUMENT, spawn_status() != OK);
    make_spec();
    first_slot()->value = UINT64_MAX - 4;
    C(spawn, BAD_ARGUMENT, spawn_status() == ERR_BAD_ARGUMENT);
    make_spec();
    first_slot()->length = UINT32_MAX;
    C(spawn, BAD_ARGUMENT, spawn_status() == ERR_BAD_ARGUMENT);
    make_spec();
    memset(first_slot()->name, 'x', VX_SLOT_NAME_MAX);
    C(spawn, BAD_ARGUMENT, spawn_status() == ERR_BAD_ARGUMENT);
    make_spec();
    first_slot()->kind = 77;
    C(spawn, BAD_ARGUMENT, spawn_status() == ERR_BAD_ARGUMENT);
    make_spec();
    first_slot()->kind = VX_SLOT_CAP;
    first_slot()->length = 0;
    first_slot()->value = FORGED;
    C(spawn, BAD_HANDLE, spawn_status() == ERR_BAD_HANDLE);
    first_slot()->value = kit.dead;
    C(spawn, DESTROYED, spawn_status() == ERR_DESTROYED);
    struct ring gone = kit_ring(2, 0);
    (void)SYS(destroy, gone.tx);
    first_slot()->value = gone.rx;
    C(spawn, PEER_CLOSED, spawn_status() == ERR_PEER_CLOSED);
    kit_ring_drop(gone);
}

static status_t spawn_with(const char *name, uint64_t value)
{
    struct vx_spec s;
    vx_spec_init(&s, spec_bytes, sizeof spec_bytes);
    vx_spec_int(&s, name, value);
    (void)vx_spec_finish(&s, &spec_len);
    return spawn_status();
}

static void spawn_wishes(void)
{
    C(spawn, NO_MEMORY, spawn_with("memory", UINT64_C(1) << 36) == ERR_NO_MEMORY);
    C(spawn, TOO_BIG, spawn_with("capslots", CAP_SLOTS_MAX * 2) == ERR_TOO_BIG);
    C(spawn, BAD_ARGUMENT, spawn_with("capslots", CAP_SLOTS_MIN / 2) == ERR_BAD_ARGUMENT);
    C(spawn, TOO_BIG, spawn_with("stack", (uint64_t)STACK_MAX_BYTES + 4096) == ERR_TOO_BIG);
    C(spawn, BAD_ARGUMENT, spawn_with("band", VX_BAND_COUNT) == ERR_BAD_ARGUMENT);
    C(spawn, hostile,
      spawn_with("band", VX_BAND_DRIVER) != OK && spawn_with("memory", UINT64_MAX) != OK &&
          spawn_with("stack", UINT64_MAX) != OK && spawn_with("capslots", UINT64_MAX) != OK);
    /* a capability handed over with a right that the parent lacks */
    vx_handle_t weak = (vx_handle_t)SYS(cap_narrow, kit.sem, VX_R_SIGNAL | VX_R_COPY, 0, 0).value;
    struct vx_spec s;
    vx_spec_init(&s, spec_bytes, sizeof spec_bytes);
    vx_spec_copy(&s, "gift", weak, VX_R_SIGNAL | VX_R_WAIT);
    (void)vx_spec_finish(&s, &spec_len);
    C(spawn, NO_RIGHTS, spawn_status() == ERR_NO_RIGHTS);
    (void)SYS(cap_drop, weak);
    vx_spec_init(&s, spec_bytes, sizeof spec_bytes);
    vx_spec_copy(&s, "reticle", kit.sem, VX_R_SIGNAL);
    (void)vx_spec_finish(&s, &spec_len);
    C(spawn, WRONG_TYPE, spawn_status() == ERR_WRONG_TYPE);
    make_spec();
}

static void spawn(void)
{
    (void)vx_image_find("/test/syscalls", &image);
    make_spec();
    struct check_accounts before = check_accounts();
    struct vx_result r = SYS(spawn, image.raw, P(spec_bytes), spec_len);
    S(spawn, r);
    C(spawn, ok, r.second != 0 && r.second != SYS(getpid).value);
    C(task_exit, ok, kit_child_end((vx_handle_t)r.value) == 7); /* its main returned 7 */
    spawn_errors();
    spawn_specs();
    spawn_wishes();
    check_no_leak("failed spawns leave nothing behind", before);
    (void)SYS(cap_drop, image.raw);
}

static struct vx_result wait_handle(uint64_t handle)
{
    return SYS(waitpid, handle, VX_WAIT_NOHANG);
}

static void wait(void)
{
    uint32_t id = 0;
    vx_handle_t child = kit_child("sleep", 0, 0, &id);
    E(waitpid, WOULD_BLOCK, SYS(waitpid, child, VX_WAIT_NOHANG));
    E(waitpid, BAD_ARGUMENT, SYS(waitpid, child, 2));
    kit_interrupt();
    E(waitpid, INTERRUPTED, SYS(waitpid, child, 0));
    vx_handle_t weak = kit_without(child, VX_R_WAIT);
    E(waitpid, NO_RIGHTS, SYS(waitpid, weak, 0));
    (void)SYS(cap_drop, weak);
    S(destroy, SYS(destroy, child));
    struct vx_result r = SYS(waitpid, child, 0);
    C(waitpid, ok, vx_result_status(r.value) == OK && (r.second & 255) == VX_CAUSE_DESTROYED);
    (void)SYS(cap_drop, child);
    child = kit_child("fault", 0, 0, &id);
    r = SYS(waitpid, child, 0);
    C(waitpid, ok, (r.second & 255) == VX_CAUSE_PAGE_FAULT && r.second >> 8 == 0x3210 >> 8);
    C(waitpid, ok, SYS(waitpid, child, 0).second == r.second); /* asking again answers the same */
    (void)SYS(cap_drop, child);
    E(waitpid, BAD_HANDLE, SYS(waitpid, child, 0));
    E(waitpid, WRONG_TYPE, SYS(waitpid, kit.mem, 0));
    kit_hostile_handle("waitpid.hostile", wait_handle);
}

void test_task(void)
{
    struct vx_result me = SYS(getpid);
    C(getpid, ok, me.value == vx_bundle()->task_id && me.value != 0);
    C(getpid, hostile,
      check_enter(NR_getpid, (const uint64_t[5]){ UINT64_MAX, UINT64_MAX, 0, 1, 2 }).value == me.value);
    spawn();
    struct check_accounts before = check_accounts();
    wait();
    C(task_exit, hostile, kit_child_end(kit_child("exit", 0, 0, nullptr)) == 7);
    check_no_leak("children that ended leave nothing behind", before);
}
