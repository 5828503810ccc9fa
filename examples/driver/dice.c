/* SPDX-License-Identifier: MIT
 * A driver as a Task of its own: it throws dice with the host's randomness, from a virtio entropy device, and ends. All
 * that a driver does is here once: claim the device, agree on features, make a queue, hand the device a buffer, sleep
 * until its interrupt, take the buffer back. dice.services gives it that one device and nothing else. Source: the
 * VIRTIO specification, "Entropy Device". */
#include <vectra/io.h>
#include <vectra/time.h>
#include <virtio/driver.h>

enum { DICE = 16, QUEUE_SIZE = 4, QUEUE = 0 };
enum { IRQ_BIT = 0, LOST_BIT = 1 };

static struct virtio_driver driver;
static struct virtio_memory memory; /* reached by both sides */
static struct virtq queue;
static struct virtq_slot slots[QUEUE_SIZE];

/* Until the buffer is back: its length, or an error. */
static status_t wait_for_buffer(uint32_t *written)
{
    const uint64_t deadline = vx_deadline_in(5 * VX_NS_PER_S);
    for (;;) {
        uint64_t token, bits = 0;
        status_t st = virtq_take(&queue, &token, written);
        if (st != ERR_WOULD_BLOCK)
            return st; /* PEER_CLOSED: the device broke the rules of the queue */
        if (!virtq_listen(&queue, 0))
            continue; /* something came just now */
        st = vx_sys_signal_wait(1u << IRQ_BIT | 1u << LOST_BIT, deadline, &bits);
        if (st != OK)
            return st;
        if ((bits >> LOST_BIT & 1) != 0 && virtio_driver_lost(&driver))
            return ERR_PEER_CLOSED; /* topod has ended: the device is not ours any more */
        virtio_driver_interrupted(&driver); /* the device, and who else is on its line, are told that it was heard */
    }
}

static status_t throw_dice(void)
{
    uint32_t thrown = 0;
    while (thrown < DICE) {
        const struct virtq_segment buffer = { memory.bus, DICE };
        uint32_t written = 0;
        status_t st = virtq_add(&queue, &buffer, 0, 1, nullptr, 0);
        if (st != OK)
            return st;
        if (virtq_should_notify(&queue))
            driver.device.ops->notify(driver.device.ctx, QUEUE);
        st = wait_for_buffer(&written);
        if (st != OK)
            return st;
        for (uint32_t i = 0; i < written && thrown < DICE; i++)
            if (memory.at[i] < 252) { /* a multiple of six: no side is favoured */
                vx_printf("%u ", memory.at[i] % 6 + 1);
                thrown++;
            }
    }
    return OK;
}

int main(void)
{
    /* The features that it can do with; what the device has of them is agreed on. */
    status_t st = virtio_driver_open(&driver, 0, 1, IRQ_BIT, LOST_BIT);
    if (st == OK)
        st = virtio_begin(&driver.device, VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED);
    if (st == OK)
        st = virtio_queue_make(&driver, QUEUE, QUEUE_SIZE, slots, &queue);
    if (st == OK)
        st = virtio_memory_alloc(&driver, DICE, &memory);
    if (st == OK) {
        virtio_ready(&driver.device);
        vx_printf("dice: ");
        st = throw_dice();
        vx_printf("\n");
    }
    if (st != OK)
        vx_printf("dice: the device cannot be driven: %s\n", vx_status_text(st));
    return st == OK ? 0 : 1;
}
