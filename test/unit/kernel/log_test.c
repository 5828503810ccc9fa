/* SPDX-License-Identifier: MIT
 * The kernel's log: stamps at the start of lines and nowhere else, levels, and a ring that keeps the newest text. */
// sources: kernel/log.c kernel/format.c kernel/arch/host/ram.c
#include "cmocka_kassert.h"
#include "no_locks.h"
#include <abi/klog.h>
#include <abi/limits.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <arch/boot.h>
#include <kernel/entry.h>
#include <kernel/log.h>
#include <stdio.h>
#include <string.h>

static uint64_t now_ns = 1234567890;
static const struct vx_klog *ring;
static char console[4096];
static size_t console_len;

uint64_t arch_timer_now_ns(void)
{
    return now_ns;
}

void arch_early_putc(char c)
{
    if (console_len < sizeof console)
        console[console_len] = c;
    console_len++;
}

static int setup(void **)
{
    size_t bytes = 0;
    host_ram_reset();
    ring = arch_phys_to_virt(log_ring(&bytes));
    assert_int_equal(bytes, KERNEL_LOG_BYTES);
    memset(console, 0, sizeof console);
    console_len = 0;
    log_set_level(LOG_NORMAL);
    return 0;
}

/* The last `len` bytes of the log. */
static void newest(char *out, size_t len)
{
    uint64_t end = ring->written;
    assert_true(end >= len);
    for (size_t i = 0; i < len; i++)
        out[i] = (char)ring->bytes[(end - len + i) % ring->size];
}

static void a_line_has_one_stamp_however_it_is_put_together(void **)
{
    static const char expected[] = "[    1.234567] one two\n[    1.234567] three\n";
    char text[sizeof expected] = {};
    kprintf("one %s", "tw");
    kprintf("o\nthree\n");
    newest(text, sizeof expected - 1);
    assert_string_equal(text, expected);
    assert_string_equal(console, "[    1.234567] one two\r\n[    1.234567] three\r\n");
    assert_int_equal(ring->magic, VX_KLOG_MAGIC);
    assert_int_equal(ring->size, KERNEL_LOG_BYTES - sizeof(struct vx_klog));
}

static void levels_decide_what_the_console_shows_and_not_what_is_kept(void **)
{
    uint64_t before = ring->written;
    log_debug("detail\n");
    assert_int_equal(console_len, 0);
    assert_true(ring->written > before);
    log_set_level(LOG_QUIET);
    kprintf("normal\n");
    assert_int_equal(console_len, 0);
    log_urgent("urgent\n");
    assert_string_equal(console, "[    1.234567] urgent\r\n");
    log_set_level(LOG_DEBUG);
    log_debug("detail\n");
    assert_non_null(strstr(console, "detail\r\n"));
}

/* At the edge: after exactly the ring's size, the byte before is gone and the one behind it is there. */
static void older_text_is_overwritten(void **)
{
    enum { LINE = 32 };
    char text[LINE + 1] = {}, line[LINE + 1] = {};
    uint64_t first = ring->written;
    for (unsigned i = 0; ring->written - first < 2 * ring->size; i++) {
        snprintf(line, sizeof line, "[    1.234567] %016u\n", i);
        kprintf("%s", line + 15);
        newest(text, LINE);
        assert_string_equal(text, line);
    }
    char *all = malloc(ring->size + 1);
    newest(all, ring->size);
    all[ring->size] = '\0';
    size_t lines = 0;
    for (const char *at = strchr(all, '\n'); at != nullptr; at = strchr(at + 1, '\n'))
        lines++;
    assert_int_equal(lines, (ring->size + LINE - 1) / LINE);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_has_one_stamp_however_it_is_put_together, setup),
        cmocka_unit_test_setup(levels_decide_what_the_console_shows_and_not_what_is_kept, setup),
        cmocka_unit_test_setup(older_text_is_overwritten, setup),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
