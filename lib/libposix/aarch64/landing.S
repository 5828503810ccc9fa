/* SPDX-License-Identifier: MIT
 * Where a thread lands, and how it gets its registers back: lib/libposix/landing.h. The layouts are those of abi/landing.h
 * and struct px_landed; vectors lie as the C library's struct fpsimd_context has them. */
    .set VECTORS, 296
    .set VECTORS_BYTES, 528
    .set MAGIC, 0x46508001

    .arch_extension fp
    .arch_extension simd
    .text
/* x0: the record, which is the stack too. All other registers are free but those of vectors. */
    .global px_landing_entry
    .hidden px_landed
    .hidden px_landed_run
    .type px_landing_entry, %function
px_landing_entry:
    mov x29, xzr
    mov x30, xzr
    mov x19, x0
    sub sp, sp, #VECTORS_BYTES
    ldr w1, =MAGIC
    mov w2, #VECTORS_BYTES
    stp w1, w2, [sp]
    mrs x1, fpsr
    mrs x2, fpcr
    stp w1, w2, [sp, #8]
    add x2, sp, #16
    stp q0, q1, [x2, #0]
    stp q2, q3, [x2, #32]
    stp q4, q5, [x2, #64]
    stp q6, q7, [x2, #96]
    stp q8, q9, [x2, #128]
    stp q10, q11, [x2, #160]
    stp q12, q13, [x2, #192]
    stp q14, q15, [x2, #224]
    stp q16, q17, [x2, #256]
    stp q18, q19, [x2, #288]
    stp q20, q21, [x2, #320]
    stp q22, q23, [x2, #352]
    stp q24, q25, [x2, #384]
    stp q26, q27, [x2, #416]
    stp q28, q29, [x2, #448]
    stp q30, q31, [x2, #480]
    mov x0, x19
    mov x1, sp
    bl px_landed
    mov sp, x0
    stlr wzr, [x19]         /* the record's `used` */
    mov x0, sp
    bl px_landed_run
    ldr x2, [sp, #VECTORS]
    ldp w0, w1, [x2, #8]
    msr fpsr, x0
    msr fpcr, x1
    add x2, x2, #16
    ldp q0, q1, [x2, #0]
    ldp q2, q3, [x2, #32]
    ldp q4, q5, [x2, #64]
    ldp q6, q7, [x2, #96]
    ldp q8, q9, [x2, #128]
    ldp q10, q11, [x2, #160]
    ldp q12, q13, [x2, #192]
    ldp q14, q15, [x2, #224]
    ldp q16, q17, [x2, #256]
    ldp q18, q19, [x2, #288]
    ldp q20, q21, [x2, #320]
    ldp q22, q23, [x2, #352]
    ldp q24, q25, [x2, #384]
    ldp q26, q27, [x2, #416]
    ldp q28, q29, [x2, #448]
    ldp q30, q31, [x2, #480]
    mov x0, sp
    .global px_landing_resume
px_landing_resume:
    udf #0                  /* the process service sees who is here, and why */
    .size px_landing_entry, . - px_landing_entry
    .ltorg

    .global px_landing_give_up
    .type px_landing_give_up, %function
px_landing_give_up:
    udf #1
    .size px_landing_give_up, . - px_landing_give_up

    .global px_vectors_bytes
    .type px_vectors_bytes, %function
px_vectors_bytes:
    mov x0, #VECTORS_BYTES
    ret
    .size px_vectors_bytes, . - px_vectors_bytes

    .section .note.GNU-stack, "", %progbits
