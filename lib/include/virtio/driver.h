/* SPDX-License-Identifier: MIT
 * The common half of a virtio driver Task: its device claimed from topod, registers mapped, interrupts bound, memory
 * for queues. A driver holds nothing but what the service graph gave it (docs/services.md, "device"). */
#pragma once
#include <vectra/rpc.h>
#include <virtio/transport.h>

enum { VIRTIO_IRQS_MAX = 8 };

/* Memory that both sides reach. It outlives this Task: see TOPO, `dma`. */
struct virtio_memory {
    vx_mem mem;
    uint8_t *at;
    uint64_t bus, bytes;
};

struct virtio_driver {
    struct vx_client topo;
    struct virtio_device device;
    uint32_t which, kind, generation;
    uint32_t n_irqs;    /* bound; 0: the device has to be polled */
    bool messages;      /* its interrupts are messages: queue i may have number i */
    bool shared;        /* its line is not its own: topod listens to it and rings */
    uint32_t first_bit; /* signal bits of the interrupts, in order */
    union {
        struct virtio_pci pci;
        struct virtio_mmio mmio;
    };
};

/* Claims device `which` and makes ready for virtio_begin. irqs: how many interrupts are wanted at most; they post the
 * bits from first_bit on. lost_bit is posted when topod has gone, among other times: see virtio_driver_lost. NOT_FOUND:
 * the graph gives no such device, or the machine has none. */
status_t virtio_driver_open(struct virtio_driver *v, uint32_t which, uint32_t irqs, uint32_t first_bit,
                            uint32_t lost_bit);
/* One of those bits was posted: makes the device let go of its line, if it has one. Then take from the queues. */
void virtio_driver_interrupted(struct virtio_driver *v);
/* True when topod has ended: the memory that the device works on is gone. The driver ends at once; topod's next life
 * resets the device before anybody gets it. */
bool virtio_driver_lost(const struct virtio_driver *v);
status_t virtio_memory_alloc(struct virtio_driver *v, uint64_t bytes, struct virtio_memory *out);
/* Makes queue `index` of at most size_max entries, from memory of its own and `slot` (size_max of them), and starts it.
 */
status_t virtio_queue_make(struct virtio_driver *v, uint16_t index, uint16_t size_max, struct virtq_slot *slot,
                           struct virtq *q);
