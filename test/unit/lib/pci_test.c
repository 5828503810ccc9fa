// sources: srv/topod/pci.c srv/topod/route.c
/* SPDX-License-Identifier: MIT
 * Enumerating a bus that is a table. */
#include "host.h"
#include <srv/topod/pci.h>
#include <srv/topod/route.h>

struct fake {
    uint16_t address;
    uint32_t id, class, header, irq;
};

struct bus {
    const struct fake *functions;
    unsigned count;
    bool everywhere; /* every address answers, as a multi-function device */
};

static uint32_t read_fake(void *ctx, uint16_t address, uint32_t offset)
{
    const struct bus *b = ctx;
    if (b->everywhere)
        return offset == 0 ? 0x00011af4 : offset == 0x0c ? 0x800000 : 0;
    for (unsigned i = 0; i < b->count; i++) {
        const struct fake *f = &b->functions[i];
        if (f->address == address)
            return offset == 0 ? f->id : offset == 8 ? f->class : offset == 0x0c ? f->header : f->irq;
    }
    return UINT32_MAX;
}

static void what_answers_is_listed_with_its_identity(void **)
{
    static const struct fake functions[] = {
        { 0x0000, 0x29c08086, 0x06000001, 0, 0 },
        { 0x00f8, 0x29188086, 0x06010002, 0x800000, 0 },
        { 0x00fa, 0x29228086, 0x01060102, 0, 0x100 },
        { 0x0011, 0x12345678, 0, 0, 0 }, /* function 1 of a device without function 0: not there */
    };
    struct bus b = { functions, 4, false };
    struct pci_list list = {};
    pci_scan_bus(&list, read_fake, &b, 2, 0);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.function[0].vendor, 0x8086);
    assert_int_equal(list.function[0].device, 0x29c0);
    assert_int_equal(list.function[0].class_code, 0x060000);
    assert_int_equal(list.function[0].segment, 2);
    assert_int_equal(list.function[2].address, 0xfa);
    assert_int_equal(list.function[2].class_code, 0x010601);
    assert_int_equal(list.function[2].irq_pin, 1);
}

static void more_functions_than_fit_are_counted(void **)
{
    struct bus b = { nullptr, 0, true };
    struct pci_list list = {};
    pci_scan_bus(&list, read_fake, &b, 0, 0);
    assert_int_equal(list.count, PCI_FUNCTIONS_MAX);
    assert_int_equal(list.left_out, 256 - PCI_FUNCTIONS_MAX);
}

/* --- a bus of functions with registers that can be written --- */

enum { SPACES = 8, SPACE_BYTES = 256 };

struct space {
    uint16_t address;
    bool is_there;
    uint8_t at[SPACE_BYTES];
    uint32_t bar_bytes[6]; /* 0: the register is wired to 0; the upper half of a 64-bit one: all ones */
};

static struct space spaces[SPACES];

static struct space *space_of(uint16_t address)
{
    for (unsigned i = 0; i < SPACES; i++)
        if (spaces[i].is_there && spaces[i].address == address)
            return &spaces[i];
    return nullptr;
}

static uint32_t read_space(void *, uint16_t address, uint32_t offset)
{
    const struct space *s = space_of(address);
    uint32_t value = UINT32_MAX;
    if (s != nullptr && offset + 4 <= SPACE_BYTES)
        memcpy(&value, s->at + offset, 4);
    return value;
}

static void write_space(void *, uint16_t address, uint32_t offset, uint32_t value)
{
    struct space *s = space_of(address);
    if (s == nullptr || offset + 4 > SPACE_BYTES)
        return;
    unsigned bar = (offset - 0x10) / 4, bars = s->at[0x0e] == 1 ? 2 : 6;
    if (offset >= 0x10 && bar < bars) {
        uint32_t flags = s->at[offset] & 15;
        value = s->bar_bytes[bar] == 0            ? 0
                : s->bar_bytes[bar] == UINT32_MAX ? value
                                                  : (value & ~(s->bar_bytes[bar] - 1)) | flags;
    }
    memcpy(s->at + offset, &value, 4);
}

static struct space *add_space(unsigned i, uint16_t address, uint32_t id, uint8_t header, uint8_t pin)
{
    struct space *s = &spaces[i];
    *s = (struct space){ .address = address, .is_there = true };
    memcpy(s->at, &id, 4);
    s->at[0x0e] = header;
    s->at[0x3d] = pin;
    return s;
}

static struct pci_setup setup(uint64_t from, uint64_t to)
{
    struct pci_setup s = { .read = read_space, .write = write_space, .last_bus = 8 };
    s.memory.next = from;
    s.memory.end = to;
    return s;
}

static void registers_without_an_address_get_one(void **)
{
    memset(spaces, 0, sizeof spaces);
    struct space *a = add_space(0, 0x08, 0x10421af4, 0, 1), *b = add_space(1, 0x10, 0x10441af4, 0, 1);
    a->bar_bytes[1] = 4096;
    a->bar_bytes[4] = 16384;
    a->bar_bytes[5] = UINT32_MAX;
    a->at[0x20] = 0x0c; /* 64 bits, prefetchable */
    b->bar_bytes[0] = 64;
    b->at[0x14] = 1; /* ports */
    struct pci_list list = {};
    struct pci_setup s = setup(0x10000000, 0x20000000);
    pci_set_up(&list, &s, 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.function[0].bar[1].base, 0x10000000);
    assert_int_equal(list.function[0].bar[4].base, 0x10004000);
    assert_int_equal(list.function[0].bar[4].n_bytes, 16384);
    assert_true(list.function[0].bar[4].is_64);
    assert_int_equal(list.function[0].bar[5].n_bytes, 0);
    assert_int_equal(list.function[1].bar[0].base, 0x10008000); /* a page of its own, though it is small */
    assert_int_equal(list.function[1].bar[1].n_bytes, 0);
    assert_int_equal(read_space(nullptr, 0x08, 0x20), 0x1000400c);
    assert_int_equal(read_space(nullptr, 0x08, 4) & 2, 2);
}

static void what_the_firmware_placed_stays(void **)
{
    memset(spaces, 0, sizeof spaces);
    struct space *a = add_space(0, 0x08, 0x10421af4, 0, 1);
    a->bar_bytes[0] = 4096;
    write_space(nullptr, 0x08, 0x10, 0xfebf8000);
    struct pci_list list = {};
    struct pci_setup s = setup(0, 0);
    pci_set_up(&list, &s, 0);
    assert_int_equal(list.function[0].bar[0].base, 0xfebf8000);
    assert_int_equal(read_space(nullptr, 0x08, 0x10), 0xfebf8000);
    assert_int_equal(s.n_unplaced, 0);
}

static void what_has_no_room_is_left_out(void **)
{
    memset(spaces, 0, sizeof spaces);
    struct space *a = add_space(0, 0x08, 0x10421af4, 0, 1);
    a->bar_bytes[0] = 0x100000;
    struct pci_list list = {};
    struct pci_setup s = setup(0x10000000, 0x10001000);
    pci_set_up(&list, &s, 0);
    assert_int_equal(list.function[0].bar[0].n_bytes, 0);
    assert_int_equal(s.n_unplaced, 1);
}

static void bridges_are_numbered_and_get_a_window(void **)
{
    memset(spaces, 0, sizeof spaces);
    add_space(0, 0x18, 0x00011b36, 1, 1);
    struct space *behind = add_space(1, 0x100 | 0x10, 0x10421af4, 0, 2);
    behind->bar_bytes[0] = 4096;
    struct pci_list list = {};
    struct pci_setup s = setup(0x10000000, 0x20000000);
    pci_set_up(&list, &s, 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.function[1].address, 0x110);
    assert_int_equal(list.function[1].bar[0].base, 0x10000000);
    assert_int_equal(read_space(nullptr, 0x18, 0x18) & 0xffffff, 0x010100);
    assert_int_equal(read_space(nullptr, 0x18, 0x20), 0x10001000);
    assert_int_equal(read_space(nullptr, 0x18, 4) & 6, 6);
    /* device 2, pin B, behind device 3 of the root bus */
    assert_int_equal(list.function[1].root_slot, 3);
    assert_int_equal(list.function[1].root_pin, (1 + 2) & 3);
}

static void capability_lists_end(void **)
{
    memset(spaces, 0, sizeof spaces);
    struct space *a = add_space(0, 0x08, 0x10421af4, 0, 1);
    a->at[6] = 0x10;
    a->at[0x34] = 0x40;
    memcpy(a->at + 0x40, (uint8_t[]){ 9, 0x50 }, 2);
    memcpy(a->at + 0x50, (uint8_t[]){ 0x11, 0x60 }, 2);
    memcpy(a->at + 0x60, (uint8_t[]){ 9, 0x40 }, 2); /* and around again */
    assert_int_equal(pci_capability(read_space, nullptr, 0x08, 0x11, 0), 0x50);
    assert_int_equal(pci_capability(read_space, nullptr, 0x08, 9, 0), 0x40);
    assert_int_equal(pci_capability(read_space, nullptr, 0x08, 9, 0x40), 0x60);
    assert_int_equal(pci_capability(read_space, nullptr, 0x08, 5, 0), 0);
    a->at[6] = 0;
    assert_int_equal(pci_capability(read_space, nullptr, 0x08, 9, 0), 0);
}

static void pins_arrive_where_the_boards_wire_them(void **)
{
    assert_int_equal(route_q35(1, 0), 21);
    assert_int_equal(route_q35(2, 3), 21);
    assert_int_equal(route_q35(4, 0), 20);
    assert_int_equal(route_q35(31, 1), 17);
    assert_int_equal(route_q35(30, 2), 22);
    assert_int_equal(route_q35(25, 0), 16);
    assert_int_equal(route_virt(1, 0), 36);
    assert_int_equal(route_virt(3, 1), 35);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_answers_is_listed_with_its_identity),
        cmocka_unit_test(registers_without_an_address_get_one),
        cmocka_unit_test(what_the_firmware_placed_stays),
        cmocka_unit_test(what_has_no_room_is_left_out),
        cmocka_unit_test(bridges_are_numbered_and_get_a_window),
        cmocka_unit_test(capability_lists_end),
        cmocka_unit_test(pins_arrive_where_the_boards_wire_them),
        cmocka_unit_test(more_functions_than_fit_are_counted),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
