/* SPDX-License-Identifier: MIT */
#include <virtio/transport.h>

enum { REG_ID = 0x00, REG_COMMAND = 0x04, REG_CAPS = 0x34, CAP_VENDOR = 0x09, CAPS_MAX = 48, VENDOR = 0x1af4 };
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_INTERRUPT = 3, CAP_DEVICE = 4, COMMON_BYTES = 56 };
// clang-format off
enum { DEVICE_SELECT = 0x00, DEVICE_FEATURE = 0x04, DRIVER_SELECT = 0x08, DRIVER_FEATURE = 0x0c, CONFIG_VECTOR = 0x10,
       NUM_QUEUES = 0x12, STATUS = 0x14, GENERATION = 0x15, QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18, QUEUE_VECTOR = 0x1a,
       QUEUE_ENABLE = 0x1c, QUEUE_NOTIFY_OFF = 0x1e, QUEUE_DESC = 0x20, QUEUE_DRIVER = 0x28, QUEUE_DEVICE = 0x30 };
// clang-format on

static struct virtio_pci_part *part_of(struct virtio_pci_layout *l, uint32_t type)
{
    switch (type) {
    case CAP_COMMON:
        return &l->common;
    case CAP_NOTIFY:
        return &l->notify;
    case CAP_INTERRUPT:
        return &l->interrupt;
    case CAP_DEVICE:
        return &l->config;
    default:
        return nullptr;
    }
}

status_t virtio_pci_parse(uint32_t (*read)(void *ctx, uint32_t offset), void *ctx, struct virtio_pci_layout *out)
{
    struct virtio_pci_layout l = {};
    if ((read(ctx, REG_ID) & 0xffff) != VENDOR || (read(ctx, REG_COMMAND) >> 20 & 1) == 0)
        return ERR_NOT_FOUND;
    uint32_t at = read(ctx, REG_CAPS) & 0xfc;
    for (unsigned i = 0; i < CAPS_MAX && at >= 0x40; i++) {
        uint32_t head = read(ctx, at);
        struct virtio_pci_part *p = (head & 0xff) == CAP_VENDOR ? part_of(&l, head >> 24) : nullptr;
        uint32_t bar = at <= 0xf0 ? read(ctx, at + 4) & 0xff : 6;
        if (p != nullptr && p->bytes == 0 && bar < 6) { /* of several the first counts */
            *p = (struct virtio_pci_part){ (uint8_t)bar, read(ctx, at + 8), read(ctx, at + 12) };
            if (p == &l.notify)
                l.notify_multiplier = at <= 0xec ? read(ctx, at + 16) : 0;
        }
        at = head >> 8 & 0xfc;
    }
    if (l.common.bytes < COMMON_BYTES || l.notify.bytes < 2 || l.interrupt.bytes < 1)
        return ERR_NOT_FOUND;
    *out = l;
    return OK;
}

static uint8_t get8(const struct virtio_pci *t, uint32_t at)
{
    return t->common[at];
}
static uint16_t get16(const struct virtio_pci *t, uint32_t at)
{
    return *(volatile uint16_t *)(void *)(uintptr_t)(t->common + at);
}
static uint32_t get32(const struct virtio_pci *t, uint32_t at)
{
    return *(volatile uint32_t *)(void *)(uintptr_t)(t->common + at);
}
static void put16(const struct virtio_pci *t, uint32_t at, uint16_t value)
{
    *(volatile uint16_t *)(void *)(uintptr_t)(t->common + at) = value;
}
static void put32(const struct virtio_pci *t, uint32_t at, uint32_t value)
{
    *(volatile uint32_t *)(void *)(uintptr_t)(t->common + at) = value;
}
static void put64(const struct virtio_pci *t, uint32_t at, uint64_t value)
{
    put32(t, at, (uint32_t)value);
    put32(t, at + 4, (uint32_t)(value >> 32));
}

static uint8_t pci_status(void *ctx)
{
    return get8(ctx, STATUS);
}
static void pci_set_status(void *ctx, uint8_t status)
{
    struct virtio_pci *t = ctx;
    t->common[STATUS] = status;
}
static uint32_t pci_features(void *ctx, uint32_t word)
{
    put32(ctx, DEVICE_SELECT, word);
    return get32(ctx, DEVICE_FEATURE);
}
static void pci_set_features(void *ctx, uint32_t word, uint32_t value)
{
    put32(ctx, DRIVER_SELECT, word);
    put32(ctx, DRIVER_FEATURE, value);
}
static uint16_t pci_queue_max(void *ctx, uint16_t queue)
{
    if (queue >= get16(ctx, NUM_QUEUES) || queue >= VIRTIO_QUEUES_MAX)
        return 0;
    put16(ctx, QUEUE_SELECT, queue);
    return get16(ctx, QUEUE_SIZE);
}

static status_t pci_queue_start(void *ctx, const struct virtio_queue_place *p)
{
    struct virtio_pci *t = ctx;
    if (p->index >= VIRTIO_QUEUES_MAX)
        return ERR_BAD_ARGUMENT;
    put16(t, QUEUE_SELECT, p->index);
    uint64_t doorbell = (uint64_t)get16(t, QUEUE_NOTIFY_OFF) * t->notify_multiplier;
    if (doorbell + 2 > t->notify_bytes || doorbell % 2 != 0)
        return ERR_BAD_ARGUMENT;
    put16(t, QUEUE_SIZE, p->size);
    put16(t, QUEUE_VECTOR, p->vector);
    if (get16(t, QUEUE_VECTOR) != p->vector)
        return ERR_NOT_SUPPORTED;
    put64(t, QUEUE_DESC, p->desc_bus);
    put64(t, QUEUE_DRIVER, p->avail_bus);
    put64(t, QUEUE_DEVICE, p->used_bus);
    put16(t, QUEUE_ENABLE, 1);
    t->notify_at[p->index] = (uint32_t)doorbell;
    return OK;
}

static void pci_notify(void *ctx, uint16_t queue)
{
    struct virtio_pci *t = ctx;
    *(volatile uint16_t *)(void *)(uintptr_t)(t->notify + t->notify_at[queue]) = queue;
}
static uint32_t pci_interrupt(void *ctx)
{
    struct virtio_pci *t = ctx;
    return *t->interrupt; /* reading clears it */
}
static uint32_t pci_generation(void *ctx)
{
    return get8(ctx, GENERATION);
}
static uint8_t pci_config(void *ctx, uint32_t offset)
{
    struct virtio_pci *t = ctx;
    return t->config[offset];
}

/* Where a part is mapped; nullptr if it does not lie inside its range. */
static volatile uint8_t *place(const struct virtio_pci_part *p, const struct virtio_range bar[6], uint32_t align)
{
    const struct virtio_range *r = &bar[p->bar];
    if (p->bytes == 0 || r->at == nullptr || p->offset % align != 0 || p->offset > r->bytes ||
        p->bytes > r->bytes - p->offset)
        return nullptr;
    return r->at + p->offset;
}

status_t virtio_pci_open(struct virtio_pci *t, const struct virtio_pci_layout *layout, const struct virtio_range bar[6],
                         struct virtio_device *out)
{
    *t = (struct virtio_pci){ .common = place(&layout->common, bar, 4),
                              .notify = place(&layout->notify, bar, 2),
                              .interrupt = place(&layout->interrupt, bar, 1),
                              .config = place(&layout->config, bar, 4),
                              .common_bytes = layout->common.bytes,
                              .notify_bytes = layout->notify.bytes,
                              .notify_multiplier = layout->notify_multiplier };
    if (t->common == nullptr || t->notify == nullptr || t->interrupt == nullptr)
        return ERR_BAD_ARGUMENT;
    t->ops = (struct virtio_ops){ .status = pci_status,
                                  .set_status = pci_set_status,
                                  .features = pci_features,
                                  .set_features = pci_set_features,
                                  .queue_max = pci_queue_max,
                                  .queue_start = pci_queue_start,
                                  .notify = pci_notify,
                                  .interrupt = pci_interrupt,
                                  .generation = pci_generation,
                                  .config_bytes = t->config == nullptr ? 0 : layout->config.bytes,
                                  .config = pci_config };
    put16(t, CONFIG_VECTOR, VIRTIO_NO_VECTOR);
    *out = (struct virtio_device){ .ops = &t->ops, .ctx = t };
    return OK;
}
