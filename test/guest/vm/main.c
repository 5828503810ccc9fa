/* SPDX-License-Identifier: MIT
 * /test/vm: what memory does. Faults are provoked in children, whose cause of death is the answer. */
#define CHECK_DEFINE
#include <test/guest/common/check.h>
#include <check/cpu.h>

static uint64_t free_bytes(void)
{
    return check_accounts().free_bytes;
}

static void states(void)
{
    uint64_t before = free_bytes();
    volatile uint8_t *p = check_pages(64 << 20, VX_MEM_RESERVE);
    uint64_t reserved = before - free_bytes();
    CHECK("64 MiB of reservation cost next to nothing", p != nullptr && reserved < 65536);
    CHECK("a piece of it can be committed",
          STATUS(mem_map, 0, 0, 8192, P(p) + (1 << 20), VX_PROT_READ | VX_PROT_WRITE | VX_MAP_COMMIT) == OK);
    p[1 << 20] = 5;
    CHECK("and given back, keeping the addresses",
          p[1 << 20] == 5 && STATUS(mem_map, 0, 0, 8192, P(p) + (1 << 20), VX_MAP_RESERVE) == OK &&
              STATUS(getrandom, P(p) + (1 << 20), 8) == ERR_BAD_ADDRESS);
    (void)SYS(mem_free, 0, P(p), 64 << 20);
    check_equal("freeing it gives every byte back", free_bytes(), before);
    p = check_pages(1 << 20, RW_LAZY);
    uint64_t lazy = before - free_bytes();
    for (unsigned i = 0; i < 16; i++)
        p[i * 65536] = 1;
    uint64_t touched = before - free_bytes();
    CHECK("lazy memory is charged at the first touch", p != nullptr && lazy < 65536 && touched >= lazy + 16 * 4096);
    CHECK("and is zero there", p[1] == 0 && p[65536 + 4095] == 0);
    (void)SYS(mem_free, 0, P(p), 1 << 20);
    check_equal("freeing it gives every byte back", free_bytes(), before);
    p = check_pages(1 << 20, RW_COMMIT);
    CHECK("committed memory is charged at once", p != nullptr && before - free_bytes() >= 1 << 20);
    (void)SYS(mem_free, 0, P(p) + 4096, 4096);
    CHECK("a page can be freed from the middle",
          STATUS(getrandom, P(p) + 4096, 8) == ERR_BAD_ADDRESS && STATUS(getrandom, P(p) + 8192, 8) == OK);
    (void)SYS(mem_free, 0, P(p), 4096);
    (void)SYS(mem_free, 0, P(p) + 8192, (1 << 20) - 8192);
    check_equal("and freeing the rest gives every byte back", free_bytes(), before);
}

/* Memory that was somebody's is zero when it is handed out again. */
static void zeroed(void)
{
    uint64_t *p = check_pages(256 << 10, RW_COMMIT);
    memset(p, 0xa5, 256 << 10);
    (void)SYS(mem_free, 0, P(p), 256 << 10);
    p = check_pages(256 << 10, RW_COMMIT);
    uint64_t any = 0;
    for (unsigned i = 0; i < (256 << 10) / 8; i++)
        any |= p[i];
    CHECK("memory handed out again is zero", any == 0);
    (void)SYS(mem_free, 0, P(p), 256 << 10);
}

static void large_pages(void)
{
    uint64_t before = free_bytes();
    volatile uint8_t *p = check_pages(4 << 20, RW_COMMIT);
    uint64_t cost = before - free_bytes();
    CHECK("4 MiB committed cost 4 MiB and few tables", p != nullptr && cost >= 4 << 20 && cost <= (4 << 20) + 32768);
    if (p == nullptr)
        return;
    p[0] = 1;
    p[(4 << 20) - 1] = 2;
    CHECK("a hole in the middle of a large page splits it",
          STATUS(mem_map, 0, 0, 4096, P(p) + (2 << 20), VX_PROT_NONE) == OK &&
              STATUS(getrandom, P(p) + (2 << 20), 8) == ERR_BAD_ADDRESS &&
              STATUS(getrandom, P(p) + (2 << 20) + 4096, 8) == OK && p[0] == 1 && p[(4 << 20) - 1] == 2);
    (void)SYS(mem_free, 0, P(p), 4 << 20);
    check_equal("and all comes back", free_bytes(), before);
}

/* --- faults, in children --- */

static int play(const char *role)
{
    uint8_t *p = check_pages(3 * 4096, RW_COMMIT);
    if (vx_streq(role, "guard")) {
        (void)SYS(mem_map, 0, 0, 4096, P(p) + 4096, VX_PROT_NONE);
        p[4096] = 1;
    }
    if (vx_streq(role, "read-only")) {
        (void)SYS(mem_map, 0, 0, 4096, P(p), VX_PROT_READ);
        p[0] = 1;
    }
    if (vx_streq(role, "execute-data")) {
        p[0] = 0xc3;
        ((void (*)(void))(uintptr_t)p)();
    }
    if (vx_streq(role, "write-code"))
        *(volatile uint8_t *)(uintptr_t)&play = 1;
    if (vx_streq(role, "write-time-page"))
        *(volatile uint8_t *)(uintptr_t)VX_TIME_PAGE_ADDRESS = 1;
    if (vx_streq(role, "write-bundle"))
        *(volatile uint8_t *)(uintptr_t)VX_BUNDLE_ADDRESS = 1;
    if (vx_streq(role, "freed")) {
        (void)SYS(mem_free, 0, P(p), 4096);
        p[0] = 1;
    }
    return 33;
}

static uint32_t cause_of(const char *role)
{
    static struct vx_spawn s;
    const char *argv[] = { "/test/vm", role };
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv };
    vx_spawn_begin(&s);
    vx_task task = {};
    uint32_t id, status;
    vx_cause_t cause = VX_CAUSE_EXIT;
    if (vx_spawn_end(&s, &task, &id) != OK || vx_wait(task, &status, &cause) != OK)
        return 999;
    return cause;
}

static void faults(void)
{
    check_equal("a page without any access is a guard", cause_of("guard"), VX_CAUSE_STACK);
    check_equal("writing read-only memory faults", cause_of("read-only"), VX_CAUSE_PAGE_FAULT);
    check_equal("data cannot be executed", cause_of("execute-data"), VX_CAUSE_PAGE_FAULT);
    check_equal("code cannot be written", cause_of("write-code"), VX_CAUSE_PAGE_FAULT);
    check_equal("the time page cannot be written", cause_of("write-time-page"), VX_CAUSE_PAGE_FAULT);
    check_equal("the Bundle cannot be written", cause_of("write-bundle"), VX_CAUSE_PAGE_FAULT);
    check_equal("freed memory faults", cause_of("freed"), VX_CAUSE_PAGE_FAULT);
    check_equal("a child that does nothing wrong exits", cause_of("nothing"), VX_CAUSE_EXIT);
}

/* New code: written while writable, then made executable, never both. */
static void new_code(void)
{
    uint8_t *p = check_pages(4096, RW_COMMIT);
    memcpy(p, cpu_code_42, cpu_code_42_len);
    status_t both = STATUS(mem_map, 0, 0, 4096, P(p), VX_PROT_READ | VX_PROT_WRITE | VX_PROT_EXEC);
    status_t exec = STATUS(mem_map, 0, 0, 4096, P(p), VX_PROT_READ | VX_PROT_EXEC);
    CHECK("writable and executable at once is refused", both == ERR_BAD_ARGUMENT);
    CHECK("written first, executable afterwards, it runs", exec == OK && ((int (*)(void))(uintptr_t)p)() == 42);
    (void)SYS(mem_free, 0, P(p), 4096);
}

static void shared(void)
{
    struct check_accounts before = check_accounts();
    struct vx_result mem = SYS(mem_alloc, 0, 8192, RW_COMMIT | VX_MEM_HANDLE, 0);
    uint64_t again = SYS(mem_map, mem.value, 4096, 4096, 0, VX_PROT_READ).value;
    ((volatile uint8_t *)(uintptr_t)mem.second)[4096 + 17] = 99;
    CHECK("two mappings of one memory show one content", ((volatile uint8_t *)(uintptr_t)again)[17] == 99);
    (void)SYS(cap_drop, mem.value);
    CHECK("dropping the capability unmaps both",
          STATUS(getrandom, mem.second, 8) == ERR_BAD_ADDRESS && STATUS(console_write, 0, again, 8) != OK);
    check_no_leak("and gives every byte back", before);
}

static void vectors(void)
{
    static struct cpu_vectors in, out;
    bool good = true;
    for (uint64_t i = 1; i <= 50; i++) {
        cpu_vectors_fill(&in, i);
        memset(&out, 0, sizeof out);
        (void)cpu_vectors_across_call(&in, &out, i % 2 != 0 ? NR_yield : NR_nanosleep,
                                      i % 2 != 0 ? 0 : vx_deadline_in(100 * VX_NS_PER_US));
        good &= cpu_vectors_same(&in, &out);
    }
    CHECK("vector registers survive calls that switch away", good);
}

static void time_page(void)
{
    const struct vx_time_page *t = (const struct vx_time_page *)VX_TIME_PAGE_ADDRESS;
    CHECK("the time page describes the machine",
          t->page_bytes == 4096 && t->harts >= 1 && t->mult != 0 && t->counter_hz > 1000);
    CHECK("the time page knows what year it is", vx_clock_realtime_ns() > UINT64_C(1600000000) * VX_NS_PER_S);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return play(argv[1]);
    states();
    zeroed();
    large_pages();
    faults();
    new_code();
    shared();
    vectors();
    time_page();
    return check_done();
}
