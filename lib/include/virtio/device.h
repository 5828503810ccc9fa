/* SPDX-License-Identifier: MIT
 * A virtio device of version 1, whatever it hangs on: reset, negotiation, queues, configuration. The transport is a
 * table of functions, so that a test can be a device. Source: [VIRTIO] "Device Initialization", "Device Configuration
 * Space". */
#pragma once
#include <virtio/virtq.h>

/* Feature bits that are about the transport and its queues. */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)
#define VIRTIO_F_RING_PACKED (UINT64_C(1) << 34)

enum : uint8_t {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};
enum : uint16_t { VIRTIO_NO_VECTOR = 0xffff };

/* Where a queue's parts are for the device. */
struct virtio_queue_place {
    uint16_t index, size, vector; /* vector: of its message, or VIRTIO_NO_VECTOR */
    uint64_t desc_bus, avail_bus, used_bus;
};

struct virtio_ops {
    uint8_t (*status)(void *ctx);
    void (*set_status)(void *ctx, uint8_t status);
    uint32_t (*features)(void *ctx, uint32_t word); /* that the device offers: bits 32 * word and up */
    void (*set_features)(void *ctx, uint32_t word, uint32_t value);
    uint16_t (*queue_max)(void *ctx, uint16_t queue); /* 0: there is none of that number */
    status_t (*queue_start)(void *ctx, const struct virtio_queue_place *place);
    void (*notify)(void *ctx, uint16_t queue);
    uint32_t (*interrupt)(void *ctx); /* reads and clears why it interrupted: bit 0 a queue, bit 1 configuration */
    uint32_t (*generation)(void *ctx);
    uint32_t config_bytes;
    uint8_t (*config)(void *ctx, uint32_t offset);
};

struct virtio_device {
    const struct virtio_ops *ops;
    void *ctx;
    uint64_t features; /* accepted by both sides */
};

/* Resets the device and negotiates: of `wanted` what it offers, and VERSION_1, without which it is NOT_SUPPORTED.
 * TIMED_OUT: the reset never ended. */
status_t virtio_begin(struct virtio_device *d, uint64_t wanted);
/* The queues are in place: the device may work. */
void virtio_ready(struct virtio_device *d);
/* Bytes of the device's configuration, all of one generation. TOO_BIG: beyond its end. BUSY: it keeps changing. */
status_t virtio_config(const struct virtio_device *d, uint32_t offset, void *out, uint32_t bytes);
static inline bool virtio_has(const struct virtio_device *d, uint64_t feature)
{
    return (d->features & feature) != 0;
}
