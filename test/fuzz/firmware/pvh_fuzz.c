// sources: kernel/firmware/acpi/pvh.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * Any physical memory as PVH start information. */
#include "sane.h"
#include <kernel/firmware/acpi/pvh.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine m;
    struct fuzz_memory f = { data, size };
    struct firmware_memory mem = { fuzz_memory_at, &f };
    if (size < 16)
        return 0;
    m = (struct machine){};
    status_t st = pvh_parse(&mem, word_at(data + 8), &m);
    require((st == OK) == (m.error.what == nullptr));
    require(st != OK || (machine_is_sane(&m) && m.n_ram > 0));
    return 0;
}
