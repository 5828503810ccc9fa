/* SPDX-License-Identifier: MIT
 * Moves the vector registers; fp.c decides when. The layout is struct fp_state. */
    .arch_extension simd
.macro each_pair op, base
    .irp    n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
    pair    \op, \n, \base
    .endr
.endm
.altmacro
.macro pair op, n, base
    pair2   \op, \n, %(\n + 1), \base
.endm
.macro pair2 op, a, b, base
    \op     q\a, q\b, [\base, #(\a * 16)]
.endm

    .text
/* void fp_swap(struct fp_state *from, const struct fp_state *to): stores and loads */
    .globl fp_swap
fp_swap:
    each_pair stp, x0
    mrs     x2, fpsr
    mrs     x3, fpcr
    str     w2, [x0, #512]
    str     w3, [x0, #516]
    mov     x0, x1
/* void fp_load(const struct fp_state *s) */
    .globl fp_load
fp_load:
    each_pair ldp, x0
    ldr     w1, [x0, #512]
    ldr     w2, [x0, #516]
    msr     fpsr, x1
    msr     fpcr, x2
    ret

/* void fp_fill(uint64_t pattern): every vector register; and no modes, no flags */
    .globl fp_fill
fp_fill:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    dup     v\n\().2d, x0
    .endr
    msr     fpsr, xzr
    msr     fpcr, xzr
    ret
