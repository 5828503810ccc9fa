/* SPDX-License-Identifier: MIT
 * Faults on purpose, so that the reports of a broken kernel can be tested: selftest=KIND on a debug kernel's command
 * line. A release kernel has none of them. */
#include <kernel/entry.h>
#include <kernel/selftest.h>
#include <base/string.h>

#ifdef VECTRA_DEBUG
static const uint64_t read_only_word = 0x5645435452414f53;

/* Writes beyond an array, up to the return address. */
[[gnu::noinline]] static void write_over(void)
{
    char small[8], *volatile p = small; /* so that the compiler does not know where it points */
    for (int i = 0; i < 64; i++)
        ((volatile char *)p)[i] = 'x';
}

/* Returns one instruction further on than it was called from. */
[[gnu::noinline]] static void go_astray(void)
{
    ((volatile uint64_t *)__builtin_frame_address(0))[1] += 4;
}

/* Leaves the stack: the page below it is not mapped. */
[[gnu::noinline]] static int recurse(volatile int *n)
{
    volatile int here = *n + 1;
    return here > 0 ? recurse(&here) + here : 0;
}

void selftest_report(const char *kind)
{
    if (strncmp(kind, "panic", 6) == 0)
        kernel_panic("asked for by selftest=panic");
    if (strncmp(kind, "stack", 6) == 0)
        write_over();
    if (strncmp(kind, "return", 7) == 0)
        go_astray();
    if (strncmp(kind, "recurse", 8) == 0)
        (void)recurse(&(volatile int){ 1 });
    if (strncmp(kind, "trap", 5) == 0)
        *(volatile uint64_t *)(uintptr_t)&read_only_word = 0; /* constants are not writable, not even for the kernel */
}
#endif
