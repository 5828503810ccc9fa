/* SPDX-License-Identifier: MIT
 * Copies between kernel and user memory, and whole pages. A fault between the two labels of a fix-up entry makes
 * x86_trap_kernel() go on at its third, which answers ERR_BAD_ADDRESS. Access to user pages is open (AC set) only here.
 *
 * A long copy goes by words with one string instruction: under emulation, where an element costs as much as an
 * instruction, that is an eighth of what bytes would cost, and processors with fast strings do not mind. */
#include "x86.h"

    .macro FIXUP from, to, landing=bad_address
    .pushsection .fixup, "a"
    .quad \from, \to, \landing
    .popsection
    .endm

    .macro COPY_WORD offset, via
    movq \offset(%rsi), %\via
    movq %\via, \offset(%rdi)
    .endm

    .macro COPY_64 /* eight plain loads and stores, lowest address first; rdx stays */
    .irp offset, 0, 16, 32, 48
    COPY_WORD \offset, rax
    COPY_WORD \offset + 8, rcx
    .endr
    .endm

    .text
bad_address:
    SMAP clac
    movl $-5, %eax /* ERR_BAD_ADDRESS */
    ret

    .globl arch_copy_from_user, arch_copy_to_user
    .balign 16
arch_copy_from_user:
arch_copy_to_user:
    SMAP stac
1:  cmpq $256, %rdx
    jae 7f
2:  subq $64, %rdx
    jb 4f
3:  COPY_64
    addq $64, %rsi
    addq $64, %rdi
    subq $64, %rdx
    jae 3b
4:  addq $56, %rdx
    jnc 6f
5:  COPY_WORD 0, rax
    addq $8, %rsi
    addq $8, %rdi
    subq $8, %rdx
    jae 5b
6:  addq $8, %rdx
    jz 8f
61: movb (%rsi), %al
    movb %al, (%rdi)
    incq %rsi
    incq %rdi
    decq %rdx
    jnz 61b
    jmp 8f
7:  movq %rdx, %rcx
    shrq $3, %rcx
    rep movsq
    andl $7, %edx
    jnz 61b
8:  SMAP clac
    xorl %eax, %eax
    ret
    FIXUP 1b, 8b

/* [SDM-1] "Fundamental Data Types": eight plain loads and stores, lowest address first. */
    .globl arch_copy_message_from_user, arch_copy_message_to_user
    .balign 16
arch_copy_message_from_user:
arch_copy_message_to_user:
    SMAP stac
1:  COPY_64
2:  SMAP clac
    xorl %eax, %eax
    ret
    FIXUP 1b, 2b

/* status_t arch_copy_message_across(as, dst, src): the message is in registers while the address space changes, but for one
 * word, for which there is none. Keeps the invariants of mmu.c: the bit of this hart is set before cr3 changes, the other one
 * cleared after it; a locked instruction is a fence. */
    .globl arch_copy_message_across
    .balign 16
arch_copy_message_across:
    movq %gs:HART_ASPACE, %rcx
    cmpq %rdi, %rcx
    je 6f
    movl ASPACE_GENERAL(%rcx), %eax
    orl ASPACE_GENERAL(%rdi), %eax
    jne 6f
    pushq %rcx
    movq %rdi, %gs:HART_ASPACE
    movl %gs:HART_ID, %eax
    lock btsq %rax, ASPACE_HARTS(%rdi)
    SMAP stac
1:  pushq (%rdx)
2:  movq 8(%rdx), %rax
    movq 16(%rdx), %rcx
    movq 24(%rdx), %r8
    movq 32(%rdx), %r9
    movq 40(%rdx), %r10
    movq 48(%rdx), %r11
    movq 56(%rdx), %rdx
    movq (%rdi), %rdi
    movq %rdi, %cr3
    popq (%rsi)
3:  movq %rax, 8(%rsi)
    movq %rcx, 16(%rsi)
    movq %r8, 24(%rsi)
    movq %r9, 32(%rsi)
    movq %r10, 40(%rsi)
    movq %r11, 48(%rsi)
    movq %rdx, 56(%rsi)
4:  SMAP clac
    popq %rcx
    movl %gs:HART_ID, %eax
    lock btrq %rax, ASPACE_HARTS(%rcx)
    xorl %eax, %eax
    ret
5:  addq $8, %rsp
7:  SMAP clac
    popq %rdi
    jmp x86_stay
6:  jmp x86_copy_across_general
    FIXUP 1b, 2b, 7b
    FIXUP 2b, 3b, 5b
    FIXUP 3b, 4b, 7b

    .globl arch_user_load32
arch_user_load32:
    SMAP stac
1:  movl (%rdi), %ecx
2:  SMAP clac
    movl %ecx, (%rsi)
    xorl %eax, %eax
    ret
    FIXUP 1b, 2b

/* Pages by vectors. The registers belong to the thread; the one that is used is put back. */
    .globl x86_page_zero_avx
x86_page_zero_avx:
    subq $40, %rsp
    vmovdqu %ymm0, (%rsp)
    vpxor %xmm0, %xmm0, %xmm0
    movl $4, %ecx
1:  .set at, 0
    .rept 32
    vmovdqa %ymm0, at(%rdi)
    .set at, at + 32
    .endr
    addq $1024, %rdi
    decl %ecx
    jnz 1b
    vmovdqu (%rsp), %ymm0
    addq $40, %rsp
    ret

    .globl x86_page_copy_avx
x86_page_copy_avx:
    subq $40, %rsp
    vmovdqu %ymm0, (%rsp)
    movl $8, %ecx
1:  .set at, 0
    .rept 16
    vmovdqu at(%rsi), %ymm0
    vmovdqa %ymm0, at(%rdi)
    .set at, at + 32
    .endr
    addq $512, %rsi
    addq $512, %rdi
    decl %ecx
    jnz 1b
    vmovdqu (%rsp), %ymm0
    addq $40, %rsp
    ret

    .section .note.GNU-stack, "", @progbits
