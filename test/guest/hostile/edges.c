/* SPDX-License-Identifier: MIT
 * Attacks at edges: of mappings, of the user half, of what a Task may do to itself, and of what changes meanwhile. */
#include "hostile.h"
#include <vectra/cpio.h>

/* Only the very handle is one: not with a bit more than its 32. */
bool stray_bits(void)
{
    vx_handle_t s = (vx_handle_t)SYS(sem_create, 0, 1).value;
    for (unsigned bit = 14; bit < 64; bit++) {
        uint64_t bent = s ^ UINT64_C(1) << bit;
        if (STATUS(sem_signal, bent, 1) != ERR_BAD_HANDLE || STATUS(cap_drop, bent) != ERR_BAD_HANDLE ||
            STATUS(destroy, bent) != ERR_BAD_HANDLE || STATUS(cap_narrow, bent, 0, 0, 0) != ERR_BAD_HANDLE ||
            STATUS(ring_create, bent, 4, 0) != ERR_BAD_HANDLE)
            return false;
    }
    return STATUS(sem_signal, s, 1) == OK;
}

/* RING_CALL to ourselves, message and reply over each other, at every place around the last byte that is mapped. */
bool calls_at_the_edge(void)
{
    uint8_t *p = check_pages(8192, RW_COMMIT);
    struct vx_result own = SYS(ring_create, 0, 4, VX_RING_CAPS);
    (void)SYS(mem_free, 0, P(p) + 4096, 4096);
    for (uint64_t message = 4096 - 130; message < 4096 + 2; message += 3)
        for (uint64_t reply = 4096 - 130; reply < 4096 + 2; reply += 3) {
            bool fits = message <= 4096 - 64 && reply <= 4096 - 64;
            memset(p, 0x5a, 4096);
            status_t st = STATUS(ring_call, own.value, P(p) + message, own.second, P(p) + reply, 0);
            if (st != (fits ? OK : ERR_BAD_ADDRESS) || (fits && (p[reply] != 0x5a || p[reply + 63] != 0x5a)))
                return false;
            struct vx_message rest;
            while (STATUS(ring_try_recv, own.second, P(&rest)) == OK)
                ;
        }
    return STATUS(ring_call, own.value, VX_UADDR_LIMIT - 64, own.second, P(p), 0) == ERR_BAD_ADDRESS &&
           STATUS(ring_call, own.value, P(p), own.second, VX_UADDR_LIMIT - 63, 0) == ERR_BAD_ADDRESS;
}

/* A Ring's receiving end may travel in another, and that one's in a third, but not come round to itself. */
bool ring_through_another(void)
{
    struct vx_message m = {};
    struct vx_result a = SYS(ring_create, 0, 4, VX_RING_CAPS), b = SYS(ring_create, 0, 4, VX_RING_CAPS);
    struct vx_result c = SYS(ring_create, 0, 4, VX_RING_CAPS);
    if (STATUS(ring_send_cap, a.value, P(&m), a.second, 0) != ERR_BUSY ||
        STATUS(ring_send_cap, a.value, P(&m), b.second, 0) != OK ||
        STATUS(ring_send_cap, c.value, P(&m), a.second, 0) != OK ||
        STATUS(ring_send_cap, b.value, P(&m), c.second, 0) != ERR_BUSY)
        return false;
    bool gone = STATUS(ring_try_recv_cap, a.second, P(&m)) == ERR_BAD_HANDLE;
    return gone && STATUS(ring_send, a.value, P(&m), 0) == OK && STATUS(cap_drop, c.value) == OK &&
           STATUS(cap_drop, c.second) == OK && STATUS(ring_send, a.value, P(&m), 0) == ERR_PEER_CLOSED &&
           STATUS(cap_drop, a.value) == OK && STATUS(cap_drop, b.value) == OK;
}

/* Nothing is to be had below the lowest address, above the last, or over either. */
bool user_half(void)
{
    const uint64_t at[] = { VX_UADDR_LIMIT,           VX_UADDR_LIMIT - 4096,
                            UINT64_C(0x800000000000), UINT64_C(0x1000000000000),
                            UINT64_MAX - 4095,        KERNEL_ADDRESS & ~UINT64_C(4095) };
    vx_handle_t mem = (vx_handle_t)SYS(mem_alloc, 0, 16384, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0).value;
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        bool last = at[i] == VX_UADDR_LIMIT - 4096;
        if (STATUS(mem_map, mem, 0, 8192, at[i], 1) == OK || STATUS(mem_map, 0, 0, 8192, at[i], 1) == OK ||
            STATUS(mem_alloc, 0, 8192, RW_COMMIT | VX_MEM_FIXED, at[i]) == OK ||
            STATUS(mem_free, mem, at[i], 8192) == OK || STATUS(mem_free, 0, at[i], UINT64_C(0) - at[i]) == OK ||
            (i > 1 && STATUS(set_tls, at[i]) == OK) || (!last && STATUS(thread_create, at[i], P(&mem)) == OK))
            return false;
    }
    return STATUS(mem_map, mem, UINT64_MAX - 4095, 8192, 0, 1) == ERR_BAD_ARGUMENT &&
           STATUS(mem_map, mem, 12288, UINT64_MAX - 4095, 0, 1) != OK &&
           STATUS(mem_map, mem, 12288, 8192, 0, 1) != OK &&
           STATUS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_FIXED, 0) != OK && STATUS(mem_map, mem, 1, 4096, 0, 1) != OK;
}

/* Words that can be read and not be written: one may wait there, and nothing is ever stored. */
bool read_only_words(void)
{
    vx_handle_t initrd = vx_bundle_mem("initrd").raw;
    struct vx_result r = SYS(mem_map, initrd, 0, 4096, 0, VX_PROT_READ);
    const uint64_t words[] = { r.value, VX_TIME_PAGE_ADDRESS, VX_BUNDLE_ADDRESS, P(&read_only_words) & ~UINT64_C(3) };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint32_t was = *(volatile uint32_t *)(uintptr_t)words[i];
        status_t wait = STATUS(futex_wait, words[i], was, vx_deadline_in(VX_NS_PER_MS));
        status_t wake = STATUS(futex_wake, words[i], 1, VX_FUTEX_REQUEUE, words[(i + 1) % 4]);
        if ((wait != ERR_TIMED_OUT && wait != ERR_WOULD_BLOCK && wait != ERR_BAD_ADDRESS) ||
            (wake != OK && wake != ERR_BAD_ADDRESS) || STATUS(thread_exit, 0, 0, 0, words[i]) != ERR_BAD_ADDRESS ||
            STATUS(getrandom, words[i], 4) != ERR_BAD_ADDRESS ||
            (i < 3 && *(volatile uint32_t *)(uintptr_t)words[i] != was && words[i] != VX_TIME_PAGE_ADDRESS))
            return false;
    }
    return true;
}

/* What a Task may ask to have done to itself, and to whom it holds nothing. */
bool steering_oneself(void)
{
    struct vx_frame frame = {};
    struct vx_thread_info t = {};
    struct vx_result disk = SYS(mem_map, vx_bundle_mem("initrd").raw, 0, 4096, 0, VX_PROT_READ);
    (void)SYS(task_control, 0, VX_TASK_THREADS, P(&t), 1, 0);
    (void)STATUS(task_control, 0, VX_TASK_BIND_FAULT, 3);
    (void)STATUS(task_control, 0, VX_TASK_BIND_FAULT, 64);
    memset(&frame, 0xff, sizeof frame);
    return STATUS(task_control, 0, VX_TASK_WRITE_FRAME, t.id, P(&frame)) != OK &&
           STATUS(task_control, 0, VX_TASK_READ_FRAME, t.id, P(&frame)) != OK &&
           STATUS(task_control, 0, VX_TASK_WRITE_MEM, VX_TIME_PAGE_ADDRESS, P(&frame), 8) != OK &&
           STATUS(task_control, 0, VX_TASK_WRITE_MEM, disk.value, P(&frame), 8) == ERR_BAD_ADDRESS &&
           STATUS(task_control, 0, VX_TASK_WRITE_MEM, KERNEL_ADDRESS, P(&frame), 8) != OK &&
           STATUS(task_control, 0, VX_TASK_READ_MEM, KERNEL_ADDRESS, P(&frame), 8) != OK &&
           STATUS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_DRIVER) != OK &&
           STATUS(task_control, vx_bundle()->task_id, VX_TASK_STOP) != OK &&
           STATUS(task_control, 0, VX_TASK_NEXT_CHILD, vx_bundle()->task_id) == ERR_NOT_FOUND;
}

/* An image that another thread changes under the loader. */
static uint8_t *moving_image;
static size_t moving_len;
static _Atomic bool moving_end;

static void scribble(void)
{
    for (uint64_t seed = 1; !atomic_load_explicit(&moving_end, memory_order_relaxed);) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t at = (seed >> 33) % (seed >> 63 != 0 ? 512 : moving_len);
        uint8_t was = moving_image[at];
        *(volatile uint8_t *)&moving_image[at] = (uint8_t)(seed >> 24);
        for (unsigned i = 0; i < 200; i++)
            vx_relax();
        *(volatile uint8_t *)&moving_image[at] = was;
    }
    (void)SYS(thread_exit, 0, 0, 0, 0);
}

bool changing_image(void)
{
    alignas(16) static uint8_t bytes[256];
    struct vx_spec spec;
    struct vx_cpio disk;
    struct vx_cpio_entry e;
    size_t len;
    vx_spec_init(&spec, bytes, sizeof bytes);
    vx_spec_int(&spec, "memory", 128 << 10);
    if (vx_spec_finish(&spec, &len) != OK || vx_initrd(&disk) != OK || vx_cpio_find(&disk, "/test/tiny", &e) != OK)
        return false;
    struct vx_result copy = SYS(mem_alloc, 0, (e.data_len + 4095) & ~UINT64_C(4095), RW_COMMIT | VX_MEM_HANDLE, 0);
    uint8_t *stack = check_pages(16384, RW_COMMIT);
    moving_image = (uint8_t *)(uintptr_t)copy.second;
    moving_len = e.data_len;
    memcpy(moving_image, e.data, e.data_len);
    struct vx_result thread = SYS(thread_create, P(&scribble), P(stack) + 16384 - 64, 0, 0, 0);
    if (vx_result_status(copy.value) != OK || vx_result_status(thread.value) != OK)
        return false;
    bool good = true;
    for (unsigned round = 0; round < 300 && good; round++) {
        struct vx_result r = SYS(spawn, copy.value, P(bytes), len);
        status_t st = vx_result_status(r.value);
        good = st == OK || st == ERR_BAD_IMAGE || st == ERR_NO_MEMORY || st == ERR_TOO_BIG;
        (void)SYS(yield);
        if (st != OK)
            continue;
        (void)SYS(destroy, r.value);
        (void)SYS(waitpid, r.value, 0);
        (void)SYS(cap_drop, r.value);
    }
    atomic_store_explicit(&moving_end, true, memory_order_relaxed);
    (void)SYS(thread_join, thread.value, check_patience());
    return good;
}
