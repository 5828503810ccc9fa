/* SPDX-License-Identifier: MIT
 * Clients of a disk that end at the worst moments: with requests in their Rings and with the driver, in the middle of
 * setting the queue up, killed by somebody else on another hart. The driver must not notice but by their absence.
 * `./vectra test storage` runs it on a machine that has a disk, whose first block it reads. */
// guest: helper
#define CHECK_DEFINE
#include <test/guest/common/check.h>
#include <abi/block.h>
#include <block/disk.h>
#include <vectra/ring.h>
#include <vectra/rpc_block.h>

enum { CLIENTS = 64, DEPTH = 32, BYTES = 64 << 10, PIECE = 2048, MEMORY = 1 << 20 };

/* --- the client that dies --- */

static struct vx_client line;
static struct vx_ring_producer requests;
static struct vx_ring_consumer replies;

/* As in block.md; `steps`: how far to go. */
static status_t set_up(unsigned steps)
{
    vx_ring_tx tx = {}, replies_tx = {};
    vx_ring_rx rx = {}, replies_rx = {};
    vx_mem mem = {};
    uint64_t bytes = 0;
    uint32_t depth = 0;
    status_t st = vx_client_from_bundle(&line, "blk");
    if (st == OK)
        st = vx_block_buffer(&line, BYTES, &bytes, &mem);
    if (st == OK)
        st = vx_sys_ring_create(VX_OWN_RETICLE, DEPTH, 0, &tx, &rx);
    if (st == OK)
        st = vx_sys_ring_create(VX_OWN_RETICLE, DEPTH, 0, &replies_tx, &replies_rx);
    if (st == OK)
        st = vx_ring_producer_open(&requests, tx);
    if (st == OK)
        st = vx_ring_consumer_open(&replies, replies_rx);
    if (st == OK && steps > 0)
        st = vx_block_queue_requests(&line, rx);
    if (st == OK && steps > 1)
        st = vx_block_queue_replies(&line, replies_tx, &depth);
    return st;
}

static status_t ask(uint32_t n)
{
    const struct vx_block_request r = { .tag = n,
                                        .op = VX_BLOCK_READ,
                                        .n_segments = 1,
                                        .block = n % 64,
                                        .blocks = PIECE / 512,
                                        .segment = { { n % DEPTH * PIECE, PIECE } } };
    struct vx_message m;
    memcpy(&m, &r, sizeof m);
    return vx_ring_put(&requests, &m);
}

/* way 0: killed while it keeps the driver busy. Others: ends by itself, after some requests, or before it can make any.
 */
static int die(uint64_t way)
{
    struct vx_message m;
    if (set_up(way < 6 ? 2 : (unsigned)(way - 6)) != OK)
        return 1;
    for (uint32_t n = 0, done = 0; way < 6;) {
        while (n - done < DEPTH && ask(n) == OK)
            n++;
        vx_ring_publish(&requests);
        if (way != 0 && n >= way * DEPTH)
            return 0;
        if (vx_ring_pop_wait(&replies, &m, vx_deadline_in(VX_NS_PER_S)) != OK)
            return 1;
        for (done++; vx_ring_pop(&replies, &m) == OK;)
            done++;
    }
    return 0;
}

/* --- everybody else --- */

static status_t run(uint32_t n, uint32_t *failed)
{
    static struct vx_spawn s;
    char digit[2] = { (char)('0' + (n % 2 != 0 ? 0 : n / 2 % 8)), 0 };
    const char *argv[] = { "/test/block", digit };
    struct vx_client c = {};
    vx_task task = {};
    uint32_t id, status = 0;
    vx_cause_t cause = 0;
    status_t st = vx_connect("blk0", &c);
    if (st != OK)
        return st;
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv, .memory = MEMORY };
    vx_spawn_begin(&s);
    vx_spec_move(&s.spec, "blk.tx", c.tx.raw, VX_RIGHTS_TX);
    vx_spec_move(&s.spec, "blk.rx", c.rx.raw, VX_RIGHTS_RX);
    if ((st = vx_spawn_end(&s, &task, &id)) != OK)
        return st;
    if (digit[0] == '0') {
        vx_sleep_ns(VX_NS_PER_MS + n * 131 % 5000 * 1000);
        (void)SYS(destroy, task.raw);
        return vx_wait(task, &status, &cause);
    }
    st = vx_wait(task, &status, &cause);
    *failed += st == OK && vx_exit_code(status, cause) != 0;
    return st;
}

/* A driver works only on memory that does not go with its client. */
static void bring_own_memory(const char *name)
{
    struct vx_client c = {};
    vx_mem own = {}, given = {};
    void *at = nullptr;
    uint64_t bytes = 0;
    check_status("connect", OK, vx_connect(name, &c));
    check_status("memory of one's own", OK,
                 vx_sys_mem_alloc(VX_OWN_RETICLE, BYTES, VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE,
                                  0, &own, &at));
    check_status("is not taken", ERR_NOT_SUPPORTED, vx_block_attach(&c, own, &bytes));
    check_status("the driver's is given", OK, vx_block_buffer(&c, BYTES, &bytes, &given));
    vx_client_close(&c);
}

/* Whether somebody has claimed the disk. */
static void claim(const char *name, status_t wanted)
{
    struct vx_client c = {};
    check_status("connect", OK, vx_connect(name, &c));
    check_status("claim", wanted, vx_block_claim(&c));
    vx_client_close(&c);
}

int main(int argc, char **argv)
{
    static struct block_disk disk;
    uint32_t failed = 0;
    if (argc > 1 && argv[1][0] > '9') {
        if (argc > 2)
            claim(argv[1], argv[2][0] == 'c' ? ERR_BUSY : OK); /* claimed, or free */
        else
            bring_own_memory(argv[1]);
        return check_done();
    }
    if (argc > 1)
        return die((uint64_t)(argv[1][0] - '0'));
    bring_own_memory("blk0");
    check_status("the disk is there", OK, block_open(&disk, "blk0", BYTES, 0));
    check_status("and is read", OK, block_read(&disk, 0, 1, 0));
    status_t st = OK;
    for (uint32_t n = 0; n < CLIENTS && st == OK; n++)
        st = run(n, &failed);
    check_status("clients come and go", OK, st);
    check_equal("those that ended by themselves had what they asked for", failed, 0);
    check_status("the disk is read as before", OK, block_read(&disk, 0, 1, 0));
    check_equal("by the same driver", disk.restarts, 0);
    return check_done();
}
