/* SPDX-License-Identifier: MIT
 * blkd: the driver of one virtio disk. The device is the one that the service graph gives it; clients speak BLOCK_V1.
 *
 * Data goes straight between the device and the client's shared buffer: buffers are memory from topod, which knows its
 * bus address and keeps it alive when we end. A request is never repeated here: what the device refused is the client's
 * to hear. */
#include "vblk.h"
#include <vectra/io.h>
#include <vectra/rpc_topo.h>
#include <vectra/string.h>
#include <vectra/time.h>
#include <virtio/driver.h>

enum { QUEUES_MAX = 4, QUEUE_SIZE = 256, BUFFERS_MAX = 16, SCAN_BYTES = 8192, MANY = 8, NO_DISK = 0, BROKEN = 1 };
static constexpr uint64_t poll_ns = 100'000, scan_limit_ns = UINT64_C(5'000'000'000);
enum { LOST_BIT = BLOCK_BIT_FIRST + BLOCK_BITS };
static_assert(LOST_BIT < 64);
static constexpr uint64_t lost_bit = UINT64_C(1) << LOST_BIT;
static constexpr uint64_t irq_bits = ((UINT64_C(1) << VIRTIO_IRQS_MAX) - 1) << VX_SERVICE_BIT_FIRST;

static struct virtio_driver driver;
static struct vblk_facts facts;
static struct block_backend backend;
static struct vx_service service;
static struct virtio_memory slots; /* struct vblk_slot, one for each job */
static struct virtq queue[QUEUES_MAX];
static struct virtq_slot queue_slots[QUEUES_MAX][QUEUE_SIZE];
static uint16_t n_queues;
/* Tokens: the job of an index. The scan of the partition table has one of its own. */
static struct block_job *job_of[BLOCK_JOBS_MAX];
static struct block_buffer spare[BUFFERS_MAX]; /* buffers of clients that went */

/* --- requests --- */

static struct virtq *queue_for(const struct block_job *j)
{
    return &queue[j->index % n_queues];
}

static status_t submit(struct block_job *j)
{
    struct virtq_segment pieces[VBLK_PIECES_MAX];
    uint16_t n_out, n_in;
    uint64_t at = (uint64_t)j->index * sizeof(struct vblk_slot);
    struct vblk_slot *slot = (struct vblk_slot *)(void *)(slots.at + at);
    if (j->request.op == VX_BLOCK_FLUSH && !facts.cached) {
        block_done(j, OK); /* the device writes through: what was reported is there */
        return OK;
    }
    for (uint32_t i = 0; i < j->request.n_segments; i++)
        if (j->segment[i].bytes > facts.segment_bytes_max)
            return ERR_TOO_BIG;
    vblk_prepare(j, &facts, slot, slots.bus + at, j->buffer->bus, pieces, &n_out, &n_in);
    const struct virtq_indirect table = { slot->table, slots.bus + at + offsetof(struct vblk_slot, table),
                                          VBLK_PIECES_MAX };
    status_t st = virtq_add(queue_for(j), pieces, n_out, n_in, &table, j->index);
    if (st == OK) {
        job_of[j->index] = j;
        backend.statistics.flushes += j->request.op == VX_BLOCK_FLUSH;
    }
    return st == ERR_PEER_CLOSED ? ERR_IO : st;
}

static void kick(void)
{
    for (uint16_t i = 0; i < n_queues; i++) {
        if (virtq_should_notify(&queue[i])) {
            backend.statistics.notifications++;
            driver.device.ops->notify(driver.device.ctx, i);
        }
    }
}

static void finish(struct block_job *j, uint32_t written)
{
    const volatile struct vblk_slot *slot =
        (const volatile struct vblk_slot *)(void *)(slots.at + (uint64_t)j->index * sizeof(struct vblk_slot));
    uint8_t status = slot->status;
    job_of[j->index] = nullptr;
    block_done(j, vblk_outcome(j, &facts, status, written));
}

/* The device broke the rules of the queue. Nothing that it has can be trusted to end: initd starts us anew, and then it
 * has been reset. */
static void give_up(const char *why)
{
    vx_printf("blkd: %s; starting again\n", why);
    vx_sys_task_exit(BROKEN);
}

/* With much under way an interrupt for each costs more than it brings; whatever is left ends too. */
static uint16_t patience(const struct virtq *q)
{
    return q->n_busy >= MANY ? q->n_busy / 2 : 0;
}

static void reap(struct virtq *q)
{
    do {
        uint64_t token = 0;
        uint32_t written = 0;
        status_t st;
        while ((st = virtq_take(q, &token, &written)) == OK)
            finish(job_of[token], written);
        if (st == ERR_PEER_CLOSED)
            give_up("the device broke the protocol of its queue");
    } while (driver.n_irqs != 0 && !virtq_listen(q, patience(q)));
}

static void on_signal(struct vx_service *svc, uint64_t bits)
{
    if ((bits & irq_bits) != 0) {
        backend.statistics.interrupts++;
        virtio_driver_interrupted(&driver);
        if ((driver.device.ops->status(driver.device.ctx) & VIRTIO_NEEDS_RESET) != 0)
            give_up("the device asks for a reset");
    }
    if ((bits & lost_bit) != 0 && virtio_driver_lost(&driver))
        give_up("topod has ended");
    for (uint16_t i = 0; i < n_queues; i++)
        reap(&queue[i]);
    block_server_turn();
    bool poll = driver.n_irqs == 0 && block_jobs_busy() != 0;
    svc->deadline_ns = poll ? vx_deadline_in(poll_ns) : VX_FOREVER;
}

static void on_deadline(struct vx_service *svc, uint64_t)
{
    on_signal(svc, 0);
}

/* --- buffers --- */

static status_t map_buffer(struct block_buffer *b)
{
    void *at = nullptr;
    status_t st = vx_sys_mem_map(b->mem, 0, b->bytes, 0, VX_PROT_READ | VX_PROT_WRITE, &at);
    b->at = at;
    if (st != OK)
        (void)vx_sys_cap_drop(b->mem.raw);
    return st;
}

/* A buffer that its client has let go of: nobody else holds a capability derived from ours. */
static bool is_free(const struct block_buffer *b)
{
    struct vx_cap_facts f = {};
    return b->bytes != 0 && vx_sys_cap_inspect(b->mem.raw, &f, nullptr) == OK && f.children == 0;
}

static status_t buffer(uint64_t bytes, struct block_buffer *out)
{
    struct virtio_memory m = {};
    for (unsigned i = 0; i < BUFFERS_MAX; i++) {
        if (spare[i].bytes >= bytes && spare[i].bytes / 2 <= bytes && is_free(&spare[i])) {
            *out = spare[i];
            spare[i] = (struct block_buffer){};
            memset(out->at, 0, out->bytes);
            return OK;
        }
    }
    status_t st = virtio_memory_alloc(&driver, bytes, &m);
    if (st == OK)
        *out = (struct block_buffer){ .mem = m.mem, .at = m.at, .bus = m.bus, .bytes = m.bytes };
    return st;
}

static status_t attach(vx_mem mem, struct block_buffer *out)
{
    vx_mem shown = {};
    uint64_t bus = 0, bytes = 0;
    struct vx_cap_facts f = {};
    status_t st = vx_sys_cap_inspect(mem.raw, &f, nullptr);
    /* topod looks at a copy: it tells memory that it gave us once from any other. */
    if (st == OK)
        st = vx_sys_cap_narrow(mem.raw, f.rights, 0, 0, &shown.raw);
    if (st == OK)
        st = vx_topo_dma_address(&driver.topo, shown, &bus, &bytes);
    if (shown.raw != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(shown.raw);
    if (st != OK) {
        (void)vx_sys_cap_drop(mem.raw);
        return ERR_NOT_SUPPORTED;
    }
    *out = (struct block_buffer){ .mem = mem, .bus = bus, .bytes = bytes & ~UINT64_C(4095) };
    st = map_buffer(out);
    if (st != OK)
        *out = (struct block_buffer){};
    return st;
}

/* Kept for the next client: topod gives memory back only when the device has been reset. */
static void release(struct block_buffer *b)
{
    struct vx_cap_facts f = {};
    if (vx_sys_cap_inspect(b->mem.raw, &f, nullptr) == OK && (f.rights & VX_R_DMA) != 0) {
        for (unsigned i = 0; i < BUFFERS_MAX; i++) {
            if (spare[i].bytes == 0) {
                spare[i] = *b;
                return;
            }
        }
    }
    (void)vx_sys_mem_free(b->mem, 0, 0);
}

/* --- the start --- */

/* One block, by polling: before anybody else is served. */
static status_t read_block(void *ctx, uint64_t block, void *to)
{
    static struct block_job job;
    const struct block_buffer *b = ctx;
    uint64_t token = 0, limit = vx_deadline_in(scan_limit_ns);
    uint32_t written = 0;
    job = (struct block_job){ .buffer = b,
                              .request = { .op = VX_BLOCK_READ, .n_segments = 1, .block = block, .blocks = 1 },
                              .segment = { { 0, facts.limits.block_bytes } } };
    status_t st = submit(&job);
    if (st == OK)
        kick();
    while (st == OK && (st = virtq_take(&queue[0], &token, &written)) == ERR_WOULD_BLOCK) {
        if (vx_clock_monotonic_ns() > limit)
            give_up("the device does not answer");
        vx_sleep_ns(poll_ns / 4);
        st = OK;
        continue;
    }
    if (st != OK)
        return st;
    job_of[0] = nullptr;
    st = vblk_outcome(&job, &facts, ((const volatile struct vblk_slot *)(void *)slots.at)->status, written);
    if (st == OK)
        memcpy(to, b->at, facts.limits.block_bytes);
    return st;
}

static void scan_partitions(void)
{
    static uint8_t scratch[PARTITION_BLOCK_MAX];
    struct block_buffer b = {};
    if (buffer(SCAN_BYTES, &b) != OK)
        return;
    const struct partition_disk disk = {
        .blocks = facts.limits.blocks, .block_bytes = facts.limits.block_bytes, .read = read_block, .ctx = &b
    };
    partition_scan(&disk, scratch, &backend.partitions);
    release(&b);
}

static status_t start_queues(void)
{
    uint16_t wanted = facts.queues < QUEUES_MAX ? facts.queues : QUEUES_MAX;
    status_t st = OK;
    while (st == OK && n_queues < wanted) {
        st = virtio_queue_make(&driver, n_queues, QUEUE_SIZE, queue_slots[n_queues], &queue[n_queues]);
        n_queues += st == OK;
    }
    return n_queues != 0 ? OK : st;
}

static status_t start_device(void)
{
    uint8_t config[VBLK_CONFIG_BYTES] = {};
    uint32_t bytes = driver.device.ops->config_bytes;
    status_t st = virtio_begin(&driver.device,
                               VBLK_FEATURES | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED);
    if (st == OK)
        st = virtio_config(&driver.device, 0, config, bytes < sizeof config ? bytes : sizeof config);
    if (st == OK)
        st = vblk_read_config(config, driver.device.features, &facts);
    if (st == OK)
        st = start_queues();
    if (st == OK)
        st = virtio_memory_alloc(&driver, sizeof(struct vblk_slot) * BLOCK_JOBS_MAX, &slots);
    if (st == OK)
        virtio_ready(&driver.device);
    return st;
}

int main(int, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    service = (struct vx_service){ .name = argv[0],
                                   .needs = needs,
                                   .n_needs = 1,
                                   .sessions_max = BLOCK_CLIENTS_MAX,
                                   .own_bits = irq_bits | lost_bit,
                                   .on_signal = on_signal,
                                   .on_deadline = on_deadline,
                                   .deadline_ns = VX_FOREVER };
    status_t st = virtio_driver_open(&driver, 0, QUEUES_MAX, VX_SERVICE_BIT_FIRST, LOST_BIT);
    if (st == ERR_NOT_FOUND)
        return NO_DISK;
    if (st == OK)
        st = start_device();
    if (st != OK) {
        vx_printf("%s: the disk cannot be driven: %s\n", argv[0], vx_status_text(st));
        return BROKEN;
    }
    backend = (struct block_backend){ .limits = facts.limits,
                                      .physical_bytes = facts.physical_bytes,
                                      .optimal_bytes = facts.optimal_bytes,
                                      .depth = BLOCK_JOBS_MAX,
                                      .cylinders = facts.cylinders,
                                      .heads = facts.heads,
                                      .sectors = facts.sectors,
                                      .cached = facts.cached,
                                      .submit = submit,
                                      .kick = kick,
                                      .buffer = buffer,
                                      .attach = attach,
                                      .release = release };
    scan_partitions();
    block_server_init(&service, &backend);
    for (uint16_t i = 0; i < n_queues; i++)
        (void)(driver.n_irqs != 0 ? (void)virtq_listen(&queue[i], 0) : virtq_deafen(&queue[i]));
    return vx_service_run(&service) == OK ? 0 : BROKEN;
}
