/* SPDX-License-Identifier: MIT
 * A server and a client, two Tasks of this program, and all the authority that passes between them.
 *
 *     client                            server (a child)
 *       requests.tx  ---- Ring ---->  requests.rx
 *       replies.rx   <--- Ring -----  replies.tx
 *
 * The client lends the server a piece of memory, read-only, by sending a capability along with a message; the server
 * adds its bytes up. The server can do nothing else: its Bundle has two Ring ends and the terminal's output. When the
 * client takes the memory back, the server's capability is gone. */
#include <stdio.h>
#include <string.h>
#include <vectra/bundle.h>
#include <vectra/rpc.h>
#include <vectra/spawn.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

enum { PAGE = 4096, ADD_UP = 1, IS_IT_THERE = 2 };

/* --- the server --- */

static vx_handle_t lent;

static uint64_t add_up(void)
{
    void *at = NULL;
    uint64_t sum = 0;
    if (vx_sys_mem_map((vx_mem){ lent }, 0, PAGE, 0, VX_PROT_READ, &at) != OK)
        return UINT64_MAX;
    for (int i = 0; i < PAGE; i++)
        sum += ((const uint8_t *)at)[i];
    return sum;
}

static int serve(void)
{
    vx_ring_rx requests = vx_bundle_ring_rx("requests.rx");
    vx_ring_tx replies = vx_bundle_ring_tx("replies.tx");
    struct vx_message m;
    vx_handle_t came = 0;
    /* PEER_CLOSED ends it: the client has dropped its end, or is no more. */
    while (vx_sys_ring_recv_cap(requests, &m, VX_FOREVER, &came) == OK) {
        if (came != 0)
            lent = came;
        struct vx_cap_facts facts;
        m.word[1] = m.word[0] == ADD_UP ? add_up() : vx_sys_cap_inspect(lent, &facts, NULL) == OK;
        if (vx_sys_ring_send(replies, &m, VX_FOREVER) != OK)
            break;
    }
    return 0;
}

/* --- the client --- */

static struct vx_client server;

static uint64_t ask(uint64_t what)
{
    struct vx_message m = { .word = { what } };
    status_t st = vx_sys_ring_call(server.tx, &m, server.rx, &m, vx_deadline_in(5 * VX_NS_PER_S), NULL);
    return st == OK ? m.word[1] : UINT64_MAX;
}

static status_t start_server(const char *path, vx_task *task)
{
    static struct vx_spawn s;
    const char *argv[] = { path, "serve" };
    vx_ring_rx requests;
    vx_ring_tx replies;
    status_t st = vx_rpc_pair((vx_reticle){ 0 }, &server, &requests, &replies);
    if (st != OK)
        return st;
    s = (struct vx_spawn){ .path = path, .argc = 2, .argv = argv, .memory = 1 << 20 };
    vx_spawn_begin(&s);
    vx_spec_move(&s.spec, "requests.rx", requests.raw, VX_RIGHTS_RX);
    vx_spec_move(&s.spec, "replies.tx", replies.raw, VX_RIGHTS_TX);
    return vx_spawn_end(&s, task, NULL);
}

int main(int argc, char *argv[])
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return serve();

    vx_task task;
    vx_mem memory;
    vx_handle_t loan;
    void *at = NULL;
    if (start_server(argv[0], &task) != OK ||
        vx_sys_mem_alloc((vx_reticle){ 0 }, PAGE, VX_MEM_COMMIT | VX_MEM_HANDLE | VX_PROT_READ | VX_PROT_WRITE, 0,
                         &memory, &at) != OK) {
        fputs("ring: the server cannot be started\n", stderr);
        return 1;
    }
    memset(at, 3, PAGE);

    /* A weaker capability of the same memory: to be read, to be moved on, and nothing more. */
    struct vx_message m = { .word = { IS_IT_THERE } };
    if (vx_sys_cap_narrow(memory.raw, VX_R_READ | VX_R_MOVE | VX_R_INSPECT, 0, 0, &loan) != OK ||
        vx_sys_ring_send_cap(server.tx, &m, loan, VX_FOREVER) != OK ||
        vx_sys_ring_recv(server.rx, &m, VX_FOREVER) != OK) {
        fputs("ring: the memory cannot be lent\n", stderr);
        return 1;
    }
    printf("sent: the client has the loan no more: %s\n",
           vx_sys_cap_inspect(loan, NULL, NULL) == ERR_BAD_HANDLE ? "yes" : "no");
    printf("lent: the server adds up %llu\n", (unsigned long long)ask(ADD_UP));

    (void)vx_sys_cap_revoke(memory.raw, NULL);
    printf("taken back: the server still has it: %s\n", ask(IS_IT_THERE) == 1 ? "yes" : "no");

    uint32_t status = 1;
    vx_cause_t cause;
    vx_client_close(&server); /* the server sees PEER_CLOSED and ends */
    (void)vx_wait(task, &status, &cause);
    printf("the server ended with status %u\n", status);
    return 0;
}
