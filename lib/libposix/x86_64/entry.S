/* SPDX-License-Identifier: MIT
 * A further thread's first instructions: its record in rdi, its id in rsi. */
    .text
    .global px_thread_entry
    .hidden px_thread_main
    .type px_thread_entry, @function
px_thread_entry:
    xorl %ebp, %ebp
    andq $-16, %rsp
    call px_thread_main
    ud2
    .size px_thread_entry, . - px_thread_entry

/* px_call_on_stack(signal, info, context, handler, top): rdi rsi rdx rcx r8. */
    .global px_call_on_stack
    .type px_call_on_stack, @function
px_call_on_stack:
    pushq %rbp
    movq %rsp, %rbp
    andq $-16, %r8
    movq %r8, %rsp
    call *%rcx
    movq %rbp, %rsp
    popq %rbp
    ret
    .size px_call_on_stack, . - px_call_on_stack

/* vfork: hands px_vfork the registers that a return needs: rbx rbp r12-r15, the stack behind it, the address. */
    .global vfork
    .hidden px_vfork
    .type vfork, @function
vfork:
    movq (%rsp), %rax
    leaq 8(%rsp), %rdx
    subq $184, %rsp
    movq %rbx, (%rsp)
    movq %rbp, 8(%rsp)
    movq %r12, 16(%rsp)
    movq %r13, 24(%rsp)
    movq %r14, 32(%rsp)
    movq %r15, 40(%rsp)
    movq %rdx, 48(%rsp)
    movq %rax, 56(%rsp)
    movq %rsp, %rdi
    call px_vfork
    addq $184, %rsp
    movq %rax, %rdi
    jmp __syscall_ret
    .size vfork, . - vfork

/* px_vfork_again(registers, value): rdi rsi. */
    .global px_vfork_again
    .type px_vfork_again, @function
px_vfork_again:
    movq (%rdi), %rbx
    movq 8(%rdi), %rbp
    movq 16(%rdi), %r12
    movq 24(%rdi), %r13
    movq 32(%rdi), %r14
    movq 40(%rdi), %r15
    movq 56(%rdi), %rdx
    movq 48(%rdi), %rsp
    movq %rsi, %rdi
    pushq %rdx
    jmp __syscall_ret
    .size px_vfork_again, . - px_vfork_again

    .section .note.GNU-stack, "", @progbits
