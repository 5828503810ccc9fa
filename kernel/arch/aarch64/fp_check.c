/* SPDX-License-Identifier: MIT
 * For debug kernels: what FP_CLOBBER does to the registers in between. */
#include "boot.h"
#include <arch/fp.h>

void arch_fp_clobber(void)
{
    fp_fill(UINT64_C(0xa5a5a5a5a5a5a5a5));
}
