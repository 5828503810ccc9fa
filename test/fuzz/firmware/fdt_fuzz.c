// sources: kernel/firmware/dt/fdt.c kernel/firmware/dt/seed.c kernel/firmware/dt/fdt_tree.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * Any bytes as a device tree. */
#include "sane.h"
#include <kernel/firmware/dt/fdt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine m;
    size_t total;
    machine_init(&m);
    status_t st = fdt_parse(data, size, &m);
    require(st == OK ? machine_is_sane(&m) : m.error.what != nullptr);
    require(st != OK || (fdt_size(data, size < 8 ? size : 8, &total) == OK && total <= size));
    return 0;
}
