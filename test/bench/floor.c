/* SPDX-License-Identifier: MIT
 * What QEMU itself makes of exceptions on several harts: a program for an aarch64 `virt` machine without any kernel, in
 * which each hart does nothing at EL0 but `svc`, which is answered by nothing but `eret`. While it counts, harts write
 * no byte that another reads but the end of a window; the MMU is off. It prints one line and then waits to be ended:
 *
 *     floor HARTS CALLS NANOSECONDS
 *
 * CALLS is of all harts together. tools/vectra/floor.py builds and runs it, on one hart and on two.
 * Sources: "Arm Power State Coordination Interface" (CPU_ON); "PrimeCell UART (PL011)" (UARTDR); QEMU's hw/arm/virt.c
 * for where RAM and the serial line are. */
#include <stdint.h>

enum : uint32_t { HARTS = 2, BATCH = 256, STACK_BYTES = 4096, LINE_BYTES = 256 };
enum : uint64_t { UARTDR = 0x09000000, WINDOW_NS = 200'000'000, NS_PER_S = 1'000'000'000 };

/* A hart's calls so far, on a line of its own. */
static struct [[gnu::aligned(LINE_BYTES)]] {
    uint64_t calls;
} of[HARTS];

[[gnu::used, gnu::aligned(16)]] static uint8_t stacks[HARTS][STACK_BYTES];

/* x0 is the hart's number, x1 whether there is a second. What comes from EL0 comes to 0x400 of the vectors. */
__asm__(".section .head, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "    ldr   x0, =0xc4000003\n" /* CPU_ON: fails where there is one hart */
        "    mov   x1, #1\n"
        "    adr   x2, second\n"
        "    mov   x3, #1\n"
        "    hvc   #0\n"
        "    cmp   x0, #0\n"
        "    cset  x1, eq\n"
        "    mov   x0, #0\n"
        "second:\n"
        "    adrp  x2, vectors\n"
        "    msr   vbar_el1, x2\n"
        "    mov   x2, #2\n" /* EL0 may read the counter */
        "    msr   cntkctl_el1, x2\n"
        "    adrp  x2, stacks\n"
        "    add   x2, x2, :lo12:stacks\n"
        "    add   x2, x2, x0, lsl #12\n"
        "    add   x2, x2, #4096\n"
        "    msr   sp_el0, x2\n"
        "    mov   x2, #0x3c0\n" /* EL0, interrupts masked */
        "    msr   spsr_el1, x2\n"
        "    adrp  x2, work\n"
        "    add   x2, x2, :lo12:work\n"
        "    msr   elr_el1, x2\n"
        "    eret\n"
        "    .ltorg\n"
        "    .balign 4096\n"
        "vectors:\n"
        "    .space 0x400\n"
        "    eret\n"
        "    .text\n");

static uint64_t counter(void)
{
    uint64_t now;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(now));
    return now;
}

static void put(char c)
{
    *(volatile uint32_t *)UARTDR = (uint32_t)c;
}

static void put_number(uint64_t n)
{
    if (n >= 10)
        put_number(n / 10);
    put((char)('0' + n % 10));
}

static void batch(uint64_t hart)
{
    for (uint32_t i = 0; i < BATCH; i++)
        __asm__ volatile("svc #0");
    __atomic_store_n(&of[hart].calls, of[hart].calls + BATCH, __ATOMIC_RELAXED);
}

static uint64_t all_calls(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < HARTS; i++)
        sum += __atomic_load_n(&of[i].calls, __ATOMIC_RELAXED);
    return sum;
}

/* The first hart watches the clock and tells; the second counts for ever. */
[[noreturn, gnu::used]] static void work(uint64_t hart, uint64_t second)
{
    uint64_t hz;
    __asm__("mrs %0, cntfrq_el0" : "=r"(hz));
    while (hart != 0 || (second != 0 && __atomic_load_n(&of[1].calls, __ATOMIC_RELAXED) == 0))
        batch(hart);

    uint64_t calls = all_calls(), begin = counter(), ticks = hz / (NS_PER_S / WINDOW_NS);
    do
        batch(hart);
    while (counter() - begin < ticks);
    calls = all_calls() - calls;
    ticks = counter() - begin;

    const char *word = "floor ";
    while (*word != '\0')
        put(*word++);
    put_number(1 + second);
    put(' ');
    put_number(calls);
    put(' ');
    put_number(ticks * (NS_PER_S / 1'000'000) / (hz / 1'000'000));
    put('\n');
    for (;;)
        __asm__ volatile("wfi");
}
