/* SPDX-License-Identifier: MIT
 * Walking a PCI bus by its configuration space (ECAM): which functions are there. Only reads. Pure but for those reads,
 * which go through `read`, so a test can stand in for the bus. */
#pragma once
#include <abi/status.h>
#include <stdint.h>

enum { PCI_FUNCTIONS_MAX = 64 };

struct pci_function {
    uint16_t segment;
    uint16_t address; /* bus << 8 | device << 3 | function */
    uint16_t vendor, device;
    uint32_t class_code; /* class, subclass, interface */
    uint8_t header, irq_pin;
};

struct pci_list {
    uint32_t count, left_out;
    struct pci_function function[PCI_FUNCTIONS_MAX];
};

/* Reads the aligned 32-bit register at `offset` of a function's 4 KiB of configuration space. */
typedef uint32_t pci_read(void *ctx, uint16_t address, uint32_t offset);

/* Appends what answers on one bus. */
void pci_scan_bus(struct pci_list *list, pci_read *read, void *ctx, uint16_t segment, uint8_t bus);
