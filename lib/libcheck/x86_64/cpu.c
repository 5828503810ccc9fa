/* SPDX-License-Identifier: MIT */
#include <check/cpu.h>

const uint32_t cpu_n_vectors = 16;
const uint8_t cpu_code_42[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 }; /* mov eax, 42; ret */
const size_t cpu_code_42_len = sizeof cpu_code_42;

void cpu_undefined(void)
{
    __asm__ volatile("ud2");
}

void cpu_breakpoint(void)
{
    __asm__ volatile("int3");
}

void cpu_privileged(void)
{
    __asm__ volatile("hlt");
}

void cpu_touch_device(void)
{
    __asm__ volatile("outb %0, %1" ::"a"((uint8_t)'!'), "Nd"((uint16_t)0x3f8));
}

void cpu_vectors_touch(void)
{
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0" ::: "xmm0");
}

#define LOAD(n) "movdqu " #n "*16(%[in]), %%xmm" #n "\n\t"
#define STORE(n) "movdqu %%xmm" #n ", " #n "*16(%[out])\n\t"
#define ALL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

uint64_t cpu_vectors_across_call(const struct cpu_vectors *in, struct cpu_vectors *out, uint64_t number, uint64_t a0)
{
    uint64_t rax = number;
    __asm__ volatile(ALL(LOAD) "syscall\n\t" ALL(STORE)
                     : "+a"(rax)
                     : [in] "r"(in), [out] "r"(out), "D"(a0), "S"(UINT64_C(0))
                     : "rcx", "rdx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    return rax;
}

uint64_t cpu_sign(uint64_t)
{
    return 0;
}
