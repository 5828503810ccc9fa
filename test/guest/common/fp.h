/* SPDX-License-Identifier: MIT
 * Vector registers across a system call: all are loaded with a pattern, the call is made, all are stored again, with
 * nothing between that a compiler could move. */
#pragma once
#include <stdint.h>

#if defined(__x86_64__)
enum { FP_REGISTERS = 16 };
#else
enum { FP_REGISTERS = 32 };
#endif

struct fp_image {
    alignas(16) uint64_t half[FP_REGISTERS][2];
};

static inline void fp_pattern(struct fp_image *image, uint64_t seed)
{
    for (unsigned i = 0; i < FP_REGISTERS; i++) {
        image->half[i][0] = seed * 0x9e3779b97f4a7c15u + i;
        image->half[i][1] = ~image->half[i][0] * 3;
    }
}

/* Loads `in`, makes the call `number` with `a0`, stores to `out`; answers the call's first result. */
static inline uint64_t fp_across_call(const struct fp_image *in, struct fp_image *out, uint64_t number, uint64_t a0)
{
#if defined(__x86_64__)
    uint64_t rax = number;
#define LOAD(n) "movdqu " #n "*16(%[in]), %%xmm" #n "\n\t"
#define STORE(n) "movdqu %%xmm" #n ", " #n "*16(%[out])\n\t"
#define ALL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
    __asm__ volatile(ALL(LOAD) "syscall\n\t" ALL(STORE)
                     : "+a"(rax)
                     : [in] "r"(in), [out] "r"(out), "D"(a0), "S"(UINT64_C(0))
                     : "rcx", "rdx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    return rax;
#else
    register uint64_t x8 __asm__("x8") = number;
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = 0;
    register const struct fp_image *from __asm__("x19") = in;
    register struct fp_image *to __asm__("x20") = out;
#define LOAD(n, m, at) "ldp q" #n ", q" #m ", [x19, #" #at "]\n\t"
#define STORE(n, m, at) "stp q" #n ", q" #m ", [x20, #" #at "]\n\t"
#define ALL(X)                                                                                                         \
    X(0, 1, 0)                                                                                                         \
    X(2, 3, 32) X(4, 5, 64) X(6, 7, 96) X(8, 9, 128) X(10, 11, 160) X(12, 13, 192) X(14, 15, 224) X(16, 17, 256)       \
        X(18, 19, 288) X(20, 21, 320) X(22, 23, 352) X(24, 25, 384) X(26, 27, 416) X(28, 29, 448) X(30, 31, 480)
    __asm__ volatile(ALL(LOAD) "svc #0\n\t" ALL(STORE)
                     : "+r"(x0), "+r"(x1)
                     : "r"(x8), "r"(from), "r"(to)
                     : "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
                       "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
                       "v28", "v29", "v30", "v31");
    return x0;
#endif
#undef LOAD
#undef STORE
#undef ALL
}

static inline bool fp_same(const struct fp_image *a, const struct fp_image *b)
{
    for (unsigned i = 0; i < FP_REGISTERS; i++)
        if (a->half[i][0] != b->half[i][0] || a->half[i][1] != b->half[i][1])
            return false;
    return true;
}
