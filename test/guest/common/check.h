/* SPDX-License-Identifier: MIT
 * What the guest's test programs share: numbered `ok` and `not ok` lines, the last line `# done: P passed, F failed`,
 * and short ways to make any system call with any registers. One .c file of a program says CHECK_DEFINE before
 * including it. */
#pragma once
#include <abi/klog.h>
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/panic.h>
#include <vectra/spawn.h>
#include <vectra/string.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

struct check_state {
    unsigned passed, failed;
};
extern struct check_state check_state;
#ifdef CHECK_DEFINE
struct check_state check_state;
#endif

/* The numbers of the calls, from the one source. */
enum check_call : uint64_t {
#define SYSCALL(number, name, ...) NR_##name = (number),
#include <abi/syscalls.def>
#undef SYSCALL
};

/* One line. `detail` is printed only when the check failed. */
static inline bool check_line(const char *name, bool ok, const char *detail)
{
    unsigned number = check_state.passed + check_state.failed + 1;
    if (ok) {
        check_state.passed++;
        vx_printf("ok %u - %s\n", number, name);
    } else {
        check_state.failed++;
        vx_printf("not ok %u - %s - %s\n", number, name, detail);
    }
    return ok;
}

/* A value that had to be another. */
static inline bool check_equal(const char *name, uint64_t got, uint64_t want)
{
    if (got == want)
        return check_line(name, true, "");
    check_state.failed++;
    vx_printf("not ok %u - %s - got %llu (0x%llx), wanted %llu (0x%llx)\n", check_state.passed + check_state.failed,
              name, (unsigned long long)got, (unsigned long long)got, (unsigned long long)want,
              (unsigned long long)want);
    return false;
}

/* A call that had to answer `want`. */
static inline bool check_status(const char *name, status_t want, status_t got)
{
    if (got == want)
        return check_line(name, true, "");
    check_state.failed++;
    vx_printf("not ok %u - %s - got %s, wanted %s\n", check_state.passed + check_state.failed, name,
              vx_status_name(got), vx_status_name(want));
    return false;
}

#define CHECK(name, condition) check_line(name, (condition), "false: " #condition)

/* The last line; what main returns. */
static inline int check_done(void)
{
    vx_printf("# done: %u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}

static inline struct vx_result check_enter(uint64_t number, const uint64_t a[static 5])
{
    return vx_enter(number, a[0], a[1], a[2], a[3], a[4]);
}

/* SYS(ring_send, tx, P(&message), 0): the call with these registers, the others 0. P makes a register of a pointer. */
#define SYS(call, ...) check_enter(NR_##call, (const uint64_t[5]){ __VA_ARGS__ })
#define P(pointer) ((uint64_t)(uintptr_t)(pointer))
#define STATUS(call, ...) vx_result_status(SYS(call __VA_OPT__(, ) __VA_ARGS__).value)

/* The program's own Reticle, as its Bundle names it. */
static inline vx_reticle check_reticle(void)
{
    return vx_bundle_reticle("reticle");
}

struct check_accounts {
    uint64_t free_bytes;
    uint32_t caps_used;
};

/* Free bytes of the program's Reticle and slots in use: equal before and after whatever leaks nothing. */
static inline struct check_accounts check_accounts(void)
{
    struct vx_task_info info = {};
    (void)vx_tty(); /* the first line that is written makes the terminal's Ring for replies: not in between */
    (void)SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
    return (struct check_accounts){ info.memory_free, info.caps_used };
}

static inline void check_no_leak(const char *name, struct check_accounts before)
{
    struct check_accounts after = check_accounts();
    bool same = before.free_bytes == after.free_bytes && before.caps_used == after.caps_used && before.free_bytes != 0;
    if (!check_line(name, same, "free bytes or slots differ"))
        vx_printf("#   before: %llu bytes free, %u slots used; after: %llu, %u\n",
                  (unsigned long long)before.free_bytes, before.caps_used, (unsigned long long)after.free_bytes,
                  after.caps_used);
}

/* Committed, zeroed, readable and writable memory without a handle; nullptr when there is none. */
static inline void *check_pages(size_t bytes, uint32_t flags)
{
    struct vx_result r = SYS(mem_alloc, 0, bytes, flags, 0);
    return vx_result_status(r.value) == OK ? (void *)(uintptr_t)r.second : nullptr;
}
#define RW_COMMIT (VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT)
#define RW_LAZY (VX_PROT_READ | VX_PROT_WRITE | VX_MEM_LAZY)

/* How long one waits for what must come: far beyond what anything here takes beside a hundred threads that spin on one
 * hart of a busy machine, where a wake-up can cost a second. Who still waits then was forgotten. */
#define CHECK_PATIENCE_NS (60 * VX_NS_PER_S)

static inline uint64_t check_patience(void)
{
    return vx_deadline_in(CHECK_PATIENCE_NS);
}

/* The number behind the last "harts: " in the kernel's log that a number stands behind: `harts: 4 of 4 run`. 0: none.
 */
static inline uint32_t check_harts_in(const struct vx_klog *log)
{
    static const char words[] = "harts: ";
    /* acquire: pairs with the release of the kernel, which has written so much. */
    uint64_t end = atomic_load_explicit(&log->written, memory_order_acquire);
    uint32_t found = 0, number = 0;
    size_t matched = 0;
    for (uint64_t at = end > log->size ? end - log->size : 0; at < end; at++) {
        char c = (char)log->bytes[at % log->size];
        if (words[matched] != 0) {
            matched = c == words[matched] ? matched + 1 : c == words[0];
        } else if (c >= '0' && c <= '9') {
            number = number * 10 + (uint32_t)(c - '0');
        } else {
            found = number != 0 ? number : found;
            number = 0;
            matched = 0;
        }
    }
    return found;
}

static inline uint32_t check_harts_logged(void)
{
    vx_mem mem = vx_bundle_mem("klog");
    struct vx_cap_facts facts = {};
    if (mem.raw == 0 || STATUS(cap_inspect, mem.raw, P(&facts)) != OK)
        return 0;
    struct vx_result r = SYS(mem_map, mem.raw, 0, facts.b, 0, VX_PROT_READ);
    if (vx_result_status(r.value) != OK)
        return 0;
    uint32_t found = check_harts_in((const struct vx_klog *)(uintptr_t)r.value);
    (void)SYS(mem_free, mem.raw, r.value, facts.b);
    return found;
}

/* How many harts run. The time page says it too; see /test/repro time-page. */
static inline uint32_t check_harts(void)
{
    static uint32_t harts;
    if (harts == 0 && (harts = check_harts_logged()) == 0)
        harts = ((const struct vx_time_page *)VX_TIME_PAGE_ADDRESS)->harts;
    return harts;
}

static inline struct vx_thread_info check_thread(uint32_t id)
{
    struct vx_thread_info info = {};
    struct vx_result r = SYS(task_control, 0, VX_TASK_THREADS, P(&info), 1, id);
    return vx_result_status(r.value) == OK && r.value == 1 && info.id == id ? info : (struct vx_thread_info){};
}

/* Until this thread of ours waits in that call; false: it does not get there. */
static inline bool check_waits_in(uint32_t id, uint64_t number)
{
    for (uint64_t deadline = check_patience(); vx_clock_monotonic_ns() < deadline;) {
        struct vx_thread_info info = check_thread(id);
        if (info.id == id && info.state == 1 && info.syscall == number)
            return true;
        (void)SYS(nanosleep, vx_deadline_in(VX_NS_PER_MS / 2));
    }
    return false;
}

/* Until there is no such thread any more. */
static inline bool check_is_gone(uint32_t id)
{
    for (uint64_t deadline = check_patience(); vx_clock_monotonic_ns() < deadline;) {
        if (check_thread(id).id != id)
            return true;
        (void)SYS(nanosleep, vx_deadline_in(VX_NS_PER_MS / 2));
    }
    return false;
}

static inline uint64_t check_argument(int argc, char **argv, int index)
{
    uint64_t value = 0;
    if (index < argc)
        (void)vx_parse_u64(argv[index], strlen(argv[index]), &value);
    return value;
}
