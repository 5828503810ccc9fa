/* SPDX-License-Identifier: MIT
 * See block/disk.h. */
#include <block/disk.h>
#include <vectra/rpc_block.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { PAGE = 4096 };
static constexpr uint64_t patience_default_ns = UINT64_C(20'000'000'000), retry_ns = 10'000'000;
static constexpr uint64_t call_timeout_ns = UINT64_C(5'000'000'000);

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* gone already is as good */
}

static void disconnect(struct block_disk *d)
{
    drop(d->requests.tx.raw);
    drop(d->replies.rx.raw);
    d->requests = (struct vx_ring_producer){};
    d->replies = (struct vx_ring_consumer){};
    vx_client_close(&d->rpc);
}

static status_t learn(struct block_disk *d)
{
    status_t st = OK;
    uint64_t first = 0, blocks = 0;
    if (d->partition != 0)
        st = vx_block_select(&d->rpc, d->partition, &first, &blocks);
    if (st == OK)
        st = vx_block_info(&d->rpc, &d->blocks, &d->epoch, &d->block_bytes, &d->physical_bytes, &d->flags, &d->depth,
                           &d->max_segments, &d->max_bytes, &d->max_clear_blocks);
    if (st == OK && (d->block_bytes == 0 || d->depth == 0))
        st = ERR_PEER_CLOSED;
    return st;
}

static status_t get_buffer(struct block_disk *d)
{
    void *at = nullptr;
    uint64_t bytes = 0;
    if (d->buffer.raw != VX_HANDLE_NONE) /* the memory is still ours: the new driver learns of it */
        return vx_block_attach(&d->rpc, d->buffer, &bytes);
    status_t st = vx_block_buffer(&d->rpc, d->buffer_bytes, &bytes, &d->buffer);
    if (st != OK)
        return st;
    st = bytes < d->buffer_bytes ? ERR_PEER_CLOSED
                                 : vx_sys_mem_map(d->buffer, 0, d->buffer_bytes, 0, VX_PROT_READ | VX_PROT_WRITE, &at);
    d->at = at;
    if (st != OK) {
        drop(d->buffer.raw);
        d->buffer = VX_NO_MEM;
    }
    return st;
}

/* Two Rings of our own memory; the driver gets the other ends. */
static status_t make_queue(struct block_disk *d)
{
    vx_ring_tx requests_tx = {}, replies_tx = {};
    vx_ring_rx requests_rx = {}, replies_rx = {};
    uint32_t depth = 0;
    status_t st = vx_sys_ring_create(VX_OWN_RETICLE, d->ring_slots, 0, &requests_tx, &requests_rx);
    if (st == OK)
        st = vx_sys_ring_create(VX_OWN_RETICLE, d->ring_slots, 0, &replies_tx, &replies_rx);
    if (st == OK)
        st = vx_ring_producer_open(&d->requests, requests_tx);
    if (st == OK)
        st = vx_ring_consumer_open(&d->replies, replies_rx);
    if (st == OK)
        st = vx_block_queue_requests(&d->rpc, requests_rx);
    if (st == OK)
        st = vx_block_queue_replies(&d->rpc, replies_tx, &depth);
    if (st == OK && depth != 0) {
        d->depth = depth < d->ring_slots ? depth : d->ring_slots;
        return OK;
    }
    drop(requests_tx.raw);
    drop(replies_rx.raw);
    drop(requests_rx.raw); /* those that were sent are not ours any more */
    drop(replies_tx.raw);
    d->requests = (struct vx_ring_producer){};
    d->replies = (struct vx_ring_consumer){};
    return st == OK ? ERR_PEER_CLOSED : st;
}

static status_t connect(struct block_disk *d)
{
    status_t st = vx_connect(d->name, &d->rpc);
    if (st != OK)
        return st;
    d->rpc.timeout_ns = call_timeout_ns;
    st = learn(d);
    if (st == OK && d->claimed)
        st = vx_block_claim(&d->rpc);
    if (st == OK)
        st = get_buffer(d);
    if (st == OK)
        st = make_queue(d);
    if (st != OK)
        disconnect(d);
    return st;
}

/* "blk0p2" is partition 2 of blk0. */
static status_t split_name(struct block_disk *d, const char *name)
{
    uint64_t number = 0;
    if (!vx_strcopy(d->name, sizeof d->name, name))
        return ERR_TOO_BIG;
    char *p = strrchr(d->name, 'p');
    if (p == nullptr || p == d->name || p[-1] < '0' || p[-1] > '9')
        return OK;
    if (!vx_parse_u64(p + 1, strlen(p + 1), &number) || number == 0 || number > UINT32_MAX)
        return ERR_NOT_FOUND;
    *p = '\0';
    d->partition = (uint32_t)number;
    return OK;
}

status_t block_open(struct block_disk *d, const char *name, uint64_t buffer_bytes, uint32_t depth)
{
    memset(d, 0, sizeof *d);
    d->patience_ns = patience_default_ns;
    d->buffer_bytes = (buffer_bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    d->ring_slots = 1;
    while (d->ring_slots < (depth == 0 ? BLOCK_DEPTH_DEFAULT : depth) && d->ring_slots < VX_BLOCK_DEPTH_MAX)
        d->ring_slots *= 2;
    status_t st = split_name(d, name);
    return st == OK ? connect(d) : st;
}

status_t block_claim(struct block_disk *d)
{
    uint64_t until = vx_deadline_in(BLOCK_CLAIM_NS);
    status_t st;
    while ((st = vx_block_claim(&d->rpc)) == ERR_BUSY && vx_clock_monotonic_ns() < until)
        vx_sleep_ns(retry_ns);
    d->claimed = st == OK;
    return st;
}

void block_close(struct block_disk *d)
{
    disconnect(d);
    if (d->buffer.raw != VX_HANDLE_NONE)
        (void)vx_sys_mem_free(d->buffer, 0, 0);
    d->buffer = VX_NO_MEM;
    d->at = nullptr;
}

/* --- sending --- */

static uint64_t tag_of(const struct block_disk *d, const struct block_pending *p)
{
    return (uint64_t)p->generation << 16 | (uint64_t)(p - d->pending);
}

static status_t put(struct block_disk *d, const struct block_pending *p)
{
    struct vx_message m;
    struct vx_block_request r = p->request;
    r.tag = tag_of(d, p);
    memcpy(&m, &r, sizeof m);
    return vx_ring_put(&d->requests, &m);
}

/* In the order in which they were submitted. */
static status_t send_all_again(struct block_disk *d)
{
    uint64_t from = 0;
    for (uint32_t n = 0; n < d->n_pending; n++) {
        struct block_pending *next = nullptr;
        for (uint32_t i = 0; i < VX_BLOCK_DEPTH_MAX; i++) {
            struct block_pending *p = &d->pending[i];
            if (p->used && p->order >= from && (next == nullptr || p->order < next->order))
                next = p;
        }
        if (next == nullptr)
            break;
        from = next->order + 1;
        status_t st = put(d, next);
        if (st != OK)
            return st;
    }
    vx_ring_publish(&d->requests);
    return OK;
}

/* The driver has gone: finds the new one, and tells it what the old one did not answer. */
static status_t reconnect(struct block_disk *d)
{
    uint64_t until = vx_deadline_in(d->patience_ns), old_epoch = d->epoch;
    status_t st;
    disconnect(d);
    do {
        st = connect(d);
        if (st == OK) {
            if (d->epoch != old_epoch) {
                d->restarts++;
                d->lost = d->lost || d->unflushed; /* invariant 2 */
                d->unflushed = false;
                old_epoch = d->epoch;
            }
            if (d->n_pending <= d->depth && (st = send_all_again(d)) == OK)
                return OK;
            disconnect(d);
        }
        vx_sleep_ns(retry_ns);
    } while (vx_clock_monotonic_ns() < until);
    return ERR_PEER_CLOSED;
}

status_t block_submit(struct block_disk *d, const struct vx_block_request *request)
{
    if (d->n_pending >= d->depth)
        return ERR_WOULD_BLOCK;
    struct block_pending *p = d->pending;
    while (p->used)
        p++;
    uint16_t generation = (uint16_t)(p->generation + 1);
    *p = (struct block_pending){
        .used = true, .generation = generation, .token = request->tag, .order = d->next_order++, .request = *request
    };
    d->n_pending++;
    if (put(d, p) == OK)
        return OK;
    return reconnect(d); /* sends this one too */
}

void block_kick(struct block_disk *d)
{
    if (d->requests.shared != nullptr)
        vx_ring_publish(&d->requests);
}

/* --- outcomes --- */

/* Invariant 2, for a request that was answered. */
static status_t account(struct block_disk *d, const struct block_pending *p, status_t outcome)
{
    uint8_t op = p->request.op;
    if (op == VX_BLOCK_FLUSH) {
        if (d->lost)
            return ERR_IO;
        d->unflushed = d->unflushed && (outcome != OK || p->overtaken);
        return outcome;
    }
    if (op == VX_BLOCK_READ || outcome != OK)
        return outcome;
    d->unflushed = true;
    for (uint32_t i = 0; i < VX_BLOCK_DEPTH_MAX; i++)
        d->pending[i].overtaken = d->pending[i].overtaken || d->pending[i].used;
    return outcome;
}

static status_t take(struct block_disk *d, const struct vx_message *m, uint64_t *token, status_t *outcome)
{
    struct vx_block_reply r;
    memcpy(&r, m, sizeof r);
    uint64_t index = r.tag & 0xffff;
    struct block_pending *p = index < VX_BLOCK_DEPTH_MAX ? &d->pending[index] : nullptr;
    if (p == nullptr || !p->used || tag_of(d, p) != r.tag || r.epoch != d->epoch)
        return ERR_PEER_CLOSED; /* a driver that answers what nobody asked is no driver */
    p->used = false;
    d->n_pending--;
    *token = p->token;
    *outcome = account(d, p, (status_t)r.status);
    return OK;
}

status_t block_wait(struct block_disk *d, uint64_t *token, status_t *outcome, uint64_t deadline)
{
    struct vx_message m;
    if (d->n_pending == 0)
        return ERR_NOT_FOUND;
    for (;;) {
        /* Requests are sent only when there is nothing left to take: together they cost one wake-up. */
        status_t st = d->replies.shared == nullptr ? ERR_PEER_CLOSED : vx_ring_pop(&d->replies, &m);
        if (st == ERR_WOULD_BLOCK) {
            block_kick(d);
            st = vx_ring_pop_wait(&d->replies, &m, deadline);
        }
        if (st == OK)
            st = take(d, &m, token, outcome);
        if (st != ERR_PEER_CLOSED)
            return st;
        if ((st = reconnect(d)) != OK)
            return st;
    }
}

void block_refresh(struct block_disk *d)
{
    struct vx_message m;
    if (d->n_pending != 0 || (d->replies.shared != nullptr && vx_ring_pop(&d->replies, &m) == ERR_WOULD_BLOCK))
        return;
    uint64_t patience = d->patience_ns;
    d->patience_ns = 0;
    (void)!reconnect(d);
    d->patience_ns = patience;
}

/* --- one at a time --- */

static status_t one(struct block_disk *d, const struct vx_block_request *r)
{
    uint64_t token = 0;
    status_t outcome = OK;
    status_t st = d->n_pending != 0 ? ERR_BUSY : block_submit(d, r);
    if (st == OK)
        st = block_wait(d, &token, &outcome, VX_FOREVER);
    return st == OK ? outcome : st;
}

static status_t transfer(struct block_disk *d, uint8_t op, uint64_t block, uint32_t blocks, uint32_t offset)
{
    return one(d, &(struct vx_block_request){ .op = op,
                                              .n_segments = 1,
                                              .block = block,
                                              .blocks = blocks,
                                              .segment = { { offset, blocks * d->block_bytes } } });
}

status_t block_read(struct block_disk *d, uint64_t block, uint32_t blocks, uint32_t offset)
{
    return transfer(d, VX_BLOCK_READ, block, blocks, offset);
}

status_t block_write(struct block_disk *d, uint64_t block, uint32_t blocks, uint32_t offset)
{
    return transfer(d, VX_BLOCK_WRITE, block, blocks, offset);
}

status_t block_flush(struct block_disk *d)
{
    return one(d, &(struct vx_block_request){ .op = VX_BLOCK_FLUSH });
}

status_t block_clear(struct block_disk *d, uint8_t op, uint64_t block, uint32_t blocks)
{
    return one(d, &(struct vx_block_request){ .op = op, .block = block, .blocks = blocks });
}
