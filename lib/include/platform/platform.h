/* SPDX-License-Identifier: MIT
 * What the firmware said that the kernel does not need: how devices are reached, how far apart memory is, which chip
 * keeps the date, how the machine is turned off. Read of the tables themselves, ACPI's through device memory, the
 * device tree through the capability to it; both are a stranger's bytes.
 *
 * Invariants: those of struct machine hold of `machine`. Every node number is below n_nodes, and n_nodes <=
 * NUMA_NODE_MAX; every domain is below n_domains, and no domain spans nodes. memory[] is sorted by base, nothing in it
 * is empty, wraps or overlaps. No bridge's configuration space wraps. */
#pragma once
#include <abi/machine.h>
#include <abi/service_limits.h>

/* Further reasons in machine.left_out. */
enum platform_left_out : uint32_t {
    LEFT_OUT_NODE = 1u << 1, /* counted to node 0 instead */
    LEFT_OUT_IRQ_OVERRIDE = 1u << 4,
    LEFT_OUT_PCI = 1u << 5,
    LEFT_OUT_VIRTIO_MMIO = 1u << 6,
};

/* An interrupt as the controller numbers it: a GIC INTID (PPIs from 16, SPIs from 32), or an x86 GSI. 0 is none. */
struct irq_info {
    uint32_t number;
    bool edge;
    bool active_low;
};

/* ISA interrupt `source` arrives as irq.number. Sources without an entry are identity mapped, edge, active high. */
struct irq_override {
    uint8_t source;
    struct irq_info irq;
};

struct virtio_mmio_info {
    uint64_t base;
    uint64_t len_bytes;
    struct irq_info irq;
};

enum rtc_kind : uint8_t { RTC_NONE, RTC_PL031, RTC_CMOS };

struct rtc_info {
    enum rtc_kind kind;
    struct phys_range pl031;
    uint8_t cmos_century; /* index of the century byte in CMOS memory; 0: none */
};

/* Power-off writes slp_typ and SLP_EN to the PM1 control registers; reset writes reset_value to the reset register. */
struct power_info {
    bool has_s5;
    uint8_t slp_typ_a, slp_typ_b;
    struct firmware_register pm1a_control, pm1b_control;
    struct firmware_register reset;
    uint8_t reset_value;
    uint16_t smi_command_port; /* 0: ACPI mode is already on; else write acpi_enable there before using PM1 */
    uint8_t acpi_enable;
};

/* Part of a PCI bridge's address space: [bus_base, +len) as devices see it is [cpu_base, +len) for us. */
struct pci_window {
    uint64_t cpu_base;
    uint64_t bus_base;
    uint64_t len_bytes;
};

/* A PCI host bridge. ecam is the configuration space of first_bus and following. Without windows (ACPI: they are in
 * AML) the firmware has assigned the BARs already. */
struct pci_bridge {
    struct phys_range ecam;
    uint16_t segment;
    uint8_t first_bus, last_bus;
    struct pci_window io, mmio32, mmio64;
};

/* RAM of one node: a region of struct machine, or a part of one. */
struct platform_memory {
    uint64_t base;
    uint64_t len_bytes;
    uint32_t node;
};

struct platform_hart {
    uint32_t node;
    uint32_t domain; /* coherence domain, from 0 */
};

struct platform {
    struct machine machine; /* the kernel's, with what was left out here added, and the messages of a GICv2 */
    uint32_t n_memories;
    uint32_t n_nodes;   /* at least 1 */
    uint32_t n_domains; /* at least 1 */
    struct platform_memory memory[MEMORY_REGION_MAX];
    struct platform_hart hart[HART_MAX]; /* in the order of machine.hart */
    uint32_t n_pci;
    struct pci_bridge pci[MACHINE_PCI_WINDOW_MAX];
    /* distance[from][to]; 10 is local. All 0 when the firmware gave none. */
    bool has_distances;
    uint8_t distance[NUMA_NODE_MAX][NUMA_NODE_MAX];
    struct irq_info console_irq;
    uint32_t n_overrides, n_virtio_mmio;
    struct irq_override override[MACHINE_IRQ_OVERRIDE_MAX];
    struct virtio_mmio_info virtio_mmio[MACHINE_VIRTIO_MMIO_MAX];
    struct phys_range v2m; /* message-signalled interrupts of a GICv2: lines that are edges */
    struct rtc_info rtc;
    struct power_info power;
};

/* Adds to p->machine, which is a copy of the kernel's, what the tables say beside it. What is damaged is left out; the
 * first such thing is in p->machine.error. */
void platform_from_acpi(struct platform *p, const struct firmware_memory *mem);
void platform_from_device_tree(struct platform *p, const void *blob, size_t blob_size);
/* The same for the machine that the caller runs on: of "machine", and of "mmio" or "device-tree", whichever of the two
 * its Bundle has. initd does it for all. NOT_FOUND: there is no "machine". */
status_t platform_read(struct platform *p);

/* The rest is for the readers: nodes.c. */

/* Before and after they read. */
void platform_begin(struct platform *p);
void platform_end(struct platform *p);
/* Gives the RAM within the range to a node of the firmware's, splitting where needed. */
void platform_set_memory_node(struct platform *p, uint64_t base, uint64_t len_bytes, uint64_t firmware_node);
/* The same of a hart, if it is listed. */
void platform_set_hart_node(struct platform *p, uint64_t hw_id, uint64_t firmware_node);
void platform_leave_out(struct platform *p, uint32_t reason);
