/* SPDX-License-Identifier: MIT
 * One call with every register chosen and every register seen. Order: see enter.h. */
#include "../fuzz.h"

/* clang-format off */
/* 0 rax, 1 rdi, 2 rsi, 3 rdx, 4 r10, 5 r8, 6 r9, 7 rbx, 8 rbp, 9 r12, 10 r13, 11 r14, 12 r15, 13 rcx, 14 r11 */
__asm__(".text\n\t.global fuzz_enter\n\t.type fuzz_enter, @function\nfuzz_enter:\n\t"
        "push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\tpush %rsi\n\t"
        "mov 0(%rdi), %rax\n\tmov 16(%rdi), %rsi\n\tmov 24(%rdi), %rdx\n\tmov 32(%rdi), %r10\n\tmov 40(%rdi), %r8\n\t"
        "mov 48(%rdi), %r9\n\tmov 56(%rdi), %rbx\n\tmov 64(%rdi), %rbp\n\tmov 72(%rdi), %r12\n\tmov 80(%rdi), %r13\n\t"
        "mov 88(%rdi), %r14\n\tmov 96(%rdi), %r15\n\tmov 8(%rdi), %rdi\n\t"
        "syscall\n\t"
        "push %rax\n\tmov 8(%rsp), %rax\n\tmov %rdi, 8(%rax)\n\tmov %rsi, 16(%rax)\n\tmov %rdx, 24(%rax)\n\t"
        "mov %r10, 32(%rax)\n\tmov %r8, 40(%rax)\n\tmov %r9, 48(%rax)\n\tmov %rbx, 56(%rax)\n\tmov %rbp, 64(%rax)\n\t"
        "mov %r12, 72(%rax)\n\tmov %r13, 80(%rax)\n\tmov %r14, 88(%rax)\n\tmov %r15, 96(%rax)\n\tmov %rcx, 104(%rax)\n\t"
        "mov %r11, 112(%rax)\n\tpop %rcx\n\tmov %rcx, 0(%rax)\n\t"
        "pop %rsi\n\tpop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\tret\n");
/* A thread's entry, which is not called as a C function is. */
__asm__(".text\n\t.global fuzz_begin\n\t.type fuzz_begin, @function\nfuzz_begin:\n\txor %ebp, %ebp\n\tcall fuzz_play\n\tud2\n");
/* A thread that ends at once. */
__asm__(".text\n\t.global fuzz_leave\n\t.type fuzz_leave, @function\nfuzz_leave:\n\t"
        "mov $40, %eax\n\txor %edi, %edi\n\txor %esi, %esi\n\txor %edx, %edx\n\txor %r10d, %r10d\n\tsyscall\n\tud2\n");
/* clang-format on */

const uint32_t fuzz_registers = 15;
const uint32_t fuzz_result[2] = { 0, 3 };
const uint32_t fuzz_number = 0;
const uint32_t fuzz_argument[5] = { 1, 2, 3, 4, 5 };
const uint32_t fuzz_lost = 1u << 13 | 1u << 14;
