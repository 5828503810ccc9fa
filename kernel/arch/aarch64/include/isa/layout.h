/* SPDX-License-Identifier: MIT
 * Numbers that C, assembly and the linker script share: the kernel's address space and the offsets of what entry code
 * touches. trap.c asserts the offsets.
 *
 *   0x0000000000000000  user, TTBR0
 *   0xffff800000000000  direct map: RAM at this + pa, never executable
 *   0xffffc00000000000  device window: registers at this + pa, Device-nGnRE
 *   0xffffffff80000000  the kernel image, wherever it was loaded, image_slide further on
 *   0xffffffffc0000000  boot window: five 2 MiB views, only until the final tables are active
 *   0xffffffffe0000000  the stacks of further harts */
#pragma once

#define LAYOUT_DIRECT 0xffff800000000000
#define LAYOUT_DEVICE 0xffffc00000000000
#define LAYOUT_PA_BITS 46 /* what fits into either window */
#define LAYOUT_IMAGE 0xffffffff80000000
#define LAYOUT_WINDOW 0xffffffffc0000000
#define LAYOUT_STACKS 0xffffffffe0000000
#define LAYOUT_UART 0x09000000 /* where QEMU's virt machine has its PL011; used only until the device tree was read */

/* Every hart's kernel stack: a guard page, the stack, and directly above it the stack for reports of a broken kernel.
 */
#define STACK_BYTES_LOG2 14
#define STACK_BYTES 16384
#define EMERGENCY_BYTES 8192

#define FRAME_BYTES 272
#define FRAME_PC 256
#define HART_FRAME 0
#define HART_STACK_TOP 8
#define HART_SYSCALLS 16
#define HART_NEED_SWITCH 24
#define HART_SELF 48
#define HART_ASPACE 56
#define HART_ARCH_WORD 64
#define HART_GATE 80
#define HART_KEY 96
#define ASPACE_TTBR 8 /* struct arch_aspace (isa/mmu.h) */
#define ASPACE_KEY 16

/* What a vector tells C about itself. */
#define TRAP_SYNC 0
#define TRAP_IRQ 1
#define TRAP_FIQ 2
#define TRAP_SERROR 3
#define TRAP_OVERFLOW 4
#define TRAP_ODD 8 /* plus one of the above: SP_EL0 in use, or AArch32 */

/* TCR_EL1 and MAIR_EL1 ([Arm-ARM] "TCR_EL1", "MAIR_EL1"): 48-bit halves, 4 KiB granule, inner-shareable write-back
 * walks; attribute 0 is normal write-back memory, attribute 1 Device-nGnRE. */
#define TCR_COMMON                                                                                                     \
    ((16 << 0) | (1 << 8) | (1 << 10) | (3 << 12) | (16 << 16) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30))
#define TCR_IPS_SHIFT 32
#define TCR_AS_SHIFT 36
#define MAIR_VALUE 0x04ff

/* SCTLR_EL1: bits that must be 1 in ARMv8.0; then MMU, caches, stack alignment checks, and for user mode CTR_EL0, DC
 * ZVA, cache maintenance by address, WFI and WFE. */
#define SCTLR_RES1 ((1 << 29) | (1 << 28) | (1 << 23) | (1 << 22) | (1 << 20) | (1 << 11))
#define SCTLR_ON                                                                                                       \
    (SCTLR_RES1 | (1 << 0) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 8) | (1 << 12) | (1 << 14) | (1 << 15) |           \
     (1 << 16) | (1 << 18) | (1 << 26))
#define SCTLR_SPAN (1 << 23)   /* 0: taking an exception sets PAN */
#define SCTLR_BT1 0x1000000000 /* the kernel's indirect branches must land on pads */
#define SCTLR_PAC 0xc0000000   /* EnIA, EnIB: keys A and B sign and check instruction addresses */
#define SCTLR_WXN (1 << 19)    /* writable implies not executable */

/* Pointer authentication of return addresses ([Arm-ARM] "Pointer authentication"): key B is the kernel's, one for each
 * hart; its low half is in the register only inside the kernel, or user code could sign for it. Key A is the Task's.
 * Where there is none, boot makes no-ops of the instructions that name the keys. */
#define KEY_A_LOW S3_0_C2_C1_0
#define KEY_A_HIGH S3_0_C2_C1_1
#define KEY_B_LOW S3_0_C2_C1_2
#define KEY_B_HIGH S3_0_C2_C1_3
#ifdef LINKER_SCRIPT
#elifdef __ASSEMBLER__
/* clang-format off */
    .macro PAC insn:vararg
.Lpac\@: \insn
    .pushsection .pac_sites, "a"
    .word .Lpac\@ - .
    .popsection
    .endm
/* clang-format on */
#else
#define KEY_G_LOW "S3_0_C2_C3_0" /* for signatures of numbers: 0 but while a Task's key is made */
#define KEY_G_HIGH "S3_0_C2_C3_1"
#define PAC(insn) "9: " insn "\n\t.pushsection .pac_sites, \"a\"\n\t.word 9b - .\n\t.popsection\n\t"
#endif
