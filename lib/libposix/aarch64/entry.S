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

/* px_call_on_stack(signal, info, context, handler, top): x0 to x4. */
    .global px_call_on_stack
    .type px_call_on_stack, %function
px_call_on_stack:
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    and x4, x4, #~15
    mov sp, x4
    blr x3
    mov sp, x29
    ldp x29, x30, [sp], #16
    ret
    .size px_call_on_stack, . - px_call_on_stack

    .section .note.GNU-stack, "", %progbits
