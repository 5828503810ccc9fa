/* SPDX-License-Identifier: MIT
 * A program's first instruction: Bundle in rdi, stack 16-byte aligned. Position independent: the kernel relocates. */
    .text
    .global _start
    .type _start, @function
_start:
    xorl %ebp, %ebp
    leaq main(%rip), %rsi
    call __vectra_start
    ud2
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
