/* SPDX-License-Identifier: MIT
 * virtio over PCI and over memory-mapped registers. Pure but for loads and stores of the registers handed in: what is
 * read from configuration space is checked against the size of the ranges that it points into. Source: [VIRTIO] "Virtio
 * Over PCI Bus", "Virtio Over MMIO". */
#pragma once
#include <virtio/device.h>

enum { VIRTIO_REGIONS = 7, VIRTIO_QUEUES_MAX = 64 };

/* Registers that are mapped. */
struct virtio_range {
    volatile uint8_t *at;
    uint64_t bytes;
};

/* A structure that configuration space points to. */
struct virtio_pci_part {
    uint8_t bar;
    uint32_t offset, bytes; /* bytes 0: not there */
};

struct virtio_pci_layout {
    struct virtio_pci_part common, notify, interrupt, config;
    uint32_t notify_multiplier;
};

/* Reads the capability list of a function's 4 KiB of configuration space. NOT_FOUND: not a virtio 1 device. */
status_t virtio_pci_parse(uint32_t (*read)(void *ctx, uint32_t offset), void *ctx, struct virtio_pci_layout *out);

struct virtio_pci {
    volatile uint8_t *common, *notify, *interrupt, *config;
    uint32_t common_bytes, notify_bytes, config_bytes, notify_multiplier;
    uint32_t notify_at[VIRTIO_QUEUES_MAX]; /* offset of each started queue's doorbell */
    struct virtio_ops ops;
};
/* bar: by number, mapped as far as the layout needs them. BAD_ARGUMENT: the layout points outside. */
status_t virtio_pci_open(struct virtio_pci *t, const struct virtio_pci_layout *layout, const struct virtio_range bar[6],
                         struct virtio_device *out);

struct virtio_mmio {
    volatile uint8_t *at;
    uint32_t bytes;
    struct virtio_ops ops;
};
/* NOT_SUPPORTED: no virtio 1 transport (a legacy one has version 1 there). NOT_FOUND: nothing is plugged in. */
status_t virtio_mmio_open(struct virtio_mmio *t, const struct virtio_range *registers, uint32_t *kind,
                          struct virtio_device *out);
