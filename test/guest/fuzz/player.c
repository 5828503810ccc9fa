/* SPDX-License-Identifier: MIT
 * A Task of the fuzzer: threads that make random calls until somebody ends them. The stream of a thread follows from
 * the seed, the Task's number, its life and the thread's number, so that it can be made again. Stacks and what checks
 * are based on lie in the image, which no pointer made here points to. */
#include "fuzz.h"
#include <syscall_grammar.h>

enum : uint32_t { ARENA_PAGES = 64, PAGE = 4096, KNOWN_MAX = 64, SCRATCH = 1024 };

#define REPORT_ADDRESS UINT64_C(0x612345000000)

struct player {
    uint64_t random, step;
    uint32_t me, n_known;
    struct vx_cap_facts known[KNOWN_MAX];
    uint64_t in[FUZZ_REGISTERS_MAX], out[FUZZ_REGISTERS_MAX];
    alignas(64) uint8_t scratch[SCRATCH];
    alignas(64) uint8_t spec[512];
};

static struct player players[FUZZ_THREADS];
static alignas(4096) uint8_t stacks[FUZZ_THREADS][16384];
static struct fuzz_report *report;
static uint8_t *arena;

/* Addresses of the kernel's that we make up ourselves: seeing one of them again is no leak. */
static const uint64_t kernel_made_up[] = { UINT64_C(0xffff800000000000), UINT64_C(0xffff000000000000),
                                           UINT64_C(0xffff800000100040), UINT64_C(0xffffffff80100000),
                                           UINT64_C(0xffff000040080000), UINT64_C(0xfffffffffffff000) };

/* --- values --- */

static uint32_t below(struct player *p, uint32_t n)
{
    return play_below(&p->random, n);
}

/* Any number but one that looks like the kernel's. */
static uint64_t raw(struct player *p)
{
    uint64_t v = play_random(&p->random);
    return v >> 48 == 0xffff ? v >> 8 : v;
}

static uint64_t some_cap(struct player *p, uint32_t types)
{
    uint32_t how = below(p, 24);
    if (how == 0)
        return raw(p);
    if (how == 1)
        return 0;
    if (how == 2) /* of another life */
        return p->n_known == 0 ? 5 : p->known[below(p, p->n_known)].handle ^ 1u << (VX_HANDLE_INDEX_BITS + below(p, 3));
    if (how == 3)
        types = 0;
    for (uint32_t i = 0, at = p->n_known == 0 ? 0 : below(p, p->n_known); i < p->n_known; i++, at++) {
        const struct vx_cap_facts *f = &p->known[at % p->n_known];
        if (types == 0 || (types >> f->type & 1) != 0)
            return f->handle;
    }
    return 0;
}

static uint64_t some_pointer(struct player *p)
{
    switch (below(p, 16)) {
    case 0:
        return kernel_made_up[below(p, sizeof kernel_made_up / sizeof *kernel_made_up)];
    case 1: {
        static const uint64_t odd[] = { 0,
                                        1,
                                        VX_TIME_PAGE_ADDRESS,
                                        VX_UADDR_LIMIT - 64,
                                        VX_UADDR_LIMIT,
                                        UINT64_C(0x0000800000000000),
                                        UINT64_C(0x0001000000000000),
                                        UINT64_C(0xdeadbeefdeadbeef),
                                        UINT64_MAX,
                                        UINT64_MAX - 63 };
        return odd[below(p, sizeof odd / sizeof *odd)];
    }
    case 2: /* over the end of a page */
        return P(arena) + (1 + below(p, ARENA_PAGES)) * PAGE - 1 - below(p, 64);
    case 3:
        return P(arena) + below(p, ARENA_PAGES * PAGE);
    case 4:
        return VX_BUNDLE_ADDRESS + below(p, 8192);
    default:
        return P(arena) + below(p, ARENA_PAGES * 64) * 64;
    }
}

static uint64_t some_address(struct player *p)
{
    switch (below(p, 8)) {
    case 0:
        return 0;
    case 1:
        return some_pointer(p);
    case 2:
        return P(arena) + below(p, 256) * 4; /* futex words that several threads use */
    case 3:
        return UINT64_C(0x40000000) + below(p, 16) * (UINT64_C(1) << 20);
    default:
        return P(arena) + below(p, 2 * ARENA_PAGES) * PAGE;
    }
}

static uint64_t some_length(struct player *p)
{
    switch (below(p, 8)) {
    case 0:
        return 0;
    case 1:
        return raw(p);
    case 2:
        return below(p, 65536);
    case 3:
        return UINT64_C(1) << below(p, 40);
    default:
        return (1 + below(p, 16)) * UINT64_C(4096);
    }
}

static uint64_t some_number(struct player *p, uint64_t number, const char *name)
{
    if (vx_streq(name, "rights"))
        return raw(p) & (below(p, 4) == 0 ? 0xffff : VX_RIGHTS_ALL);
    if (vx_streq(name, "operation"))
        return below(p, 15);
    if (number == NR_signal_post || number == NR_signal_wait)
        return (UINT64_C(1) << below(p, 40)) | (below(p, 2) != 0 ? UINT64_C(1) << below(p, 40) : 0);
    if (vx_streq(name, "flags") || vx_streq(name, "protection"))
        return below(p, 3) == 0 ? below(p, 4) : below(p, 8) | 0x10u << below(p, 3) | (raw(p) & 0xf) << 7;
    if (vx_streq(name, "len") || vx_streq(name, "length") || vx_streq(name, "bytes") || vx_streq(name, "stack_len"))
        return some_length(p);
    switch (below(p, 8)) {
    case 0:
        return raw(p);
    case 1:
        return UINT64_C(1) << below(p, 64);
    case 2:
        return below(p, 70);
    case 3:
        return below(p, 16) * UINT64_C(4096);
    default:
        return below(p, 5);
    }
}

static uint64_t some_deadline(struct player *p)
{
    switch (below(p, 16)) {
    case 0:
        return below(p, 4) == 0 ? VX_FOREVER : VX_POLL;
    case 1:
        return raw(p) >> 20;
    case 2 ... 7:
        return vx_deadline_in(below(p, 300) * VX_NS_PER_US);
    default:
        return VX_POLL;
    }
}

static uint64_t some_value(struct player *p, uint64_t number, const struct grammar_argument *a)
{
    switch (a->kind) {
    case GRAMMAR_CAP:
        return some_cap(p, a->types);
    case GRAMMAR_PTR:
        return some_pointer(p);
    case GRAMMAR_ADDRESS:
        if (vx_streq(a->name, "entry") && below(p, 16) != 0)
            return P(fuzz_leave);
        return some_address(p);
    case GRAMMAR_DEADLINE:
        return some_deadline(p);
    default:
        return some_number(p, number, a->name);
    }
}

/* A child's specification, nearly right and sometimes not. */
static void some_spec(struct player *p, uint64_t arg[static 5])
{
    struct vx_spec s;
    size_t len = 0;
    vx_spec_init(&s, p->spec, sizeof p->spec);
    vx_spec_int(&s, "memory", UINT64_C(65536) << below(p, 2));
    vx_spec_int(&s, "capslots", 64);
    if (below(p, 2) != 0)
        vx_spec_int(&s, "band", below(p, 7));
    if (below(p, 2) != 0)
        vx_spec_int(&s, "stack", 4096u << below(p, 4));
    uint32_t which = below(p, 4);
    if (which == 0)
        vx_spec_copy(&s, "one", (vx_handle_t)some_cap(p, 0), (vx_rights_t)(raw(p) & VX_RIGHTS_ALL));
    if (which == 1)
        vx_spec_move(&s, "one", (vx_handle_t)some_cap(p, 0), (vx_rights_t)(raw(p) & VX_RIGHTS_ALL));
    if (which == 2)
        vx_spec_copy(&s, "reticle", (vx_handle_t)some_cap(p, 1u << VX_CAP_RETICLE), VX_R_WRITE);
    if (vx_spec_finish(&s, &len) != OK)
        return;
    if (below(p, 8) == 0)
        p->spec[below(p, (uint32_t)len)] ^= (uint8_t)(1u << below(p, 8));
    arg[0] = vx_bundle_mem("image").raw;
    arg[1] = P(p->spec);
    arg[2] = len;
}

/* --- checks --- */

static bool is_listed(uint64_t number, status_t st)
{
    if (number >= SYSCALL_LIMIT || grammar[number].name == nullptr)
        return st == ERR_BAD_SYSCALL;
    return st == OK || (grammar[number].errors >> -(int)st & 1) != 0;
}

static bool is_kernels(uint64_t v)
{
    if (v < UINT64_C(0xffff000000000000) || v >= (uint64_t)-4096) /* a small negative number is not an address */
        return false;
    if (v >> 32 == UINT32_MAX && (uint32_t)v < 4096) /* two numbers, the second of them "none" */
        return false;
    for (size_t i = 0; i < sizeof kernel_made_up / sizeof *kernel_made_up; i++)
        if (v - kernel_made_up[i] < 2 * PAGE)
            return false;
    return true;
}

static void complain(struct player *p, uint64_t number, const uint64_t arg[static 5], const char *what, uint64_t value)
{
    if (atomic_exchange_explicit(&report->claimed, 1, memory_order_acq_rel) != 0)
        return;
    report->thread = p->me;
    report->number = (uint32_t)number;
    report->step = p->step;
    memcpy(report->argument, arg, sizeof report->argument);
    report->value = value;
    report->second = p->out[fuzz_result[1]];
    (void)vx_strcopy(report->what, sizeof report->what, what);
    atomic_store_explicit(&report->written, 1, memory_order_release);
}

static void check_registers(struct player *p, uint64_t number, const uint64_t arg[static 5])
{
    uint32_t may_differ = fuzz_lost | 1u << fuzz_result[0] | 1u << fuzz_result[1];
    if (number == NR_ring_call) /* it has become a RING_RECV_CAP */
        may_differ |= 1u << fuzz_number | 1u << fuzz_argument[0] | 1u << fuzz_argument[1] | 1u << fuzz_argument[2];
    for (uint32_t i = 0; i < fuzz_registers; i++) {
        if ((may_differ >> i & 1) == 0 && p->out[i] != p->in[i])
            complain(p, number, arg, "a register was changed", i);
        if ((may_differ >> i & 1) != 0 && is_kernels(p->out[i]) && p->out[i] != p->in[i])
            complain(p, number, arg, "an address of the kernel's in a register", p->out[i]);
    }
}

static void check_scratch(struct player *p, uint64_t number, const uint64_t arg[static 5])
{
    if (number != NR_cap_inspect && number != NR_task_control)
        return;
    if (number == NR_task_control && (arg[1] == VX_TASK_READ_MEM || arg[1] == VX_TASK_READ_FRAME))
        return; /* what user code put there */
    for (uint32_t i = 0; i < SCRATCH; i += 8)
        if (is_kernels(*(uint64_t *)(void *)(p->scratch + i)))
            complain(p, number, arg, "an address of the kernel's in memory", *(uint64_t *)(void *)(p->scratch + i));
}

/* --- playing --- */

static uint64_t some_call(struct player *p)
{
    uint64_t number = below(p, SYSCALL_LIMIT + 1);
    if (below(p, 256) == 0)
        number = raw(p);
    bool ends = number == NR_task_exit || number == NR_thread_exit || number == NR_destroy;
    if (ends && below(p, number == NR_destroy ? 4 : 64) != 0) /* or nothing else would ever be reached */
        number = NR_yield;
    return number == NR_console_write ? NR_cap_inspect : number;
}

/* What we hold, as the kernel tells it; it changes under us. */
static void look_around(struct player *p)
{
    struct vx_result r = SYS(task_control, 0, VX_TASK_CAPS, P(p->known), KNOWN_MAX, 0);
    p->n_known = vx_result_status(r.value) == OK && r.value <= KNOWN_MAX ? (uint32_t)r.value : 0;
    for (uint32_t i = 0; i < p->n_known; i++)
        if (p->known[i].handle == vx_bundle_mem("report").raw) /* what we say must stay ours */
            p->known[i] = p->known[--p->n_known];
}

/* Keeps the table from filling up with what nobody uses. */
static void tidy_up(struct player *p)
{
    for (uint32_t i = 0; i < p->n_known; i++)
        if (p->known[i].destroyed != 0 || (p->n_known > 40 && i > 12 && below(p, 2) == 0))
            (void)SYS(cap_drop, p->known[i].handle);
}

static void one_call(struct player *p)
{
    uint64_t number = some_call(p), arg[5];
    for (uint32_t i = 0; i < 5; i++)
        arg[i] = raw(p) >> below(p, 64);
    if (number < SYSCALL_LIMIT && grammar[number].name != nullptr)
        for (uint32_t i = 0; i < grammar[number].n; i++)
            arg[i] = some_value(p, number, &grammar[number].argument[i]);
    if (number == NR_spawn && below(p, 8) != 0)
        some_spec(p, arg);
    if (number == NR_cap_narrow && below(p, 4) != 0 && p->n_known != 0) {
        const struct vx_cap_facts *f = &p->known[below(p, p->n_known)];
        arg[0] = f->handle;
        arg[1] = f->rights & (raw(p) | VX_R_COPY | VX_R_MOVE);
        if (below(p, 4) != 0)
            arg[2] = arg[3] = 0;
    }
    if (number == NR_cap_inspect && below(p, 2) != 0)
        arg[1] = P(p->scratch);
    /* Two Rings that carry each other's consumer end are never freed: /test/repro ring-cycle. Until they are, none is
     * sent, or the conductor would miss their memory in the end. */
    for (uint32_t i = 0; number == NR_ring_send_cap && i < p->n_known; i++)
        if (p->known[i].type == VX_CAP_RING_RX && p->known[i].handle == arg[2])
            arg[2] = 0;
    if (number == NR_task_control) {
        if (below(p, 2) != 0) {
            arg[arg[1] == VX_TASK_READ_FRAME || arg[1] == VX_TASK_READ_MEM ? 3 : 2] = P(p->scratch);
            uint64_t room = arg[1] == VX_TASK_CAPS ? SCRATCH / 64 : arg[1] == VX_TASK_THREADS ? SCRATCH / 48 : 144;
            arg[arg[1] == VX_TASK_READ_MEM ? 4 : 3] = arg[1] == VX_TASK_READ_FRAME ? P(p->scratch) : room;
        }
        bool writes = arg[1] == VX_TASK_WRITE_FRAME || arg[1] == VX_TASK_WRITE_MEM;
        if ((writes || arg[1] == VX_TASK_BIND_FAULT || arg[1] == VX_TASK_STOP) && arg[0] == 0)
            arg[1] = VX_TASK_INFO; /* what we check must stay ours */
    }
    for (uint32_t i = 0; i < fuzz_registers; i++)
        p->in[i] = UINT64_C(0x0123450000000000) + i * 0x1111 + p->step;
    p->in[fuzz_number] = number;
    for (uint32_t i = 0; i < 5; i++)
        p->in[fuzz_argument[i]] = arg[i];
    memset(p->scratch, 0, SCRATCH);
    p->step++;
    fuzz_enter(p->in, p->out);
    status_t st = vx_result_status(p->out[fuzz_result[0]]);
    atomic_fetch_add_explicit(&report->calls, 1, memory_order_relaxed);
    if (st == OK) {
        atomic_fetch_add_explicit(&report->successes, 1, memory_order_relaxed);
        if (number < SYSCALL_LIMIT)
            atomic_fetch_or_explicit(&report->seen, UINT64_C(1) << number, memory_order_relaxed);
    }
    if (!is_listed(number, st))
        complain(p, number, arg, "an error that its row does not list", p->out[fuzz_result[0]]);
    check_registers(p, number, arg);
    check_scratch(p, number, arg);
}

void fuzz_play(struct player *p)
{
    for (;;) {
        if (p->step % 16 == 0)
            look_around(p);
        if (p->step % 64 == 32)
            tidy_up(p);
        one_call(p);
    }
}

int fuzz_player(void)
{
    uint64_t seed = vx_bundle_int("seed", 1);
    /* far from where memory without a hint is placed, and so from every address that is made up here */
    struct vx_result m =
        SYS(mem_map, vx_bundle_mem("report").raw, 0, PAGE, REPORT_ADDRESS, VX_PROT_READ | VX_PROT_WRITE);
    report = vx_result_status(m.value) == OK ? (struct fuzz_report *)(uintptr_t)REPORT_ADDRESS : nullptr;
    struct vx_result r = SYS(mem_alloc, 0, ARENA_PAGES * PAGE, RW_LAZY, 0);
    arena = (uint8_t *)(uintptr_t)r.second;
    if (report == nullptr || vx_result_status(r.value) != OK)
        return 1;
    for (uint32_t i = 0; i < FUZZ_THREADS; i++) {
        players[i].me = i;
        players[i].random = seed + i * UINT64_C(0x5851f42d4c957f2d);
        if (i != 0 && STATUS(thread_create, P(fuzz_begin), P(stacks[i] + sizeof stacks[i]), P(&players[i]), 0, 0) != OK)
            return 2;
    }
    fuzz_play(&players[0]);
}
