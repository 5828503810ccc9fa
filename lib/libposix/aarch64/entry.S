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

/* vfork: hands px_vfork the registers that a return needs: x19-x30, the stack behind it, d8-d15. */
    .arch_extension fp
    .global vfork
    .hidden px_vfork
    .type vfork, %function
vfork:
    mov x9, sp
    sub sp, sp, #176
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    str x9, [sp, #96]
    stp d8, d9, [sp, #104]
    stp d10, d11, [sp, #120]
    stp d12, d13, [sp, #136]
    stp d14, d15, [sp, #152]
    mov x0, sp
    bl px_vfork
    ldr x30, [sp, #88]
    add sp, sp, #176
    b __syscall_ret
    .size vfork, . - vfork

/* px_vfork_again(registers, value): x0 x1. */
    .global px_vfork_again
    .type px_vfork_again, %function
px_vfork_again:
    ldp x19, x20, [x0]
    ldp x21, x22, [x0, #16]
    ldp x23, x24, [x0, #32]
    ldp x25, x26, [x0, #48]
    ldp x27, x28, [x0, #64]
    ldp x29, x30, [x0, #80]
    ldr x9, [x0, #96]
    ldp d8, d9, [x0, #104]
    ldp d10, d11, [x0, #120]
    ldp d12, d13, [x0, #136]
    ldp d14, d15, [x0, #152]
    mov sp, x9
    mov x0, x1
    b __syscall_ret
    .size px_vfork_again, . - px_vfork_again

    .section .note.GNU-stack, "", %progbits
