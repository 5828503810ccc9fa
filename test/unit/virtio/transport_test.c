// sources: lib/libvirtio/pci.c lib/libvirtio/mmio.c lib/libvirtio/device.c
/* SPDX-License-Identifier: MIT
 * Finding a device in configuration space, and agreeing with it. */
#include "../lib/host.h"
#include <virtio/transport.h>

static uint8_t space[256];

static uint32_t read_space(void *, uint32_t offset)
{
    uint32_t value = UINT32_MAX;
    if (offset + 4 <= sizeof space)
        memcpy(&value, space + offset, 4);
    return value;
}

static void put(uint32_t at, uint32_t value)
{
    memcpy(space + at, &value, 4);
}

static void add_cap(uint32_t at, uint8_t next, uint8_t type, uint8_t bar, uint32_t offset, uint32_t bytes)
{
    put(at, 9u | (uint32_t)next << 8 | 20u << 16 | (uint32_t)type << 24);
    put(at + 4, bar);
    put(at + 8, offset);
    put(at + 12, bytes);
}

static void good_space(void)
{
    memset(space, 0, sizeof space);
    put(0, 0x10421af4);
    put(4, 1u << 20);
    put(0x34, 0x40);
    add_cap(0x40, 0x54, 1, 4, 0, 56);
    add_cap(0x54, 0x68, 3, 4, 0x1000, 1);
    add_cap(0x68, 0x7c, 4, 4, 0x2000, 60);
    add_cap(0x7c, 0, 2, 4, 0x3000, 0x100);
    put(0x8c, 4);
}

static void the_four_parts_are_found(void **)
{
    struct virtio_pci_layout l;
    good_space();
    assert_int_equal(virtio_pci_parse(read_space, nullptr, &l), OK);
    assert_int_equal(l.common.bar, 4);
    assert_int_equal(l.notify.offset, 0x3000);
    assert_int_equal(l.notify_multiplier, 4);
    assert_int_equal(l.config.bytes, 60);
}

static void what_is_no_virtio_1_device_is_refused(void **)
{
    struct virtio_pci_layout l;
    good_space();
    put(0, 0x10428086);
    assert_int_equal(virtio_pci_parse(read_space, nullptr, &l), ERR_NOT_FOUND);
    good_space();
    put(4, 0); /* no capability list */
    assert_int_equal(virtio_pci_parse(read_space, nullptr, &l), ERR_NOT_FOUND);
    good_space();
    put(0x40 + 12, 55); /* the common part is too short */
    assert_int_equal(virtio_pci_parse(read_space, nullptr, &l), ERR_NOT_FOUND);
    good_space();
    put(0x40 + 4, 6); /* there is no such BAR */
    assert_int_equal(virtio_pci_parse(read_space, nullptr, &l), ERR_NOT_FOUND);
    good_space();
    space[0x7d] = 0x40; /* a loop */
    assert_int_equal(virtio_pci_parse(read_space, nullptr, &l), OK);
}

static void parts_outside_their_range_are_refused(void **)
{
    static alignas(8) uint8_t registers[0x4000];
    struct virtio_pci_layout l;
    struct virtio_range bar[6] = { [4] = { registers, sizeof registers } };
    struct virtio_device d;
    struct virtio_pci t;
    good_space();
    assert_int_equal(virtio_pci_parse(read_space, nullptr, &l), OK);
    assert_int_equal(virtio_pci_open(&t, &l, bar, &d), OK);
    assert_int_equal(d.ops->config_bytes, 60);
    struct virtio_pci_layout bad = l;
    bad.notify.offset = 0x3f01;
    assert_int_equal(virtio_pci_open(&t, &bad, bar, &d), ERR_BAD_ARGUMENT);
    bad = l;
    bad.common.offset = UINT32_MAX - 3;
    assert_int_equal(virtio_pci_open(&t, &bad, bar, &d), ERR_BAD_ARGUMENT);
    bad = l;
    bad.common.bar = 2;
    assert_int_equal(virtio_pci_open(&t, &bad, bar, &d), ERR_BAD_ARGUMENT);
    /* A doorbell outside the notification part. */
    assert_int_equal(virtio_pci_open(&t, &l, bar, &d), OK);
    const uint16_t far = 0x40;
    memcpy(registers + 0x1e, &far, 2);
    assert_int_equal(d.ops->queue_start(d.ctx, &(struct virtio_queue_place){ .vector = 0 }), ERR_BAD_ARGUMENT);
}

static void a_legacy_transport_is_refused(void **)
{
    static alignas(8) uint8_t registers[0x200];
    struct virtio_range r = { registers, sizeof registers };
    struct virtio_mmio t;
    struct virtio_device d;
    uint32_t kind = 0, magic = 0x74726976, version = 1;
    memcpy(registers, &magic, 4);
    memcpy(registers + 4, &version, 4);
    assert_int_equal(virtio_mmio_open(&t, &r, &kind, &d), ERR_NOT_SUPPORTED);
    version = 2;
    memcpy(registers + 4, &version, 4);
    assert_int_equal(virtio_mmio_open(&t, &r, &kind, &d), ERR_NOT_FOUND);
    registers[8] = 2;
    assert_int_equal(virtio_mmio_open(&t, &r, &kind, &d), OK);
    assert_int_equal(kind, 2);
    r.bytes = 0x100;
    assert_int_equal(virtio_mmio_open(&t, &r, &kind, &d), ERR_NOT_SUPPORTED);
}

/* --- negotiation with a device of functions --- */

struct fake {
    uint8_t status;
    uint64_t offered, accepted;
    bool refuses, stuck, restless;
    uint32_t generation;
};

static uint8_t fake_status(void *ctx)
{
    struct fake *f = ctx;
    return f->stuck ? 1 : f->status;
}
static void fake_set_status(void *ctx, uint8_t status)
{
    struct fake *f = ctx;
    f->status = f->refuses ? status & (uint8_t)~VIRTIO_FEATURES_OK : status;
}
static uint32_t fake_features(void *ctx, uint32_t word)
{
    return (uint32_t)(((struct fake *)ctx)->offered >> 32 * word);
}
static void fake_set_features(void *ctx, uint32_t word, uint32_t value)
{
    ((struct fake *)ctx)->accepted |= (uint64_t)value << 32 * word;
}
static uint32_t fake_generation(void *ctx)
{
    struct fake *f = ctx;
    return f->restless ? f->generation++ : f->generation;
}
static uint8_t fake_config(void *, uint32_t offset)
{
    return (uint8_t)offset;
}

static const struct virtio_ops fake_ops = { .status = fake_status,
                                            .set_status = fake_set_status,
                                            .features = fake_features,
                                            .set_features = fake_set_features,
                                            .generation = fake_generation,
                                            .config_bytes = 8,
                                            .config = fake_config };

static void only_what_both_know_is_agreed_on(void **)
{
    struct fake f = { .status = 0x0f, .offered = VIRTIO_F_VERSION_1 | 6 };
    struct virtio_device d = { .ops = &fake_ops, .ctx = &f };
    assert_int_equal(virtio_begin(&d, 3), OK);
    assert_int_equal(f.accepted, VIRTIO_F_VERSION_1 | 2);
    assert_int_equal(d.features, f.accepted);
    virtio_ready(&d);
    assert_int_equal(f.status, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

static void a_device_that_will_not_is_given_up(void **)
{
    struct fake old = { .offered = 6 }, refuses = { .offered = VIRTIO_F_VERSION_1, .refuses = true };
    struct virtio_device d = { .ops = &fake_ops, .ctx = &old };
    assert_int_equal(virtio_begin(&d, 3), ERR_NOT_SUPPORTED);
    assert_true((old.status & VIRTIO_FAILED) != 0);
    d.ctx = &refuses;
    assert_int_equal(virtio_begin(&d, 3), ERR_NOT_SUPPORTED);
    struct fake stuck = { .stuck = true };
    d.ctx = &stuck;
    assert_int_equal(virtio_begin(&d, 3), ERR_TIMED_OUT);
}

static void configuration_is_of_one_generation_and_in_bounds(void **)
{
    struct fake f = {};
    struct virtio_device d = { .ops = &fake_ops, .ctx = &f };
    uint8_t out[9];
    assert_int_equal(virtio_config(&d, 2, out, 6), OK);
    assert_int_equal(out[0], 2);
    assert_int_equal(virtio_config(&d, 2, out, 7), ERR_TOO_BIG);
    assert_int_equal(virtio_config(&d, UINT32_MAX, out, 2), ERR_TOO_BIG);
    f.restless = true;
    assert_int_equal(virtio_config(&d, 0, out, 8), ERR_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_parts_are_found),
        cmocka_unit_test(what_is_no_virtio_1_device_is_refused),
        cmocka_unit_test(parts_outside_their_range_are_refused),
        cmocka_unit_test(a_legacy_transport_is_refused),
        cmocka_unit_test(only_what_both_know_is_agreed_on),
        cmocka_unit_test(a_device_that_will_not_is_given_up),
        cmocka_unit_test(configuration_is_of_one_generation_and_in_bounds),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
