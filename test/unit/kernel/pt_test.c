/* SPDX-License-Identifier: MIT
 * The page-table walker over the entries of the host. */
// sources: kernel/pt.c kernel/reticle.c kernel/reticle_check.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
#include <abi/timepage.h>
#include "pt_cases.h"
