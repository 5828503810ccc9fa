/* SPDX-License-Identifier: MIT
 * The other Task of a measurement. */
#include "bench.h"
#include <check/cpu.h>

bool partner_start(struct partner *p, const char *role)
{
    static struct vx_spawn s;
    const char *argv[] = { "/test/bench", role };
    struct vx_result out = SYS(ring_create, 0, 16, VX_RING_CAPS), in = SYS(ring_create, 0, 16, VX_RING_CAPS);
    struct vx_result mem = SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0);
    p->tx.raw = (vx_handle_t)out.value;
    p->rx.raw = (vx_handle_t)in.second;
    p->there.raw = (vx_handle_t)SYS(sem_create, 0, 0).value;
    p->back.raw = (vx_handle_t)SYS(sem_create, 0, 0).value;
    p->memory = (vx_handle_t)mem.value;
    p->shared = (struct shared *)(uintptr_t)mem.second;
    bool starts_another = vx_streq(role, "scale-call");
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv, .memory = starts_another ? 2 << 20 : 512 << 10 };
    vx_spawn_begin(&s);
    vx_spec_move(&s.spec, "rx", (vx_handle_t)out.second, VX_R_RECV | VX_R_SIGNAL | VX_R_BIND | VX_R_WAIT);
    vx_spec_move(&s.spec, "tx", (vx_handle_t)in.value, VX_R_SEND | VX_R_SIGNAL);
    vx_spec_copy(&s.spec, "there", p->there.raw, VX_R_WAIT | VX_R_SIGNAL);
    vx_spec_copy(&s.spec, "back", p->back.raw, VX_R_WAIT | VX_R_SIGNAL);
    vx_spec_copy(&s.spec, "shared", p->memory, VX_R_READ | VX_R_WRITE);
    if (starts_another)
        vx_spec_copy(&s.spec, "initrd", vx_bundle_mem("initrd").raw, VX_R_READ | VX_R_EXEC | VX_R_COPY);
    vx_task task = {};
    uint32_t id;
    if (vx_spawn_end(&s, &task, &id) != OK)
        return false;
    p->task = task.raw;
    for (unsigned i = 0; i < 1000; i++) {
        if (atomic_load_explicit(&p->shared->ready, memory_order_acquire) != 0)
            return true;
        (void)SYS(nanosleep, vx_deadline_in(100 * VX_NS_PER_US));
    }
    return false;
}

void partner_end(struct partner *p)
{
    (void)SYS(destroy, p->task);
    (void)SYS(waitpid, p->task, 0);
    const vx_handle_t all[] = { p->task, p->tx.raw, p->rx.raw, p->there.raw, p->back.raw, p->memory };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        (void)SYS(cap_drop, all[i]);
}

static int call_server(vx_ring_tx tx, vx_ring_rx rx)
{
    static struct vx_message m;
    status_t st = vx_sys_ring_recv(rx, &m, VX_FOREVER);
    while (st == OK)
        st = vx_sys_ring_call(tx, &m, rx, &m, VX_FOREVER, nullptr);
    return 0;
}

/* As call_server, with vector registers in use at every call. */
static int vector_server(vx_ring_tx tx, vx_ring_rx rx)
{
    static struct vx_message m;
    status_t st = vx_sys_ring_recv(rx, &m, VX_FOREVER);
    while (st == OK) {
        cpu_vectors_touch();
        st = vx_sys_ring_call(tx, &m, rx, &m, VX_FOREVER, nullptr);
    }
    return 0;
}

/* Answers each new value of one word with the same of the other. */
static int futex_server(struct shared *s)
{
    for (uint32_t seen = 0;;) {
        uint32_t now = atomic_load_explicit(&s->ask, memory_order_acquire);
        if (now == seen) {
            (void)vx_enter(NR_futex_wait, P(&s->ask), seen, VX_FOREVER, 0, 0);
            continue;
        }
        seen = now;
        atomic_store_explicit(&s->answer, seen, memory_order_release);
        (void)vx_enter(NR_futex_wake, P(&s->answer), 1, 0, 0, 0);
    }
}

static int doorbell_server(vx_ring_tx tx, vx_ring_rx rx)
{
    struct vx_ring_producer p;
    struct vx_ring_consumer c;
    struct vx_message m;
    if (vx_ring_producer_open(&p, tx) != OK || vx_ring_consumer_open(&c, rx) != OK)
        return 1;
    status_t st = vx_ring_pop_wait(&c, &m, VX_FOREVER);
    while (st == OK)
        st = vx_ring_exchange(&p, &m, &c, &m, VX_FOREVER);
    return 0;
}

static int cap_server(vx_ring_tx tx, vx_ring_rx rx)
{
    static struct vx_message m;
    vx_handle_t cap = 0;
    while (vx_sys_ring_recv_cap(rx, &m, VX_FOREVER, &cap) == OK)
        if (vx_sys_ring_send_cap(tx, &m, cap, VX_FOREVER) != OK)
            break;
    return 0;
}

int partner_main(const char *role)
{
    vx_ring_tx tx = vx_bundle_ring_tx("tx");
    vx_ring_rx rx = vx_bundle_ring_rx("rx");
    vx_sem there = vx_bundle_sem("there"), back = vx_bundle_sem("back");
    void *at = nullptr;
    if (vx_sys_mem_map(vx_bundle_mem("shared"), 0, 4096, 0, VX_PROT_READ | VX_PROT_WRITE, &at) != OK)
        return 1;
    struct shared *shared = at;
    atomic_store_explicit(&shared->ready, 1, memory_order_release);
    if (vx_streq(role, "call"))
        return call_server(tx, rx);
    if (vx_streq(role, "vector"))
        return vector_server(tx, rx);
    if (vx_streq(role, "futex"))
        return futex_server(shared);
    if (vx_streq(role, "doorbell"))
        return doorbell_server(tx, rx);
    if (vx_streq(role, "cap"))
        return cap_server(tx, rx);
    if (vx_streq(role, "scale-syscall"))
        return scale_syscall_worker(shared);
    if (vx_streq(role, "scale-call"))
        return scale_call_worker(shared);
    while (vx_streq(role, "yield"))
        (void)vx_sys_yield();
    while (vx_streq(role, "sem"))
        if (vx_sys_sem_wait(there, 1, VX_FOREVER) != OK || vx_sys_sem_signal(back, 1) != OK)
            return 1;
    while (vx_streq(role, "wake")) {
        uint64_t bits;
        if (vx_sys_signal_wait(2, VX_FOREVER, &bits) == OK)
            atomic_store_explicit(&shared->woke_at, vx_counter(), memory_order_release);
    }
    return 2;
}
