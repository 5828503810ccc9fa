/* SPDX-License-Identifier: MIT
 * Lines from the terminal, ^C while a command runs. */
#include "sh.h"

bool sh_read_line(const char *prompt, char **line, size_t *len)
{
    static char text[SH_LINE_MAX + 1];
    (void)vx_puts(prompt);
    status_t st = vx_read_line(text, sizeof text, len);
    *line = text;
    if (st == ERR_INTERRUPTED || st == ERR_TOO_BIG) {
        if (st == ERR_TOO_BIG)
            vx_printf("sh: a line has at most %u bytes\n", SH_LINE_MAX);
        *len = 0;
        return true;
    }
    return st == OK;
}

void sh_watch_interrupts(void)
{
    uint32_t id;
    if (sh.tty == nullptr || vx_tty_dup(sh.tty, &sh.intr, &id) != OK)
        return;
    sh.has_intr =
        vx_console_wait_interrupt_start(&sh.intr) == OK && vx_sys_bind(sh.intr.rx.raw, SH_BIT_INTERRUPT) == OK;
}

bool sh_interrupted(void)
{
    uint32_t count;
    if (!sh.has_intr)
        return false;
    status_t st = vx_console_wait_interrupt_finish(&sh.intr, &count, VX_POLL);
    if (st == ERR_WOULD_BLOCK || st == ERR_TIMED_OUT)
        return false;
    /* Whatever came, the next ^C is to be heard of as well. */
    sh.has_intr = st != ERR_PEER_CLOSED && vx_console_wait_interrupt_start(&sh.intr) == OK;
    return st == OK;
}

bool sh_pause(uint64_t ns)
{
    uint64_t until = vx_deadline_in(ns);
    if (!sh.has_intr) {
        (void)vx_sys_nanosleep(until);
        return false;
    }
    for (;;) {
        if (vx_sys_signal_wait(UINT64_C(1) << SH_BIT_INTERRUPT, until, nullptr) == ERR_TIMED_OUT)
            return false;
        if (sh_interrupted())
            return true;
        if (vx_clock_monotonic_ns() >= until)
            return false;
    }
}
