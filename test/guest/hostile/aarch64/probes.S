/* SPDX-License-Identifier: MIT
 * What no program may do to the processor, one probe in 32 bytes; probes.c runs them. [ARM] "AArch64 System Registers" */
    .arch armv8.5-a+fp
    .macro PROBE may, insns /* may: 1 if it is harmless where the processor has it */
    .p2align 5
98: \insns
99: udf #0
    .pushsection .rodata
    .byte \may, 99b - 98b
    .popsection
    .endm

    .section .rodata
    .globl hostile_probe_pc, hostile_probe_sp, hostile_probe_facts
    .p2align 2
hostile_probe_pc: .long 32
hostile_probe_sp: .long 31
hostile_probe_facts:
    .text
    .p2align 5
    .globl hostile_probes
hostile_probes:
    .irp reg, sctlr_el1, actlr_el1, cpacr_el1, ttbr0_el1, ttbr1_el1, tcr_el1, mair_el1, vbar_el1, esr_el1, far_el1, elr_el1, spsr_el1, sp_el0, tpidr_el1, contextidr_el1, cntkctl_el1, mdscr_el1, par_el1, csselr_el1, spsel, pan, hcr_el2, scr_el3, dbgbcr0_el1, dbgwcr0_el1, pmcr_el0, pmccntr_el0, cntp_cval_el0, cntp_ctl_el0, cntv_cval_el0, cntv_ctl_el0
    PROBE 0, "mrs x0, \reg"
    PROBE 0, "msr \reg, x0"
    .endr
    .irp reg, midr_el1, mpidr_el1, id_aa64pfr0_el1, id_aa64isar0_el1, currentel, isr_el1
    PROBE 0, "mrs x0, \reg"
    .endr
    .irp reg, tpidrro_el0, pmuserenr_el0, oslar_el1, icc_sgi1r_el1, icc_eoir1_el1, icc_pmr_el1, icc_sre_el1
    PROBE 0, "msr \reg, x0"
    .endr
    PROBE 0, "msr daifset, #15"
    PROBE 0, "msr daifclr, #15"
    PROBE 0, "msr spsel, #1"
    PROBE 0, "msr pan, #0"
    PROBE 0, "hvc #0"
    PROBE 0, "smc #0"
    PROBE 0, "eret"
    PROBE 0, "drps"
    PROBE 0, "dcps1"
    PROBE 0, "dcps3"
    PROBE 0, "hlt #0"
    PROBE 0, "brk #0xffff"
    PROBE 0, "tlbi vmalle1"
    PROBE 0, "tlbi vmalle1is"
    PROBE 0, "tlbi vae1is, x0"
    PROBE 0, "tlbi alle2"
    PROBE 0, "at s1e1r, x0"
    PROBE 0, "at s1e0w, x0"
    PROBE 0, "ic iallu"
    PROBE 0, "ic ialluis"
    PROBE 0, "dc isw, x0"
    PROBE 0, "dc cisw, x0"
    PROBE 0, "dc ivac, x0"
    /* these are a program's, but not with the kernel's addresses; TCG does not translate all of them */
    PROBE 1, "dc civac, x0"
    PROBE 1, "dc cvau, x0"
    PROBE 1, "ic ivau, x0"
    PROBE 0, "dc zva, x0"
    /* wfi is a program's too, but sleeps to its hart's next interrupt, and a hart with one thread gets none */
    PROBE 1, "sevl; wfe"
    .set n, 1
    .rept 16
    PROBE 1, "mov x8, #8; svc #n * 4095"
    .set n, n + 1
    .endr
    PROBE 1, "mov x1, sp; orr x1, x1, #1; mov sp, x1; ldr x0, [sp]" /* TCG does not look at sp's alignment */
    PROBE 1, "mov x1, #8193; mov sp, x1; mov x8, #8; svc #0"
    PROBE 0, "br x0"
    PROBE 0, "adr x1, 98b; add x1, x1, #2; br x1"
    PROBE 0, "mov x1, #0x0001000000000000; br x1"
    PROBE 0, "mov x1, #0x0001000000000000; ldr x1, [x1]"
    PROBE 0, "mov x1, #0x0f00000000000000; ldr x1, [x1]"
    PROBE 0, "mov x30, #0x0080000000000000; ret"
    PROBE 0, "ldtr x0, [x0]"
    PROBE 0, "ldxr x1, [x0]"
    PROBE 1, "mov x1, #-1; msr fpcr, x1; msr fpsr, x1; mov x8, #8; svc #0"
    PROBE 1, "fmov d0, xzr; fdiv d0, d0, d0; mov x8, #8; svc #0"
    PROBE 1, "msr fpcr, xzr; msr fpsr, xzr"
    PROBE 1, "mov x1, #0xf0000000; msr nzcv, x1; mov x8, #8; svc #0"
    .p2align 5
    .globl hostile_probes_end
hostile_probes_end:
    .section .note.GNU-stack, "", @progbits
