/* SPDX-License-Identifier: MIT
 * /test/fuzz [seed|random] [ticks] [tasks]: the conductor. It starts Tasks that make random calls, hands them Rings to
 * each other, memory and semaphores with random rights, ends some, revokes and destroys what it gave, and starts new
 * ones in their place, for that many milliseconds. See fuzz.h for what is checked. The first line says the seed, with
 * which a run that chose its own is repeated: on one hart exactly, on several as far as each thread's calls go. */
// guest: smp 1 4 within 400
// stress: smp 1 4 within 600 args random 60000 12
#define CHECK_DEFINE
#include "fuzz.h"
#include <syscall_grammar.h>
#include <vectra/cpio.h>

struct life {
    vx_handle_t task;
    struct play_memory report;
    uint32_t number, lives;
    uint64_t seed, calls; /* calls: when it was last looked at */
    uint32_t quiet;
};

static struct {
    uint64_t seed, random;
    uint32_t n_tasks;
    struct life life[FUZZ_TASKS_MAX];
    vx_mem image, tiny;
    vx_handle_t shared[6]; /* what everybody gets some rights to */
    vx_handle_t pending;   /* the other end of the ring that the last Task reads from: for the next one */
    uint32_t started, ended[16], complaints;
    uint64_t calls, successes, seen, looks;
    bool stuck;
} fuzz;

static uint32_t below(uint32_t n)
{
    return play_below(&fuzz.random, n);
}

/* An image as a capability that can be handed on. */
static bool find_image(const char *path, vx_mem *image)
{
    struct vx_cpio disk = {};
    struct vx_cpio_entry e = {};
    return vx_initrd(&disk) == OK && vx_cpio_find(&disk, path, &e) == OK &&
           vx_sys_cap_narrow(vx_bundle_mem("initrd").raw, VX_R_READ | VX_R_EXEC | VX_R_COPY, e.data_at, e.data_len,
                             &image->raw) == OK;
}

static void make_shared(uint32_t i)
{
    (void)SYS(cap_drop, fuzz.shared[i]);
    struct vx_result r = i < 2   ? SYS(mem_alloc, 0, 4096u << i, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0)
                         : i < 4 ? SYS(sem_create, 0, i)
                         : i < 5 ? SYS(reticle_carve, 0, 65536)
                                 : SYS(surface_create, 0, 8, 8, VX_FORMAT_XRGB8888);
    fuzz.shared[i] = vx_result_status(r.value) == OK ? (vx_handle_t)r.value : 0;
}

/* The rights of ours, some of them left out. */
static vx_rights_t some_rights(vx_handle_t handle)
{
    struct vx_cap_facts f = {};
    (void)SYS(cap_inspect, handle, P(&f));
    return (vx_rights_t)(f.rights & (below(2) != 0 ? VX_RIGHTS_ALL : play_random(&fuzz.random)));
}

static void begin(struct life *l)
{
    static struct vx_spawn s;
    const char *argv[] = { "/test/fuzz", "player" };
    static const char *const names[] = { "m0", "m1", "s0", "s1", "r0", "f0" };
    l->report = play_share(4096);
    l->seed = fuzz.seed * UINT64_C(1000003) + l->number * UINT64_C(8191) + l->lives;
    uint64_t choices = l->seed;
    play_begin(&s, fuzz.image, 2, argv, 512 << 10);
    vx_spec_int(&s.spec, "seed", l->seed);
    vx_spec_int(&s.spec, "band", VX_BAND_BATCH); /* so that the conductor gets its turn beside dozens of busy threads */
    vx_spec_copy(&s.spec, "image", fuzz.tiny.raw, VX_R_READ | VX_R_EXEC);
    vx_spec_copy(&s.spec, "report", l->report.mem, VX_R_READ | VX_R_WRITE);
    for (uint32_t i = 0; i < 6; i++)
        if (play_below(&choices, 4) != 0)
            vx_spec_copy(&s.spec, names[i], fuzz.shared[i], some_rights(fuzz.shared[i]));
    struct vx_result own = SYS(ring_create, 0, 1u << below(4), below(2) != 0 ? VX_RING_CAPS : 0);
    struct vx_result to = SYS(ring_create, 0, 4, VX_RING_CAPS);
    vx_spec_move(&s.spec, "own.tx", (vx_handle_t)own.value, VX_RIGHTS_TX);
    vx_spec_move(&s.spec, "own.rx", (vx_handle_t)own.second, VX_RIGHTS_RX);
    vx_spec_move(&s.spec, "to.rx", (vx_handle_t)to.second, VX_RIGHTS_RX);
    vx_spec_move(&s.spec, "from.tx", fuzz.pending, VX_RIGHTS_TX);
    vx_handle_t task = play_start(&s);
    if (task == 0) { /* the specification moved nothing */
        (void)SYS(cap_drop, own.value);
        (void)SYS(cap_drop, own.second);
        (void)SYS(cap_drop, to.second);
    }
    l->task = task;
    if (task == 0)
        (void)SYS(cap_drop, fuzz.pending);
    for (uint32_t i = 0; task == 0 && i < 6; i++) /* somebody may have destroyed what he had the right to */
        make_shared(i);
    fuzz.pending = (vx_handle_t)to.value;
    l->quiet = 0;
    fuzz.started += task != 0;
    l->lives++;
}

static void tell(const struct life *l)
{
    const struct fuzz_report *r = l->report.at;
    fuzz.complaints++;
    if (fuzz.complaints > 20)
        return;
    const char *name = r->number < SYSCALL_LIMIT && grammar[r->number].name != nullptr ? grammar[r->number].name : "?";
    vx_printf(
        "#   Task %u, life %u, thread %u, step %llu: %u %s(0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx): %s: 0x%llx %s\n",
        l->number, l->lives - 1, r->thread, (unsigned long long)r->step, r->number, name,
        (unsigned long long)r->argument[0], (unsigned long long)r->argument[1], (unsigned long long)r->argument[2],
        (unsigned long long)r->argument[3], (unsigned long long)r->argument[4], r->what, (unsigned long long)r->value,
        vx_result_status(r->value) != OK ? vx_status_name(vx_result_status(r->value)) : "");
}

static void end(struct life *l)
{
    struct fuzz_report *r = l->report.at;
    if (l->task != 0) {
        struct play_ending e = play_end(l->task);
        fuzz.stuck |= !e.ended;
        fuzz.ended[e.cause % 16]++;
    }
    if (r != nullptr) {
        if (atomic_load_explicit(&r->written, memory_order_acquire) != 0)
            tell(l);
        fuzz.calls += r->calls;
        fuzz.successes += r->successes;
        fuzz.seen |= r->seen;
        (void)SYS(mem_free, l->report.mem, 0, 0);
    }
    l->task = 0;
    l->report = (struct play_memory){};
}

static bool has_ended(const struct life *l)
{
    return l->task == 0 || STATUS(waitpid, l->task, VX_WAIT_NOHANG) != ERR_WOULD_BLOCK;
}

/* Has made no call for many looks: most likely all its threads wait for what will never come. */
static bool is_quiet(struct life *l)
{
    const struct fuzz_report *r = l->report.at;
    uint64_t calls = r == nullptr ? 0 : atomic_load_explicit(&r->calls, memory_order_relaxed);
    l->quiet = calls == l->calls ? l->quiet + 1 : 0;
    l->calls = calls;
    return l->quiet >= 12;
}

static void steer(uint64_t until)
{
    while (vx_clock_monotonic_ns() < until && !fuzz.stuck) {
        fuzz.looks++;
        play_nap((1000 + below(5000)) * VX_NS_PER_US);
        for (uint32_t i = 0; i < fuzz.n_tasks; i++)
            if (has_ended(&fuzz.life[i]) || below(256) == 0 || is_quiet(&fuzz.life[i])) {
                end(&fuzz.life[i]);
                begin(&fuzz.life[i]);
            }
        struct life *l = &fuzz.life[below(fuzz.n_tasks)];
        uint32_t which = below(6);
        switch (l->task == 0 ? 10 : below(10)) { /* 0 would be our own Task */
        case 0:
            (void)SYS(cap_revoke, fuzz.shared[which]);
            break;
        case 1:
            (void)SYS(destroy, fuzz.shared[which]);
            make_shared(which);
            break;
        case 2:
            make_shared(which);
            break;
        case 3:
            (void)SYS(task_control, l->task, VX_TASK_STOP);
            play_nap(below(300) * VX_NS_PER_US);
            (void)SYS(task_control, l->task, VX_TASK_RESUME);
            break;
        case 4:
            (void)SYS(signal_post, l->task, play_random(&fuzz.random) >> 24);
            break;
        case 5:
            (void)SYS(task_control, l->task, VX_TASK_SET_BAND, VX_BAND_BATCH + below(2));
            break;
        default:
            break;
        }
    }
}

static void run(uint64_t span_ns)
{
    for (uint32_t i = 0; i < 6; i++)
        make_shared(i);
    for (uint32_t i = 0; i < fuzz.n_tasks; i++) {
        fuzz.life[i].number = i;
        begin(&fuzz.life[i]);
    }
    steer(vx_deadline_in(span_ns));
    for (uint32_t i = 0; i < fuzz.n_tasks; i++)
        end(&fuzz.life[i]);
    (void)SYS(cap_drop, fuzz.pending);
    fuzz.pending = 0;
    for (uint32_t i = 0; i < 6; i++) {
        (void)SYS(destroy, fuzz.shared[i]);
        (void)SYS(cap_drop, fuzz.shared[i]);
        fuzz.shared[i] = 0;
    }
}

/* Enough for a run; on a busy machine one span may be too short for it. */
static bool reached_most(void)
{
    return fuzz.calls > 1000 && fuzz.successes > fuzz.calls / 20 && __builtin_popcountll(fuzz.seen) >= 25;
}

/* The seed that was named; 1, so that the usual run says the same each time; or another one each time. */
static uint64_t choose_seed(int argc, char **argv)
{
    uint32_t chosen = 0;
    if (argc > 1 && vx_streq(argv[1], "random"))
        (void)SYS(getrandom, P(&chosen), sizeof chosen);
    return chosen != 0 ? chosen : argc > 1 ? check_argument(argc, argv, 1) : 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && vx_streq(argv[1], "player"))
        return fuzz_player();
    uint64_t ticks = argc > 2 ? check_argument(argc, argv, 2) : 2500;
    fuzz.seed = choose_seed(argc, argv);
    fuzz.n_tasks = argc > 3 ? (uint32_t)check_argument(argc, argv, 3) : 8;
    if (fuzz.n_tasks == 0 || fuzz.n_tasks > FUZZ_TASKS_MAX || !find_image("/test/fuzz", &fuzz.image) ||
        !find_image("/test/tiny", &fuzz.tiny))
        return 2;
    fuzz.random = fuzz.seed;
    vx_printf("# fuzz: seed %llu, %llu ms, %u Tasks, %u harts\n", (unsigned long long)fuzz.seed,
              (unsigned long long)ticks, fuzz.n_tasks, play_harts());
    run(50 * VX_NS_PER_MS); /* what is charged once is charged now */
    struct check_accounts before = check_accounts();
    uint64_t at_most = play_soon();
    do
        run(ticks * VX_NS_PER_MS);
    while (!reached_most() && !fuzz.stuck && fuzz.complaints == 0 && vx_clock_monotonic_ns() < at_most);
    vx_printf("# %llu looks, %llu calls, %llu succeeded, %u Tasks started; ended by:", (unsigned long long)fuzz.looks,
              (unsigned long long)fuzz.calls, (unsigned long long)fuzz.successes, fuzz.started);
    for (uint32_t i = 0; i < 16; i++)
        if (fuzz.ended[i] != 0)
            vx_printf(" %s %u", vx_cause_name((vx_cause_t)i), fuzz.ended[i]);
    vx_printf("\n");
    uint32_t reached = (uint32_t)__builtin_popcountll(fuzz.seen);
    vx_printf("# calls that succeeded at least once: %u; never:", reached);
    for (uint32_t i = 0; i < SYSCALL_LIMIT; i++)
        if (grammar[i].name != nullptr && (fuzz.seen >> i & 1) == 0)
            vx_printf(" %s", grammar[i].name);
    vx_printf("\n");
    check_equal("every answer is listed, no register is lost, no address of the kernel's is shown", fuzz.complaints, 0);
    CHECK("Tasks were started, and all could be ended", !fuzz.stuck && fuzz.started >= fuzz.n_tasks);
    CHECK("most calls were reached", reached_most());
    check_no_leak("when all have ended nothing is missing", before);
    CHECK("the system runs on", SYS(getpid).value == vx_bundle()->task_id);
    return check_done();
}
