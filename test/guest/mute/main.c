/* SPDX-License-Identifier: MIT
 * A driver of an entropy device that lets it raise a line which it shares with others, and never says that it has
 * heard. Much later it hears after all, and asks again: then its device is there as before. `./vectra test storage`
 * runs it. */
// guest: helper
#include <vectra/io.h>
#include <vectra/rpc_topo.h>
#include <vectra/time.h>
#include <virtio/driver.h>

enum { BYTES = 64, QUEUE_SIZE = 4, BELL_BIT = 0, LOST_BIT = 1 };
static constexpr uint64_t mute_ns = 4 * VX_NS_PER_S;

static struct virtio_driver driver;
static struct virtio_memory memory;
static struct virtq queue;
static struct virtq_slot slots[QUEUE_SIZE];

/* The device fills the buffer and raises the line. */
static status_t ask(void)
{
    const struct virtq_segment buffer = { memory.bus, BYTES };
    status_t st = virtq_add(&queue, &buffer, 0, 1, nullptr, 0);
    if (st == OK && virtq_should_notify(&queue))
        driver.device.ops->notify(driver.device.ctx, 0);
    return st;
}

static status_t answered(uint64_t patience_ns)
{
    uint64_t token, bits = 0;
    uint32_t written = 0;
    status_t st = vx_sys_signal_wait(1u << BELL_BIT, vx_deadline_in(patience_ns), &bits);
    return st == OK ? virtq_take(&queue, &token, &written) : st;
}

int main(int, char **)
{
    status_t st = virtio_driver_open(&driver, 0, 1, BELL_BIT, LOST_BIT);
    if (st == OK)
        st = virtio_begin(&driver.device, 0);
    if (st == OK)
        st = virtio_queue_make(&driver, 0, QUEUE_SIZE, slots, &queue);
    if (st == OK)
        st = virtio_memory_alloc(&driver, BYTES, &memory);
    if (st == OK) {
        virtio_ready(&driver.device);
        (void)virtq_listen(&queue, 0);
        st = ask();
    }
    if (st == OK)
        st = answered(VX_NS_PER_S);
    vx_printf("mute: rung: %s\n", driver.shared ? vx_status_name(st) : "not on a shared line");
    vx_sleep_ns(mute_ns);
    virtio_driver_interrupted(&driver);
    (void)virtq_listen(&queue, 0);
    st = ask();
    if (st == OK)
        st = answered(mute_ns);
    virtio_driver_interrupted(&driver);
    vx_printf("mute: heard, and rung again: %s\n", vx_status_name(st));
    while (!virtio_driver_lost(&driver)) {
        uint64_t bits = 0;
        (void)vx_sys_signal_wait(1u << BELL_BIT | 1u << LOST_BIT, VX_FOREVER, &bits);
        if ((bits >> BELL_BIT & 1) != 0)
            virtio_driver_interrupted(&driver);
    }
    return 0;
}
