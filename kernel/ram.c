/* SPDX-License-Identifier: MIT
 * Answers whether an address is memory; see ram.h. Reticles know only what they manage, and that is less: a device
 * capability must reach neither the kernel image nor the boot page tables. */
#include <abi/machine.h>
#include <arch/mmu.h>
#include <kernel/ram.h>

SEALED static const struct machine *machine;

void ram_init(const struct machine *m)
{
    machine = m;
}

bool ram_touches(uint64_t base, uint64_t len_bytes)
{
    for (uint32_t i = 0; machine != nullptr && i < machine->n_ram; i++)
        if (base < machine->ram[i].base + machine->ram[i].len_bytes && machine->ram[i].base < base + len_bytes)
            return true;
    return false;
}
