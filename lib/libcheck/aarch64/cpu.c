/* SPDX-License-Identifier: MIT */
#include <check/cpu.h>

const uint32_t cpu_n_vectors = 32;
const uint8_t cpu_code_42[] = { 0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6 }; /* mov w0, #42; ret */
const size_t cpu_code_42_len = sizeof cpu_code_42;

void cpu_undefined(void)
{
    __asm__ volatile("udf #0");
}

void cpu_breakpoint(void)
{
    __asm__ volatile("brk #0");
}

void cpu_privileged(void)
{
    __asm__ volatile("mrs x0, ttbr1_el1" ::: "x0");
}

void cpu_touch_device(void)
{
    __asm__ volatile("msr cntv_ctl_el0, %0\n\tmsr daifset, #2" ::"r"(UINT64_C(0)));
}

void cpu_vectors_touch(void)
{
    __asm__ volatile("movi v0.16b, #255" ::: "v0");
}

#define LOAD(n, m, at) "ldp q" #n ", q" #m ", [x19, #" #at "]\n\t"
#define STORE(n, m, at) "stp q" #n ", q" #m ", [x20, #" #at "]\n\t"
/* clang-format off */
#define ALL(X)                                                                                                         \
    X(0, 1, 0) X(2, 3, 32) X(4, 5, 64) X(6, 7, 96) X(8, 9, 128) X(10, 11, 160) X(12, 13, 192) X(14, 15, 224)           \
    X(16, 17, 256) X(18, 19, 288) X(20, 21, 320) X(22, 23, 352) X(24, 25, 384) X(26, 27, 416) X(28, 29, 448)           \
    X(30, 31, 480)
/* clang-format on */

uint64_t cpu_vectors_across_call(const struct cpu_vectors *in, struct cpu_vectors *out, uint64_t number, uint64_t a0)
{
    register uint64_t x8 __asm__("x8") = number;
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = 0;
    register const struct cpu_vectors *from __asm__("x19") = in;
    register struct cpu_vectors *to __asm__("x20") = out;
    __asm__ volatile(ALL(LOAD) "svc #0\n\t" ALL(STORE)
                     : "+r"(x0), "+r"(x1)
                     : "r"(x8), "r"(from), "r"(to)
                     : "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
                       "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
                       "v28", "v29", "v30", "v31");
    return x0;
}

/* PACIA1716: nothing happens where there is no pointer authentication. */
uint64_t cpu_sign(uint64_t address)
{
    register uint64_t x17 __asm__("x17") = address;
    register uint64_t x16 __asm__("x16") = 0;
    __asm__ volatile("hint #8" : "+r"(x17) : "r"(x16));
    return x17 ^ address;
}
