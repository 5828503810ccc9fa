/* SPDX-License-Identifier: MIT
 * One call with every register chosen and every register seen: x0 to x29 in their order. */
#include "../fuzz.h"

/* clang-format off */
__asm__(".text\n\t.global fuzz_enter\n\t.type fuzz_enter, %function\nfuzz_enter:\n\t"
        "stp x29, x30, [sp, #-112]!\n\tstp x19, x20, [sp, #16]\n\tstp x21, x22, [sp, #32]\n\tstp x23, x24, [sp, #48]\n\t"
        "stp x25, x26, [sp, #64]\n\tstp x27, x28, [sp, #80]\n\tstr x1, [sp, #96]\n\tmov x30, x0\n\t"
        "ldp x0, x1, [x30]\n\tldp x2, x3, [x30, #16]\n\tldp x4, x5, [x30, #32]\n\tldp x6, x7, [x30, #48]\n\t"
        "ldp x8, x9, [x30, #64]\n\tldp x10, x11, [x30, #80]\n\tldp x12, x13, [x30, #96]\n\tldp x14, x15, [x30, #112]\n\t"
        "ldp x16, x17, [x30, #128]\n\tldp x18, x19, [x30, #144]\n\tldp x20, x21, [x30, #160]\n\tldp x22, x23, [x30, #176]\n\t"
        "ldp x24, x25, [x30, #192]\n\tldp x26, x27, [x30, #208]\n\tldp x28, x29, [x30, #224]\n\t"
        "svc #0\n\t"
        "ldr x30, [sp, #96]\n\t"
        "stp x0, x1, [x30]\n\tstp x2, x3, [x30, #16]\n\tstp x4, x5, [x30, #32]\n\tstp x6, x7, [x30, #48]\n\t"
        "stp x8, x9, [x30, #64]\n\tstp x10, x11, [x30, #80]\n\tstp x12, x13, [x30, #96]\n\tstp x14, x15, [x30, #112]\n\t"
        "stp x16, x17, [x30, #128]\n\tstp x18, x19, [x30, #144]\n\tstp x20, x21, [x30, #160]\n\tstp x22, x23, [x30, #176]\n\t"
        "stp x24, x25, [x30, #192]\n\tstp x26, x27, [x30, #208]\n\tstp x28, x29, [x30, #224]\n\t"
        "ldp x19, x20, [sp, #16]\n\tldp x21, x22, [sp, #32]\n\tldp x23, x24, [sp, #48]\n\tldp x25, x26, [sp, #64]\n\t"
        "ldp x27, x28, [sp, #80]\n\tldp x29, x30, [sp], #112\n\tret\n");
/* A thread's entry, which is not called as a C function is. */
__asm__(".text\n\t.global fuzz_begin\n\t.type fuzz_begin, %function\nfuzz_begin:\n\tmov x29, xzr\n\tbl fuzz_play\n\tbrk #1\n");
/* A thread that ends at once. */
__asm__(".text\n\t.global fuzz_leave\n\t.type fuzz_leave, %function\nfuzz_leave:\n\t"
        "mov x8, #40\n\tmov x0, xzr\n\tmov x1, xzr\n\tmov x2, xzr\n\tmov x3, xzr\n\tsvc #0\n\tbrk #1\n");
/* clang-format on */

const uint32_t fuzz_registers = 30;
const uint32_t fuzz_result[2] = { 0, 1 };
const uint32_t fuzz_number = 8;
const uint32_t fuzz_argument[5] = { 0, 1, 2, 3, 4 };
const uint32_t fuzz_lost = 0;
