/* SPDX-License-Identifier: MIT
 * From the boot loader to C: the arm64 Image header, the drop from EL2 to EL1, first page tables, MMU on, high half.
 * Until the jump at `high` everything is relative to pc, because the image may be loaded at any 2 MiB boundary. A further
 * hart goes the same way, but over the making of the tables: it takes the identity map that is there and the final tables.
 * Sources: [arm64-boot] "Call the kernel image"; [Arm-ARM] "AArch64 System register descriptions". */
#include <isa/layout.h>

#define BLOCK_CODE_RO  0x781 /* valid block, AF, inner shareable, attribute 0, read only */
#define BLOCK_NORMAL   0x701
#define BLOCK_DEVICE   0x405 /* attribute 1 */
#define UXN_BIT        (1 << 54)
#define PXN_BIT        (1 << 53)

    .section .head.text, "ax"
    .globl _start
_start:
    b       entry
    .word   0
    .quad   0               /* text_offset */
    .quad   __image_bytes   /* with what is not in the file */
    .quad   0xa             /* little endian, 4 KiB pages, anywhere in RAM */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

/* Where the firmware starts a further hart. x0: the physical address of its struct hart, whose first 128 bytes are in
 * memory and not only in a cache ([PSCI] "Initial core configuration"). */
    .globl hart_entry
hart_entry:
    msr     daifset, #15
    ldr     x19, [x0, #HART_SELF]
    ldr     x23, [x0, #HART_ARCH_WORD] /* the final tables */
    b       1f
entry:
    msr     daifset, #15
    mov     x19, xzr                /* this is the boot hart */
    adrp    x23, boot_tables + 0x3000
    mov     x21, x0                 /* device tree */
1:  adrp    x20, _start             /* where we are */
    mrs     x22, CurrentEL
    lsr     x22, x22, #2
    ldr     x2, =SCTLR_RES1
    cmp     x22, #2
    b.ne    at_el1

    /* EL2: let EL1 have everything, trap nothing, and step down. */
    mov     x0, #(3 << 40)          /* pointer authentication is EL1's */
    orr     x0, x0, #(1 << 31)      /* EL1 is AArch64 */
    msr     hcr_el2, x0
    isb
    mrs     x0, hcr_el2
    tbnz    x0, #34, 1f             /* E2H may be stuck at 1: then some registers look different */
    msr     sctlr_el1, x2
    mov     x0, #0x33ff             /* no traps for FP; SVE and SME stay off */
    msr     cptr_el2, x0
    mov     x0, #3                  /* physical counter and timer for EL1 */
    msr     cnthctl_el2, x0
    b       2f
1:  msr     S3_5_C1_C0_0, x2        /* SCTLR_EL12 */
    mov     x0, #(3 << 20)
    msr     cptr_el2, x0
    mov     x0, #(3 << 10)
    msr     cnthctl_el2, x0
2:  msr     cntvoff_el2, xzr
    msr     vttbr_el2, xzr
    msr     hstr_el2, xzr
    mrs     x0, mdcr_el2
    and     x0, x0, #31             /* HPMN keeps its reset value */
    msr     mdcr_el2, x0
    mrs     x0, midr_el1
    msr     vpidr_el2, x0
    mrs     x0, mpidr_el1
    msr     vmpidr_el2, x0
    mrs     x0, id_aa64pfr0_el1
    ubfx    x0, x0, #24, #4         /* GIC system registers */
    cbz     x0, 3f
    mov     x0, #15
    msr     S3_4_C12_C9_5, x0       /* ICC_SRE_EL2: EL1 may use them */
    isb
    mrs     x0, S3_4_C12_C9_5
    tbz     x0, #0, 3f
    msr     S3_4_C12_C11_0, xzr     /* ICH_HCR_EL2 */
3:  mrs     x0, id_aa64mmfr0_el1
    ubfx    x0, x0, #56, #4         /* fine-grained traps */
    cbz     x0, 4f
    msr     S3_4_C1_C1_4, xzr       /* HFGRTR_EL2 */
    msr     S3_4_C1_C1_5, xzr       /* HFGWTR_EL2 */
    msr     S3_4_C1_C1_6, xzr       /* HFGITR_EL2 */
    msr     S3_4_C3_C1_4, xzr       /* HDFGRTR_EL2 */
    msr     S3_4_C3_C1_5, xzr       /* HDFGWTR_EL2 */
4:  mrs     x0, id_aa64mmfr1_el1
    ubfx    x0, x0, #40, #4
    cbz     x0, 5f
    msr     S3_4_C1_C2_2, xzr       /* HCRX_EL2 */
5:  adr     x0, at_el1
    msr     elr_el2, x0
    mov     x0, #0x3c5              /* EL1h, all masked */
    msr     spsr_el2, x0
    eret

at_el1:
    msr     sctlr_el1, x2
    isb
    cbnz    x19, mmu_on
    tst     x20, #0x1fffff          /* the boot protocol promises this */
    b.ne    dead

    /* Clear the boot tables. The caches are off: what we write is in memory, but stale lines may still lie above it. */
    adrp    x0, boot_tables
    add     x1, x0, #0x8000
6:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.ne    6b

    /* TTBR0: the first 2 MiB of the image at its physical address. */
    adrp    x0, boot_tables
    add     x1, x0, #0x1000
    orr     x3, x1, #3
    ubfx    x4, x20, #39, #9
    str     x3, [x0, x4, lsl #3]
    add     x3, x1, #0x1000
    orr     x3, x3, #3
    ubfx    x4, x20, #30, #9
    str     x3, [x1, x4, lsl #3]
    add     x1, x1, #0x1000
    ldr     x3, =(BLOCK_CODE_RO | UXN_BIT)
    orr     x3, x3, x20
    ubfx    x4, x20, #21, #9
    str     x3, [x1, x4, lsl #3]

    /* TTBR1: the image wherever it may run, writable and executable for now, and the boot window. */
    adrp    x0, boot_tables + 0x3000
    add     x1, x0, #0x1000
    orr     x3, x1, #3
    str     x3, [x0, #511 * 8]
    add     x3, x1, #0x1000
    orr     x4, x3, #3
    str     x4, [x1, #510 * 8]
    add     x4, x3, #0x1000
    orr     x5, x4, #3
    str     x5, [x1, #511 * 8]
    ldr     x5, =(BLOCK_NORMAL | UXN_BIT)
    orr     x5, x5, x20
7:  str     x5, [x3], #8
    cmp     x3, x4
    b.ne    7b
    ldr     x5, =(LAYOUT_UART | BLOCK_DEVICE | UXN_BIT | PXN_BIT)
    str     x5, [x4]
    dsb     sy
    adrp    x0, boot_tables
    add     x1, x0, #0x8000
8:  dc      ivac, x0
    add     x0, x0, #16             /* the smallest line there can be */
    cmp     x0, x1
    b.ne    8b
    dsb     sy

mmu_on:
    mrs     x0, id_aa64mmfr0_el1
    and     x1, x0, #15             /* physical address bits, as TCR.IPS wants them */
    mov     x3, #5
    cmp     x1, x3
    csel    x1, x1, x3, lo
    ubfx    x3, x0, #4, #4
    cmp     x3, #2
    cset    x3, eq                  /* 16-bit ASIDs */
    ldr     x0, =TCR_COMMON
    orr     x0, x0, x1, lsl #TCR_IPS_SHIFT
    orr     x0, x0, x3, lsl #TCR_AS_SHIFT
    msr     tcr_el1, x0
    mov     x0, #MAIR_VALUE
    msr     mair_el1, x0
    adrp    x0, boot_tables
    msr     ttbr0_el1, x0
    msr     ttbr1_el1, x23
    dsb     ishst
    isb
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    ldr     x0, =SCTLR_ON
    msr     sctlr_el1, x0
    isb
    ldr     x0, =high
    br      x0

/* void boot_switch_tables(uint64_t root, uint64_t empty): called at its physical address. TTBR1 must not go straight from
 * one table to another that maps the same addresses with other page sizes ([Arm-ARM] "Using break-before-make"). */
    .globl boot_switch_tables
boot_switch_tables:
    msr     ttbr1_el1, x1
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    msr     ttbr1_el1, x0
    isb
    ret

dead:
    wfi
    b       dead

high: /* a further hart comes with the final tables, in which code is guarded */
    hint    #36                     /* bti j */
    mov     x0, x19
    cbnz    x19, 1f
    adrp    x0, __bss_start
    add     x0, x0, :lo12:__bss_start
    adrp    x1, __bss_end
    add     x1, x1, :lo12:__bss_end
9:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.ne    9b
moved:
    adrp    x0, boot_hart
    add     x0, x0, :lo12:boot_hart
    adrp    x1, __stack_top
    add     x1, x1, :lo12:__stack_top
    str     x1, [x0, #HART_STACK_TOP]
1:  msr     tpidr_el1, x0
    mrs     x1, id_aa64isar1_el1
    mrs     x2, S3_0_C0_C6_2        /* ID_AA64ISAR2_EL1 */
    and     x3, x1, #0xff0          /* APA, API, APA3: addresses are signed */
    and     x4, x2, #0xf000
    orr     x3, x3, x4
    and     x1, x1, #0xff000000     /* GPA, GPI, GPA3: and numbers */
    and     x2, x2, #0xf00
    orr     x1, x1, x2
    cbz     x3, 2f
    cbz     x1, 2f
    ldp     x1, x2, [x0, #HART_KEY] /* 0 for the few functions before slide_image() */
    msr     KEY_B_LOW, x1
    msr     KEY_B_HIGH, x2
    mrs     x1, sctlr_el1
    orr     x1, x1, #SCTLR_PAC
    msr     sctlr_el1, x1
2:
    ldr     x1, [x0, #HART_STACK_TOP]
    mov     sp, x1
    adrp    x1, vectors
    add     x1, x1, :lo12:vectors
    msr     vbar_el1, x1
    isb
    mov     x29, xzr
    mov     x30, xzr
    cbnz    x19, hart_begins
    mov     x0, x20
    cbz     x22, boot_main
    mov     x0, x21
    mov     x1, x22
    bl      boot_slide
    mov     x22, xzr                /* the second time */
    adr     x1, moved
    add     x0, x0, x1
    br      x0

    .section .boot.tables, "aw", %nobits
    .balign 4096
    .globl boot_tables, boot_window, empty_table
boot_tables:
    .skip   6 * 4096
boot_window:
    .skip   4096
empty_table: /* stays: TTBR0 when there is no user address space */
    .skip   4096
