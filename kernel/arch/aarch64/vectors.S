/* SPDX-License-Identifier: MIT
 * Exception entry and return.
 *
 * 1. In user mode SP_EL1 is hart->frame, so entry stores straight into the thread's frame without a scratch register.
 * 2. In kernel mode SP_EL1 is the hart's stack and all interrupts are masked: only synchronous exceptions, and SErrors
 *    that are reported as such, can come from EL1.
 * 3. SP_EL0, ELR_EL1 and SPSR_EL1 still hold the user's values when a system call returns: C code does not touch them, and
 *    an exception that the fix-up table caught puts the last two back.
 * 4. The way from user mode leads through the gate before any C, and the way back leaves it when only the frame is still
 *    to be read (kernel/gate.h).
 * Source: [Arm-ARM] "Exception vectors", "SPSel". */
#include <isa/layout.h>

#define SYSCALL_LAST 63 /* an entry that answers ERR_BAD_SYSCALL */

/* Loads or stores x\first, an even number, to x\last, an odd one, where struct arch_frame has them. */
.altmacro
.macro pairs op, first, last
    .irp    n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28
    .if     \n >= \first && \n < \last
    pair    \op, \n, %(\n + 1)
    .endif
    .endr
.endm
.macro pair op, a, b
    \op     x\a, x\b, [sp, #(\a * 8)]
.endm

.macro save_user
    pairs   stp, 0, 29
    mrs     x9, sp_el0
    stp     x30, x9, [sp, #240]
    mrs     x10, elr_el1
    mrs     x11, spsr_el1
    stp     x10, x11, [sp, #FRAME_PC]
.endm

.macro user_vector kind
    .balign 128
    save_user
    mov     x19, #\kind
    b       user_trap
.endm

/* Enters the gate of the hart in x9, with its key; w14 is what it was. Acquire: pairs with the owner's release when it opened it. */
.macro enter_gate
    ldr     x12, [x9, #HART_KEY]
    PAC     msr KEY_B_LOW, x12
    PAC     isb
    add     x12, x9, #HART_GATE
    mov     w13, #1                         /* GATE_IN */
8:  ldaxr   w14, [x12]
    stxr    w15, w13, [x12]
    cbnz    w15, 8b
.endm

/* Leaves the gate of the hart in x9, without its key, and sets SP to its frame. Release: pairs with the acquire of who closes the gate. */
.macro leave_gate
    add     x10, x9, #HART_GATE
    ldr     x9, [x9, #HART_FRAME]
    mov     sp, x9
    PAC     msr KEY_B_LOW, xzr
    stlr    wzr, [x10]                      /* GATE_OUT */
.endm

/* Is there room for a frame on this hart's stack? TPIDRRO_EL0 lends us a register; user mode only ever sees 0 in it. */
.macro kernel_vector kind
    .balign 128
    msr     tpidrro_el0, x0
    mrs     x0, tpidr_el1
    ldr     x0, [x0, #HART_STACK_TOP]
    sub     x0, sp, x0
    add     x0, x0, #STACK_BYTES
    sub     x0, x0, #FRAME_BYTES
    lsr     x0, x0, #STACK_BYTES_LOG2
    cbnz    x0, kernel_overflow
    mrs     x0, tpidrro_el0
    sub     sp, sp, #FRAME_BYTES
    stp     x0, x1, [sp, #0]
    add     x0, sp, #FRAME_BYTES
    mov     x1, #\kind
    b       kernel_save
.endm

    .text
    .balign 2048
    .globl vectors
vectors:
    .irp    odd, TRAP_ODD, 0                /* current level with SP_EL0; current level */
    .irp    kind, TRAP_SYNC, TRAP_IRQ, TRAP_FIQ, TRAP_SERROR
    kernel_vector \odd + \kind
    .endr
    .endr

    .balign 128                             /* user mode, synchronous: the system call */
    save_user
    mrs     x9, esr_el1
    lsr     x9, x9, #26
    cmp     x9, #0x15                       /* SVC in AArch64 */
    b.eq    syscall
    mov     x19, #TRAP_SYNC
    b       user_trap

    .balign 128
    save_user
    b       user_irq
    user_vector TRAP_FIQ
    user_vector TRAP_SERROR
    .irp    kind, TRAP_SYNC, TRAP_IRQ, TRAP_FIQ, TRAP_SERROR
    user_vector TRAP_ODD + \kind           /* AArch32, which no frame can ask for */
    .endr
    .balign 128

syscall_waits: /* at the gate; what is in the registers of the call may have changed meanwhile */
    mov     x0, #1
    bl      kernel_gate_closed
    mrs     x9, tpidr_el1
    ldr     x10, [x9, #HART_FRAME]
    ldp     x0, x1, [x10, #0]
    ldp     x2, x3, [x10, #16]
    ldp     x4, x5, [x10, #32]
    ldr     x8, [x10, #64]
    ldr     x11, [x9, #HART_SYSCALLS]
    b       1f
syscall:
    mrs     x9, tpidr_el1
    ldp     x10, x11, [x9, #HART_STACK_TOP] /* and the table behind it */
    mov     sp, x10
    enter_gate
    cbnz    w14, syscall_waits
1:  mov     x10, #SYSCALL_LAST
    cmp     x8, x10
    csel    x10, x8, x10, lo
    csdb                                    /* nor does the hart speculate beyond the table ([Arm-ARM] "CSDB") */
    ldr     x11, [x11, x10, lsl #3]
    blr     x11
    /* x19 to x29 are as the user left them: C preserves them. */
    mrs     x9, tpidr_el1
    ldr     w10, [x9, #HART_NEED_SWITCH]
    cbnz    w10, 1f
    leave_gate
    pairs   ldp, 2, 17
    ldr     x18, [sp, #144]
    ldr     x30, [sp, #240]
    eret
1:  mov     x29, xzr
    mov     x30, xzr
    b       kernel_syscall_slow

/* [[noreturn]] void arch_resume(void) */
    .globl arch_resume
arch_resume:
    mrs     x9, tpidr_el1
    leave_gate
    ldp     x0, x1, [sp, #FRAME_PC]
    msr     elr_el1, x0
    msr     spsr_el1, x1
    ldp     x30, x2, [sp, #240]
    msr     sp_el0, x2
    pairs   ldp, 0, 29
    eret

user_trap: /* x19: which vector */
    bl      user_enters
    mov     x0, x19
    mov     x30, xzr
    b       trap_from_user

user_irq:
    bl      user_enters
    bl      plat_irq
    b       kernel_return_to_user

user_enters:
    mrs     x9, tpidr_el1
    ldr     x10, [x9, #HART_STACK_TOP]
    mov     sp, x10
    mov     x29, xzr
    enter_gate
    mov     x0, xzr
    cbnz    w14, kernel_gate_closed
    ret

/* The stack pointer is nowhere near the stack. Go to the stack above it, so that there is still a report. */
kernel_overflow:
    mov     x0, sp
    msr     sp_el0, x0
    mrs     x0, tpidr_el1
    ldr     x0, [x0, #HART_STACK_TOP]
    add     x0, x0, #EMERGENCY_BYTES
    mov     sp, x0
    mrs     x0, tpidrro_el0
    sub     sp, sp, #FRAME_BYTES
    stp     x0, x1, [sp, #0]
    mrs     x0, sp_el0
    mov     x1, #TRAP_OVERFLOW

kernel_save: /* x0: the interrupted SP; x1: which vector */
    pairs   stp, 2, 29
    stp     x30, x0, [sp, #240]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    stp     x2, x3, [sp, #FRAME_PC]
    msr     tpidrro_el0, xzr
    mov     x0, sp
    bl      trap_from_kernel
    /* The fix-up table knew it: go on at x0, in the function that faulted, which is a leaf and keeps nothing but x30. */
    ldr     x30, [sp, #240]
    add     sp, sp, #FRAME_BYTES
    mrs     x9, tpidr_el1
    ldr     x9, [x9, #HART_FRAME]
    cbz     x9, 2f
    ldp     x10, x11, [x9, #FRAME_PC]
    msr     elr_el1, x10
    msr     spsr_el1, x11
2:  ret     x0                              /* not br: the place is no landing pad */
