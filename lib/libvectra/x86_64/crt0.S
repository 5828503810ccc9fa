/* SPDX-License-Identifier: MIT
 * A Task's first instruction: Bundle in rdi, stack 16-byte aligned; and a thread's: argument in rdi, id in rsi. */
    .section .text._start, "ax", @progbits
    .global _start
    .hidden vx_start
    .type _start, @function
_start:
    xorl %ebp, %ebp
    call vx_start
    ud2
    .size _start, . - _start

    .section .text.vx_thread_entry, "ax", @progbits
    .global vx_thread_entry
    .hidden vx_thread_main
    .type vx_thread_entry, @function
vx_thread_entry:
    xorl %ebp, %ebp
    andq $-16, %rsp
    call vx_thread_main
    ud2
    .size vx_thread_entry, . - vx_thread_entry

    .section .note.GNU-stack, "", @progbits
