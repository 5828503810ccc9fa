/* SPDX-License-Identifier: MIT
 * Copying with the vector registers, which the compiler does not touch by itself in this code: those that a function
 * may destroy. */
#pragma once
#include <stddef.h>
#include <stdint.h>

static constexpr size_t isa_copy_block = 256;

/* blocks of isa_copy_block bytes, at least one; the ranges do not overlap. Not to be inlined into code that uses vector
 * registers: they cannot be named as lost. */
static inline void isa_copy_wide(void *to, const void *from, size_t blocks)
{
    __asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n"
                     "1: ldp q0, q1, [%1]\n\tldp q2, q3, [%1, #32]\n\tldp q4, q5, [%1, #64]\n\t"
                     "ldp q6, q7, [%1, #96]\n\tldp q16, q17, [%1, #128]\n\tldp q18, q19, [%1, #160]\n\t"
                     "ldp q20, q21, [%1, #192]\n\tldp q22, q23, [%1, #224]\n\t"
                     "stp q0, q1, [%0]\n\tstp q2, q3, [%0, #32]\n\tstp q4, q5, [%0, #64]\n\t"
                     "stp q6, q7, [%0, #96]\n\tstp q16, q17, [%0, #128]\n\tstp q18, q19, [%0, #160]\n\t"
                     "stp q20, q21, [%0, #192]\n\tstp q22, q23, [%0, #224]\n\t"
                     "add %1, %1, #256\n\tadd %0, %0, #256\n\tsub %2, %2, #1\n\tcbnz %2, 1b"
                     : "+r"(to), "+r"(from), "+r"(blocks)
                     :
                     : "memory");
}
