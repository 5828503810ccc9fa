/* SPDX-License-Identifier: MIT
 * The attacks. Each runs in a child that holds its own Reticle, the initial RAM disk (to read and run) and a ring's
 * end. */
#include "hostile.h"
#include <abi/ring.h>
#include <check/cpu.h>
#include <vectra/cpio.h>

static vx_handle_t sem(void)
{
    return (vx_handle_t)SYS(sem_create, 0, 1).value;
}

/* Every slot index with many generations: only what is really there answers, and that is ours. */
static bool forged_handles(void)
{
    struct vx_cap_facts facts;
    uint32_t seen = 0;
    for (uint32_t generation = 0; generation < 64; generation++)
        for (uint32_t index = 0; index < 1024; index++) {
            struct vx_result r = SYS(cap_inspect, generation << VX_HANDLE_INDEX_BITS | index, P(&facts));
            status_t st = vx_result_status(r.value);
            if (st != OK && st != ERR_BAD_HANDLE)
                return false;
            seen += st == OK;
        }
    struct vx_task_info info = {};
    (void)SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
    return seen == info.caps_used;
}

static bool stale_handles(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        vx_handle_t old = sem();
        (void)SYS(cap_drop, old);
        vx_handle_t fresh = sem();
        if (fresh == old || STATUS(sem_signal, old, 1) != ERR_BAD_HANDLE || STATUS(cap_drop, old) != ERR_BAD_HANDLE)
            return false;
        (void)SYS(cap_drop, fresh);
    }
    return true;
}

static bool wrong_types(void)
{
    vx_handle_t s = sem(), tx = vx_bundle_ring_tx("tx").raw;
    struct vx_message m = {};
    return STATUS(ring_send, s, P(&m), 0) == ERR_WRONG_TYPE && STATUS(ring_recv, tx, P(&m), 0) == ERR_WRONG_TYPE &&
           STATUS(sem_signal, tx, 1) == ERR_WRONG_TYPE && STATUS(spawn, s, P(&m), 64) == ERR_WRONG_TYPE &&
           STATUS(mem_map, tx, 0, 4096, 0, 1) == ERR_WRONG_TYPE &&
           STATUS(task_control, s, VX_TASK_STOP) == ERR_WRONG_TYPE &&
           STATUS(console_write, s, P(&m), 1) == ERR_WRONG_TYPE &&
           STATUS(device_map_mmio, s, 0, 4096) == ERR_WRONG_TYPE;
}

static bool escalation(void)
{
    vx_handle_t s = sem();
    vx_handle_t weak = (vx_handle_t)SYS(cap_narrow, s, VX_R_WAIT | VX_R_COPY, 0, 0).value;
    vx_handle_t initrd = vx_bundle_mem("initrd").raw;
    return STATUS(cap_narrow, weak, VX_RIGHTS_ALL, 0, 0) != OK && STATUS(sem_signal, weak, 1) == ERR_NO_RIGHTS &&
           STATUS(mem_map, initrd, 0, 4096, 0, VX_PROT_READ | VX_PROT_WRITE) == ERR_NO_RIGHTS &&
           STATUS(destroy, initrd) == ERR_NO_RIGHTS && STATUS(cap_revoke, initrd) == ERR_NO_RIGHTS &&
           STATUS(cap_narrow, initrd, VX_R_READ, 0, UINT64_C(1) << 40) == ERR_BAD_ARGUMENT &&
           STATUS(task_control, 0, VX_TASK_SET_BAND, VX_BAND_DRIVER) != OK;
}

static bool kernel_pointers(void)
{
    vx_handle_t tx = vx_bundle_ring_tx("tx").raw;
    const uint64_t bad[] = { KERNEL_ADDRESS,
                             UINT64_C(0xffffffff80100000),
                             UINT64_C(0xffff000040080000),
                             UINT64_C(0x0000800000000000),
                             UINT64_MAX - 63,
                             0 };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (STATUS(ring_send, tx, bad[i], 0) != ERR_BAD_ADDRESS || STATUS(getrandom, bad[i], 64) != ERR_BAD_ADDRESS ||
            STATUS(cap_inspect, tx, bad[i]) != ERR_BAD_ADDRESS ||
            STATUS(futex_wake, bad[i] & ~UINT64_C(3), 1, 0, 0) != ERR_BAD_ADDRESS)
            return false;
    return true;
}

/* Messages that overlap themselves, bytes that straddle into nothing, lengths that wrap. */
static bool crooked_pointers(void)
{
    uint8_t *p = check_pages(8192, RW_COMMIT);
    vx_handle_t tx = vx_bundle_ring_tx("tx").raw;
    struct vx_result own = SYS(ring_create, 0, 4, 0);
    (void)SYS(mem_free, 0, P(p) + 4096, 4096);
    bool good = STATUS(ring_send, own.value, P(p) + 1, 0) == OK &&
                STATUS(ring_call, own.value, P(p) + 3, own.second, P(p) + 5, 0) == OK;
    good = good && STATUS(ring_send, tx, P(p) + 4096 - 63, 0) == ERR_BAD_ADDRESS;
    good = good && STATUS(getrandom, P(p) + 4000, 200) == ERR_BAD_ADDRESS;
    return good && STATUS(ring_send_burst, tx, P(p), UINT32_MAX) == ERR_TOO_BIG &&
           STATUS(getrandom, P(p), UINT64_MAX) == ERR_TOO_BIG && STATUS(mem_free, 0, P(p), UINT64_MAX - 4095) != OK &&
           STATUS(mem_alloc, 0, UINT64_MAX - 4095, RW_COMMIT, 0) != OK;
}

/* Lies in the shared half of a ring that somebody else reads, and in one of our own. */
static bool ring_indices(void)
{
    static const uint32_t lies[] = { 5, 0x7fffffff, 0x80000000, UINT32_MAX };
    struct vx_message m = {};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct vx_result own = SYS(ring_create, 0, 4, VX_RING_CAPS);
        struct vx_ring_shared *s = (struct vx_ring_shared *)(uintptr_t)SYS(ring_map, own.value).value;
        atomic_store_explicit(&s->head, lies[i], memory_order_release);
        if (STATUS(ring_try_recv, own.second, P(&m)) != ERR_PEER_CLOSED ||
            STATUS(ring_send, own.value, P(&m), 0) != ERR_PEER_CLOSED ||
            STATUS(ring_recv_burst, own.second, P(&m), 1, 0) != ERR_PEER_CLOSED)
            return false;
        (void)SYS(cap_drop, own.value);
        (void)SYS(cap_drop, own.second);
    }
    struct vx_ring_shared *s = (struct vx_ring_shared *)(uintptr_t)SYS(ring_map, vx_bundle_ring_tx("tx").raw).value;
    memset(s, 0xff, sizeof *s + 4 * sizeof(struct vx_message));
    return true;
}

/* ELF headers that promise too much. Each is one field of a good program, changed. */
static bool elf_bombs(void)
{
    vx_mem good = {};
    alignas(16) static uint8_t bytes[256];
    struct vx_spec spec;
    size_t len;
    vx_spec_init(&spec, bytes, sizeof bytes);
    if (vx_spec_finish(&spec, &len) != OK || vx_image_find("/test/tiny", &good) != OK)
        return false;
    struct vx_cap_facts facts;
    (void)SYS(cap_inspect, good.raw, P(&facts));
    uint64_t size = (facts.b + 4095) & ~UINT64_C(4095);
    struct vx_result copy = SYS(mem_alloc, 0, size, RW_COMMIT | VX_MEM_HANDLE, 0);
    uint8_t *to = (uint8_t *)(uintptr_t)copy.second;
    struct vx_cpio disk;
    struct vx_cpio_entry e;
    if (vx_initrd(&disk) != OK || vx_cpio_find(&disk, "/test/tiny", &e) != OK)
        return false;
    static const struct {
        uint16_t at;
        uint8_t len;
        uint64_t value;
    } changes[] = {
        { 0, 4, 0 },                     /* magic */
        { 4, 1, 1 },                     /* 32 bits */
        { 18, 2, 0x1234 },               /* another machine */
        { 24, 8, KERNEL_ADDRESS },       /* entry in the kernel */
        { 32, 8, UINT64_MAX - 8 },       /* program headers beyond the file, and wrapping */
        { 54, 2, 1 },                    /* program headers of one byte */
        { 56, 2, 0xffff },               /* 65,535 of them */
        { 64 + 8, 8, UINT64_MAX - 100 }, /* a segment's offset, address, sizes, alignment */
        { 64 + 16, 8, KERNEL_ADDRESS },
        { 64 + 32, 8, UINT64_MAX },
        { 64 + 40, 8, UINT64_C(1) << 46 },
        { 64 + 40, 8, 1 },
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        memcpy(to, e.data, e.data_len);
        memcpy(to + changes[i].at, &changes[i].value, changes[i].len);
        struct vx_result r = SYS(spawn, copy.value, P(bytes), len);
        status_t st = vx_result_status(r.value);
        if (st != ERR_BAD_IMAGE && st != ERR_NO_MEMORY && st != ERR_TOO_BIG)
            return false;
    }
    return true;
}

static bool lying_specs(void)
{
    vx_mem image = {};
    alignas(16) static uint8_t bytes[1024];
    if (vx_image_find("/test/tiny", &image) != OK)
        return false;
    uint64_t seed = 12345;
    for (unsigned round = 0; round < 500; round++) {
        struct vx_spec spec;
        size_t len = 0;
        vx_spec_init(&spec, bytes, sizeof bytes);
        vx_spec_int(&spec, "memory", 64 << 10);
        vx_spec_bytes(&spec, "argv", "x", 2);
        if (vx_spec_finish(&spec, &len) != OK)
            return false;
        for (unsigned k = 0; k < 3; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[(seed >> 33) % len] = (uint8_t)(seed >> 56);
        }
        struct vx_result r = SYS(spawn, image.raw, P(bytes), len);
        if (vx_result_status(r.value) == OK) { /* some changes are harmless */
            (void)SYS(destroy, r.value);
            (void)SYS(waitpid, r.value, 0);
            (void)SYS(cap_drop, r.value);
        }
    }
    return true;
}

/* Everything that a Reticle can be asked for, until there is no more: an error each time, nothing else. */
static bool exhaustion(void)
{
    unsigned made = 0;
    status_t st = OK;
    while (made < 100000 && (st = STATUS(mem_alloc, 0, 65536, RW_COMMIT, 0)) == OK)
        made++;
    bool good = st == ERR_NO_MEMORY;
    while (made < 100000 && (st = STATUS(ring_create, 0, 16, 0)) == OK)
        made++;
    return good && (st == ERR_NO_MEMORY || st == ERR_TABLE_FULL);
}

static bool endless_loop(void)
{
    for (;;)
        vx_relax();
}

static bool call_storm(void)
{
    for (uint64_t i = 0;; i++)
        (void)vx_enter(i % 64 == 1 ? 8 : i % 64 == 39 || i % 64 == 40 ? 8 : i % 64, i, i * 7, i << 32, i, i);
}

static uint32_t deeper(uint32_t n)
{
    volatile uint8_t room[4000];
    room[n % 4000] = (uint8_t)n;
    return n == UINT32_MAX ? 0 : deeper(n + 1) + room[(n * 7) % 4000];
}

static bool stack_overflow(void)
{
    return deeper(0) == 1;
}

static bool executing_data(void)
{
    static uint8_t code[16] = { 0xc3 };
    ((void (*)(void))(uintptr_t)code)();
    return false;
}

static bool reading_kernel(void)
{
    return *(volatile uint64_t *)(uintptr_t)KERNEL_ADDRESS == 1;
}

static bool jumping_into_kernel(void)
{
    ((void (*)(void))(uintptr_t)KERNEL_ADDRESS)();
    return false;
}

static bool writing_code(void)
{
    *(volatile uint8_t *)(uintptr_t)&writing_code = 0;
    return false;
}

static bool touching_devices(void)
{
    cpu_touch_device();
    return false;
}

#define CAUSE(name) (1u << VX_CAUSE_##name)
const struct attack attacks[] = {
    { "forged-handles", forged_handles, 0, false },
    { "stale-handles", stale_handles, 0, false },
    { "wrong-types", wrong_types, 0, false },
    { "rights-escalation", escalation, 0, false },
    { "kernel-pointers", kernel_pointers, 0, false },
    { "crooked-pointers", crooked_pointers, 0, false },
    { "ring-indices", ring_indices, 0, false },
    { "elf-bombs", elf_bombs, 0, false },
    { "lying-specs", lying_specs, 0, false },
    { "stray-bits", stray_bits, 0, false },
    { "calls-at-the-edge", calls_at_the_edge, 0, false },
    { "ring-through-another", ring_through_another, 0, false },
    { "user-half", user_half, 0, false },
    { "read-only-words", read_only_words, 0, false },
    { "steering-oneself", steering_oneself, 0, false },
    { "changing-image", changing_image, 0, false },
    { "forbidden-instructions", forbidden_instructions, 0, false },
    { "exhaustion", exhaustion, 0, false },
    { "endless-loop", endless_loop, 0, true },
    { "call-storm", call_storm, 0, true },
    { "stack-overflow", stack_overflow, CAUSE(STACK), false },
    { "executing-data", executing_data, CAUSE(PAGE_FAULT), false },
    { "reading-kernel", reading_kernel, CAUSE(PAGE_FAULT) | CAUSE(PROTECTION), false },
    { "jumping-into-kernel", jumping_into_kernel, CAUSE(PAGE_FAULT) | CAUSE(PROTECTION), false },
    { "writing-code", writing_code, CAUSE(PAGE_FAULT), false },
    { "touching-devices", touching_devices, CAUSE(PROTECTION) | CAUSE(ILLEGAL), false },
};
const size_t n_attacks = sizeof attacks / sizeof attacks[0];
