/* SPDX-License-Identifier: MIT
 * Any bytes as configuration space of a small bus: setting it up ends, and what comes of it keeps the invariants of
 * pci.h; a virtio layout found in it points into what is there. */
// sources: srv/topod/pci.c lib/libvirtio/pci.c
#include "require.h"
#include <srv/topod/pci.h>
#include <virtio/transport.h>

enum { FUNCTIONS = 6, SPACE = 256 };

static uint8_t space[FUNCTIONS][SPACE];
static bool sticky; /* registers keep what is written */
static uint32_t n_accesses;

static int index_of(uint16_t address)
{
    unsigned device = address >> 3 & 31, bus = address >> 8;
    return (address & 7) == 0 && device < 2 && bus < FUNCTIONS / 2 ? (int)(bus * 2 + device) : -1;
}

static uint32_t read_space(void *, uint16_t address, uint32_t offset)
{
    uint32_t value = UINT32_MAX;
    int i = index_of(address);
    require(offset % 4 == 0 && offset < 4096);
    require(n_accesses++ < 2000000);
    if (i >= 0 && offset < SPACE)
        memcpy(&value, space[i] + offset, 4);
    return value;
}

static void write_space(void *, uint16_t address, uint32_t offset, uint32_t value)
{
    int i = index_of(address);
    require(offset % 4 == 0 && offset < 4096);
    if (i >= 0 && offset < SPACE && sticky)
        memcpy(space[i] + offset, &value, 4);
}

static uint32_t read_first(void *, uint32_t offset)
{
    return read_space(nullptr, 0, offset & ~3u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pci_list list;
    struct virtio_pci_layout l;
    memset(space, 0, sizeof space);
    if (size == 0)
        return 0;
    sticky = (data[0] & 1) != 0;
    n_accesses = 0;
    memcpy(space, data + 1, size - 1 < sizeof space ? size - 1 : sizeof space);
    if (virtio_pci_parse(read_first, nullptr, &l) == OK)
        require(l.common.bar < 6 && l.notify.bar < 6 && l.common.bytes >= 56 && l.notify.bytes >= 2);
    struct pci_setup s = { .read = read_space, .write = write_space, .last_bus = FUNCTIONS / 2 };
    s.memory.next = 0x10000000;
    s.memory.end = 0x20000000;
    list = (struct pci_list){};
    pci_set_up(&list, &s, 0);
    require(list.count <= PCI_FUNCTIONS_MAX);
    for (uint32_t i = 0; i < list.count; i++) {
        for (unsigned b = 0; b < PCI_BARS; b++) {
            const struct pci_bar *r = &list.function[i].bar[b];
            require(r->n_bytes == 0 || (r->n_bytes >= 16 && (r->n_bytes & (r->n_bytes - 1)) == 0));
            require(r->n_bytes == 0 || r->base % r->n_bytes == 0);
        }
        require(list.function[i].root_pin < 4 && list.function[i].root_slot < 32);
    }
    return 0;
}
