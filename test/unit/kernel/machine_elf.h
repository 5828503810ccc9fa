/* SPDX-License-Identifier: MIT
 * The smallest executable: one page of code, one of data, written into a MEM object of two pages. Its code never runs:
 * user code on the host is the test. */
#pragma once
#include "machine.h"
#include <elf.h>

#define MACHINE_ELF_ENTRY UINT64_C(0x400100)

static void machine_elf_write(struct mem *m)
{
    uint64_t run;
    struct {
        Elf64_Ehdr e;
        Elf64_Phdr p[2];
    } head = {
        .e = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
               .e_type = ET_EXEC,
               .e_machine = ARCH_ELF_MACHINE,
               .e_version = EV_CURRENT,
               .e_entry = MACHINE_ELF_ENTRY,
               .e_phoff = sizeof(Elf64_Ehdr),
               .e_ehsize = sizeof(Elf64_Ehdr),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 2 },
        .p = { { .p_type = PT_LOAD,
                 .p_flags = PF_R | PF_X,
                 .p_vaddr = 0x400000,
                 .p_filesz = 4096,
                 .p_memsz = 4096,
                 .p_align = 4096 },
               { .p_type = PT_LOAD,
                 .p_flags = PF_R | PF_W,
                 .p_offset = 4096,
                 .p_vaddr = USER_BASE,
                 .p_filesz = 4096,
                 .p_memsz = USER_BYTES,
                 .p_align = 4096 } },
    };
    machine_must(m->bytes == 8192);
    memcpy(arch_phys_to_virt(mem_frame(&m->obj, 0, &run)), &head, sizeof head);
    memcpy(arch_phys_to_virt(mem_frame(&m->obj, 4096, &run)), "data", 5);
}
