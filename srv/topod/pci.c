/* SPDX-License-Identifier: MIT
 * Source: PCI Local Bus Specification 3.0, chapter 6, "Configuration Space"; PCI-to-PCI Bridge Architecture 1.2,
 * chapter 3, "PCI-to-PCI Bridge Configuration", and 9.1, "Interrupt Routing". */
#include "pci.h"

// clang-format off
enum { REG_ID = 0x00, REG_CLASS = 0x08, REG_HEADER = 0x0c, REG_BAR = 0x10, REG_BUSES = 0x18, REG_WINDOW = 0x20,
       REG_PREFETCH = 0x24, REG_SUBSYSTEM = 0x2c, REG_CAPS = 0x34, REG_IRQ = 0x3c };
// clang-format on
enum { MULTI_FUNCTION = 0x80, HAS_CAPS = 1 << 20, PAGE = 4096, BRIDGE_GRAIN = 1 << 20 };

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
        .subsystem = (uint16_t)(read(ctx, address, REG_SUBSYSTEM) >> 16),
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

uint8_t pci_capability(pci_read *read, void *ctx, uint16_t address, uint8_t id, uint8_t after)
{
    if ((read(ctx, address, PCI_COMMAND) & HAS_CAPS) == 0)
        return 0;
    uint8_t at = (uint8_t)(read(ctx, address, REG_CAPS) & 0xfc);
    bool behind = after == 0;
    for (unsigned i = 0; i < PCI_CAPS_MAX && at >= 0x40; i++) {
        uint32_t word = read(ctx, address, at);
        if (behind && (word & 0xff) == id)
            return at;
        behind = behind || at == after;
        at = (uint8_t)(word >> 8 & 0xfc);
    }
    return 0;
}

/* `bytes`, a power of two, below s->memory.end; 0: no room. A page at least, so that nobody's registers share one. */
static uint64_t place(struct pci_setup *s, uint64_t bytes)
{
    uint64_t size = bytes < PAGE ? PAGE : bytes, at = (s->memory.next + size - 1) & ~(size - 1);
    if (at < s->memory.next || at > s->memory.end || s->memory.end - at < size) {
        s->n_unplaced++;
        return 0;
    }
    s->memory.next = at + size;
    return at;
}

/* What the register decodes: written with ones, the bits below its size read back as zero. */
static uint64_t size_of(struct pci_setup *s, uint16_t address, uint32_t reg, bool is_64)
{
    uint32_t low = s->read(s->ctx, address, reg), high = is_64 ? s->read(s->ctx, address, reg + 4) : UINT32_MAX;
    s->write(s->ctx, address, reg, UINT32_MAX);
    uint64_t mask = s->read(s->ctx, address, reg) & ~UINT32_C(15);
    s->write(s->ctx, address, reg, low);
    uint64_t upper = UINT32_MAX;
    if (is_64) {
        s->write(s->ctx, address, reg + 4, UINT32_MAX);
        upper = s->read(s->ctx, address, reg + 4);
        s->write(s->ctx, address, reg + 4, high);
    }
    mask |= upper << 32;
    uint64_t bytes = ~mask + 1;
    bool one_bit = bytes >= 16 && (bytes & (bytes - 1)) == 0;
    return one_bit && (is_64 || bytes <= UINT32_C(0x80000000)) ? bytes : 0;
}

static void set_up_bars(struct pci_setup *s, struct pci_function *f, unsigned n_bars)
{
    uint32_t command = s->read(s->ctx, f->address, PCI_COMMAND) & 0xffff;
    bool placed = false;
    s->write(s->ctx, f->address, PCI_COMMAND, command & ~UINT32_C(3)); /* nothing answers while registers are sized */
    for (unsigned i = 0; i < n_bars; i++) {
        uint32_t reg = REG_BAR + 4 * i, low = s->read(s->ctx, f->address, reg);
        struct pci_bar *b = &f->bar[i];
        if ((low & 1) != 0) /* ports: nothing here needs them */
            continue;
        b->is_64 = (low >> 1 & 3) == 2 && i + 1 < n_bars;
        uint64_t bytes = size_of(s, f->address, reg, b->is_64), base = low & ~UINT32_C(15);
        if (b->is_64) {
            base |= (uint64_t)s->read(s->ctx, f->address, reg + 4) << 32;
            i++;
        }
        if (bytes != 0 && base == 0 && (base = place(s, bytes)) != 0) {
            s->write(s->ctx, f->address, reg, (uint32_t)base | (low & 15));
            if (b->is_64)
                s->write(s->ctx, f->address, reg + 4, (uint32_t)(base >> 32));
            placed = true;
        }
        if (base != 0 && bytes != 0 && base % bytes == 0 && base + bytes > base)
            *b = (struct pci_bar){ base, bytes, b->is_64 };
    }
    s->write(s->ctx, f->address, PCI_COMMAND, placed ? command | PCI_COMMAND_MEMORY : command);
}

static void set_up_bus(struct pci_list *list, struct pci_setup *s, uint8_t bus, unsigned depth,
                       const struct pci_function *bridge);

/* The bus behind it: numbered by the firmware, or by us, and then with a window over what we place there. */
static void set_up_bridge(struct pci_list *list, struct pci_setup *s, const struct pci_function *f, unsigned depth)
{
    uint32_t buses = s->read(s->ctx, f->address, REG_BUSES);
    uint8_t own = (uint8_t)(f->address >> 8), second = (uint8_t)(buses >> 8), last = (uint8_t)(buses >> 16);
    struct pci_function at = *f; /* the list may grow, but never moves: a copy is for the reader's peace */
    if (depth == PCI_DEPTH_MAX)
        return;
    if (second > own && last >= second && last <= s->last_bus) {
        if (second < s->next_bus) /* seen already: a loop */
            return;
        s->next_bus = (uint8_t)(second == UINT8_MAX ? UINT8_MAX : second + 1);
        set_up_bus(list, s, second, depth + 1, &at);
        return;
    }
    if (s->next_bus > s->last_bus || s->next_bus == 0 || s->next_bus == UINT8_MAX)
        return;
    second = s->next_bus++;
    s->write(s->ctx, at.address, REG_BUSES, (uint32_t)s->last_bus << 16 | (uint32_t)second << 8 | own);
    s->memory.next = (s->memory.next + BRIDGE_GRAIN - 1) & ~(uint64_t)(BRIDGE_GRAIN - 1);
    uint64_t from = s->memory.next;
    set_up_bus(list, s, second, depth + 1, &at);
    s->memory.next = (s->memory.next + BRIDGE_GRAIN - 1) & ~(uint64_t)(BRIDGE_GRAIN - 1);
    uint32_t window = UINT32_C(0x0000fff0); /* base above limit: closed */
    if (s->memory.next > from && s->memory.next - 1 <= UINT32_MAX)
        window = ((uint32_t)(s->memory.next - 1) & 0xfff00000) | (uint32_t)from >> 16;
    s->write(s->ctx, at.address, REG_WINDOW, window);
    s->write(s->ctx, at.address, REG_PREFETCH, UINT32_C(0x0000fff0));
    s->write(s->ctx, at.address, REG_BUSES, (uint32_t)(s->next_bus - 1) << 16 | (uint32_t)second << 8 | own);
    uint32_t command = s->read(s->ctx, at.address, PCI_COMMAND) & 0xffff;
    s->write(s->ctx, at.address, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void set_up_bus(struct pci_list *list, struct pci_setup *s, uint8_t bus, unsigned depth,
                       const struct pci_function *bridge)
{
    uint32_t from = list->count;
    pci_scan_bus(list, s->read, s->ctx, s->segment, bus);
    uint32_t to = list->count;
    for (uint32_t i = from; i < to; i++) {
        struct pci_function *f = &list->function[i];
        uint8_t slot = f->address >> 3 & 31, pin = (uint8_t)((f->irq_pin - 1) & 3);
        /* A bridge rotates the pins of what is behind it by their device numbers. */
        f->root_slot = bridge == nullptr ? slot : bridge->root_slot;
        f->root_pin = bridge == nullptr ? pin : (uint8_t)((pin + slot + bridge->root_pin) & 3);
        f->msix = pci_capability(s->read, s->ctx, f->address, PCI_CAP_MSIX, 0);
        bool is_bridge = f->header == 1;
        if (f->header <= 1)
            set_up_bars(s, f, is_bridge ? 2 : PCI_BARS);
        if (is_bridge) {
            struct pci_function as_bridge = *f;
            as_bridge.root_pin = bridge == nullptr ? 0 : (uint8_t)((slot + bridge->root_pin) & 3);
            set_up_bridge(list, s, &as_bridge, depth);
        }
    }
}

void pci_set_up(struct pci_list *list, struct pci_setup *s, uint8_t first_bus)
{
    s->next_bus = (uint8_t)(first_bus + 1);
    set_up_bus(list, s, first_bus, 0, nullptr);
}
