/* SPDX-License-Identifier: MIT
 * Job control. The process service knows which group is in front, so that it can signal it; the terminal is told, so
 * that it lets only that group read. A session's leader claims the terminal by asking to put a group in front: from
 * then on the process service hears of ^C, ^Z and ^backslash on a connection of its own. */
#define _GNU_SOURCE
#include "tty.h"
#include "console.h"
#include "process.h"
#include "signal.h"
#include <signal.h>

long px_tty_claim(void)
{
    struct vx_client watch = {};
    uint32_t id = 0;
    if (!px_leads_session())
        return -EPERM;
    if (px_console_dup(&watch, &id) != OK)
        return -ENOTTY;
    return px_proc_terminal(&watch);
}

/* Signals the whole group, oneself too. */
static long raise_in_group(int signal)
{
    uint32_t self = 0;
    long answer = px_proc_kill(0, signal, SI_KERNEL, 0, &self);
    if (self != 0)
        answer = px_signal_process(&(struct px_note){ .signal = signal, .code = SI_KERNEL });
    return answer != 0 ? answer : -EINTR;
}

long px_tty_background(int signal)
{
    int front = 0;
    if (px_proc_front(&front) != 0 || front == px_own_group())
        return 0;
    if (px_signal_ineffective(signal))
        return signal == SIGTTIN ? -EIO : 0;
    return px_proc_orphaned() ? -EIO : raise_in_group(signal);
}

long px_tty_set_front(int group)
{
    if (group <= 0)
        return -EINVAL;
    long answer = px_tty_background(SIGTTOU);
    if (answer == 0)
        answer = px_proc_set_front(group);
    if (answer == -ESRCH) { /* the session has no terminal yet */
        answer = px_tty_claim();
        if (answer == 0)
            answer = px_proc_set_front(group);
    }
    if (answer == 0)
        answer = px_error(px_console_set_front((uint32_t)group));
    return answer == -ESRCH || answer == -ENOSYS ? -ENOTTY : answer;
}

/* Where nobody claimed the terminal, the leader's group is in front. */
long px_tty_front(int *group)
{
    if (px_proc_front(group) != 0)
        *group = (int)px_getsid(0);
    return 0;
}
