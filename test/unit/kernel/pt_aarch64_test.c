/* SPDX-License-Identifier: MIT
 * The page-table walker over the entries of AArch64. */
// sources: kernel/pt.c kernel/reticle.c kernel/reticle_check.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// flags: -DPTE_HEADER='"kernel/arch/aarch64/include/isa/pte.h"'
#include <abi/timepage.h>
#include "pt_cases.h"
