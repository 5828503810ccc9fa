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

    .section .note.GNU-stack, "", @progbits
