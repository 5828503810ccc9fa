/* SPDX-License-Identifier: MIT */
#include <virtio/transport.h>

// clang-format off
enum { MAGIC = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, DEVICE_FEATURES = 0x010, DEVICE_SELECT = 0x014,
       DRIVER_FEATURES = 0x020, DRIVER_SELECT = 0x024, QUEUE_SELECT = 0x030, QUEUE_NUM_MAX = 0x034, QUEUE_NUM = 0x038,
       QUEUE_READY = 0x044, QUEUE_NOTIFY = 0x050, INTERRUPT_STATUS = 0x060, INTERRUPT_ACK = 0x064, STATUS = 0x070,
       QUEUE_DESC = 0x080, QUEUE_DRIVER = 0x090, QUEUE_DEVICE = 0x0a0, GENERATION = 0x0fc, CONFIG = 0x100 };
// clang-format on
enum : uint32_t { MAGIC_VALUE = 0x74726976, MODERN = 2 };

static uint32_t get(const struct virtio_mmio *t, uint32_t at)
{
    return *(volatile uint32_t *)(void *)(uintptr_t)(t->at + at);
}
static void put(const struct virtio_mmio *t, uint32_t at, uint32_t value)
{
    *(volatile uint32_t *)(void *)(uintptr_t)(t->at + at) = value;
}
static void put64(const struct virtio_mmio *t, uint32_t at, uint64_t value)
{
    put(t, at, (uint32_t)value);
    put(t, at + 4, (uint32_t)(value >> 32));
}

static uint8_t mmio_status(void *ctx)
{
    return (uint8_t)get(ctx, STATUS);
}
static void mmio_set_status(void *ctx, uint8_t status)
{
    put(ctx, STATUS, status);
}
static uint32_t mmio_features(void *ctx, uint32_t word)
{
    put(ctx, DEVICE_SELECT, word);
    return get(ctx, DEVICE_FEATURES);
}
static void mmio_set_features(void *ctx, uint32_t word, uint32_t value)
{
    put(ctx, DRIVER_SELECT, word);
    put(ctx, DRIVER_FEATURES, value);
}
static uint16_t mmio_queue_max(void *ctx, uint16_t queue)
{
    put(ctx, QUEUE_SELECT, queue);
    uint32_t max = get(ctx, QUEUE_NUM_MAX);
    return max > 32768 ? 32768 : (uint16_t)max;
}
static status_t mmio_queue_start(void *ctx, const struct virtio_queue_place *p)
{
    put(ctx, QUEUE_SELECT, p->index);
    put(ctx, QUEUE_NUM, p->size);
    put64(ctx, QUEUE_DESC, p->desc_bus);
    put64(ctx, QUEUE_DRIVER, p->avail_bus);
    put64(ctx, QUEUE_DEVICE, p->used_bus);
    put(ctx, QUEUE_READY, 1);
    return get(ctx, QUEUE_READY) == 1 ? OK : ERR_NOT_SUPPORTED;
}
static void mmio_notify(void *ctx, uint16_t queue)
{
    put(ctx, QUEUE_NOTIFY, queue);
}
static uint32_t mmio_interrupt(void *ctx)
{
    uint32_t why = get(ctx, INTERRUPT_STATUS);
    if (why != 0)
        put(ctx, INTERRUPT_ACK, why);
    return why;
}
static uint32_t mmio_generation(void *ctx)
{
    return get(ctx, GENERATION);
}
static uint8_t mmio_config(void *ctx, uint32_t offset)
{
    struct virtio_mmio *t = ctx;
    return t->at[CONFIG + offset];
}

status_t virtio_mmio_open(struct virtio_mmio *t, const struct virtio_range *registers, uint32_t *kind,
                          struct virtio_device *out)
{
    *t = (struct virtio_mmio){ .at = registers->at, .bytes = (uint32_t)registers->bytes };
    if (registers->bytes <= CONFIG || get(t, MAGIC) != MAGIC_VALUE || get(t, VERSION) != MODERN)
        return ERR_NOT_SUPPORTED;
    *kind = get(t, DEVICE_ID);
    if (*kind == 0)
        return ERR_NOT_FOUND;
    t->ops = (struct virtio_ops){ .status = mmio_status,
                                  .set_status = mmio_set_status,
                                  .features = mmio_features,
                                  .set_features = mmio_set_features,
                                  .queue_max = mmio_queue_max,
                                  .queue_start = mmio_queue_start,
                                  .notify = mmio_notify,
                                  .interrupt = mmio_interrupt,
                                  .generation = mmio_generation,
                                  .config_bytes = t->bytes - CONFIG,
                                  .config = mmio_config };
    *out = (struct virtio_device){ .ops = &t->ops, .ctx = t };
    return OK;
}
