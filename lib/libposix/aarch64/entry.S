/* SPDX-License-Identifier: MIT
 * A further thread's first instructions: its record in x0, its id in x1. */
    .text
    .global px_thread_entry
    .hidden px_thread_main
    .type px_thread_entry, %function
px_thread_entry:
    mov x29, xzr
    mov x30, xzr
    bl px_thread_main
    brk #1
    .size px_thread_entry, . - px_thread_entry

    .section .note.GNU-stack, "", %progbits
