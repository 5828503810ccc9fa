/* SPDX-License-Identifier: MIT
 * The memory calls as a Task makes them: what they accept, every error by name, rights, and that failure leaves
 * nothing. */
// sources: kernel/vm_unmap.c kernel/ram.c kernel/sys_cap.c
// sources: kernel/sys_mem.c kernel/cap.c kernel/mem.c kernel/vm.c kernel/vm_fault.c kernel/pt.c kernel/reticle.c
// sources: kernel/reticle_check.c base/tree.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// libs: -Wl,--wrap=reticle_alloc -Wl,--wrap=reticle_kalloc
#include <kernel/sync.h>
#include "cmocka_kassert.h"
#include "no_locks.h"
#include "alloc_fail.h"
#include "map.h"
#include <abi/machine.h>
#include <abi/timepage.h>
#include <arch/boot.h>
#include <host.h>
#include <kernel/irq.h>
#include <kernel/mem.h>
#include <kernel/pt.h>
#include <kernel/ram.h>
#include <kernel/ring.h>
#include <kernel/syscall.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define PAGE ((uint64_t)ARCH_PAGE_SIZE)
#define RO ((uint64_t)VX_PROT_READ)
#define RW ((uint64_t)(VX_PROT_READ | VX_PROT_WRITE))
#define RX ((uint64_t)(VX_PROT_READ | VX_PROT_EXEC))
#define WX ((uint64_t)(VX_PROT_WRITE | VX_PROT_EXEC))
#define SLOTS 64u
#define CHIP_BASE UINT64_C(0xfe000000) /* registers of nobody */
#define KERNEL_CHIP (CHIP_BASE + 4 * PAGE)

_Thread_local struct hart *host_hart;
/* Nobody waits for a futex here. */
void futex_recheck(struct vm *vm)
{
    (void)vm;
}

static struct hart hart;
static struct thread thread;
static struct task task;
static struct cap *slots;
static struct device chip = { .obj.type = VX_CAP_DEVICE, .base = CHIP_BASE, .length = 64 * PAGE };
static struct device memory = { .obj.type = VX_CAP_DEVICE, .base = 20 * MIB, .length = MIB };
static struct device ports = { .obj.type = VX_CAP_DEVICE, .base = 0x3f8, .length = 8, .kind = VX_DEVICE_PORTS };
static uint64_t free_at_start;

/* --- what the rest of the kernel does --- */

status_t object_create(struct reticle *home, uint8_t type, size_t size, struct object **out)
{
    void *p;
    status_t st = reticle_kalloc(home, size, &p);
    if (st != OK)
        return st;
    *out = memset(p, 0, size);
    **out = (struct object){ .type = type, .home = home };
    list_init(&(*out)->maps);
    return OK;
}

void task_kill(struct task *, uint32_t, uint32_t)
{
    abort();
}

status_t copy_to_user(uint64_t, const void *, size_t)
{
    abort();
}

struct sysret sys_alone(void)
{
    abort();
}

void object_abandon(struct object *o)
{
    assert_int_equal(o->n_caps, 0);
    assert_true(list_is_empty(&o->maps));
    reticle_kfree(o->home, o);
}

void object_destroy(struct object *o, enum object_end how [[maybe_unused]])
{
    if (o->home == nullptr)
        return;
    while (!mem_fini((struct mem *)(void *)o))
        work_begin();
    object_abandon(o);
}

static bool goes_on;

struct sysret thread_rerun_call(void)
{
    goes_on = true;
    return (struct sysret){};
}

/* All steps of a call in a row. */
#define WHOLE(call)                                                                                                    \
    ({                                                                                                                 \
        struct sysret whole_;                                                                                          \
        do {                                                                                                           \
            goes_on = false;                                                                                           \
            work_begin();                                                                                              \
            whole_ = (call);                                                                                           \
        } while (goes_on);                                                                                             \
        whole_;                                                                                                        \
    })
#define sys_mem_alloc(...) WHOLE((sys_mem_alloc)(__VA_ARGS__))
#define sys_mem_free(...) WHOLE((sys_mem_free)(__VA_ARGS__))
#define sys_mem_map(...) WHOLE((sys_mem_map)(__VA_ARGS__))
#define sys_dma_alloc(...) WHOLE((sys_dma_alloc)(__VA_ARGS__))
#define sys_surface_create(...) WHOLE((sys_surface_create)(__VA_ARGS__))
#define sys_device_map_mmio(...) WHOLE((sys_device_map_mmio)(__VA_ARGS__))

int32_t work_left = INT32_MAX; /* a step does all */

bool arch_kernel_device(unsigned i, paddr_t *base, uint64_t *len_bytes)
{
    *base = (paddr_t){ KERNEL_CHIP + 0x100 };
    *len_bytes = 0x20;
    return i == 0;
}

status_t resolve_reticle(uint64_t handle, struct reticle **out)
{
    if (handle == 0)
        *out = &task.reticle;
    return handle == 0 ? OK : ERR_BAD_HANDLE;
}

struct reticle *reticle_of_object(const struct object *)
{
    return &task.reticle;
}

void irq_cap_gone(const struct cap *)
{
}

bool irq_is_bound(const struct cap *)
{
    return false;
}

void ring_close_end(struct ring *, uint8_t)
{
}

void ring_facts(const struct ring *, uint8_t, struct vx_cap_facts *)
{
}

/* --- the Task --- */

static const struct machine described = { .n_ram = 1, .ram = { { 16 * MIB, 16 * MIB } } };

static int setup(void **)
{
    host_ram_reset();
    host_ram_add(16 * MIB, 16 * MIB);
    alloc_fail_in = 0;
    memset(&task, 0, sizeof task);
    assert_int_equal(reticle_boot(&task.reticle, &(struct ram_range){ 16 * MIB, 16 * MIB }, 1), OK);
    ram_init(&described);
    hart.current = &thread;
    hart.alone = true; /* what must be alone is: the lone way in is another test's */
    thread.task = &task;
    host_hart = &hart;
    task.reticle.owner = &task.obj;
    paddr_t table;
    assert_int_equal(reticle_alloc(&task.reticle, 0, PAGE_CAPS, &table), OK);
    slots = arch_phys_to_virt(table);
    task.caps = (struct cap_table){ .slots = slots, .n_slots = SLOTS, .task = &task };
    assert_int_equal(vm_init(&task.vm, &task.reticle), OK);
    arch_aspace_activate(&task.vm.as);
    struct device *devices[] = { &chip, &memory, &ports };
    for (size_t i = 0; i < 3; i++) {
        devices[i]->obj.caps = nullptr;
        list_init(&devices[i]->obj.maps);
    }
    free_at_start = task.reticle.free_pages;
    return 0;
}

/* Emptying the table and the address space gives every page back. */
static int teardown(void **)
{
    for (uint32_t i = 0; i < task.caps.high; i++)
        if (slots[i].type != VX_CAP_NONE)
            cap_delete(&task.caps, &slots[i]);
    if (task.vm.areas.first != nullptr)
        assert_int_equal(unmap_whole(&task.vm, VX_UADDR_MIN, VX_UADDR_LIMIT - VX_UADDR_MIN, nullptr), OK);
    assert_int_equal(task.reticle.free_pages, free_at_start);
    arch_aspace_activate(nullptr);
    assert_true(vm_fini(&task.vm));
    return 0;
}

static uint64_t grant(struct device *d, vx_rights_t rights, uint64_t offset, uint64_t length)
{
    struct cap *slot;
    assert_int_equal(cap_reserve(&task.caps, &slot), OK);
    return cap_make(slot, &d->obj, VX_CAP_DEVICE, rights, offset, length);
}

static uint64_t narrow(uint64_t handle, vx_rights_t rights, uint64_t offset, uint64_t length)
{
    struct cap *from, *slot;
    assert_int_equal(cap_get_any(&task.caps, handle, 0, false, &from), OK);
    assert_int_equal(cap_reserve(&task.caps, &slot), OK);
    return cap_derive(slot, from, rights, from->offset + offset, length);
}

#define expect_error(call, error) assert_int_equal((int64_t)(call).first, error)

static struct sysret expect_ok(struct sysret r)
{
    assert_true((int64_t)r.first >= 0);
    return r;
}

static bool readable(uint64_t at)
{
    uint64_t word;
    return host_user_read(&word, at, sizeof word) == OK;
}

static bool writable(uint64_t at)
{
    uint64_t word = 1;
    return host_user_write(at, &word, sizeof word) == OK;
}

static void mem_alloc_refuses_what_makes_no_sense(void **)
{
    static const uint64_t bad[] = {
        RW,
        RW | VX_MEM_LAZY | VX_MEM_COMMIT,
        RW | VX_MEM_RESERVE | VX_MEM_LAZY,
        WX | VX_MEM_LAZY,
        RW | VX_MEM_LAZY | 8,
        RW | VX_MEM_COMMIT | 0x800,
        RW | VX_MEM_COMMIT | UINT64_C(1) << 32,
        RW | VX_MEM_LAZY | VX_MEM_HANDLE,
        RW | VX_MEM_COMMIT | VX_MEM_NO_MAP,
        RW | VX_MEM_COMMIT | VX_MEM_CONTIG,
        RW | VX_MEM_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP | VX_MEM_FIXED,
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_error(sys_mem_alloc(0, PAGE, bad[i], 0), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_alloc(0, 0, RW | VX_MEM_LAZY, 0), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_alloc(7, PAGE, RW | VX_MEM_LAZY, 0), ERR_BAD_ARGUMENT); /* who pays is not a choice here */
    expect_error(sys_mem_alloc(7, PAGE, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, 0), ERR_BAD_HANDLE);
    expect_error(sys_mem_alloc(0, MEM_BYTES_MAX + 1, RW | VX_MEM_RESERVE, 0), ERR_TOO_BIG);
    expect_error(sys_mem_alloc(0, UINT64_MAX, RW | VX_MEM_RESERVE, 0), ERR_TOO_BIG);
    expect_error(sys_mem_alloc(0, MEM_BYTES_MAX, RW | VX_MEM_COMMIT, 0), ERR_NO_MEMORY);
    expect_error(sys_mem_alloc(0, MEM_BYTES_MAX, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, 0), ERR_NO_MEMORY);
    expect_error(sys_mem_alloc(0, PAGE, RW | VX_MEM_LAZY, VX_MAP_BASE + 1), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_alloc(0, PAGE, RW | VX_MEM_LAZY | VX_MEM_FIXED, 0), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_alloc(0, PAGE, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, UINT64_C(1) << 63), ERR_BAD_ARGUMENT);
    assert_int_equal(task.reticle.free_pages, free_at_start);
    assert_int_equal(task.caps.used, 0);
}

static void mem_alloc_in_its_three_states(void **)
{
    uint64_t at = expect_ok(sys_mem_alloc(0, 1, RW | VX_MEM_COMMIT, 0)).second;
    assert_true(readable(at) && writable(at) && !readable(at + PAGE));
    uint64_t lazy = expect_ok(sys_mem_alloc(0, 3 * PAGE, RO | VX_MEM_LAZY, 0)).second;
    assert_false(readable(lazy));
    assert_int_equal(vm_fault(&task.vm, lazy, VX_PROT_READ), OK);
    assert_true(readable(lazy) && !writable(lazy));
    uint64_t kept = expect_ok(sys_mem_alloc(0, MEM_BYTES_MAX, RW | VX_MEM_RESERVE, 0)).second;
    assert_int_equal(vm_fault(&task.vm, kept, VX_PROT_READ), ERR_BAD_ADDRESS);
    expect_error(sys_mem_alloc(0, PAGE, RW | VX_MEM_LAZY | VX_MEM_FIXED, at), ERR_BUSY);
    assert_int_equal(expect_ok(sys_mem_map(0, 0, 2 * PAGE, kept, RW | VX_MAP_COMMIT)).first, kept);
    assert_true(writable(kept + PAGE) && !readable(kept + 2 * PAGE));
    assert_int_equal(expect_ok(sys_mem_map(0, 0, PAGE, kept, VX_PROT_NONE)).first, kept);
    assert_true(!readable(kept) && readable(kept + PAGE));
    expect_ok(sys_mem_map(0, 0, PAGE, kept, RO));
    assert_true(readable(kept) && !writable(kept));
    expect_ok(sys_mem_free(0, kept, MEM_BYTES_MAX));
    assert_false(readable(kept));
    expect_error(sys_mem_free(0, kept, PAGE), ERR_NOT_FOUND);
}

static void mem_free_refuses_bad_ranges(void **)
{
    expect_error(sys_mem_free(0, 0, 0), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_free(0, VX_MAP_BASE + 8, PAGE), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_free(0, VX_MAP_BASE, 0), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_free(0, VX_MAP_BASE, UINT64_MAX), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_free(0, VX_UADDR_LIMIT, PAGE), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_free(0, VX_MAP_BASE, PAGE), ERR_NOT_FOUND);
    expect_error(sys_mem_free(99, 0, 0), ERR_BAD_HANDLE);
    expect_error(sys_mem_free(grant(&chip, VX_R_READ, 0, PAGE), 0, 0), ERR_WRONG_TYPE);
}

static void shared_memory_is_mapped_as_its_rights_allow(void **)
{
    struct sysret r = expect_ok(sys_mem_alloc(0, 4 * PAGE, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, 0));
    uint64_t at = r.second, word = 0x1234, seen;
    assert_int_equal(host_user_write(at + 2 * PAGE, &word, 8), OK);
    uint64_t reader = narrow(r.first, VX_R_READ, PAGE, 2 * PAGE), blind = narrow(r.first, VX_R_WRITE, 0, PAGE);
    uint64_t view = expect_ok(sys_mem_map(reader, 0, 2 * PAGE, 0, RO)).first;
    assert_int_equal(host_user_read(&seen, view + PAGE, 8), OK);
    assert_int_equal(seen, word);
    assert_false(writable(view));
    expect_error(sys_mem_map(reader, 0, PAGE, 0, RW), ERR_NO_RIGHTS);
    expect_error(sys_mem_map(reader, 0, PAGE, 0, RX), ERR_NO_RIGHTS);
    expect_error(sys_mem_map(blind, 0, PAGE, 0, VX_PROT_WRITE),
                 ERR_NO_RIGHTS); /* the hardware cannot hide what is written */
    expect_error(sys_mem_map(0, 0, PAGE, view, RW), ERR_NO_RIGHTS);
    expect_error(sys_mem_map(r.first, 0, PAGE, 0, WX), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, 0, 3 * PAGE, 0, RO), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, 2 * PAGE, PAGE, 0, RO), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, UINT64_MAX & ~(PAGE - 1), 2 * PAGE, 0, RO), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, 1, PAGE, 0, RO), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, 0, 0, 0, RO), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, 0, UINT64_MAX, 0, RO), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, 0, PAGE, 0, RO | VX_MAP_COMMIT), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, 0, PAGE, 0, RO | 8), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(reader, 0, PAGE, at, RO), ERR_BUSY);
    expect_error(sys_mem_map(reader, 0, PAGE, at + 1, RO), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_free(reader, at, PAGE), ERR_NOT_FOUND); /* not made through it */
    expect_ok(sys_mem_free(reader, view, PAGE));
    assert_true(!readable(view) && readable(view + PAGE) && readable(at));
    expect_ok(sys_mem_free(reader, 0, 0));
    assert_false(readable(view + PAGE));
    expect_error(sys_mem_free(reader, 0, 0), ERR_BAD_HANDLE);
    expect_ok(sys_mem_free(blind, 0, 0));
    expect_ok(sys_mem_free(r.first, 0, 0));
    assert_false(readable(at));
    assert_int_equal(task.reticle.free_pages, free_at_start);
}

/* A range that ends inside a page must not show the rest of the page, unless the object itself ends there. */
static void a_part_of_a_page_is_not_mapped(void **)
{
    struct mem *m;
    struct cap *slot;
    paddr_t block;
    assert_int_equal(reticle_alloc(&task.reticle, 1, PAGE_KERNEL, &block), OK);
    assert_int_equal(mem_create_foreign(&task.reticle, block, PAGE + 100, &m), OK);
    assert_int_equal(cap_reserve(&task.caps, &slot), OK);
    uint64_t whole = cap_make(slot, &m->obj, VX_CAP_MEM, VX_R_READ, 0, PAGE + 100);
    expect_ok(sys_mem_map(whole, 0, PAGE + 100, 0, RO));
    expect_ok(sys_mem_map(whole, PAGE, 100, 0, RO));
    expect_error(sys_mem_map(whole, 0, 3 * PAGE, 0, RO), ERR_BAD_ARGUMENT);
    uint64_t part = narrow(whole, VX_R_READ, 0, PAGE + 50);
    expect_ok(sys_mem_map(part, 0, PAGE, 0, RO));
    expect_error(sys_mem_map(part, 0, PAGE + 50, 0, RO), ERR_BAD_ARGUMENT);
    expect_error(sys_mem_map(narrow(whole, VX_R_READ, 8, PAGE), 0, PAGE, 0, RO), ERR_BAD_ARGUMENT);
    for (uint32_t i = 0; i < task.caps.high; i++)
        cap_delete(&task.caps, &slots[i]);
    reticle_free(&task.reticle, block, 1);
}

static void dma_memory_is_contiguous_and_says_where(void **)
{
    uint64_t device = grant(&chip, VX_R_READ | VX_R_DMA, 0, 64 * PAGE), plain = grant(&chip, VX_R_READ, 0, 64 * PAGE);
    expect_error(sys_dma_alloc(plain, PAGE), ERR_NO_RIGHTS);
    expect_error(sys_dma_alloc(device, 0), ERR_BAD_ARGUMENT);
    expect_error(sys_dma_alloc(device, MEM_BYTES_MAX + 1), ERR_TOO_BIG);
    expect_error(sys_dma_alloc(device, 64 * MIB), ERR_NO_MEMORY);
    struct sysret r = expect_ok(sys_dma_alloc(device, 5 * PAGE));
    struct cap *c;
    struct vx_cap_facts facts;
    assert_int_equal(cap_get(&task.caps, r.first, VX_CAP_MEM, VX_R_DMA | VX_R_READ | VX_R_WRITE, &c), OK);
    cap_facts(&task.caps, c, &facts);
    assert_int_equal(facts.b, 5 * PAGE);
    for (uint64_t i = 0; i < 5; i++) {
        paddr_t pa;
        assert_int_equal(vm_translate(&task.vm, r.second + i * PAGE, VX_PROT_WRITE, &pa), OK);
        assert_int_equal(pa.raw, facts.c + i * PAGE);
    }
    expect_error(sys_mem_map(r.first, 0, PAGE, r.second, RX), ERR_BUSY);
}

static void surfaces_have_limits(void **)
{
    struct cap *c;
    expect_error(sys_surface_create(0, 0, 1, VX_FORMAT_XRGB8888), ERR_BAD_ARGUMENT);
    expect_error(sys_surface_create(0, 1, 0, VX_FORMAT_XRGB8888), ERR_BAD_ARGUMENT);
    expect_error(sys_surface_create(0, 1, 1, 2), ERR_BAD_ARGUMENT);
    expect_error(sys_surface_create(0, SURFACE_SIDE_MAX + 1, 1, VX_FORMAT_XRGB8888), ERR_TOO_BIG);
    expect_error(sys_surface_create(0, 1, UINT64_MAX, VX_FORMAT_XRGB8888), ERR_TOO_BIG);
    expect_error(sys_surface_create(0, SURFACE_SIDE_MAX, SURFACE_SIDE_MAX, VX_FORMAT_XRGB8888), ERR_NO_MEMORY);
    expect_error(sys_surface_create(5, 1, 1, VX_FORMAT_XRGB8888), ERR_BAD_HANDLE);
    expect_ok(sys_surface_create(0, SURFACE_SIDE_MAX, 1, VX_FORMAT_XRGB8888));
    struct sysret r = expect_ok(sys_surface_create(0, 640, 480, VX_FORMAT_XRGB8888));
    expect_error(sys_cap_narrow(r.first, VX_R_READ, 0, PAGE), ERR_BAD_ARGUMENT); /* no range of bytes: all or nothing */
    expect_error(sys_cap_narrow(r.first, VX_R_READ, PAGE, 0), ERR_BAD_ARGUMENT);
    assert_true(writable(r.second + 640 * 480 * 4 - 8));
    assert_int_equal(cap_get(&task.caps, r.first, VX_CAP_SURFACE, VX_R_READ | VX_R_WRITE, &c), OK);
    assert_int_equal(cap_get(&task.caps, r.first, VX_CAP_SURFACE, VX_R_EXEC, &c), ERR_NO_RIGHTS);
}

static void registers_are_mapped_as_registers(void **)
{
    uint64_t all = grant(&chip, VX_R_READ | VX_R_WRITE, 0, 64 * PAGE),
             part = grant(&chip, VX_R_READ, 8 * PAGE, 2 * PAGE);
    unsigned level;
    uint64_t at = expect_ok(sys_device_map_mmio(part, PAGE, PAGE)).first;
    uint64_t entry = *pt_walk(task.vm.as.root, at, 0, &level);
    assert_int_equal(pte_pa(entry), CHIP_BASE + 9 * PAGE);
    assert_int_equal(pte_type(entry), MEM_DEVICE);
    assert_int_equal(pte_prot(entry), VX_PROT_READ | PTE_USER);
    expect_error(sys_mem_map(0, 0, PAGE, at, RX), ERR_NO_RIGHTS);
    at = expect_ok(sys_device_map_mmio(all, 0, PAGE)).first;
    assert_int_equal(pte_prot(*pt_walk(task.vm.as.root, at, 0, &level)), VX_PROT_READ | VX_PROT_WRITE | PTE_USER);
    expect_error(sys_mem_map(0, 0, PAGE, at, RX), ERR_NO_RIGHTS);
    expect_error(sys_device_map_mmio(part, 0, 3 * PAGE), ERR_BAD_ARGUMENT);
    expect_error(sys_device_map_mmio(part, 2 * PAGE, PAGE), ERR_BAD_ARGUMENT);
    expect_error(sys_device_map_mmio(part, UINT64_MAX - PAGE + 1, 2 * PAGE), ERR_BAD_ARGUMENT);
    expect_error(sys_device_map_mmio(part, 0, 0), ERR_BAD_ARGUMENT);
    expect_error(sys_device_map_mmio(part, 16, PAGE), ERR_BAD_ARGUMENT);
    expect_error(sys_device_map_mmio(part, 0, 16), ERR_BAD_ARGUMENT);
    expect_error(sys_device_map_mmio(grant(&chip, VX_R_WRITE, 0, PAGE), 0, PAGE), ERR_NO_RIGHTS);
    expect_error(sys_device_map_mmio(all, 4 * PAGE, PAGE), ERR_NO_RIGHTS); /* the kernel's chip is in that page */
    expect_error(sys_device_map_mmio(all, 3 * PAGE, 2 * PAGE), ERR_NO_RIGHTS);
    expect_ok(sys_device_map_mmio(all, 3 * PAGE, PAGE));
    expect_ok(sys_device_map_mmio(all, 5 * PAGE, PAGE));
    expect_error(sys_device_map_mmio(grant(&memory, VX_R_READ, 0, MIB), 0, PAGE), ERR_NO_RIGHTS);
}

static void ports_are_granted(void **)
{
    uint64_t handle = grant(&ports, VX_R_READ, 2, 4);
    assert_int_equal(expect_ok(sys_device_map_mmio(handle, 1, 2)).first, 0x3fb);
    assert_int_equal(task.vm.as.n_ports, 1);
    assert_int_equal(task.vm.as.ports[0].first, 0x3fb);
    assert_int_equal(task.vm.as.ports[0].count, 2);
    expect_error(sys_device_map_mmio(handle, 1, 4), ERR_BAD_ARGUMENT);
}

static void ports_go_with_their_capability(void **)
{
    uint64_t handle = grant(&ports, VX_R_READ, 0, 8), other = grant(&ports, VX_R_READ, 0, 1);
    struct cap *c;
    expect_ok(sys_device_map_mmio(handle, 4, 2));
    expect_ok(sys_device_map_mmio(handle, 6, 2));
    expect_ok(sys_device_map_mmio(other, 0, 1));
    assert_int_equal(cap_get(&task.caps, other, VX_CAP_DEVICE, 0, &c), OK);
    cap_delete(&task.caps, c);
    assert_int_equal(task.vm.as.n_ports, 2); /* those of the other one stay */
    assert_int_equal(task.vm.as.ports[0].count + task.vm.as.ports[1].count, 4);
    assert_int_equal(cap_get(&task.caps, handle, VX_CAP_DEVICE, 0, &c), OK);
    cap_delete(&task.caps, c);
    assert_int_equal(task.vm.as.n_ports, 0);
}

static void a_task_has_so_many_port_ranges_and_no_more(void **)
{
    uint64_t handle = grant(&ports, VX_R_READ, 0, 8);
    for (uint64_t i = 0; i < DEVICE_PORT_RANGES_MAX; i++)
        expect_ok(sys_device_map_mmio(handle, i, 1));
    expect_error(sys_device_map_mmio(handle, DEVICE_PORT_RANGES_MAX, 1), ERR_TABLE_FULL);
}

/* Memory that was reserved at boot is in no Reticle, and is no device all the same. */
static void reserved_memory_is_not_registers(void **)
{
    static const struct machine reserved = { .n_ram = 1,
                                             .ram = { { .base = CHIP_BASE + 20 * PAGE, .len_bytes = PAGE } } };
    uint64_t all = grant(&chip, VX_R_READ | VX_R_WRITE, 0, 64 * PAGE);
    expect_ok(sys_device_map_mmio(all, 20 * PAGE, PAGE));
    ram_init(&reserved);
    struct sysret inside = sys_device_map_mmio(all, 20 * PAGE, PAGE),
                  around = sys_device_map_mmio(all, 19 * PAGE, 3 * PAGE),
                  beside = sys_device_map_mmio(all, 21 * PAGE, PAGE);
    ram_init(&described);
    expect_error(inside, ERR_NO_RIGHTS);
    expect_error(around, ERR_NO_RIGHTS);
    expect_ok(beside);
}

static struct sysret make_committed(uint64_t)
{
    return sys_mem_alloc(0, 20 * PAGE, RW | VX_MEM_COMMIT, 0);
}

static struct sysret make_shared(uint64_t)
{
    return sys_mem_alloc(0, 20 * PAGE, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, 0);
}

static struct sysret make_contiguous(uint64_t)
{
    return sys_mem_alloc(0, 20 * PAGE, RW | VX_MEM_COMMIT | VX_MEM_HANDLE | VX_MEM_CONTIG | VX_MEM_NO_MAP, 0);
}

static struct sysret make_surface(uint64_t)
{
    return sys_surface_create(0, 100, 100, VX_FORMAT_XRGB8888);
}

static struct sysret make_dma(uint64_t device)
{
    return sys_dma_alloc(device, 20 * PAGE);
}

static struct sysret make_registers(uint64_t device)
{
    return sys_device_map_mmio(device, 0, PAGE);
}

static void whatever_allocation_fails_nothing_is_left_behind(void **)
{
    static struct sysret (*const calls[])(uint64_t) = { make_committed, make_shared, make_contiguous,
                                                        make_surface,   make_dma,    make_registers };
    uint64_t device = grant(&chip, VX_R_READ | VX_R_DMA, 0, 64 * PAGE);
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        uint64_t before = task.reticle.free_pages;
        uint32_t used = task.caps.used;
        for (uint32_t n = 1;; n++) {
            alloc_fail_in = n;
            struct sysret r = calls[i](device);
            alloc_fail_in = 0;
            if ((int64_t)r.first >= 0)
                break;
            assert_int_equal((int64_t)r.first, ERR_NO_MEMORY);
            assert_int_equal(task.reticle.free_pages, before);
            assert_int_equal(task.caps.used, used);
        }
    }
}

static void a_full_table_is_an_error_that_leaves_nothing(void **)
{
    uint64_t device = 0;
    for (unsigned i = 0; i < SLOTS; i++)
        device = grant(&chip, VX_R_DMA, 0, PAGE);
    uint64_t before = task.reticle.free_pages;
    expect_error(sys_dma_alloc(device, PAGE), ERR_TABLE_FULL);
    expect_error(sys_surface_create(0, 1, 1, VX_FORMAT_XRGB8888), ERR_TABLE_FULL);
    expect_error(sys_mem_alloc(0, PAGE, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, 0), ERR_TABLE_FULL);
    expect_ok(sys_mem_alloc(0, PAGE, RW | VX_MEM_RESERVE, 0));
    expect_ok(sys_mem_free(0, VX_MAP_BASE, PAGE));
    assert_int_equal(task.reticle.free_pages, before);
}

int main(void)
{
#define NAMED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        NAMED(mem_alloc_refuses_what_makes_no_sense),
        NAMED(mem_alloc_in_its_three_states),
        NAMED(mem_free_refuses_bad_ranges),
        NAMED(shared_memory_is_mapped_as_its_rights_allow),
        NAMED(a_part_of_a_page_is_not_mapped),
        NAMED(dma_memory_is_contiguous_and_says_where),
        NAMED(surfaces_have_limits),
        NAMED(registers_are_mapped_as_registers),
        NAMED(ports_are_granted),
        NAMED(ports_go_with_their_capability),
        NAMED(a_task_has_so_many_port_ranges_and_no_more),
        NAMED(reserved_memory_is_not_registers),
        NAMED(whatever_allocation_fails_nothing_is_left_behind),
        NAMED(a_full_table_is_an_error_that_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
