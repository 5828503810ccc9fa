/* SPDX-License-Identifier: MIT
 * All of xmm, ymm or zmm and the mask registers, whichever the processor has and the kernel lets us use, and MXCSR.
 * In memory: registers of `width` bytes, then eight mask registers, then MXCSR in eight bytes.
 * Source: [SDM-1] "Detection of AVX Instructions", "Detection of AVX-512 Foundation Instructions". */
#include "../smp.h"

enum : uint32_t { INITIAL_MXCSR = 0x1f80 };

/* 16: SSE, 32: AVX, 64: AVX-512. vec_witness reads it. */
uint32_t vec_width;

static uint64_t xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static uint32_t width(void)
{
    uint32_t a = 1, b, c = 0, d;
    if (vec_width != 0)
        return vec_width;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    vec_width = 16;
    if ((c >> 27 & 1) != 0 && (c >> 28 & 1) != 0 && (xcr0() & 6) == 6) {
        vec_width = 32;
        a = 7;
        c = 0;
        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        if ((b >> 16 & 1) != 0 && (xcr0() & 0xe6) == 0xe6)
            vec_width = 64;
    }
    return vec_width;
}

static uint32_t count(void)
{
    return width() == 64 ? 32 : 16;
}

static uint32_t masks(void)
{
    return width() == 64 ? 64 : 0;
}

uint32_t vec_bytes(void)
{
    return width() * count() + masks() + 8;
}

void vec_fill(uint8_t *state, uint64_t *random)
{
    for (uint32_t i = 0; i < vec_bytes(); i += 8)
        *(uint64_t *)(void *)(state + i) = play_random(random);
    if (masks() != 0) /* without AVX-512BW a mask has 16 bits */
        for (uint32_t i = 0; i < 8; i++)
            *(uint64_t *)(void *)(state + width() * count() + i * 8) &= 0xffff;
    *(uint64_t *)(void *)(state + vec_bytes() - 8) = INITIAL_MXCSR | (play_random(random) & 3) << 13;
}

void vec_initial(uint8_t *state)
{
    memset(state, 0, vec_bytes());
    *(uint64_t *)(void *)(state + vec_bytes() - 8) = INITIAL_MXCSR;
}

#define SIXTEEN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define SIXTEEN_MORE(X) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define EIGHT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define LOAD_X(n) "movdqu " #n "*16(%[in]), %%xmm" #n "\n\t"
#define STORE_X(n) "movdqu %%xmm" #n ", " #n "*16(%[out])\n\t"
#define LOAD_Y(n) "vmovdqu " #n "*32(%[in]), %%ymm" #n "\n\t"
#define STORE_Y(n) "vmovdqu %%ymm" #n ", " #n "*32(%[out])\n\t"
#define LOAD_Z(n) "vmovdqu64 " #n "*64(%[in]), %%zmm" #n "\n\t"
#define STORE_Z(n) "vmovdqu64 %%zmm" #n ", " #n "*64(%[out])\n\t"
#define LOAD_K(n) "kmovw 2048+" #n "*8(%[in]), %%k" #n "\n\t"
#define STORE_K(n) "kmovw %%k" #n ", 2048+" #n "*8(%[out])\n\t"

/* The call stands between load and store, so that no compiler can move anything there. */
#define ACROSS(load, store, control)                                                                                   \
    __asm__ volatile("ldmxcsr " control "(%[in])\n\t" load                                                             \
                     "1: test %[spins], %[spins]\n\tjz 2f\n\tdec %[spins]\n\tjmp 1b\n\t"                               \
                     "2: cmp $-1, %%rax\n\tje 3f\n\tsyscall\n\t"                                                       \
                     "3: " store "stmxcsr " control "(%[out])\n\t"                                                     \
                     : "+a"(rax), [spins] "+r"(spins), "+D"(rdi), "+S"(rsi)                                            \
                     : [in] "r"(in), [out] "r"(out)                                                                    \
                     : "rcx", "rdx", "r11", "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",    \
                       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

uint64_t vec_across(const uint8_t *in, uint8_t *out, uint64_t spins, uint64_t number, uint64_t a0)
{
    uint64_t rax = number, rdi = a0, rsi = 0;
    uint32_t before;
    __asm__ volatile("stmxcsr %0" : "=m"(before));
    if (width() == 64)
        ACROSS(SIXTEEN(LOAD_Z) SIXTEEN_MORE(LOAD_Z) EIGHT(LOAD_K),
               SIXTEEN(STORE_Z) SIXTEEN_MORE(STORE_Z) EIGHT(STORE_K), "2112");
    else if (width() == 32)
        ACROSS(SIXTEEN(LOAD_Y), SIXTEEN(STORE_Y), "512");
    else
        ACROSS(SIXTEEN(LOAD_X), SIXTEEN(STORE_X), "256");
    __asm__ volatile("ldmxcsr %0" ::"m"(before));
    return rax;
}

/* rdi: where to; nothing has touched a vector register before. Ends in THREAD_EXIT(0, 0, 0, 0). */
#define W_X(n) "movdqu %xmm" #n ", " #n "*16(%rdi)\n\t"
#define W_Y(n) "vmovdqu %ymm" #n ", " #n "*32(%rdi)\n\t"
#define W_Z(n) "vmovdqu64 %zmm" #n ", " #n "*64(%rdi)\n\t"
#define W_K(n) "kmovw %k" #n ", 2048+" #n "*8(%rdi)\n\t"
/* clang-format off */
__asm__(".text\n\t.global vec_witness\n\t.type vec_witness, @function\nvec_witness:\n\t"
        "mov vec_width(%rip), %eax\n\tcmp $32, %eax\n\tje 2f\n\tja 3f\n\t"
        SIXTEEN(W_X) "stmxcsr 256(%rdi)\n\tjmp 4f\n"
        "2:\t" SIXTEEN(W_Y) "stmxcsr 512(%rdi)\n\tjmp 4f\n"
        "3:\t" SIXTEEN(W_Z) SIXTEEN_MORE(W_Z) EIGHT(W_K) "stmxcsr 2112(%rdi)\n"
        "4:\tmov $40, %eax\n\txor %edi, %edi\n\txor %esi, %esi\n\txor %edx, %edx\n\txor %r10d, %r10d\n\tsyscall\n\tud2\n");
/* clang-format on */
