/* SPDX-License-Identifier: MIT
 * A kernel for one service, played by the fuzzer's bytes: signals fire, messages arrive at the inbox and in sessions,
 * with and without a capability, calls fail. It keeps the table of capabilities, so one that a service lost is found.
 *
 * Included once by a fuzzer that links lib/libvectra/service.c; host_serve() runs one input. */
#pragma once
#define _DEFAULT_SOURCE /* anonymous mappings */
#include "require.h"
#include <stdarg.h>
#include <sys/mman.h>
#include <vectra/alloc.h>
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/ring.h>
#include <vectra/rpc_inbox.h>
#include <vectra/service.h>
#include <vectra/thread.h>
#include <vectra/time.h>

enum { HANDLES_MAX = 4096, SESSIONS = 6, STEPS_MAX = 4096 };
/* Calls are tried by these numbers, from 1. */
#ifndef HOST_OPS
#define HOST_OPS 16
#endif

/* Numbers by name. */
enum {
#define SYSCALL(nr, name, n, args, results, errors, text) HOST_##name = nr,
#include <abi/syscalls.def>
#undef SYSCALL
};

static const uint8_t *host_script;
static size_t host_left;
static bool host_alive[HANDLES_MAX];
static uint32_t host_next, host_steps;
static struct vx_service *host_service;

static uint8_t host_byte(void)
{
    if (host_left == 0)
        return 0;
    host_left--;
    return *host_script++;
}

static vx_handle_t host_new(void)
{
    require(host_next < HANDLES_MAX);
    host_alive[host_next] = true;
    return host_next++;
}

static bool host_has(uint64_t handle)
{
    return handle < HANDLES_MAX && host_alive[handle];
}

static status_t host_drop(uint64_t handle)
{
    if (!host_has(handle))
        return ERR_BAD_HANDLE;
    host_alive[handle] = false;
    return OK;
}

static uint64_t host_live(void)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < HANDLES_MAX; i++)
        n += host_alive[i];
    return n;
}

/* One call in eight fails. */
static status_t host_luck(void)
{
    static const status_t bad[] = { ERR_WOULD_BLOCK, ERR_PEER_CLOSED, ERR_NO_MEMORY, ERR_BUSY };
    uint8_t b = host_byte();
    return (b & 0xe0) == 0xe0 ? bad[b & 3] : OK;
}

static struct vx_result host_answer(status_t st, uint64_t first, uint64_t second)
{
    return st == OK ? (struct vx_result){ first, second } : (struct vx_result){ .value = (uint64_t)(int64_t)st };
}

#ifdef HOST_MESSAGE
static void host_message(uint64_t rx, struct vx_message *m); /* the target makes it more of what it expects */
#endif

/* What a client sent: any 64 bytes, or a call that exists with an argument of any bytes. */
static struct vx_result host_receive(uint64_t rx, struct vx_message *m)
{
    uint8_t how = host_byte();
    if (!host_has(rx))
        return host_answer(ERR_BAD_HANDLE, 0, 0);
    if (host_left == 0 || how >= 0xc0)
        return host_answer(how >= 0xf8 ? ERR_PEER_CLOSED : how >= 0xf0 ? ERR_TABLE_FULL : ERR_WOULD_BLOCK, 0, 0);
    if (host_next > HANDLES_MAX - 64)
        return host_answer(ERR_TABLE_FULL, 0, 0);
    size_t bytes = (how & 1) != 0 ? sizeof *m : host_byte() % sizeof *m;
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)m)[i] = host_byte();
    if ((how & 1) == 0)
        m->word[0] = vx_rpc_head(1 + (uint16_t)(m->word[0] % HOST_OPS), (uint16_t)(m->word[0] >> 16), OK);
#ifdef HOST_MESSAGE
    host_message(rx, m);
#endif
    return host_answer(OK, (how & 2) != 0 ? host_new() : VX_HANDLE_NONE, 0);
}

static struct vx_result host_send(uint64_t tx, const struct vx_message *m, uint64_t cap)
{
    static volatile uint64_t sink;
    status_t st = host_has(tx) ? host_luck() : ERR_BAD_HANDLE;
    for (size_t i = 0; i < sizeof *m / 8; i++)
        sink += m->word[i];
    if (st == OK && cap != VX_HANDLE_NONE)
        st = host_drop(cap);
    return host_answer(st, 0, 0);
}

static uint64_t host_counter;
#ifdef HOST_CHECK
static void host_check(void);
#endif

static struct vx_result host_wait(void)
{
    uint8_t b = host_byte();
#ifdef HOST_CHECK
    host_check(); /* what holds whenever the service waits */
#endif
    if (host_left == 0 || host_steps++ > STEPS_MAX)
        host_service->stopping = true;
    if (b == 0x7f) { /* nothing happens for long */
        host_counter += UINT64_C(60'000'000'000);
        return host_answer(ERR_TIMED_OUT, 0, 0);
    }
    return host_answer(OK, b >= 0x80 ? UINT64_C(0x7fffffff00000003) : UINT64_C(1) << b % 34, 0);
}

#ifdef HOST_MEMORY
static void *host_memory(uint64_t handle); /* where what is mapped or allocated lies */
#endif
#ifdef HOST_IRQS
static vx_handle_t host_irqs;                        /* the Bundle's; the target makes it */
static void host_irq(uint64_t handle, uint64_t bit); /* what it was narrowed to is bound */
#endif
#ifdef HOST_FACTS
static void host_facts(struct vx_cap_facts *f); /* what the target is to see, mostly */
#endif

static struct vx_result host_inspect(uint64_t handle, struct vx_cap_facts *f)
{
    if (!host_has(handle))
        return host_answer(ERR_BAD_HANDLE, 0, 0);
    *f = (struct vx_cap_facts){ .type = host_byte() % 12, .a = host_byte(), .b = (uint64_t)host_byte() << 12 };
    if ((f->a & 1) != 0)
        f->b >>= 12;
#ifdef HOST_FACTS
    host_facts(f);
#endif
#ifdef HOST_RING_SLOTS
    *f = (struct vx_cap_facts){ .type = VX_CAP_RING_RX, .a = HOST_RING_SLOTS, .b = 0, .c = 1 };
#endif
    return host_answer(OK, f->type, 0);
}

/* There is one thread. */
[[noreturn]] void vx_mutex_lock_slow(struct vx_mutex *)
{
    abort();
}

[[noreturn]] void vx_mutex_unlock_slow(struct vx_mutex *)
{
    abort();
}

/* What is read of a Task is the script's. */
static struct vx_result host_task(uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
    status_t st = host_luck();
    uint64_t to = op == VX_TASK_INFO || op == VX_TASK_THREADS ? a : b, n = op == VX_TASK_READ_MEM ? c : 0;
    size_t bytes = op == VX_TASK_INFO         ? (size_t)b
                   : op == VX_TASK_THREADS    ? (size_t)(n = host_byte() % (b + 1)) * sizeof(struct vx_thread_info)
                   : op == VX_TASK_READ_FRAME ? sizeof(struct vx_frame)
                                              : (size_t)n;
    for (size_t i = 0; st == OK && i < bytes; i++)
        ((uint8_t *)(uintptr_t)to)[i] = host_byte();
    if (op == VX_TASK_WRITE_MEM)
        n = c;
    return host_answer(st, n, op == VX_TASK_THREADS ? host_byte() : 0);
}

struct vx_result vx_enter(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    status_t st = OK;
    switch (number) {
    case HOST_console_write:
        return host_answer(OK, a2, 0);
    case HOST_cap_inspect:
        return host_inspect(a0, (struct vx_cap_facts *)(uintptr_t)a1);
    case HOST_cap_drop:
        return host_answer(host_drop(a0), 0, 0);
    case HOST_cap_narrow:
        return host_has(a0) ? host_answer(OK, host_new(), 0) : host_answer(ERR_BAD_HANDLE, 0, 0);
    case HOST_ring_send:
        return host_send(a0, (const struct vx_message *)(uintptr_t)a1, VX_HANDLE_NONE);
    case HOST_ring_send_cap:
        return host_send(a0, (const struct vx_message *)(uintptr_t)a1, a2);
    case HOST_signal_wait:
        return host_wait();
#ifndef HOST_MEMORY
    case HOST_mem_alloc:
        st = host_next > HANDLES_MAX - 64 ? ERR_NO_MEMORY : host_luck();
        return st == OK ? host_answer(OK, host_new(), 0) : host_answer(st, 0, 0);
#endif
    case HOST_ring_recv_cap:
    case HOST_ring_try_recv_cap:
        return host_receive(a0, (struct vx_message *)(uintptr_t)a1);
    case HOST_ring_try_recv:
    case HOST_ring_recv_burst: {
        struct vx_result r = host_receive(a0, (struct vx_message *)(uintptr_t)a1);
        (void)host_drop(r.value); /* no capability comes this way */
        return (int64_t)r.value < 0 ? r : host_answer(OK, number == HOST_ring_recv_burst, 0);
    }
    case HOST_ring_send_burst:
        st = host_has(a0) ? host_luck() : ERR_BAD_HANDLE;
        return host_answer(st, st == OK && host_byte() >= 0xf0 ? a2 - 1 : a2, 0);
#ifdef HOST_IRQS
    case HOST_device_bind_irq:
        return host_answer(host_has(a0) ? (host_irq(a0, a1), OK) : ERR_BAD_HANDLE, 0, 0);
#endif
    case HOST_bind:
        return host_answer(host_has(a0) ? host_luck() : ERR_BAD_HANDLE, 0, 0);
    case HOST_device_map_mmio:
        return host_answer(ERR_NO_RIGHTS, 0, 0); /* registers are no business of a fuzzer of calls */
#ifdef HOST_MEMORY
    case HOST_mem_map:
        st = host_has(a0) ? host_luck() : ERR_BAD_HANDLE;
        return host_answer(st, (uint64_t)(uintptr_t)host_memory(a0), 0);
    case HOST_mem_alloc:
        return host_luck() == OK ? host_answer(OK, host_new(), (uint64_t)(uintptr_t)host_memory(0))
                                 : host_answer(ERR_NO_MEMORY, 0, 0);
#else
    case HOST_mem_map:
        st = host_has(a0) ? host_luck() : ERR_BAD_HANDLE;
        return host_answer(st, 0x10000000, 0);
#endif
#if defined HOST_MEMORY || defined HOST_IRQS
    case HOST_ring_create:
        return host_luck() == OK && host_next < HANDLES_MAX - 64 ? host_answer(OK, host_new(), host_new())
                                                                 : host_answer(ERR_NO_MEMORY, 0, 0);
#endif
    case HOST_mem_free:
        return host_answer(host_drop(a0), 0, 0);
    case HOST_task_control:
        return host_task(a1, a2, a3, a4);
    default:
        return host_answer(OK, 0, 0);
    }
}

uint64_t vx_counter(void)
{
    return host_counter += 1000;
}

void *vx_alloc(size_t bytes)
{
    return malloc(bytes);
}

void *vx_alloc_zero(size_t n, size_t bytes)
{
    return calloc(n, bytes);
}

void vx_free(void *at)
{
    free(at);
}

vx_handle_t vx_bundle_cap(const char *, [[maybe_unused]] vx_cap_type_t type)
{
#ifdef HOST_IRQS
    if (type == VX_CAP_IRQ)
        return host_irqs;
#endif
    return VX_HANDLE_NONE;
}

void vx_printf(const char *, ...)
{
}

static void host_begin(struct vx_service *svc, const uint8_t *data, size_t size)
{
    static bool mapped;
    if (!mapped) {
        void *at = mmap((void *)(uintptr_t)VX_TIME_PAGE_ADDRESS, 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        require(at == (void *)(uintptr_t)VX_TIME_PAGE_ADDRESS);
        ((struct vx_time_page *)at)->mult = 1;
    }
    mapped = true;
    host_script = data;
    host_left = size;
    host_service = svc;
    host_next = 1;
    host_steps = 0;
    memset(host_alive, 0, sizeof host_alive);
    svc->sessions = calloc(SESSIONS, sizeof *svc->sessions);
    require(svc->sessions != nullptr);
    svc->sessions_max = SESSIONS;
    svc->bits = 1;
    svc->deadline_ns = VX_FOREVER;
}

/* A client that is there from the start. */
static struct vx_session *host_client(struct vx_service *svc, uint64_t badge)
{
    struct vx_session *s = nullptr;
    vx_ring_rx rx = { host_new() };
    vx_ring_tx tx = { host_new() };
    (void)!vx_session_add(svc, rx, tx, badge, &s); /* bad luck: one client fewer */
    return s;
}

/* Serves until the bytes are used up, then closes every session as the runtime does. */
static void host_serve(struct vx_service *svc)
{
    (void)!vx_service_run(svc);
    host_left = 0; /* no more bad luck */
    for (uint16_t i = 0; i < svc->n_used; i++) {
        struct vx_session *s = &svc->sessions[i];
        require(s->index == i && s->open <= 2);
        if (s->open == 2 && svc->closed != nullptr)
            svc->closed(s);
        (void)host_drop(s->rx.raw);
        (void)host_drop(s->tx.raw);
        s->open = 0;
    }
    for (uint16_t i = 0; i < svc->n_used; i++)
        free(svc->sessions[i].state);
    (void)host_drop(svc->inbox.raw);
    free(svc->sessions);
}
