/* SPDX-License-Identifier: MIT
 * A Task's first instruction: Bundle in x0, stack 16-byte aligned; and a thread's: argument in x0, id in x1. */
    .section .text._start, "ax", %progbits
    .global _start
    .hidden vx_start
    .type _start, %function
_start:
    mov x29, xzr
    mov x30, xzr
    bl vx_start
    brk #1
    .size _start, . - _start

    .section .text.vx_thread_entry, "ax", %progbits
    .global vx_thread_entry
    .hidden vx_thread_main
    .type vx_thread_entry, %function
vx_thread_entry:
    mov x29, xzr
    mov x30, xzr
    bl vx_thread_main
    brk #1
    .size vx_thread_entry, . - vx_thread_entry

    .section .note.GNU-stack, "", %progbits
