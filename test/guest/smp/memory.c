/* SPDX-License-Identifier: MIT
 * Translations that outlive their page-table entries. One thread keeps using a page while another takes it away: what
 * began after the call had returned must not succeed, and whoever gets the page next must find nothing of it there. */
#include "smp.h"

enum : uint32_t { PAGE = 4096, ROUNDS_LEAST = 3, ROUNDS = 12, WORDS = PAGE / 8 };

struct witness {
    _Atomic uint32_t busy;  /* the user has used the page */
    _Atomic uint32_t taken; /* the call that took it has returned */
    _Atomic uint32_t stale; /* accesses that began later and succeeded */
};

static struct witness *witness;
static volatile uint64_t *page;

/* Reads or writes until it faults. */
static uint32_t use_page(void *write)
{
    for (uint64_t i = 0;; i++) {
        /* acquire: pairs with the release behind the call */
        uint32_t taken = atomic_load_explicit(&witness->taken, memory_order_acquire);
        if (write != nullptr)
            page[i % WORDS] = i;
        else
            (void)page[i % WORDS];
        __asm__ volatile("" ::: "memory");
        if (taken != 0)
            atomic_fetch_add_explicit(&witness->stale, 1, memory_order_relaxed);
        atomic_store_explicit(&witness->busy, 1, memory_order_release);
    }
}

/* In a child, which the fault ends. 5: the page could be used to the end. */
int part_stale(const char *how)
{
    static char yes;
    struct vx_thread t;
    witness = play_shared("witness", PAGE);
    bool object = vx_streq(how, "object");
    struct vx_result r = SYS(mem_alloc, 0, PAGE, RW_COMMIT | (object ? VX_MEM_HANDLE : 0), 0);
    page = (volatile uint64_t *)(uintptr_t)r.second;
    bool writes = !vx_streq(how, "none");
    if (witness == nullptr || vx_result_status(r.value) != OK ||
        vx_thread_create(&t, use_page, writes ? &yes : nullptr, 8192) != OK || !play_reaches(&witness->busy, 1))
        return 1;
    play_nap((SYS(getpid).value * 97 % 700) * VX_NS_PER_US); /* not always at the same point of a slice */
    status_t st;
    if (vx_streq(how, "free"))
        st = STATUS(mem_free, 0, P(page), PAGE);
    else if (vx_streq(how, "read-only"))
        st = STATUS(mem_map, 0, 0, PAGE, P(page), VX_PROT_READ);
    else if (vx_streq(how, "none"))
        st = STATUS(mem_map, 0, 0, PAGE, P(page), VX_PROT_NONE);
    else if (vx_streq(how, "reserve"))
        st = STATUS(mem_map, 0, 0, PAGE, P(page), VX_MAP_RESERVE);
    else
        st = STATUS(cap_drop, r.value);
    atomic_store_explicit(&witness->taken, 1, memory_order_release);
    if (st != OK)
        return 2;
    play_nap(PLAY_PATIENCE_NS / 2);
    return 5;
}

static void taken_away(vx_mem image, const char *how, const char *text)
{
    bool good = true;
    uint64_t until = vx_deadline_in(2 * VX_NS_PER_S);
    for (uint32_t i = 0; good && play_again(i, ROUNDS_LEAST, ROUNDS, until); i++) {
        struct play_memory shared = play_share(PAGE);
        struct witness *w = shared.at;
        struct vx_spawn s;
        const char *argv[] = { "/test/smp", "stale", how };
        play_begin(&s, image, 3, argv, 256 << 10);
        vx_spec_copy(&s.spec, "witness", shared.mem, PLAY_SHARED);
        struct play_ending e = play_await(play_start(&s), play_soon());
        good = e.ended && (e.cause == VX_CAUSE_PAGE_FAULT || e.cause == VX_CAUSE_STACK) && w->stale == 0;
        if (!good)
            vx_printf("#   round %u: cause %s, status %u, %u stale accesses\n", i, vx_cause_name(e.cause), e.status,
                      w->stale);
        (void)SYS(mem_free, shared.mem, 0, 0);
    }
    (void)check_line(text, good, "a stale translation was used, or another end");
}

/* A child that writes to memory of its parent's until that is taken away. */
int part_user(void)
{
    static char yes;
    witness = play_shared("witness", PAGE);
    page = play_shared("page", PAGE);
    return witness == nullptr || page == nullptr ? 1 : (int)use_page(&yes);
}

/* The pages go to a new owner as soon as they are taken: what the old user writes must not arrive there. */
static void handed_on(vx_mem image)
{
    bool good = true;
    uint64_t until = vx_deadline_in(2 * VX_NS_PER_S);
    for (uint32_t i = 0; good && play_again(i, ROUNDS_LEAST, ROUNDS, until); i++) {
        struct play_memory shared = play_share(PAGE), first = play_share(PAGE);
        struct witness *w = shared.at;
        struct vx_spawn s;
        const char *argv[] = { "/test/smp", "user" };
        play_begin(&s, image, 2, argv, 256 << 10);
        vx_spec_copy(&s.spec, "witness", shared.mem, PLAY_SHARED);
        vx_spec_copy(&s.spec, "page", first.mem, PLAY_SHARED);
        vx_handle_t task = play_start(&s);
        good = task != 0 && play_reaches(&w->busy, 1);
        (void)SYS(mem_free, first.mem, 0, 0); /* ours; now the child's capability alone holds the memory */
        (void)SYS(destroy, task);
        struct play_memory next[4];
        for (uint32_t k = 0; k < 4; k++) {
            next[k] = play_share(PAGE);
            memset(next[k].at, 0x5a, PAGE);
        }
        good = good && play_await(task, play_soon()).ended;
        for (uint32_t k = 0; k < 4; k++)
            for (uint32_t n = 0; n < WORDS; n++)
                good = good && ((uint64_t *)next[k].at)[n] == UINT64_C(0x5a5a5a5a5a5a5a5a);
        for (uint32_t k = 0; k < 4; k++)
            (void)SYS(mem_free, next[k].mem, 0, 0);
        (void)SYS(mem_free, shared.mem, 0, 0);
    }
    CHECK("memory of a killed Task that goes on to another is not written to any more", good);
}

/* The same by DESTROY of the object and by CAP_REVOKE, with the user still alive: it dies of its next access. */
static void object_gone(vx_mem image, bool revoke, const char *text)
{
    bool good = true;
    uint64_t until = vx_deadline_in(2 * VX_NS_PER_S);
    for (uint32_t i = 0; good && play_again(i, ROUNDS_LEAST, ROUNDS, until); i++) {
        struct play_memory shared = play_share(PAGE), first = play_share(PAGE);
        struct witness *w = shared.at;
        struct vx_spawn s;
        const char *argv[] = { "/test/smp", "user" };
        play_begin(&s, image, 2, argv, 256 << 10);
        vx_spec_copy(&s.spec, "witness", shared.mem, PLAY_SHARED);
        vx_spec_copy(&s.spec, "page", first.mem, PLAY_SHARED);
        vx_handle_t task = play_start(&s);
        good = task != 0 && play_reaches(&w->busy, 1);
        if (revoke)
            (void)SYS(cap_revoke, first.mem);
        else
            (void)SYS(destroy, first.mem);
        atomic_store_explicit(&w->taken, 1, memory_order_release);
        (void)SYS(mem_free, first.mem, 0, 0);
        (void)SYS(cap_drop, first.mem);
        struct play_memory next = play_share(PAGE);
        memset(next.at, 0x5a, PAGE);
        struct play_ending e = play_await(task, play_soon());
        good = good && e.ended && e.cause == VX_CAUSE_PAGE_FAULT && w->stale == 0;
        for (uint32_t n = 0; n < WORDS; n++)
            good = good && ((uint64_t *)next.at)[n] == UINT64_C(0x5a5a5a5a5a5a5a5a);
        if (!good)
            vx_printf("#   round %u: cause %s, status %u, %u stale accesses\n", i, vx_cause_name(e.cause), e.status,
                      w->stale);
        (void)SYS(mem_free, next.mem, 0, 0);
        (void)SYS(mem_free, shared.mem, 0, 0);
    }
    (void)check_line(text, good, "a stale translation was used, or another end");
}

void test_stale(vx_mem image)
{
    taken_away(image, "free", "a page that MEM_FREE took cannot be used any more");
    taken_away(image, "read-only", "nor can one be written that MEM_MAP made read-only");
    taken_away(image, "none", "nor read when its protection is none");
    taken_away(image, "reserve", "nor used when it was given back and its addresses kept");
    taken_away(image, "object", "nor used when the last capability to it was dropped");
    object_gone(image, true, "nor used in a Task from which it was revoked");
    object_gone(image, false, "nor used in a Task when the object was destroyed");
    handed_on(image);
}

/* --- copies of the kernel's, while another thread takes the buffer away --- */

struct copier {
    uint8_t *buffer;
    vx_handle_t tx, rx;
    _Atomic bool stop;
    _Atomic uint64_t good, bad, wrong;
};

static uint32_t copy_often(void *argument)
{
    struct copier *c = argument;
    for (uint32_t i = 0; !atomic_load_explicit(&c->stop, memory_order_relaxed); i++) {
        uint8_t *at = c->buffer + PAGE - 2048; /* the second half lies in the page that comes and goes */
        struct vx_result r;
        switch (i % 4) {
        case 0:
            r = SYS(getrandom, P(at), 4096);
            break;
        case 1:
            r = SYS(ring_send_burst, c->tx, P(at), 64);
            break;
        case 2:
            r = SYS(ring_recv_burst, c->rx, P(at), 64, 0);
            break;
        default:
            r = SYS(cap_inspect, c->tx, P(at) + 2048 - 32);
        }
        status_t st = vx_result_status(r.value);
        _Atomic uint64_t *kind = st == OK || st == ERR_WOULD_BLOCK ? &c->good
                                 : st == ERR_BAD_ADDRESS           ? &c->bad
                                                                   : &c->wrong;
        atomic_fetch_add_explicit(kind, 1, memory_order_relaxed);
    }
    return 0;
}

void test_copies(vx_mem)
{
    struct copier c = { .buffer = check_pages(2 * PAGE, RW_COMMIT) };
    struct vx_result ring = SYS(ring_create, 0, 64, 0);
    struct vx_thread t;
    uint64_t until = vx_deadline_in(150 * VX_NS_PER_MS), at_most = play_soon();
    uint64_t at = P(c.buffer) + PAGE, rounds = 0, now = 0;
    c.tx = (vx_handle_t)ring.value;
    c.rx = (vx_handle_t)ring.second;
    bool good = vx_thread_create(&t, copy_often, &c, 16384) == OK;
    /* Until both answers came, however slow the machine is. */
    for (; good && (now < until || (now < at_most && (c.good == 0 || c.bad == 0))); rounds++) {
        now = vx_clock_monotonic_ns();
        good &= STATUS(mem_map, 0, 0, PAGE, at, VX_PROT_NONE) == OK;
        good &= STATUS(mem_map, 0, 0, PAGE, at, VX_PROT_READ | VX_PROT_WRITE) == OK;
        good &= STATUS(mem_free, 0, at, PAGE) == OK;
        if (rounds % 8 == 0)
            (void)SYS(yield); /* on one hart the other must come in between */
        good &= STATUS(mem_alloc, 0, PAGE, (rounds % 2 != 0 ? RW_COMMIT : RW_LAZY) | VX_MEM_FIXED, at) == OK;
        if (rounds % 8 == 4)
            (void)SYS(yield);
    }
    atomic_store_explicit(&c.stop, true, memory_order_relaxed);
    good &= play_join(&t, nullptr);
    if (!check_line("a buffer that goes in the middle of a copy is BAD_ADDRESS and nothing worse",
                    good && c.wrong == 0 && c.good > 0 && c.bad > 0, "another answer, or only one kind"))
        vx_printf("#   %llu good, %llu bad addresses, %llu others in %llu rounds\n", (unsigned long long)c.good,
                  (unsigned long long)c.bad, (unsigned long long)c.wrong, (unsigned long long)rounds);
    (void)SYS(mem_free, 0, P(c.buffer), 2 * PAGE);
    (void)SYS(cap_drop, c.tx);
    (void)SYS(cap_drop, c.rx);
}
