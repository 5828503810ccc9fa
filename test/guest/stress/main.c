/* SPDX-License-Identifier: MIT
 * /test/stress [brief|short|long] [seed] [storm]: everything at once and much of it. Each storm runs alone, then all of
 * them together; every Reticle, every table and every Task's threads must be in the end what they were. See stress.h.
 */
// guest: smp 1 4 within 400
// stress: smp 1 4 within 900 args long
#define CHECK_DEFINE
#include "stress.h"

struct row {
    const char *name;
    bool (*run)(struct storm *s);
    uint64_t memory;
};

static const struct row rows[] = {
    { "spawn", storm_spawn, 2 << 20 },   { "rings", storm_rings, 1 << 20 },     { "caps", storm_caps, 1 << 20 },
    { "memory", storm_memory, 1 << 20 }, { "timers", storm_timers, 512 << 10 }, { "signals", storm_signals, 1 << 20 },
    { "futex", storm_futex, 1 << 20 },   { "sems", storm_sems, 1 << 20 },       { "threads", storm_threads, 512 << 10 },
    { "revoke", storm_revoke, 1 << 20 }, { "trees", storm_trees, 2 << 20 },     { "calls", storm_calls, 1 << 20 },
};
enum : uint32_t { ROWS = sizeof rows / sizeof rows[0] };

static const struct {
    const char *role;
    int (*run)(void);
} parts[] = {
    { "serve", part_serve },       { "mapped", part_mapped },
    { "pass", part_pass },         { "dry", part_dry },
    { "poster", part_poster },     { "futex", part_futex },
    { "sems", part_sems },         { "reader", part_reader },
    { "narrower", part_narrower }, { "states", part_states },
    { "slow", part_slow_server },  { "leaf-exit", leaf_exit },
    { "leaf-fault", leaf_fault },  { "leaf-sleep", leaf_sleep },
    { "leaf-spin", leaf_spin },    { "leaf-threads", leaf_threads },
};

/* --- inside a storm's Task --- */

bool storm_again(struct storm *s)
{
    atomic_fetch_add_explicit(&s->report->rounds, 1, memory_order_relaxed);
    return vx_clock_monotonic_ns() < s->until;
}

bool storm_fail(struct storm *s, const char *text, uint64_t value)
{
    if (atomic_exchange_explicit(&s->report->failed, 1, memory_order_acq_rel) == 0) {
        (void)vx_strcopy(s->report->text, sizeof s->report->text, text);
        s->report->value = value;
        atomic_store_explicit(&s->report->failed, 2, memory_order_release);
    }
    return false;
}

vx_handle_t storm_part(struct storm *s, const char *role, uint64_t memory)
{
    vx_handle_t part = play_child(s->image, "/test/stress", role, memory);
    if (part == 0)
        (void)storm_fail(s, "a part could not be started", 0);
    return part;
}

bool storm_ended_well(struct storm *s, vx_handle_t part, const char *text)
{
    struct play_ending e = play_await(part, play_soon());
    if (!e.ended)
        return storm_fail(s, "a part does not end", 0);
    return (e.cause == VX_CAUSE_EXIT && e.status == 0) || storm_fail(s, text, e.cause * UINT64_C(1000) + e.status);
}

bool storm_ended_by(struct storm *s, vx_handle_t part, vx_cause_t cause, const char *text)
{
    struct play_ending e = play_await(part, play_soon());
    if (!e.ended)
        return storm_fail(s, "a part does not end", 0);
    return e.cause == cause || storm_fail(s, text, e.cause * UINT64_C(1000) + e.status);
}

static bool storm_counts(struct storm *s, const struct vx_task_info *before)
{
    struct vx_task_info after = {};
    (void)SYS(task_control, 0, VX_TASK_INFO, P(&after), sizeof after);
    if (after.memory_free != before->memory_free)
        return storm_fail(s, "bytes are missing", before->memory_free - after.memory_free);
    if (after.caps_used != before->caps_used)
        return storm_fail(s, "slots are in use", after.caps_used - before->caps_used);
    return after.threads == before->threads || storm_fail(s, "threads are left", after.threads);
}

static int storm_main(const char *name, uint64_t span_ns, uint64_t seed)
{
    struct storm s = { .random = seed, .report = play_shared("report", 4096) };
    struct vx_task_info before = {};
    if (s.report == nullptr || vx_image_find("/test/stress", &s.image) != OK)
        return 2;
    for (uint32_t i = 0; i < ROWS; i++)
        if (vx_streq(rows[i].name, name)) {
            if (!rows[i].run(&s)) /* one round: what is charged once is charged now */
                return 1;
            (void)SYS(task_control, 0, VX_TASK_INFO, P(&before), sizeof before);
            s.until = vx_deadline_in(span_ns);
            return !rows[i].run(&s) || !storm_counts(&s, &before);
        }
    return 3;
}

/* --- the conductor --- */

struct running {
    vx_handle_t task;
    struct play_memory report;
};

static void decimal(uint64_t value, char out[static 24])
{
    char digits[24];
    unsigned n = 0, at = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (n > 0)
        out[at++] = digits[--n];
    out[at] = '\0';
}

static struct running begin(vx_mem image, const struct row *row, uint64_t span_ns, uint64_t seed)
{
    static struct vx_spawn spawn;
    static char span[24], seeds[24];
    struct running r = { .report = play_share(4096) };
    const char *argv[] = { "/test/stress", "storm", row->name, span, seeds };
    decimal(span_ns, span);
    decimal(seed, seeds);
    play_begin_with(&spawn, image, 5, argv, row->memory, CAP_SLOTS_DEFAULT);
    play_family(&spawn);
    vx_spec_copy(&spawn.spec, "report", r.report.mem, PLAY_SHARED);
    r.task = play_start(&spawn);
    return r;
}

static uint64_t finish(const char *how, const struct row *row, struct running *r, uint64_t span_ns)
{
    struct report *report = r->report.at;
    struct play_ending e = {};
    char name[64] = "";
    (void)vx_strcopy(name, sizeof name, row->name);
    (void)vx_strcopy(name + strlen(name), sizeof name - strlen(name), how);
    if (r->task != 0)
        e = play_await(r->task, vx_deadline_in(span_ns + 2 * PLAY_PATIENCE_NS));
    bool good = e.ended && e.cause == VX_CAUSE_EXIT && e.status == 0;
    uint64_t rounds = report != nullptr ? report->rounds : 0;
    if (!check_line(name, good, r->task == 0 ? "could not be started" : e.ended ? "it failed" : "it does not end")) {
        vx_printf("#   status %u, cause %s, address 0x%llx, %llu rounds: %s (%lld, 0x%llx)\n", e.status,
                  vx_cause_name(e.cause), (unsigned long long)e.address, (unsigned long long)rounds,
                  report != nullptr && report->failed != 0 ? report->text : "nothing was said",
                  report != nullptr ? (long long)report->value : 0, report != nullptr ? (long long)report->value : 0);
        if (!e.ended && r->task != 0)
            (void)play_end(r->task);
    }
    (void)SYS(mem_free, r->report.mem, 0, 0);
    return rounds;
}

static void conduct(vx_mem image, uint64_t alone_ns, uint64_t together_ns, uint64_t seed, const char *only)
{
    uint64_t rounds[ROWS] = {};
    struct check_accounts before = check_accounts();
    for (uint32_t i = 0; i < ROWS; i++) {
        if (only != nullptr && !vx_streq(only, rows[i].name))
            continue;
        struct running r = begin(image, &rows[i], alone_ns, seed + i);
        rounds[i] = finish(", alone", &rows[i], &r, alone_ns);
        if (i == 0 && only == nullptr)
            before = check_accounts(); /* what is charged at the first use of anything is charged now */
    }
    if (only == nullptr) {
        check_no_leak("the storms gave everything back", before);
        static struct running all[ROWS];
        for (uint32_t i = 0; i < ROWS; i++)
            all[i] = begin(image, &rows[i], together_ns, seed * 31 + i);
        for (uint32_t i = 0; i < ROWS; i++)
            rounds[i] += finish(", beside all the others", &rows[i], &all[i], together_ns);
    }
    check_no_leak("all of it gave everything back", before);
    vx_printf("# rounds:");
    for (uint32_t i = 0; i < ROWS; i++)
        vx_printf(" %s %llu", rows[i].name, (unsigned long long)rounds[i]);
    vx_printf("\n");
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "short";
    if (vx_streq(how, "storm") && argc > 4)
        return storm_main(argv[2], check_argument(argc, argv, 3), check_argument(argc, argv, 4));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (vx_streq(how, parts[i].role))
            return parts[i].run();
    vx_mem image = {};
    bool is_long = vx_streq(how, "long"), is_brief = vx_streq(how, "brief");
    if ((!is_long && !is_brief && !vx_streq(how, "short")) || vx_image_find("/test/stress", &image) != OK)
        return 2;
    uint64_t seed = argc > 2 ? check_argument(argc, argv, 2) : 1;
    const char *only = argc > 3 ? argv[3] : nullptr;
    vx_printf("# stress %s, seed %llu, %u harts\n", how, (unsigned long long)seed, play_harts());
    if (is_brief)
        conduct(image, 5 * VX_NS_PER_MS, 100 * VX_NS_PER_MS, seed, only);
    else if (is_long)
        conduct(image, 8 * VX_NS_PER_S, 60 * VX_NS_PER_S, seed, only);
    else
        conduct(image, 100 * VX_NS_PER_MS, 1500 * VX_NS_PER_MS, seed, only);
    CHECK("the system runs on", SYS(getpid).value == vx_bundle()->task_id);
    return check_done();
}
