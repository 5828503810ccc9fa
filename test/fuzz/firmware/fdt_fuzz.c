// sources: kernel/firmware/dt/fdt.c kernel/firmware/dt/seed.c base/dt/fdt_tree.c lib/libplatform/dt/tree.c
// sources: lib/libplatform/nodes.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * Any bytes as a device tree. */
#include "sane.h"
#include <base/dt/fdt_tree.h>
#include <kernel/firmware/dt/fdt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine m;
    size_t total;
    static struct platform p;
    uint8_t *copy = malloc(size + 1);
    require(copy != nullptr);
    memcpy(copy, data, size);
    m = (struct machine){};
    status_t st = fdt_parse(copy, size, &m);
    require((st == OK) == (m.error.what == nullptr));
    require(st != OK || machine_is_sane(&m));
    require(st != OK || (fdt_size(data, size < 8 ? size : 8, &total) == OK && total <= size));
    if (st != OK)
        m = (struct machine){};
    p = (struct platform){ .machine = m };
    platform_from_device_tree(&p, copy, size);
    require(platform_is_sane(&p));
    free(copy);
    return 0;
}
