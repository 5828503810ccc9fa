/* SPDX-License-Identifier: MIT
 * Console, clocks, sleep, random numbers, vector registers: calls 0, 25, 26, 35, 36; and numbers that are no call. */
#include "syscalls.h"
#include <check/cpu.h>

static struct vx_result write_at(uint64_t a)
{
    return SYS(console_write, kit.console, a, 16);
}

static void console(void)
{
    static const char text[] = "# this line went straight to the console\r\n";
    C(console_write, ok, SYS(console_write, kit.console, P(text), sizeof text - 1).value == sizeof text - 1);
    C(console_write, ok, SYS(console_write, kit.console, P(text), 0).value == 0);
    E(console_write, BAD_HANDLE, SYS(console_write, FORGED, P(text), 1));
    E(console_write, WRONG_TYPE, SYS(console_write, kit.sem, P(text), 1));
    vx_handle_t weak = kit_without(kit.console, VX_R_WRITE);
    E(console_write, NO_RIGHTS, SYS(console_write, weak, P(text), 1));
    (void)SYS(cap_drop, weak);
    kit_hostile_in("console_write.BAD_ADDRESS", 16, write_at);
    C(console_write, hostile,
      STATUS(console_write, kit.console, UINT64_C(0xffff800000000000), UINT64_MAX) == ERR_BAD_ADDRESS &&
          STATUS(console_write, kit.console, P(kit.page) + 4096, UINT64_MAX) == ERR_BAD_ADDRESS);
}

static void clock(void)
{
    uint64_t a = SYS(clock_get_time, VX_CLOCK_MONOTONIC).value;
    uint64_t page = vx_clock_monotonic_ns();
    uint64_t b = SYS(clock_get_time, VX_CLOCK_MONOTONIC).value;
    C(clock_get_time, ok, a <= page && page <= b); /* the time page and the call are one clock */
    uint64_t cpu = SYS(clock_get_time, VX_CLOCK_TASK_CPU).value,
             thread = SYS(clock_get_time, VX_CLOCK_THREAD_CPU).value;
    C(clock_get_time, ok, cpu > 0 && cpu <= b && thread > 0);
    E(clock_get_time, BAD_ARGUMENT, SYS(clock_get_time, 1)); /* what time it is, the time page knows */
    E(clock_get_time, BAD_ARGUMENT, SYS(clock_get_time, 4));
    C(clock_get_time, hostile, STATUS(clock_get_time, UINT32_MAX) == ERR_BAD_ARGUMENT);
}

static void sleep(void)
{
    uint64_t until = vx_deadline_in(3 * VX_NS_PER_MS);
    S(nanosleep, SYS(nanosleep, until));
    C(nanosleep, ok, vx_clock_monotonic_ns() >= until);
    C(nanosleep, hostile, STATUS(nanosleep, 0) == OK && STATUS(nanosleep, 1) == OK); /* in the past: at once */
    kit_interrupt();
    E(nanosleep, INTERRUPTED, SYS(nanosleep, VX_FOREVER));
}

static struct vx_result random_at(uint64_t a)
{
    return SYS(getrandom, a, 32);
}

static void random_bytes(void)
{
    memset(kit.page, 0, 4096);
    struct vx_result r = SYS(getrandom, P(kit.page), 64);
    uint8_t any = 0, same = 0;
    for (unsigned i = 0; i < 32; i++) {
        any |= kit.page[i];
        same |= kit.page[i] ^ kit.page[i + 32];
    }
    C(getrandom, ok, r.value == 64 && any != 0 && same != 0 && kit.page[64] == 0);
    C(getrandom, ok,
      SYS(getrandom, P(kit.page), GETRANDOM_MAX).value == GETRANDOM_MAX && SYS(getrandom, 0, 0).value == 0);
    E(getrandom, TOO_BIG, SYS(getrandom, P(kit.page), GETRANDOM_MAX + 1));
    kit_hostile_out("getrandom.BAD_ADDRESS", 32, random_at);
    C(getrandom, hostile, STATUS(getrandom, P(kit.page), UINT64_MAX) == ERR_TOO_BIG);
}

static void fp(void)
{
    static struct cpu_vectors before, after;
    cpu_vectors_fill(&before, 77);
    status_t st = vx_result_status(cpu_vectors_across_call(&before, &after, NR_fp_clobber, 0));
    if (st == OK) /* a debug kernel */
        C(fp_clobber, ok, cpu_vectors_same(&before, &after));
    else
        C(fp_clobber, NOT_SUPPORTED, st == ERR_NOT_SUPPORTED && cpu_vectors_same(&before, &after));
    C(fp_clobber, hostile,
      vx_result_status(check_enter(NR_fp_clobber, (const uint64_t[5]){ UINT64_MAX, UINT64_MAX }).value) == st);
}

/* Numbers beyond the table, and those that look small only after truncation. */
static void numbers(void)
{
    const uint64_t list[] = {
        49, SYSCALL_LIMIT, 63, 64, 255, 4096, UINT32_MAX, UINT64_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63
    };
    bool all = true;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        all &= vx_result_status(vx_enter(list[i], 0, 0, 0, 0, 0).value) == ERR_BAD_SYSCALL;
    CHECK("no call has that number: BAD_SYSCALL", all);
}

void test_misc(void)
{
    struct check_accounts before = check_accounts();
    console();
    clock();
    sleep();
    random_bytes();
    numbers();
    check_no_leak("console, clock, sleep and random leave nothing behind", before);
    fp();
}
