/* SPDX-License-Identifier: MIT */
#include <virtio/device.h>

enum { RESET_POLLS = 1'000'000, CONFIG_TRIES = 16 };

static void add_status(struct virtio_device *d, uint8_t bit)
{
    d->ops->set_status(d->ctx, d->ops->status(d->ctx) | bit);
}

status_t virtio_begin(struct virtio_device *d, uint64_t wanted)
{
    d->ops->set_status(d->ctx, 0);
    for (uint32_t polls = 0; d->ops->status(d->ctx) != 0; polls++)
        if (polls == RESET_POLLS)
            return ERR_TIMED_OUT;
    add_status(d, VIRTIO_ACKNOWLEDGE);
    add_status(d, VIRTIO_DRIVER);
    uint64_t offered = d->ops->features(d->ctx, 0) | (uint64_t)d->ops->features(d->ctx, 1) << 32;
    d->features = offered & (wanted | VIRTIO_F_VERSION_1);
    if ((d->features & VIRTIO_F_VERSION_1) == 0) {
        add_status(d, VIRTIO_FAILED);
        return ERR_NOT_SUPPORTED;
    }
    d->ops->set_features(d->ctx, 0, (uint32_t)d->features);
    d->ops->set_features(d->ctx, 1, (uint32_t)(d->features >> 32));
    add_status(d, VIRTIO_FEATURES_OK);
    if ((d->ops->status(d->ctx) & VIRTIO_FEATURES_OK) != 0)
        return OK;
    add_status(d, VIRTIO_FAILED);
    return ERR_NOT_SUPPORTED;
}

void virtio_ready(struct virtio_device *d)
{
    add_status(d, VIRTIO_DRIVER_OK);
}

status_t virtio_config(const struct virtio_device *d, uint32_t offset, void *out, uint32_t bytes)
{
    uint8_t *to = out;
    if (offset > d->ops->config_bytes || bytes > d->ops->config_bytes - offset)
        return ERR_TOO_BIG;
    for (unsigned tries = 0; tries < CONFIG_TRIES; tries++) {
        uint32_t before = d->ops->generation(d->ctx);
        for (uint32_t i = 0; i < bytes; i++)
            to[i] = d->ops->config(d->ctx, offset + i);
        if (d->ops->generation(d->ctx) == before)
            return OK;
    }
    return ERR_BUSY;
}
