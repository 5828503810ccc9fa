/* SPDX-License-Identifier: MIT
 * A program's first instruction: Bundle in x0, stack 16-byte aligned. Position independent: the kernel relocates. */
    .text
    .global _start
    .type _start, %function
_start:
    mov x29, xzr
    mov x30, xzr
    adrp x1, main
    add x1, x1, :lo12:main
    bl __vectra_start
    brk #1
    .size _start, . - _start

    .section .note.GNU-stack, "", %progbits
