/* SPDX-License-Identifier: MIT
 * For debug kernels: what FP_CLOBBER does to the registers in between. */
#include "x86.h"

void arch_fp_clobber(void)
{
    __asm__ volatile(
        "fninit\n\t.rept 8\n\tfldpi\n\t.endr\n\t"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\tpcmpeqd %xmm\\n, %xmm\\n\n\t.endr");
    if (x86_cpu.avx)
        __asm__ volatile("vzeroupper");
}
