// sources: srv/topod/pci.c
/* SPDX-License-Identifier: MIT
 * Enumerating a bus that is a table. */
#include "host.h"
#include <srv/topod/pci.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_answers_is_listed_with_its_identity),
        cmocka_unit_test(more_functions_than_fit_are_counted),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
