/* SPDX-License-Identifier: MIT */
#include "terminal.h"
#include "table.h"
#include <vectra/rpc_console.h>

static struct terminal {
    uint32_t session; /* 0: free */
    uint32_t front;
    bool waiting;
    struct vx_client client;
} terminals[TERMINALS_MAX];

uint64_t terminal_bits(void)
{
    return ((UINT64_C(1) << TERMINALS_MAX) - 1) << VX_SERVICE_BIT_FIRST;
}

static struct terminal *find(uint32_t session)
{
    for (uint32_t i = 0; session != 0 && i < TERMINALS_MAX; i++)
        if (terminals[i].session == session)
            return &terminals[i];
    return nullptr;
}

uint32_t *terminal_front(uint32_t session)
{
    struct terminal *t = find(session);
    return t == nullptr ? nullptr : &t->front;
}

static void close_terminal(struct terminal *t)
{
    vx_client_close(&t->client);
    *t = (struct terminal){};
}

/* Polls, so that a terminal never makes us wait; a full ring is a terminal that does not listen. */
static void listen(struct terminal *t)
{
    struct vx_message m = { .word = { VX_CONSOLE_WAIT_SIGNAL } };
    t->waiting = vx_rpc_start(&t->client, &m, VX_HANDLE_NONE, VX_POLL) == OK;
    if (!t->waiting)
        close_terminal(t);
}

status_t terminal_open(uint32_t session, struct vx_client *client)
{
    struct terminal *t = find(session);
    if (t != nullptr)
        close_terminal(t);
    for (uint32_t i = 0; i < TERMINALS_MAX; i++) {
        t = &terminals[i];
        if (t->session != 0)
            continue;
        status_t st = vx_sys_bind(client->rx.raw, VX_SERVICE_BIT_FIRST + i);
        if (st != OK) {
            vx_client_close(client);
            return ERR_BAD_ARGUMENT;
        }
        *t = (struct terminal){ .session = session, .front = session, .client = *client };
        listen(t);
        return OK;
    }
    vx_client_close(client);
    return ERR_TABLE_FULL;
}

void terminal_leader_ended(uint32_t session)
{
    struct terminal *t = find(session);
    if (t == nullptr)
        return;
    group_signal(t->front, session, SIG_HUP);
    group_signal(t->front, session, SIG_CONT);
    close_terminal(t);
}

static void hear(struct terminal *t)
{
    uint32_t signals = 0, group = 0, before = 0;
    status_t st = vx_console_wait_signal_finish(&t->client, &signals, &group, &before, VX_POLL);
    if (st == ERR_WOULD_BLOCK || st == ERR_TIMED_OUT)
        return;
    if (st != OK) { /* the terminal is gone */
        struct proc *leader = proc_find(t->session);
        if (leader != nullptr)
            (void)proc_signal(leader, &(struct note){ .signal = SIG_HUP, .code = CODE_KERNEL });
        close_terminal(t);
        return;
    }
    /* two sessions may have claimed the same terminal, and each hears of the keys: the group says whose they are */
    if (group_session(group) == 0) /* of a child being started, of which the terminal hears before us */
        group = before;
    uint32_t session = group_session(group);
    if (find(session) == nullptr)
        session = t->session; /* one without a terminal has no keys */
    if ((signals & VX_CONSOLE_SIGNAL_INTERRUPT) != 0)
        group_signal(group, session, SIG_INT);
    if ((signals & VX_CONSOLE_SIGNAL_QUIT) != 0)
        group_signal(group, session, SIG_QUIT);
    if ((signals & VX_CONSOLE_SIGNAL_SUSPEND) != 0)
        group_signal(group, session, SIG_TSTP);
    listen(t);
}

void terminal_signals(struct vx_service *svc, uint64_t bits)
{
    (void)svc;
    for (uint32_t i = 0; i < TERMINALS_MAX; i++)
        if ((bits >> (VX_SERVICE_BIT_FIRST + i) & 1) != 0 && terminals[i].session != 0)
            hear(&terminals[i]);
}
