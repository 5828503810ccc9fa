/* SPDX-License-Identifier: MIT
 * rngd: the driver of a virtio entropy device. Two halves of one buffer: while one is given out, the device fills the
 * other. What the device wrote is copied out once, then wiped. The kernel's generator is given the first of it, and
 * more from time to time: then it does not matter for long what somebody learned of its state. Source: [VIRTIO]
 * "Entropy Device". */
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/rpc_rng.h>
#include <vectra/service.h>
#include <vectra/string.h>
#include <vectra/time.h>
#include <virtio/driver.h>

enum { HALF = 256, HALVES = 2, QUEUE_SIZE = 4, SESSIONS_MAX = 16, NO_DEVICE = 0, BROKEN = 1 };
enum { IRQ_BIT = VX_SERVICE_BIT_FIRST, LOST_BIT = VX_SERVICE_BIT_FIRST + 1 };

/* A half is with the device, or holds bytes [from, to). */
struct half {
    bool asked;
    uint32_t from, to;
};

enum { KERNEL_BYTES = 64 };
static constexpr uint64_t kernel_every_ns = 600 * VX_NS_PER_S;

static struct virtio_driver driver;
static struct virtq queue;
static struct virtq_slot queue_slots[QUEUE_SIZE];
static struct virtio_memory memory;
static struct half halves[HALVES];
static uint64_t taken, given;

static void give_up(const char *why)
{
    vx_printf("rngd: %s; starting again\n", why);
    vx_sys_task_exit(BROKEN);
}

static void ask(void)
{
    for (uint32_t i = 0; i < HALVES; i++) {
        struct half *h = &halves[i];
        const struct virtq_segment s = { memory.bus + i * HALF, HALF };
        if (!h->asked && h->from == h->to)
            h->asked = virtq_add(&queue, &s, 0, 1, nullptr, i) == OK;
    }
    if (virtq_should_notify(&queue))
        driver.device.ops->notify(driver.device.ctx, 0);
}

static void collect(void)
{
    do {
        uint64_t i = 0;
        uint32_t written = 0;
        status_t st;
        while ((st = virtq_take(&queue, &i, &written)) == OK) {
            halves[i] = (struct half){ .to = written }; /* at most HALF: the queue has checked it */
            taken += written;
        }
        if (st == ERR_PEER_CLOSED)
            give_up("the device broke the protocol of its queue");
    } while (!virtq_listen(&queue, 0));
    ask();
}

/* Up to `bytes` of what is there, each handed out once. */
static uint32_t take(uint8_t *to, uint32_t bytes)
{
    uint32_t n_taken = 0;
    for (uint32_t i = 0; i < HALVES && n_taken < bytes; i++) {
        struct half *h = &halves[i];
        uint32_t left = bytes - n_taken, have = h->to - h->from, n = have < left ? have : left;
        uint8_t *at = memory.at + i * HALF + h->from;
        memcpy(to + n_taken, at, n);
        memset(at, 0, n);
        h->from += n;
        n_taken += n;
    }
    ask();
    return n_taken;
}

/* What was taken out of the halves for an answer that was not whole yet; the next one begins with it. */
static uint8_t stash[sizeof(((struct vx_rng_bytes_reply *)nullptr)->data)];
static uint32_t n_stash;

static status_t op_bytes(struct vx_session *, const struct vx_rng_bytes_request *q, struct vx_rng_bytes_reply *a)
{
    if (q->count == 0 || q->count > sizeof a->data)
        return ERR_BAD_ARGUMENT;
    collect();
    if (n_stash < q->count)
        n_stash += take(stash + n_stash, (uint32_t)q->count - n_stash);
    if (n_stash < q->count)
        return ERR_BUSY;
    a->data_len = (uint8_t)q->count;
    memcpy(a->data, stash, q->count);
    n_stash -= (uint32_t)q->count;
    memmove(stash, stash + q->count, n_stash);
    memset(stash + n_stash, 0, sizeof stash - n_stash);
    given += q->count;
    return OK;
}

/* What the kernel is still to be given in this turn. A device that has nothing now will interrupt. */
static uint32_t for_kernel = KERNEL_BYTES;

static void feed_kernel(void)
{
    uint8_t bytes[KERNEL_BYTES];
    volatile uint8_t *wipe = bytes; /* else the compiler drops stores to memory that dies */
    uint64_t written = 0;
    uint32_t n = take(bytes, for_kernel);
    for_kernel -= n;
    if (n != 0)
        (void)vx_sys_console_write(vx_bundle_cap("entropy", VX_CAP_ENTROPY), bytes, n, &written);
    for (uint32_t i = 0; i < n; i++)
        wipe[i] = 0;
}

static status_t op_statistics(struct vx_session *, struct vx_rng_statistics_reply *a)
{
    *a = (struct vx_rng_statistics_reply){ .taken = taken, .given = given };
    return OK;
}

static status_t dispatch(struct vx_session *s, struct vx_incoming *in)
{
    static const struct vx_rng_ops ops = { .bytes = op_bytes, .statistics = op_statistics };
    return vx_rng_dispatch(&ops, s, in);
}

static void on_signal(struct vx_service *, uint64_t bits)
{
    if ((bits >> IRQ_BIT & 1) != 0)
        virtio_driver_interrupted(&driver);
    if ((bits >> LOST_BIT & 1) != 0 && virtio_driver_lost(&driver))
        give_up("topod has ended");
    collect();
    feed_kernel();
}

static void on_deadline(struct vx_service *svc, uint64_t now_ns)
{
    svc->deadline_ns = now_ns + kernel_every_ns;
    for_kernel = KERNEL_BYTES;
    feed_kernel();
}

static status_t start_device(void)
{
    status_t st = virtio_begin(&driver.device, VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED);
    if (st == OK)
        st = virtio_queue_make(&driver, 0, QUEUE_SIZE, queue_slots, &queue);
    if (st == OK)
        st = virtio_memory_alloc(&driver, HALF * HALVES, &memory);
    if (st == OK) {
        virtio_ready(&driver.device);
        collect();
    }
    return st;
}

int main(int, char **)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false },
                                            { "entropy", VX_CAP_ENTROPY, false } };
    static struct vx_service service = { .name = "rngd",
                                         .needs = needs,
                                         .n_needs = 2,
                                         .sessions_max = SESSIONS_MAX,
                                         .dispatch = dispatch,
                                         .on_signal = on_signal,
                                         .own_bits = UINT64_C(1) << IRQ_BIT | UINT64_C(1) << LOST_BIT,
                                         .on_deadline = on_deadline };
    status_t st = virtio_driver_open(&driver, 0, 1, IRQ_BIT, LOST_BIT);
    if (st == ERR_NOT_FOUND)
        return NO_DEVICE;
    if (st == OK)
        st = start_device();
    if (st != OK) {
        vx_printf("rngd: the device cannot be driven: %s\n", vx_status_text(st));
        return BROKEN;
    }
    service.deadline_ns = vx_deadline_in(kernel_every_ns);
    return vx_service_run(&service) == OK ? 0 : BROKEN;
}
