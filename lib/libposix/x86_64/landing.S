/* SPDX-License-Identifier: MIT
 * Where a thread lands, and how it gets its registers back: lib/libposix/landing.h. The layouts are those of abi/landing.h
 * and struct px_landed. */
    .set USED, 0
    .set VECTORS, 296
    .set LEGACY_BYTES, 512 /* what FXSAVE writes; XSAVE writes more */

    .text
/* rdi: the record, which is the stack too. All other registers are free but those of vectors. */
    .global px_landing_entry
    .hidden px_landed
    .hidden px_landed_run
    .hidden px_landing_vectors
    .type px_landing_entry, @function
px_landing_entry:
    xorl %ebp, %ebp
    movq %rdi, %r12
    movq px_landing_vectors(%rip), %rcx
    subq %rcx, %rsp
    andq $-64, %rsp
    cmpq $LEGACY_BYTES, %rcx
    je 1f
    xorl %eax, %eax
    leaq LEGACY_BYTES(%rsp), %rdi
    movl $8, %ecx
    rep stosq               /* the header, of which XSAVE writes only a part */
    movl $-1, %eax
    movl %eax, %edx
    xsave64 (%rsp)
    jmp 2f
1:  fxsave64 (%rsp)
2:  fninit                  /* handlers begin as functions do: an empty x87 stack, default rounding */
    pushq $0x1f80
    ldmxcsr (%rsp)
    addq $8, %rsp
    movq %r12, %rdi
    movq %rsp, %rsi
    call px_landed
    movq %rax, %rsp
    movl $0, USED(%r12)     /* a release, as every store is here */
    movq %rsp, %rdi
    call px_landed_run
    movq VECTORS(%rsp), %rsi
    cmpq $LEGACY_BYTES, px_landing_vectors(%rip)
    je 3f
    movl $-1, %eax
    movl %eax, %edx
    xrstor64 (%rsi)
    jmp 4f
3:  fxrstor64 (%rsi)
4:  movq %rsp, %rdi
    .global px_landing_resume
px_landing_resume:
    ud2                     /* the process service sees who is here, and why */
    .size px_landing_entry, . - px_landing_entry

    .global px_landing_give_up
    .type px_landing_give_up, @function
px_landing_give_up:
    ud2
    .size px_landing_give_up, . - px_landing_give_up

    .global px_vectors_bytes
    .type px_vectors_bytes, @function
px_vectors_bytes:
    pushq %rbx
    movl $1, %eax
    xorl %ecx, %ecx
    cpuid
    movl $LEGACY_BYTES, %eax
    btl $27, %ecx           /* OSXSAVE */
    jnc 1f
    movl $13, %eax
    xorl %ecx, %ecx
    cpuid
    movl %ebx, %eax         /* of what is switched on */
1:  popq %rbx
    ret
    .size px_vectors_bytes, . - px_vectors_bytes

    .section .note.GNU-stack, "", @progbits
