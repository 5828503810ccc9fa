/* SPDX-License-Identifier: MIT */
#include "syscalls.h"

struct kit kit;

vx_handle_t kit_tombstone(void)
{
    struct vx_result r = SYS(sem_create, 0, 0);
    vx_handle_t handle = (vx_handle_t)r.value;
    (void)SYS(destroy, handle);
    return handle;
}

vx_handle_t kit_without(vx_handle_t handle, vx_rights_t right)
{
    struct vx_cap_facts facts = {};
    if (STATUS(cap_inspect, handle, P(&facts)) != OK)
        return 0;
    struct vx_result r = SYS(cap_narrow, handle, facts.rights & ~right, 0, 0);
    return vx_result_status(r.value) == OK ? (vx_handle_t)r.value : 0;
}

uint32_t kit_thread(void)
{
    struct vx_thread_info info = {};
    (void)SYS(task_control, 0, VX_TASK_THREADS, P(&info), 1, 0);
    return info.id;
}

void kit_interrupt(void)
{
    (void)SYS(thread_interrupt, kit_thread());
}

uint64_t kit_past(void)
{
    return 1;
}

uint64_t kit_soon(void)
{
    return vx_deadline_in(VX_NS_PER_MS);
}

struct ring kit_ring(uint32_t slots, uint32_t flags)
{
    struct vx_result r = SYS(ring_create, 0, slots, flags);
    if (vx_result_status(r.value) != OK)
        return (struct ring){};
    return (struct ring){ (vx_handle_t)r.value, (vx_handle_t)r.second };
}

void kit_ring_drop(struct ring r)
{
    (void)SYS(cap_drop, r.tx);
    (void)SYS(cap_drop, r.rx);
}

struct ring kit_ring_full(uint32_t flags)
{
    static struct vx_message m;
    struct ring r = kit_ring(2, flags);
    while (STATUS(ring_send, r.tx, P(&m), 0) == OK)
        ;
    return r;
}

vx_handle_t kit_orphan_tx(uint32_t flags)
{
    struct ring r = kit_ring(2, flags);
    (void)SYS(cap_drop, r.rx);
    return r.tx;
}

vx_handle_t kit_orphan_rx(uint32_t flags)
{
    struct ring r = kit_ring(2, flags);
    (void)SYS(cap_drop, r.tx);
    return r.rx;
}

static vx_handle_t start_child(const char *role, vx_handle_t gift, vx_rights_t rights, uint64_t memory, uint32_t *id)
{
    static struct vx_spawn spawn;
    char name[32] = "child-";
    (void)vx_strcopy(name + 6, sizeof name - 6, role);
    const char *argv[] = { "/test/syscalls", name };
    spawn = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv, .memory = memory };
    vx_spawn_begin(&spawn);
    if (gift != 0)
        vx_spec_move(&spawn.spec, "gift", gift, rights);
    vx_task task = {};
    uint32_t unused;
    return vx_spawn_end(&spawn, &task, id != nullptr ? id : &unused) == OK ? task.raw : 0;
}

vx_handle_t kit_child(const char *role, vx_handle_t gift, vx_rights_t rights, uint32_t *id)
{
    return start_child(role, gift, rights, 0, id);
}

vx_handle_t kit_large_child(const char *role, uint64_t memory)
{
    return start_child(role, 0, 0, memory, nullptr);
}

uint32_t kit_child_end(vx_handle_t task)
{
    struct vx_result r = SYS(waitpid, task, 0);
    (void)SYS(cap_drop, task);
    if (vx_result_status(r.value) != OK)
        return 2000;
    uint32_t cause = (uint32_t)(r.second & 255);
    return cause == VX_CAUSE_EXIT ? (uint32_t)r.value : 1000 + cause;
}

static bool all_bad(const char *name, const uint64_t *list, size_t n, struct vx_result (*call)(uint64_t))
{
    for (size_t i = 0; i < n; i++) {
        status_t got = vx_result_status(call(list[i]).value);
        if (got != ERR_BAD_ADDRESS) {
            (void)check_line(name, false, "a bad address was not refused");
            vx_printf("#   address 0x%llx got %s\n", (unsigned long long)list[i], vx_status_name(got));
            return false;
        }
    }
    return check_line(name, true, "");
}

/* The addresses that are bad whatever the kernel wants to do there. The straddling ones have their last byte outside.
 */
static size_t bad_addresses(uint64_t *list, size_t bytes)
{
    size_t n = 0;
    list[n++] = 0;
    list[n++] = 8;
    list[n++] = 0x1000;
    list[n++] = UINT64_C(0x7ffffffff000) - 1 - bytes / 2; /* crosses the end of user space */
    list[n++] = UINT64_C(0x7ffffffff000);
    list[n++] = UINT64_C(0x0000800000000000); /* not canonical on x86-64 */
    list[n++] = UINT64_C(0x0001000000000000); /* beyond 48 bits on AArch64 */
    list[n++] = UINT64_C(0xdeadbeefdeadbeef);
    list[n++] = UINT64_C(0xffff800000000000); /* kernel: direct map, image */
    list[n++] = UINT64_C(0xffff000000000000);
    list[n++] = UINT64_C(0xffffffff80000000);
    list[n++] = UINT64_MAX;
    list[n++] = UINT64_MAX - bytes + 1;         /* ends exactly at 2^64 */
    list[n++] = P(kit.page) + 4096;             /* nothing there */
    list[n++] = P(kit.page) + 4096 - bytes + 1; /* all but the last byte is there */
    list[n++] = P(kit.no_access);
    return n;
}

bool kit_hostile_in(const char *name, size_t bytes, struct vx_result (*call)(uint64_t))
{
    uint64_t list[24];
    return all_bad(name, list, bad_addresses(list, bytes), call);
}

bool kit_hostile_word(const char *name, struct vx_result (*call)(uint64_t))
{
    uint64_t all[24], list[24];
    size_t n = bad_addresses(all, 4), kept = 0;
    for (size_t i = 0; i < n; i++)
        if (all[i] % 4 == 0)
            list[kept++] = all[i];
    return all_bad(name, list, kept, call);
}

bool kit_hostile_out(const char *name, size_t bytes, struct vx_result (*call)(uint64_t))
{
    uint64_t list[24];
    size_t n = bad_addresses(list, bytes);
    list[n++] = P(kit.read_only);
    list[n++] = VX_BUNDLE_ADDRESS;
    list[n++] = VX_TIME_PAGE_ADDRESS;
    list[n++] = P(&kit_hostile_out);
    return all_bad(name, list, n, call);
}

bool kit_hostile_handle(const char *name, struct vx_result (*call)(uint64_t))
{
    const uint64_t list[] = {
        FORGED, 1, 0x3fff, UINT32_MAX, kit.mem + (1u << VX_HANDLE_INDEX_BITS), kit.mem ^ (UINT64_C(1) << 31), 0x7fffffff
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        status_t got = vx_result_status(call(list[i]).value);
        if (got != ERR_BAD_HANDLE) {
            (void)check_line(name, false, "a forged handle was not refused");
            vx_printf("#   handle 0x%llx got %s\n", (unsigned long long)list[i], vx_status_name(got));
            return false;
        }
    }
    return check_line(name, true, "");
}
