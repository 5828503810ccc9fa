/* SPDX-License-Identifier: MIT
 * struct machine: what the kernel needs of what the firmware said, in one form, whether it spoke device tree, ACPI or
 * PVH. What else it said is read in user space, of the same tables: lib/include/platform/platform.h.
 *
 * Invariants, after a parser returned OK:
 *  1. ram[] is sorted by base, its regions do not overlap, none is empty and none wraps.
 *  2. No reservation was forgotten: if they do not fit, the parser fails.
 *  3. Every hart listed may be started, and each hw_id is listed once. The order is the firmware's; the boot hart can
 * be any.
 *  4. cmdline ends in a zero byte. Text that did not fit is reported in left_out.
 *
 * The tables have fixed sizes (abi/limits.def). What does not fit is counted in n_left_out and named in left_out.
 * After an error the contents are good for nothing but `error`. */
#pragma once
#include <abi/limits.h>
#include <abi/status.h>
#include <stddef.h>
#include <stdint.h>

/* Why a parser refused: the table, node or field at fault, and an offset or physical address near it. */
struct firmware_error {
    const char *what; /* static text, or nullptr when nothing is wrong */
    uint64_t where;
};

/* Fills *error and answers st. */
static inline status_t firmware_fail(struct firmware_error *error, status_t st, const char *what, uint64_t where)
{
    *error = (struct firmware_error){ .what = what, .where = where };
    return st;
}

/* How a parser reads physical memory. `at` answers a pointer to the `len` bytes at `pa`, good until the parser returns,
 * or nullptr where there is nothing to read. */
struct firmware_memory {
    const void *(*at)(void *ctx, uint64_t pa, size_t len);
    void *ctx;
};

/* A range of physical addresses; absent when len_bytes is 0. */
struct phys_range {
    uint64_t base;
    uint64_t len_bytes;
};

enum reserved_kind : uint8_t {
    RESERVED_FIRMWARE, /* in use, defective, or not ours: never given out */
    RESERVED_NO_MAP,   /* as above, and must not even be mapped (device tree "no-map") */
};

struct reserved_region {
    uint64_t base;
    uint64_t len_bytes;
    enum reserved_kind kind;
};

struct hart_info {
    uint64_t hw_id;  /* MPIDR affinity bits, or the local APIC id */
    uint64_t domain; /* the same for a cluster's harts of one NUMA node. Without a cpu-map: for a whole node's */
};

/* Interrupts that a device raises by a store: line `first` + i comes of storing `data` + i at `doorbell`. With an ITS
 * the stored number is one of the device's own, and what drives the ITS says which line it is. */
struct message_info {
    uint64_t doorbell;
    uint32_t first, count, data;
};

enum irqchip_kind : uint8_t { IRQCHIP_NONE, IRQCHIP_GICV2, IRQCHIP_GICV3, IRQCHIP_APIC };
enum { MACHINE_GIC_REGS_MAX = 5 };

struct gic_info {
    struct phys_range regs[MACHINE_GIC_REGS_MAX]; /* the distributor; a GICv2's cpu interface, or redistributors */
    uint32_t n_regs;
    uint64_t redist_stride_bytes; /* 0: the architecture's */
    struct phys_range its; /* message-signalled interrupts of a GICv3; absent when the kernel cannot receive them */
    uint32_t its_target;   /* the number by which the ITS knows the hart that receives them */
};

struct ioapic_info {
    uint64_t base;
    uint32_t id;
    uint32_t gsi_base;
};

struct apic_info {
    uint64_t lapic_base;
    bool x2apic_needed;   /* some hart has an id that xAPIC cannot address */
    bool has_legacy_pics; /* two 8259s are there and must be masked */
    uint32_t n_ioapics;
    struct ioapic_info ioapic[MACHINE_IOAPIC_MAX];
};

enum register_space : uint8_t { REGISTER_NONE, REGISTER_MEMORY, REGISTER_IO };

/* A register somewhere: a physical address or an I/O port. */
struct firmware_register {
    enum register_space space;
    uint8_t width_bits;
    uint64_t address;
};

struct timer_info {
    uint32_t virt_line;                /* Arm generic timer: INTID of the virtual one */
    uint32_t counter_hz;               /* 0: ask the hardware (CNTFRQ_EL0) */
    uint64_t hpet_base;                /* 0: none */
    struct firmware_register pm_timer; /* 3.579545 MHz, 24 bits or more */
};

enum console_kind : uint8_t { CONSOLE_NONE, CONSOLE_PL011, CONSOLE_NS16550 };

struct console_info {
    enum console_kind kind;
    struct firmware_register base;
};

/* PSCI_NONE: not there, or older than 0.2 */
enum psci_method : uint8_t { PSCI_NONE, PSCI_SMC, PSCI_HVC };

/* Reasons in machine.left_out: what was found but did not fit or could not be used. Those that are not here are of
 * lib/include/platform/platform.h. */
enum left_out : uint32_t {
    LEFT_OUT_HART = 1u << 0,
    LEFT_OUT_RAM = 1u << 2,
    LEFT_OUT_IOAPIC = 1u << 3,
    LEFT_OUT_CMDLINE = 1u << 7,
    LEFT_OUT_SEED = 1u << 8,
    LEFT_OUT_ACPI_TABLE = 1u << 9, /* an entry beyond the limit, or a table that is unreadable or fails its checksum */
    LEFT_OUT_DEVICE = 1u << 10,    /* a device node whose reg or interrupts make no sense */
    LEFT_OUT_REDIST = 1u << 11,
};

struct machine {
    struct firmware_error error;
    uint32_t left_out; /* enum left_out flags */
    uint32_t n_left_out;

    uint32_t n_ram;
    uint32_t n_reserved;
    uint32_t n_harts;

    struct phys_range ram[MEMORY_REGION_MAX];
    struct reserved_region reserved[RESERVED_REGION_MAX]; /* may overlap RAM and each other: they win */
    struct hart_info hart[HART_MAX];

    enum irqchip_kind irqchip;
    struct message_info messages; /* those that need the kernel */
    struct gic_info gic;
    struct apic_info apic;
    struct timer_info timer;
    struct console_info console;
    enum psci_method psci;

    struct phys_range initrd;      /* also in reserved[] */
    struct phys_range device_tree; /* the same; absent where there is none */
    uint64_t rsdp;                 /* physical address, from PVH; 0: none was given */
    uint32_t seed_len_bytes;
    uint8_t seed[FIRMWARE_SEED_MAX]; /* a secret: wipe it when it has been used */
    char cmdline[CMDLINE_MAX];
};
static_assert(sizeof(struct machine) <= 32 * 1024, "it is a static of the kernel");
