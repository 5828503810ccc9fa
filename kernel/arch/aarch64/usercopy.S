/* SPDX-License-Identifier: MIT
 * Copies to and from user memory. LDTR and STTR access it with the user's own permissions, whatever PAN says, so nothing
 * has to be opened and closed around them ([Arm-ARM] "Load/store unprivileged"). Each of them has an entry in the fix-up
 * table that leads to `fault`; the functions are leaves without a stack frame. */
#define X(name, value, text) .set name, value
#include <abi/errors.def>
#undef X

.macro user op:vararg
9:  \op
    .pushsection .fixup, "a"
    .word   9b - .
    .word   fault - .
    .popsection
.endm

.macro take_64 /* from user memory at x1 to x0 */
    user    ldtr x3, [x1]
    user    ldtr x4, [x1, #8]
    user    ldtr x5, [x1, #16]
    user    ldtr x6, [x1, #24]
    user    ldtr x7, [x1, #32]
    user    ldtr x8, [x1, #40]
    user    ldtr x9, [x1, #48]
    user    ldtr x10, [x1, #56]
    stp     x3, x4, [x0]
    stp     x5, x6, [x0, #16]
    stp     x7, x8, [x0, #32]
    stp     x9, x10, [x0, #48]
.endm

.macro give_64 /* from x1 to user memory at x0 */
    ldp     x3, x4, [x1]
    ldp     x5, x6, [x1, #16]
    ldp     x7, x8, [x1, #32]
    ldp     x9, x10, [x1, #48]
    user    sttr x3, [x0]
    user    sttr x4, [x0, #8]
    user    sttr x5, [x0, #16]
    user    sttr x6, [x0, #24]
    user    sttr x7, [x0, #32]
    user    sttr x8, [x0, #40]
    user    sttr x9, [x0, #48]
    user    sttr x10, [x0, #56]
.endm

    .text
fault:
    mov     w0, #ERR_BAD_ADDRESS
    ret

/* status_t arch_copy_from_user(void *dst, uaddr_t src, size_t len) */
    .globl arch_copy_from_user
arch_copy_from_user:
    subs    x2, x2, #64
    b.lo    2f
1:  take_64
    add     x0, x0, #64
    add     x1, x1, #64
    subs    x2, x2, #64
    b.hs    1b
2:  adds    x2, x2, #64 - 8
    b.mi    4f
3:  user    ldtr x3, [x1]
    str     x3, [x0], #8
    add     x1, x1, #8
    subs    x2, x2, #8
    b.pl    3b
4:  adds    x2, x2, #8
    b.eq    6f
5:  user    ldtrb w3, [x1]
    strb    w3, [x0], #1
    add     x1, x1, #1
    subs    x2, x2, #1
    b.ne    5b
6:  mov     w0, wzr
    ret

/* status_t arch_copy_to_user(uaddr_t dst, const void *src, size_t len) */
    .globl arch_copy_to_user
arch_copy_to_user:
    subs    x2, x2, #64
    b.lo    2f
1:  give_64
    add     x0, x0, #64
    add     x1, x1, #64
    subs    x2, x2, #64
    b.hs    1b
2:  adds    x2, x2, #64 - 8
    b.mi    4f
3:  ldr     x3, [x1], #8
    user    sttr x3, [x0]
    add     x0, x0, #8
    subs    x2, x2, #8
    b.pl    3b
4:  adds    x2, x2, #8
    b.eq    6f
5:  ldrb    w3, [x1], #1
    user    sttrb w3, [x0]
    add     x0, x0, #1
    subs    x2, x2, #1
    b.ne    5b
6:  mov     w0, wzr
    ret

/* status_t arch_copy_message_from_user(void *dst, uaddr_t src) */
    .globl arch_copy_message_from_user
arch_copy_message_from_user:
    take_64
    mov     w0, wzr
    ret

/* status_t arch_copy_message_to_user(uaddr_t dst, const void *src) */
    .globl arch_copy_message_to_user
arch_copy_message_to_user:
    give_64
    mov     w0, wzr
    ret

/* status_t arch_user_load32(uaddr_t src, uint32_t *out) */
    .globl arch_user_load32
arch_user_load32:
    user    ldtr w2, [x0]
    str     w2, [x1]
    mov     w0, wzr
    ret

/* status_t arch_user_store32(uaddr_t dst, uint32_t value) */
    .globl arch_user_store32
arch_user_store32:
    user    sttr w1, [x0]
    mov     w0, wzr
    ret

/* Firmware calls: undefined where there is no hypervisor or monitor, and then answered with ~0. */
.macro firmware name, op
    .globl  \name
\name:
    hint    #34 /* bti c: called through pointers */
9:  \op     #0
    ret
    .pushsection .fixup, "a"
    .word   9b - .
    .word   no_firmware - .
    .popsection
.endm
    firmware isa_hvc, hvc
    firmware isa_smc, smc
no_firmware:
    mov     x0, #-1
    ret
