/* SPDX-License-Identifier: MIT
 * Copying with the widest registers there are: 32 bytes at a time with AVX, where the processor has it and the kernel
 * saves it, else 16. Source: [SDM-1] "Detection of AVX Instructions". */
#pragma once
#include <stddef.h>
#include <stdint.h>

static constexpr size_t isa_copy_block = 256;

static inline bool isa_has_avx(void)
{
    static int8_t known; /* 0: not looked yet; found twice is found alike */
    if (known == 0) {
        uint32_t a = 1, b, c = 0, d, low = 0, high;
        __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        bool there = (c >> 27 & 3) == 3; /* OSXSAVE and AVX */
        if (there)
            __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        known = there && (low & 6) == 6 ? 1 : -1;
    }
    return known > 0;
}

/* blocks of isa_copy_block bytes, at least one; the ranges do not overlap. */
static inline void isa_copy_wide(void *to, const void *from, size_t blocks)
{
    if (isa_has_avx()) {
        __asm__ volatile("1: vmovdqu (%1), %%ymm0\n\tvmovdqu 32(%1), %%ymm1\n\t"
                         "vmovdqu 64(%1), %%ymm2\n\tvmovdqu 96(%1), %%ymm3\n\t"
                         "vmovdqu 128(%1), %%ymm4\n\tvmovdqu 160(%1), %%ymm5\n\t"
                         "vmovdqu 192(%1), %%ymm6\n\tvmovdqu 224(%1), %%ymm7\n\t"
                         "vmovdqu %%ymm0, (%0)\n\tvmovdqu %%ymm1, 32(%0)\n\t"
                         "vmovdqu %%ymm2, 64(%0)\n\tvmovdqu %%ymm3, 96(%0)\n\t"
                         "vmovdqu %%ymm4, 128(%0)\n\tvmovdqu %%ymm5, 160(%0)\n\t"
                         "vmovdqu %%ymm6, 192(%0)\n\tvmovdqu %%ymm7, 224(%0)\n\t"
                         "add $256, %1\n\tadd $256, %0\n\tdec %2\n\tjnz 1b\n\tvzeroupper"
                         : "+r"(to), "+r"(from), "+r"(blocks)
                         :
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "memory", "cc");
        return;
    }
    blocks *= 2;
    __asm__ volatile("1: movups (%1), %%xmm0\n\tmovups 16(%1), %%xmm1\n\t"
                     "movups 32(%1), %%xmm2\n\tmovups 48(%1), %%xmm3\n\t"
                     "movups 64(%1), %%xmm4\n\tmovups 80(%1), %%xmm5\n\t"
                     "movups 96(%1), %%xmm6\n\tmovups 112(%1), %%xmm7\n\t"
                     "movups %%xmm0, (%0)\n\tmovups %%xmm1, 16(%0)\n\t"
                     "movups %%xmm2, 32(%0)\n\tmovups %%xmm3, 48(%0)\n\t"
                     "movups %%xmm4, 64(%0)\n\tmovups %%xmm5, 80(%0)\n\t"
                     "movups %%xmm6, 96(%0)\n\tmovups %%xmm7, 112(%0)\n\t"
                     "add $128, %1\n\tadd $128, %0\n\tdec %2\n\tjnz 1b"
                     : "+r"(to), "+r"(from), "+r"(blocks)
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "memory", "cc");
}
