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

    .section .note.GNU-stack, "", @progbits
