/* SPDX-License-Identifier: MIT
 * Into the kernel and out of it.
 *
 * A thread's registers go straight into its frame: system calls store them there, and for traps from user mode the task
 * state segment's stack pointer is the end of that frame, so the processor starts what the stub finishes. Interrupts
 * stay masked in the kernel but for arch_idle_wait(), so nothing here nests, except for the four vectors that have a stack
 * of their own (#DB, NMI, #DF, #MC). */
#include "x86.h"

    .macro CLAC /* boot turns it into a no-op where there is no SMAP */
9:  clac
    .pushsection .smap_sites, "a"
    .quad 9b
    .popsection
    .endm

    .macro SAVE_GPRS
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    .endm

    .macro RESTORE_GPRS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    .endm

    .macro GATE_ENTER via, closed /* kernel/gate.h; xchg with memory is an acquire and a release */
    movl $1, \via
    xchgl \via, %gs:HART_GATE
    testl \via, \via
    jnz \closed
    .endm

    .text
/* syscall: rcx = user rip, r11 = user rflags; rsp and everything else are the user's. [SDM-2] "SYSCALL" */
    .globl x86_syscall_entry
    .balign 64
x86_syscall_entry:
    swapgs
    movq %rsp, %gs:HART_USER_RSP
    movq %gs:HART_FRAME, %rsp
    movq %rcx, F_RIP(%rsp)
    movq %gs:HART_USER_RSP, %rcx
    movq %r11, F_RFLAGS(%rsp)
    movq %rcx, F_RSP(%rsp)
    movq %rax, F_RAX(%rsp)
    movq %rdi, F_RDI(%rsp)
    movq %rsi, F_RSI(%rsp)
    movq %rdx, F_RDX(%rsp)
    movq %r10, F_R10(%rsp)
    movq %r8, F_R8(%rsp)
    movq %r9, F_R9(%rsp)
    movq %rbx, F_RBX(%rsp)
    movq %rbp, F_RBP(%rsp)
    movq %r12, F_R12(%rsp)
    movq %r13, F_R13(%rsp)
    movq %r14, F_R14(%rsp)
    movq %r15, F_R15(%rsp)
    movq $0x100, F_HOW(%rsp) /* X86_FRAME_SYSCALL */
    movq %gs:HART_STACK_TOP, %rsp
    xorl %ebp, %ebp /* the kernel's chain of stack frames ends here */
    GATE_ENTER %ecx, 4f
5:  cmpq $64, %rax /* SYSCALL_TABLE_ENTRIES */
    jae 2f
    andl $63, %eax /* within the table even where the processor guesses that the branch was not taken */
    movq %r10, %rcx
    movq %gs:HART_SYSCALLS, %r11
    callq *(%r11,%rax,8)
1:  cmpl $0, %gs:HART_NEED_SWITCH
    jne 3f
    /* rbx and r12 to r15 were kept by the C code; whatever else it left is overwritten. */
    movq %gs:HART_FRAME, %rsp
    movl $0, %gs:HART_GATE /* a store is a release: [SDM-3] "Memory Ordering" */
    movq F_RBP(%rsp), %rbp
    movq F_RIP(%rsp), %rcx
    movq F_RFLAGS(%rsp), %r11
    movq F_RDI(%rsp), %rdi
    movq F_RSI(%rsp), %rsi
    movq F_R8(%rsp), %r8
    movq F_R9(%rsp), %r9
    movq F_R10(%rsp), %r10
    movq F_RSP(%rsp), %rsp
    swapgs
    sysretq
2:  movq $-1, %rax /* ERR_BAD_SYSCALL */
    xorl %edx, %edx
    jmp 1b
3:  movq %rax, %rdi
    movq %rdx, %rsi
    call kernel_syscall_slow
    ud2
4:  movl $1, %edi
    call kernel_gate_closed
    movq %gs:HART_FRAME, %rcx
    movq F_RAX(%rcx), %rax
    movq F_RDI(%rcx), %rdi
    movq F_RSI(%rcx), %rsi
    movq F_RDX(%rcx), %rdx
    movq F_R10(%rcx), %r10
    movq F_R8(%rcx), %r8
    movq F_R9(%rcx), %r9
    jmp 5b

    .globl arch_resume
    .balign 16
arch_resume:
    movq %gs:HART_FRAME, %rsp
    movq %gs:HART_X86, %rax
    leaq F_BYTES(%rsp), %rcx
    movq %rcx, X86_HART_RSP0(%rax)
    movl $0, %gs:HART_GATE
    cmpq $0x100, F_HOW(%rsp)
    jne 1f
    movq F_R15(%rsp), %r15
    movq F_R14(%rsp), %r14
    movq F_R13(%rsp), %r13
    movq F_R12(%rsp), %r12
    movq F_RBP(%rsp), %rbp
    movq F_RBX(%rsp), %rbx
    movq F_RFLAGS(%rsp), %r11
    movq F_R10(%rsp), %r10
    movq F_R9(%rsp), %r9
    movq F_R8(%rsp), %r8
    movq F_RAX(%rsp), %rax
    movq F_RIP(%rsp), %rcx
    movq F_RDX(%rsp), %rdx
    movq F_RSI(%rsp), %rsi
    movq F_RDI(%rsp), %rdi
    movq F_RSP(%rsp), %rsp
    swapgs
    sysretq
1:  RESTORE_GPRS
    addq $16, %rsp
    swapgs
    iretq

/* One stub for each vector: eight bytes, so that the table of gates needs no table of addresses. The vector is pushed as a
 * sign-extended byte; C masks it. */
    .globl x86_vectors
    .balign 8
x86_vectors:
    .set vector, 0
    .rept 256
    .balign 8
    .byte 0x6a, vector /* push $vector */
    .if vector == 1 || vector == 2 || vector == 18
    jmp trap_ist_no_error
    .elseif vector == 8
    jmp trap_ist
    .elseif vector == 10 || vector == 11 || vector == 12 || vector == 13 || vector == 14 || vector == 17 || vector == 21 || vector == 29 || vector == 30
    jmp trap_error
    .else
    jmp trap_no_error
    .endif
    .set vector, vector + 1
    .endr

    .balign 16
trap_no_error:
    pushq (%rsp) /* in place of the error code lies the vector once more */
trap_error:
    SAVE_GPRS
    cld
    CLAC
    movq %rsp, %rdi
    testb $3, F_CS(%rsp)
    jz 1f
    swapgs
trap_user:
    movq F_HOW(%rdi), %rsi
    movq %gs:HART_STACK_TOP, %rsp
    xorl %ebp, %ebp
    GATE_ENTER %eax, 3f
2:  call x86_trap_user
    ud2
3:  movq %rdi, %rbx
    movq %rsi, %r12
    xorl %edi, %edi
    call kernel_gate_closed
    movq %rbx, %rdi
    movq %r12, %rsi
    jmp 2b
1:  call x86_trap_kernel
    RESTORE_GPRS
    addq $16, %rsp
    iretq

/* These may hit between any two instructions, so cs does not tell whose GS base is active; its sign does. From user mode
 * the frame is copied to where every other trap leaves it. */
trap_ist_no_error:
    pushq (%rsp)
trap_ist:
    SAVE_GPRS
    cld
    CLAC
    movl $MSR_GS_BASE, %ecx
    rdmsr
    testl %edx, %edx
    js 1f
    swapgs
1:  movq %rsp, %rdi
    call x86_trap_ist
    movq %gs:HART_FRAME, %rdi
    jmp trap_user

    .section .note.GNU-stack, "", @progbits
