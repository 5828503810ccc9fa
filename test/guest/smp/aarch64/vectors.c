/* SPDX-License-Identifier: MIT
 * Q0 to Q31, then FPCR and FPSR in eight bytes each. */
#include "../smp.h"

enum : uint32_t { REGISTERS = 32, CONTROL = REGISTERS * 16 };

uint32_t vec_bytes(void)
{
    return CONTROL + 16;
}

static uint64_t *word(uint8_t *state, uint32_t at)
{
    return (uint64_t *)(void *)(state + at);
}

void vec_fill(uint8_t *state, uint64_t *random)
{
    for (uint32_t i = 0; i < CONTROL; i += 8)
        *word(state, i) = play_random(random);
    *word(state, CONTROL) = (play_random(random) & 3) << 22; /* rounding mode */
    *word(state, CONTROL + 8) = play_random(random) & 0x1f;  /* cumulative exception flags */
}

void vec_initial(uint8_t *state)
{
    memset(state, 0, vec_bytes());
}

/* clang-format off */
#define PAIRS(X) \
    X(0, 1) X(2, 3) X(4, 5) X(6, 7) X(8, 9) X(10, 11) X(12, 13) X(14, 15) \
    X(16, 17) X(18, 19) X(20, 21) X(22, 23) X(24, 25) X(26, 27) X(28, 29) X(30, 31)
/* clang-format on */
#define LOAD(a, b) "ldp q" #a ", q" #b ", [%[in], #" #a "*16]\n\t"
#define STORE(a, b) "stp q" #a ", q" #b ", [%[out], #" #a "*16]\n\t"

uint64_t vec_across(const uint8_t *in, uint8_t *out, uint64_t spins, uint64_t number, uint64_t a0)
{
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = 0;
    register uint64_t x8 __asm__("x8") = number;
    uint64_t fpcr = *(const uint64_t *)(const void *)(in + CONTROL);
    uint64_t fpsr = *(const uint64_t *)(const void *)(in + CONTROL + 8), old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    __asm__ volatile("msr fpcr, %[fpcr]\n\tmsr fpsr, %[fpsr]\n\t" PAIRS(
                         LOAD) "1: cbz %[spins], 2f\n\tsub %[spins], %[spins], #1\n\tb 1b\n\t"
                               "2: cmn x8, #1\n\tb.eq 3f\n\tsvc #0\n\t"
                               "3: " PAIRS(STORE) "mrs %[fpcr], fpcr\n\tmrs %[fpsr], fpsr\n\t"
                     : "+r"(x0), "+r"(x1), "+r"(x8), [spins] "+r"(spins), [fpcr] "+r"(fpcr), [fpsr] "+r"(fpsr)
                     : [in] "r"(in), [out] "r"(out)
                     : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
                       "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
                       "v27", "v28", "v29", "v30", "v31");
    __asm__ volatile("msr fpcr, %0" ::"r"(old));
    *word(out, CONTROL) = fpcr;
    *word(out, CONTROL + 8) = fpsr;
    return x0;
}

/* x0: where to; nothing has touched a vector register before. Ends in THREAD_EXIT(0, 0, 0, 0). */
#define W(a, b) "stp q" #a ", q" #b ", [x0, #" #a "*16]\n\t"
__asm__(".text\n\t.global vec_witness\n\t.type vec_witness, %function\nvec_witness:\n\t" PAIRS(
    W) "mrs x1, fpcr\n\tstr x1, [x0, #512]\n\tmrs x1, fpsr\n\tstr x1, [x0, #520]\n\t"
       "mov x8, #40\n\tmov x0, xzr\n\tmov x1, xzr\n\tmov x2, xzr\n\tmov x3, xzr\n\tsvc #0\n\tbrk #1\n");
