/* SPDX-License-Identifier: MIT
 * Source: PCI Local Bus Specification 3.0, chapter 6, "Configuration Space". */
#include "pci.h"

enum { REG_ID = 0x00, REG_CLASS = 0x08, REG_HEADER = 0x0c, REG_IRQ = 0x3c, MULTI_FUNCTION = 0x80 };

static bool scan_function(struct pci_list *list, pci_read *read, void *ctx, uint16_t segment, uint16_t address,
                          bool *multi)
{
    uint32_t id = read(ctx, address, REG_ID);
    if ((id & 0xffff) == 0xffff || id == 0)
        return false;
    uint8_t header = (uint8_t)(read(ctx, address, REG_HEADER) >> 16);
    *multi = (header & MULTI_FUNCTION) != 0;
    if (list->count == PCI_FUNCTIONS_MAX) {
        list->left_out++;
        return true;
    }
    list->function[list->count++] = (struct pci_function){
        .segment = segment,
        .address = address,
        .vendor = (uint16_t)id,
        .device = (uint16_t)(id >> 16),
        .class_code = read(ctx, address, REG_CLASS) >> 8,
        .header = header & 0x7f,
        .irq_pin = (uint8_t)(read(ctx, address, REG_IRQ) >> 8),
    };
    return true;
}

void pci_scan_bus(struct pci_list *list, pci_read *read, void *ctx, uint16_t segment, uint8_t bus)
{
    for (unsigned device = 0; device < 32; device++) {
        uint16_t address = (uint16_t)(bus << 8 | device << 3);
        bool multi = false, ignored = false;
        if (!scan_function(list, read, ctx, segment, address, &multi) || !multi)
            continue;
        for (unsigned function = 1; function < 8; function++)
            (void)scan_function(list, read, ctx, segment, (uint16_t)(address | function), &ignored);
    }
}
