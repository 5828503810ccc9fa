/* SPDX-License-Identifier: MIT
 * The storm of revocations: deep, wide, across Tasks, of what is mapped and in use, and against those who derive. */
#include "stress.h"

enum : uint32_t { DEEP = 120, READERS = 3, DERIVED_MAX = 256 };

struct reader_page {
    _Atomic uint32_t started, stop;
};

/* Uses its mapping until that is taken away: it must die of a page fault there. */
int part_reader(void)
{
    struct reader_page *page = play_shared("page", 4096);
    volatile uint64_t *shared = play_shared("shared", 8192);
    if (page == nullptr || shared == nullptr)
        return 1;
    atomic_fetch_add_explicit(&page->started, 1, memory_order_release);
    for (uint64_t i = 0; vx_clock_monotonic_ns() != 0; i++)
        shared[i % 1024] = shared[(i * 7) % 1024] + 1;
    return 2;
}

/* Derives from what it was given, and drops, until it is gone. */
int part_narrower(void)
{
    struct reader_page *page = play_shared("page", 4096);
    vx_handle_t from = vx_bundle_mem("shared").raw;
    uint64_t deadline = play_soon();
    if (page == nullptr)
        return 1;
    atomic_fetch_add_explicit(&page->started, 1, memory_order_release);
    while (vx_clock_monotonic_ns() < deadline) {
        struct vx_result first = SYS(cap_narrow, from, VX_R_READ | VX_R_COPY, 0, 0);
        status_t st = vx_result_status(first.value);
        if (st == ERR_BAD_HANDLE)
            return 0;
        struct vx_result second = st == OK ? SYS(cap_narrow, first.value, VX_R_READ, 0, 4096) : first;
        st = vx_result_status(second.value);
        if (st != OK && st != ERR_BAD_HANDLE)
            return 2;
        (void)SYS(mem_map, second.value, 0, 4096, 0, VX_PROT_READ);
        (void)SYS(cap_drop, first.value);
        (void)SYS(cap_drop, second.value);
    }
    return 3;
}

/* A tree of derivations in our own table: a chain, a fan, or anything between. */
static bool in_one_table(struct storm *s, uint32_t bend)
{
    vx_handle_t all[DERIVED_MAX];
    uint64_t root = SYS(sem_create, 0, 0).value;
    all[0] = (vx_handle_t)root;
    for (uint32_t i = 1; i < DEEP; i++) {
        uint32_t from = bend == 0 ? i - 1 : bend == 1 ? 0 : play_below(&s->random, i);
        uint64_t made = SYS(cap_narrow, all[from], VX_R_WAIT | VX_R_COPY | VX_R_REVOKE, 0, 0).value;
        if (vx_result_status(made) != OK)
            return storm_fail(s, "revoke: CAP_NARROW failed", i);
        all[i] = (vx_handle_t)made;
    }
    if (bend == 2) { /* some in the middle are dropped first: their children move up */
        for (uint32_t i = 0; i < 20; i++)
            (void)SYS(cap_drop, all[1 + play_below(&s->random, DEEP - 1)]);
        (void)SYS(cap_revoke, all[0]);
    } else if (SYS(cap_revoke, root).value != DEEP - 1) {
        return storm_fail(s, "revoke: another number was revoked", bend);
    }
    for (uint32_t i = 1; i < DEEP; i++)
        if (STATUS(sem_wait, all[i], 1, 0) != ERR_BAD_HANDLE)
            return storm_fail(s, "revoke: one survived", i);
    struct vx_cap_facts facts = {};
    (void)SYS(cap_inspect, root, P(&facts));
    if (facts.children != 0)
        return storm_fail(s, "revoke: children are counted", facts.children);
    (void)SYS(cap_drop, root);
    return true;
}

static bool across_tasks(struct storm *s)
{
    struct play_memory memory = play_share(8192), page = play_share(4096);
    struct reader_page *p = page.at;
    vx_handle_t part[READERS + 1];
    if (memory.at == nullptr || p == nullptr)
        return storm_fail(s, "revoke: no memory", 0);
    for (uint32_t i = 0; i <= READERS; i++) {
        struct vx_spawn spawn;
        const char *argv[] = { "/test/stress", i < READERS ? "reader" : "narrower" };
        play_begin(&spawn, s->image, 2, argv, 128 << 10);
        vx_spec_copy(&spawn.spec, "page", page.mem, PLAY_SHARED);
        vx_spec_copy(&spawn.spec, "shared", memory.mem, PLAY_SHARED);
        if ((part[i] = play_start(&spawn)) == 0)
            return storm_fail(s, "revoke: no part", i);
    }
    if (!play_reaches(&p->started, READERS + 1))
        return storm_fail(s, "revoke: the parts do not start", p->started);
    play_nap(play_below(&s->random, 1000) * VX_NS_PER_US);
    uint64_t gone = SYS(cap_revoke, memory.mem).value;
    if (gone < READERS + 1)
        return storm_fail(s, "revoke: too few were revoked", gone);
    for (uint32_t i = 0; i < READERS; i++)
        if (!storm_ended_by(s, part[i], VX_CAUSE_PAGE_FAULT, "revoke: a reader did not die of its missing page"))
            return false;
    if (!storm_ended_well(s, part[READERS], "revoke: the one who derives failed"))
        return false;
    ((volatile uint64_t *)memory.at)[0] = 1; /* ours is still there */
    (void)SYS(mem_free, memory.mem, 0, 0);
    (void)SYS(mem_free, page.mem, 0, 0);
    return true;
}

bool storm_revoke(struct storm *s)
{
    do {
        if (!in_one_table(s, 0) || !in_one_table(s, 1) || !in_one_table(s, 2) || !across_tasks(s))
            return false;
    } while (storm_again(s));
    return true;
}
