/* SPDX-License-Identifier: MIT
 * Whole pages: zero, copy, and making code visible. The block size of DC ZVA and the line sizes of the caches come from
 * the hart itself ([Arm-ARM] "DCZID_EL0", "CTR_EL0"); both are 1 to 5 instructions to find out. */
    .text
/* void arch_page_zero(void *page) */
    .globl arch_page_zero
arch_page_zero:
    mrs     x1, dczid_el0           /* log2 of words in bits 3:0; bit 4: prohibited */
    cmp     x1, #7
    b.hi    2f                      /* the loop divides a page into eights: blocks of up to 512 bytes */
    mov     x2, #4
    lsl     x1, x2, x1
    add     x3, x0, #4096
1:  .rept   8
    dc      zva, x0
    add     x0, x0, x1
    .endr
    cmp     x0, x3
    b.ne    1b
    ret
2:  add     x3, x0, #4096
3:  .irp    at, 0, 16, 32, 48, 64, 80, 96, 112
    stp     xzr, xzr, [x0, #\at]
    .endr
    add     x0, x0, #128
    cmp     x0, x3
    b.ne    3b
    ret

/* void arch_page_copy(void *dst, const void *src) */
    .globl arch_page_copy
arch_page_copy:
    add     x2, x0, #4096
1:  .irp    at, 0, 16, 32, 48, 64, 80, 96, 112
    ldp     x3, x4, [x1, #\at]
    stp     x3, x4, [x0, #\at]
    .endr
    add     x1, x1, #128
    add     x0, x0, #128
    cmp     x0, x2
    b.ne    1b
    ret

/* void arch_sync_icache(const void *p, size_t len_bytes) */
    .globl arch_sync_icache
arch_sync_icache:
    cbz     x1, 4f
    add     x1, x0, x1
    mrs     x2, ctr_el0
    tbnz    x2, #28, 2f             /* IDC: data need not be cleaned */
    ubfx    x3, x2, #16, #4
    mov     x4, #4
    lsl     x3, x4, x3              /* bytes in the smallest data cache line */
    neg     x4, x3
    and     x0, x0, x4
    sub     x4, x1, x3, lsl #4      /* sixteen lines at a time as long as there are so many */
    cmp     x0, x4
    b.hi    1f
0:  .rept   16
    dc      cvau, x0
    add     x0, x0, x3
    .endr
    cmp     x0, x4
    b.ls    0b
    cmp     x0, x1
    b.hs    2f
1:  dc      cvau, x0
    add     x0, x0, x3
    cmp     x0, x1
    b.lo    1b
2:  dsb     ish
    tbnz    x2, #29, 3f             /* DIC: instructions need not be invalidated */
    ic      ialluis                 /* the code is usually mapped elsewhere too, so by address would not do */
    dsb     ish
3:  isb
4:  ret
