/* SPDX-License-Identifier: MIT
 * A PCI bus by its configuration space (ECAM): which functions are there, how bridges are numbered, what registers the
 * functions decode and where, which capabilities they have, and which interrupt pin of the root bus is theirs. Pure:
 * everything goes through `read` and `write`, so a test can stand in for the bus. What is read is distrusted: loops
 * end, offsets and sizes are checked.
 *
 *  1. A bar of n_bytes != 0 is a power of two of at least 16 bytes, at an address aligned to its size.
 *  2. What we placed lies inside pci_setup.memory, at least a page apart, and overlaps nothing else that we placed. */
#pragma once
#include <abi/status.h>
#include <stdint.h>

enum { PCI_FUNCTIONS_MAX = 64, PCI_BARS = 6, PCI_DEPTH_MAX = 8, PCI_CAPS_MAX = 48 };

struct pci_bar {
    uint64_t base,
        n_bytes; /* n_bytes 0: none, an I/O port range, the upper half of another, or it could not be placed */
    bool is_64;
};

struct pci_function {
    uint16_t segment;
    uint16_t address; /* bus << 8 | device << 3 | function */
    uint16_t vendor, device;
    uint16_t subsystem;
    uint32_t class_code; /* class, subclass, interface */
    uint8_t header, irq_pin;
    uint8_t root_slot, root_pin; /* after pci_set_up: device number and pin (0 is INTA) at which its line meets bus 0 */
    uint8_t msix;                /* offset of its MSI-X capability; 0: none */
    struct pci_bar bar[PCI_BARS];
};

struct pci_list {
    uint32_t count, left_out;
    struct pci_function function[PCI_FUNCTIONS_MAX];
};

/* Reads or writes the aligned 32-bit register at `offset` of a function's 4 KiB of configuration space. */
typedef uint32_t pci_read(void *ctx, uint16_t address, uint32_t offset);
typedef void pci_write(void *ctx, uint16_t address, uint32_t offset, uint32_t value);

/* Appends what answers on one bus. */
void pci_scan_bus(struct pci_list *list, pci_read *read, void *ctx, uint16_t segment, uint8_t bus);

/* One host bridge while it is being set up. */
struct pci_setup {
    pci_read *read;
    pci_write *write;
    void *ctx;
    uint16_t segment;
    uint8_t last_bus;
    struct {
        uint64_t next, end; /* addresses below 4 GiB that nobody uses: registers without an address get one here */
    } memory;
    uint8_t next_bus;    /* the runtime's own: the next number for a bridge that has none */
    uint32_t n_unplaced; /* registers for which there was no room */
};

/* Walks the hierarchy from `first_bus`: appends every function, numbers bridges that the firmware left without numbers,
 * sizes registers and places those without an address, finds capabilities, works out interrupt pins. */
void pci_set_up(struct pci_list *list, struct pci_setup *s, uint8_t first_bus);

/* The offset of the next capability of that id behind `after` (0: the first); 0 when there is none. */
uint8_t pci_capability(pci_read *read, void *ctx, uint16_t address, uint8_t id, uint8_t after);

enum { PCI_COMMAND = 0x04, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_NO_INTX = 0x400 };
enum { PCI_CAP_VENDOR = 0x09, PCI_CAP_MSIX = 0x11 };
