/* SPDX-License-Identifier: MIT
 * See block/server.h. The Rings of a queue are the client's memory, which goes with it, at any moment: they are used by
 * the kernel's calls and never mapped here. A call that finds its Ring gone says so; a load would be a fault. */
#include <block/server.h>
#include <vectra/rpc_block.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum : uint32_t { OUTBOX = 16 };

struct block_client {
    bool used, open; /* open: its connection is still there */
    bool serving;    /* both Rings are there */
    bool claimed;    /* what it sees is its own, as far as other claims go */
    uint32_t depth, busy;
    uint64_t first, blocks; /* what it sees; blocks 0: the whole disk */
    struct vx_session *session;
    struct block_buffer buffer;
    vx_ring_rx requests;
    vx_ring_tx replies;
    uint32_t requests_slots;
    struct block_job *stalled; /* taken from its Ring, not yet with the backend */
};

struct client_state { /* of a session */
    struct block_client *client;
};

static struct block_backend *backend;
static struct vx_service *service;
static struct block_client clients[BLOCK_CLIENTS_MAX];
static struct block_job jobs[BLOCK_JOBS_MAX], *free_jobs;
static uint64_t epoch;
/* Replies to one client that are not in its Ring yet: many cost one call. */
static struct vx_message outbox[OUTBOX];
static struct block_client *outbox_of;
static uint32_t n_outbox;
static uint32_t n_busy, next_client, n_clients; /* clients[0, n_clients) were ever there: a turn looks at no others */

static unsigned client_bit(const struct block_client *c)
{
    return BLOCK_BIT_FIRST + (unsigned)(c - clients) % BLOCK_BITS;
}

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* gone already is as good */
}

uint32_t block_jobs_busy(void)
{
    return n_busy;
}

/* --- jobs --- */

static struct block_job *job_take(struct block_client *c)
{
    struct block_job *j = free_jobs;
    if (j == nullptr)
        return nullptr;
    free_jobs = j->next;
    j->client = c;
    j->buffer = &c->buffer;
    c->busy++;
    n_busy++;
    return j;
}

static void client_forget(struct block_client *c)
{
    if (c->open || c->busy != 0)
        return;
    if (c->buffer.bytes != 0)
        backend->release(&c->buffer);
    *c = (struct block_client){};
}

/* It has closed its Rings, or broke the protocol. */
static void cut_off(struct block_client *c)
{
    c->serving = false;
    vx_session_close(c->session);
}

static void send_replies(void)
{
    struct block_client *c = outbox_of;
    uint32_t n = n_outbox;
    uint64_t sent = 0;
    n_outbox = 0;
    if (n == 0 || !c->serving)
        return;
    status_t st = vx_sys_ring_send_burst(c->replies, outbox, n, &sent);
    if (st != OK || sent != n)
        cut_off(c); /* invariant 3 */
}

static void reply(struct block_client *c, uint64_t tag, status_t status)
{
    const struct vx_block_reply r = { .tag = tag, .status = status, .epoch = epoch };
    if (c != outbox_of || n_outbox == OUTBOX)
        send_replies();
    outbox_of = c;
    memcpy(&outbox[n_outbox++], &r, sizeof r);
}

void block_done(struct block_job *j, status_t status)
{
    struct block_client *c = j->client;
    backend->statistics.errors += status == ERR_IO;
    if (c->open && c->serving)
        reply(c, j->request.tag, status);
    j->next = free_jobs;
    free_jobs = j;
    c->busy--;
    n_busy--;
    client_forget(c);
}

/* --- the queues --- */

static struct block_limits limits_of(const struct block_client *c)
{
    struct block_limits l = backend->limits;
    if (c->blocks != 0)
        l.blocks = c->blocks;
    return l;
}

static void count(const struct vx_block_request *r)
{
    struct block_statistics *s = &backend->statistics;
    uint64_t bytes = (uint64_t)r->blocks * backend->limits.block_bytes;
    s->requests++;
    s->bytes_read += r->op == VX_BLOCK_READ ? bytes : 0;
    s->bytes_written += r->op == VX_BLOCK_WRITE ? bytes : 0;
}

/* False: the backend has no room, and the job waits with its client. */
static bool submit(struct block_client *c, struct block_job *j)
{
    status_t st = backend->submit(j);
    c->stalled = st == ERR_WOULD_BLOCK ? j : nullptr;
    if (st != OK && st != ERR_WOULD_BLOCK)
        block_done(j, st);
    return st != ERR_WOULD_BLOCK;
}

/* Takes one request. False: nothing more to be had from this client for now. */
static bool client_step(struct block_client *c, bool *full)
{
    struct vx_message m;
    if (c->stalled != nullptr) {
        *full = !submit(c, c->stalled);
        return !*full;
    }
    if (!c->serving || c->busy >= c->depth)
        return false;
    if (free_jobs == nullptr) {
        *full = true;
        return false;
    }
    /* That there is nothing (WOULD_BLOCK) also tells a client that maps its end to ring next time (abi/ring.h). */
    status_t st = vx_sys_ring_try_recv(c->requests, &m);
    if (st != OK && st != ERR_WOULD_BLOCK)
        cut_off(c);
    if (st != OK)
        return false;
    struct block_job *j = job_take(c);
    struct block_limits l = limits_of(c);
    st = block_request_check(&m, &l, c->buffer.at, c->buffer.bytes, &j->request, j->segment);
    if (st != OK) {
        block_done(j, st);
        return true;
    }
    if (c->blocks != 0)
        j->request.block += c->first;
    count(&j->request);
    *full = !submit(c, j);
    return !*full;
}

/* Everybody gets a turn; who had the last begins the next behind it. */
static void take_requests(void)
{
    bool full = false;
    uint32_t at = next_client;
    for (uint32_t n = 0; n < n_clients && !full; n++, at++) {
        struct block_client *c = &clients[at < n_clients ? at : at - n_clients];
        while (c->used && c->open && client_step(c, &full))
            ;
    }
    next_client = next_client + 1 < n_clients ? next_client + 1 : 0;
}

void block_server_turn(void)
{
    take_requests();
    if (backend->kick != nullptr)
        backend->kick();
    send_replies();
}

/* --- the calls --- */

static struct block_client *of(struct vx_session *s)
{
    return ((struct client_state *)s->state)->client;
}

static status_t op_info(struct vx_session *s, struct vx_block_info_reply *a)
{
    const struct block_limits l = limits_of(of(s));
    *a = (struct vx_block_info_reply){ .blocks = l.blocks,
                                       .epoch = epoch,
                                       .block_bytes = l.block_bytes,
                                       .physical_bytes = backend->physical_bytes,
                                       .depth = backend->depth,
                                       .max_segments = l.max_segments,
                                       .max_bytes = l.max_bytes,
                                       .max_clear_blocks = l.max_clear_blocks };
    a->flags = (l.read_only ? VX_BLOCK_READ_ONLY : 0) | (backend->cached ? VX_BLOCK_CACHED : 0) |
               (l.discards ? VX_BLOCK_DISCARDS : 0) | (l.zeroes ? VX_BLOCK_ZEROES : 0);
    return OK;
}

static status_t op_geometry(struct vx_session *, struct vx_block_geometry_reply *a)
{
    *a = (struct vx_block_geometry_reply){ .cylinders = backend->cylinders,
                                           .heads = backend->heads,
                                           .sectors = backend->sectors,
                                           .optimal_bytes = backend->optimal_bytes };
    return backend->sectors == 0 ? ERR_NOT_SUPPORTED : OK;
}

static status_t op_partition(struct vx_session *, const struct vx_block_partition_request *q,
                             struct vx_block_partition_reply *a)
{
    const struct partition_list *l = &backend->partitions;
    if (q->index >= l->count)
        return ERR_NOT_FOUND;
    const struct partition *p = &l->partition[q->index];
    size_t len = strlen(p->name);
    *a = (struct vx_block_partition_reply){ .first = p->first,
                                            .blocks = p->blocks,
                                            .number = p->number,
                                            .table = l->table,
                                            .kind = p->kind,
                                            .name_len = (uint8_t)len };
    memcpy(a->name, p->name, len);
    return OK;
}

static status_t op_select(struct vx_session *s, const struct vx_block_select_request *q,
                          struct vx_block_select_reply *a)
{
    struct block_client *c = of(s);
    if (c->blocks != 0 || c->claimed || c->requests.raw != VX_HANDLE_NONE)
        return ERR_BUSY;
    for (uint32_t i = 0; i < backend->partitions.count; i++) {
        const struct partition *p = &backend->partitions.partition[i];
        if (p->number != q->number)
            continue;
        a->first = c->first = p->first;
        a->blocks = c->blocks = p->blocks;
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* blocks 0 is the whole disk. */
static bool overlap(const struct block_client *a, const struct block_client *b)
{
    return a->blocks == 0 || b->blocks == 0 || (a->first < b->first + b->blocks && b->first < a->first + a->blocks);
}

static status_t op_claim(struct vx_session *s)
{
    struct block_client *c = of(s);
    for (uint32_t i = 0; i < n_clients; i++) {
        const struct block_client *other = &clients[i];
        if (other != c && other->open && other->claimed && overlap(c, other))
            return ERR_BUSY;
    }
    c->claimed = true;
    return OK;
}

static status_t op_buffer(struct vx_session *s, const struct vx_block_buffer_request *q,
                          struct vx_block_buffer_reply *a, vx_mem *mem)
{
    struct block_client *c = of(s);
    if (c->buffer.bytes != 0)
        return ERR_BUSY;
    if (q->bytes == 0 || q->bytes > UINT32_MAX)
        return ERR_TOO_BIG;
    status_t st = backend->buffer(q->bytes, &c->buffer);
    if (st == OK)
        st = vx_sys_cap_narrow(c->buffer.mem.raw, VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_MOVE | VX_R_INSPECT, 0, 0,
                               &mem->raw);
    if (st != OK && c->buffer.bytes != 0) { /* it may ask again */
        backend->release(&c->buffer);
        c->buffer = (struct block_buffer){};
    }
    a->bytes = c->buffer.bytes;
    return st;
}

static status_t op_attach(struct vx_session *s, vx_mem mem, struct vx_block_attach_reply *a)
{
    struct block_client *c = of(s);
    if (c->buffer.bytes != 0) {
        drop(mem.raw);
        return ERR_BUSY;
    }
    status_t st = backend->attach(mem, &c->buffer);
    a->bytes = c->buffer.bytes;
    return st;
}

/* How many messages a Ring holds. */
static status_t slots_of(vx_handle_t end, uint32_t *slots)
{
    struct vx_cap_facts f = {};
    status_t st = vx_sys_cap_inspect(end, &f, nullptr);
    *slots = st == OK && f.a <= UINT32_MAX ? (uint32_t)f.a : 0;
    return st;
}

static status_t op_queue_requests(struct vx_session *s, vx_ring_rx rx)
{
    struct block_client *c = of(s);
    status_t st = c->requests.raw != VX_HANDLE_NONE ? ERR_BUSY
                  : c->buffer.bytes == 0            ? ERR_BAD_ARGUMENT
                                                    : slots_of(rx.raw, &c->requests_slots);
    if (st == OK)
        st = vx_sys_bind(rx.raw, client_bit(c));
    if (st != OK)
        drop(rx.raw);
    else
        c->requests = rx;
    return st;
}

static status_t op_queue_replies(struct vx_session *s, vx_ring_tx tx, struct vx_block_queue_replies_reply *a)
{
    struct block_client *c = of(s);
    uint32_t depth = 0;
    status_t st = c->replies.raw != VX_HANDLE_NONE    ? ERR_BUSY
                  : c->requests.raw == VX_HANDLE_NONE ? ERR_BAD_ARGUMENT
                                                      : slots_of(tx.raw, &depth);
    if (st != OK) {
        drop(tx.raw);
        return st;
    }
    depth = c->requests_slots < depth ? c->requests_slots : depth;
    a->depth = c->depth = depth < backend->depth ? depth : backend->depth;
    c->replies = tx;
    c->serving = true;
    /* What it sent before is found now, by way of a turn. */
    (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << client_bit(c));
    return OK;
}

static status_t op_statistics(struct vx_session *, struct vx_block_statistics_reply *a)
{
    const struct block_statistics *s = &backend->statistics;
    *a = (struct vx_block_statistics_reply){ .requests = s->requests,
                                             .bytes_read = s->bytes_read,
                                             .bytes_written = s->bytes_written,
                                             .flushes = s->flushes,
                                             .errors = s->errors,
                                             .interrupts = s->interrupts,
                                             .notifications = s->notifications };
    return OK;
}

static status_t dispatch(struct vx_session *s, struct vx_incoming *in)
{
    static const struct vx_block_ops ops = {
        .info = op_info,
        .geometry = op_geometry,
        .partition = op_partition,
        .select = op_select,
        .buffer = op_buffer,
        .attach = op_attach,
        .queue_requests = op_queue_requests,
        .queue_replies = op_queue_replies,
        .statistics = op_statistics,
        .claim = op_claim,
    };
    return vx_block_dispatch(&ops, s, in);
}

static status_t opened(struct vx_session *s)
{
    for (uint32_t i = 0; i < BLOCK_CLIENTS_MAX; i++) {
        struct block_client *c = &clients[i];
        if (c->used)
            continue;
        *c = (struct block_client){ .used = true, .open = true, .session = s };
        n_clients = i < n_clients ? n_clients : i + 1;
        ((struct client_state *)s->state)->client = c;
        return OK;
    }
    return ERR_TABLE_FULL;
}

static void closed(struct vx_session *s)
{
    struct block_client *c = of(s);
    c->open = c->serving = false;
    c->session = nullptr;
    drop(c->requests.raw);
    drop(c->replies.raw);
    c->requests = (vx_ring_rx){};
    c->replies = (vx_ring_tx){};
    n_outbox = outbox_of == c ? 0 : n_outbox; /* who comes to its place gets none of it */
    struct block_job *stalled = c->stalled;
    c->stalled = nullptr;
    if (stalled != nullptr)
        block_done(stalled, ERR_PEER_CLOSED);
    else
        client_forget(c);
}

void block_server_restart(void)
{
    epoch = vx_clock_monotonic_ns();
    n_outbox = 0;
    for (uint32_t i = 0; i < BLOCK_CLIENTS_MAX; i++) {
        clients[i].serving = false;
        if (clients[i].open)
            vx_session_close(clients[i].session);
    }
}

void block_server_init(struct vx_service *svc, struct block_backend *b)
{
    service = svc;
    backend = b;
    epoch = vx_clock_monotonic_ns();
    for (uint16_t i = 0; i < BLOCK_JOBS_MAX; i++) {
        jobs[i].index = i;
        jobs[i].next = free_jobs;
        free_jobs = &jobs[i];
    }
    svc->session_bytes = sizeof(struct client_state);
    svc->dispatch = dispatch;
    svc->opened = opened;
    svc->closed = closed;
    for (unsigned i = 0; i < BLOCK_BITS; i++)
        svc->own_bits |= UINT64_C(1) << (BLOCK_BIT_FIRST + i);
}
