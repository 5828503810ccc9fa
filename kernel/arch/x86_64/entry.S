/* SPDX-License-Identifier: MIT
 * Into the kernel and out of it.
 *
 * A thread's registers go straight into its frame: system calls store them there, and for traps from user mode the task
 * state segment's stack pointer is the end of that frame, so the processor starts what the stub finishes. Interrupts
 * stay masked in the kernel but for arch_idle_wait(), so nothing here nests, except for the four vectors that have a stack
 * of their own (#DB, NMI, #DF, #MC). */
#include "x86.h"

    /* F_rax and so on: where struct arch_frame (isa/frame.h) has them; frame.c asserts the order. */
    .set at, 0
    .irp reg, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, how, error, rip, cs, rflags, rsp, ss
    .set F_\reg, at
    .set at, at + 8
    .endr
    .set F_BYTES, at

    .macro STORE regs:vararg /* to the frame at rsp */
    .irp reg, \regs
    movq %\reg, F_\reg(%rsp)
    .endr
    .endm

    .macro LOAD base, regs:vararg /* from the frame at base */
    .irp reg, \regs
    movq F_\reg(%\base), %\reg
    .endr
    .endm

    .macro SAVE_GPRS
    .irp reg, rdi, rsi, rdx, rcx, rax, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
    pushq %\reg
    .endr
    .endm

    .macro RESTORE_GPRS
    .irp reg, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
    popq %\reg
    .endr
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
    movq %rcx, F_rip(%rsp)
    movq %gs:HART_USER_RSP, %rcx
    movq %r11, F_rflags(%rsp)
    movq %rcx, F_rsp(%rsp)
    STORE rax, rdi, rsi, rdx, r10, r8, r9, rbx, rbp, r12, r13, r14, r15
    movq $0x100, F_how(%rsp) /* X86_FRAME_SYSCALL */
    movq %gs:HART_STACK_TOP, %rsp
    xorl %ebp, %ebp /* the kernel's chain of stack frames ends here */
    GATE_ENTER %ecx, 4f
5:  movl $63, %ecx /* the last of SYSCALL_TABLE_ENTRIES, which answers ERR_BAD_SYSCALL */
    cmpq %rcx, %rax
    cmovaq %rcx, %rax /* no branch: the processor does not speculate beyond the table either */
    movq %r10, %rcx
    movq %gs:HART_SYSCALLS, %r11
    callq *(%r11,%rax,8)
1:  cmpl $0, %gs:HART_NEED_SWITCH
    jne 3f
    /* rbx and r12 to r15 were kept by the C code; whatever else it left is overwritten. */
    movq %gs:HART_FRAME, %rsp
    movl $0, %gs:HART_GATE /* a store is a release: [SDM-3] "Memory Ordering" */
    movq F_rip(%rsp), %rcx
    movq F_rflags(%rsp), %r11
    LOAD rsp, rbp, rdi, rsi, r8, r9, r10, rsp
    swapgs
    sysretq
3:  movq %rax, %rdi
    movq %rdx, %rsi
    call kernel_syscall_slow
    ud2
4:  movl $1, %edi
    call kernel_gate_closed
    movq %gs:HART_FRAME, %rcx
    LOAD rcx, rax, rdi, rsi, rdx, r10, r8, r9
    jmp 5b

    .globl arch_resume
    .balign 16
arch_resume:
    movq %gs:HART_FRAME, %rsp
    movq %gs:HART_X86, %rax
    leaq F_BYTES(%rsp), %rcx
    movq %rcx, X86_HART_RSP0(%rax)
    movl $0, %gs:HART_GATE
    cmpq $0x100, F_how(%rsp)
    jne 1f
    movq F_rflags(%rsp), %r11
    movq F_rip(%rsp), %rcx
    LOAD rsp, r15, r14, r13, r12, rbp, rbx, r10, r9, r8, rax, rdx, rsi, rdi, rsp
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
    SMAP clac
    movq %rsp, %rdi
    testb $3, F_cs(%rsp)
    jz 1f
    swapgs
trap_user:
    movq F_how(%rdi), %rsi
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
    SMAP clac
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
