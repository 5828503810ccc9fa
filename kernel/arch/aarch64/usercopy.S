/* SPDX-License-Identifier: MIT
 * Copies to and from user memory. LDTR and STTR access it with the user's own permissions, whatever PAN says, so nothing
 * has to be opened and closed around them ([Arm-ARM] "Load/store unprivileged"). Each of them has an entry in the fix-up
 * table that leads to `fault`; the functions are leaves without a stack frame. */
#include <isa/layout.h>
#define X(name, value, text) .set name, value
#include <abi/errors.def>
#undef X

.macro user_or_else where, op:vararg
9:  \op
    .pushsection .fixup, "a"
    .word   9b - .
    .word   \where - .
    .popsection
.endm
.macro user op:vararg
    user_or_else fault, \op
.endm
.macro across op:vararg
    user_or_else fault_across, \op
.endm

/* A message, or as much, in x3 to x10 */
.macro load_user from
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10
    user    ldtr x\n, [\from, #((\n - 3) * 8)]
    .endr
.endm
.macro store_user to, guard=user
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10
    \guard  sttr x\n, [\to, #((\n - 3) * 8)]
    .endr
.endm
.macro load_kernel from
    ldp     x3, x4, [\from]
    ldp     x5, x6, [\from, #16]
    ldp     x7, x8, [\from, #32]
    ldp     x9, x10, [\from, #48]
.endm
.macro store_kernel to
    stp     x3, x4, [\to]
    stp     x5, x6, [\to, #16]
    stp     x7, x8, [\to, #32]
    stp     x9, x10, [\to, #48]
.endm

    .text
fault:
    mov     w0, #ERR_BAD_ADDRESS
    ret

/* One word or byte in `reg`. */
.macro one_from_user reg, suffix, bytes
    user    ldtr\suffix \reg, [x1]
    str\suffix \reg, [x0], #\bytes
    add     x1, x1, #\bytes
.endm
.macro one_to_user reg, suffix, bytes
    ldr\suffix \reg, [x1], #\bytes
    user    sttr\suffix \reg, [x0]
    add     x0, x0, #\bytes
.endm

.macro copy_function name, load, store, one
    .globl  \name
\name:
    subs    x2, x2, #64
    b.lo    2f
1:  \load   x1
    \store  x0
    add     x0, x0, #64
    add     x1, x1, #64
    subs    x2, x2, #64
    b.hs    1b
2:  adds    x2, x2, #64 - 8
    b.mi    4f
3:  \one    x3, , 8
    subs    x2, x2, #8
    b.pl    3b
4:  adds    x2, x2, #8
    b.eq    6f
5:  \one    w3, b, 1
    subs    x2, x2, #1
    b.ne    5b
6:  mov     w0, wzr
    ret
.endm
/* status_t arch_copy_from_user(void *dst, uaddr_t src, size_t len) */
    copy_function arch_copy_from_user, load_user, store_kernel, one_from_user
/* status_t arch_copy_to_user(uaddr_t dst, const void *src, size_t len) */
    copy_function arch_copy_to_user, load_kernel, store_user, one_to_user

/* status_t arch_copy_message_from_user(void *dst, uaddr_t src) */
    .globl arch_copy_message_from_user
arch_copy_message_from_user:
    load_user x1
    store_kernel x0
    mov     w0, wzr
    ret

/* status_t arch_copy_message_to_user(uaddr_t dst, const void *src) */
    .globl arch_copy_message_to_user
arch_copy_message_to_user:
    load_kernel x1
    store_user x0
    mov     w0, wzr
    ret

/* status_t arch_copy_message_across(struct arch_aspace *as, uaddr_t dst, uaddr_t src): the address space changes while the
 * message is in registers. */
    .globl  arch_copy_message_across
arch_copy_message_across:
    ldr     x12, [x0, #ASPACE_TTBR]
    lsr     x11, x12, #48
    cbz     x11, fault                      /* without an ASID it would have to be flushed in between */
    load_user x2
    ldp     x13, x14, [x0, #ASPACE_KEY]
    msr     ttbr0_el1, x12
    PAC     msr KEY_A_LOW, x13
    PAC     msr KEY_A_HIGH, x14
    isb
    store_user x1, across
    mrs     x9, tpidr_el1
    str     x0, [x9, #HART_ASPACE]
    mov     w0, wzr
    ret
fault_across: /* back to the address space that it came from */
    mrs     x9, tpidr_el1
    ldr     x0, [x9, #HART_ASPACE]
    stp     x29, x30, [sp, #-16]!
    mov     x29, sp
    bl      arch_aspace_activate
    ldp     x29, x30, [sp], #16
    b       fault

/* status_t arch_user_load32(uaddr_t src, uint32_t *out) */
    .globl arch_user_load32
arch_user_load32:
    user    ldtr w2, [x0]
    str     w2, [x1]
    mov     w0, wzr
    ret

/* uint64_t isa_firmware(uint64_t function, uint64_t a, uint64_t b, uint64_t c, bool smc): undefined where there is no
 * hypervisor or monitor, and then answered with ~0. */
    .globl  isa_firmware
isa_firmware:
    cbnz    w4, 1f
    user_or_else no_firmware, hvc #0
    ret
1:  user_or_else no_firmware, smc #0
    ret
no_firmware:
    mov     x0, #-1
    ret
