/* SPDX-License-Identifier: MIT
 * What no program may do to the processor, one probe in 32 bytes; probes.c runs them. [SDM-2], [SDM-3]
 * lret and iret are not among them: QEMU before 9.1 reads their stack as the kernel would, which SMAP then forbids, and
 * the Task goes on faulting for as long as it lives. */
    .macro PROBE may, insns /* may: 1 if it is harmless where the processor has it */
    .p2align 5, 0xcc
98: \insns
99: ud2
    .pushsection .rodata
    .byte \may, 99b - 98b
    .popsection
    .endm

    .macro FLAGS bits, insns /* with these flags set, then that */
    PROBE 1, "pushfq; orl $\bits, (%rsp); popfq; \insns"
    .endm

    .section .rodata
    .globl hostile_probe_pc, hostile_probe_sp, hostile_probe_facts
    .p2align 2
hostile_probe_pc: .long 16
hostile_probe_sp: .long 7
hostile_probe_facts:
    .text
    .p2align 5
    .globl hostile_probes
hostile_probes:
    .set n, 0
    .rept 256
    PROBE 0, ".byte 0xcd, n" /* int n */
    .set n, n + 1
    .endr
    .set n, 0
    .rept 32
    PROBE 1, "movl $(n * 8), %eax; movl %eax, %gs; movl %eax, %fs; movl $8, %eax; syscall"
    PROBE 1, "movl $(n * 8), %eax; movl %eax, %ss"
    .set n, n + 1
    .endr
    .irp insn, hlt, cli, sti, invd, wbinvd, clts, swapgs, sysretq, sysexitq, rdmsr, wrmsr, rdpmc, rsm, vmcall, vmmcall, vmlaunch, vmrun, xsetbv, stac, clac, monitor, mwait, insb, outsb
    PROBE 0, "\insn"
    .endr
    .irp reg, cr0, cr2, cr3, cr4, cr8, dr0, dr6, dr7
    PROBE 0, "mov %\reg, %rax"
    PROBE 0, "mov %rax, %\reg"
    .endr
    .irp insn, lgdt, lidt, invlpg, vmxon, fxrstor64, xrstor64, xrstors64, ldmxcsr
    PROBE 0, "\insn (%rax)"
    .endr
    .irp insn, sgdt, sidt
    PROBE 1, "\insn -64(%rsp)"
    .endr
    .irp insn, sldt, str, smsw, wrgsbase, wrfsbase
    PROBE 1, "\insn %rax"
    .endr
    .irp insn, lldt, ltr, lmsw
    PROBE 0, "\insn %ax"
    .endr
    PROBE 0, "invpcid (%rax), %rcx"
    PROBE 1, "pushq $-1; ldmxcsr (%rsp)" /* TCG ignores the reserved bits */
    PROBE 0, "pushq $0x3202; popfq; cli" /* I/O privilege is not to be had */
    PROBE 0, "movb $0xfe, %al; outb %al, $0x64"
    PROBE 0, "inb $0x71, %al"
    PROBE 0, ".byte 0xf1" /* int1 */
    PROBE 0, "fninit; pushq $0; fldcw (%rsp); fld1; fldz; fdivrp; fwait"
    PROBE 1, "movl $8, %eax; syscall" /* with the floating-point exception pending */
    PROBE 1, "fninit"
    PROBE 0, "movabsq $0x800000000000, %rax; jmp *%rax"
    PROBE 0, "movabsq $0x800000000000, %rax; pushq %rax; ret"
    PROBE 0, "movabsq $0x800000000000, %rsp; pushq %rax"
    PROBE 1, "movabsq $0x800000000000, %rsp; movl $8, %eax; syscall"
    PROBE 0, "movabsq $0x7fffffffeffe, %rax; jmp *%rax"
    FLAGS 0x100, "nop"
    FLAGS 0x100, "movl $8, %eax; syscall"
    FLAGS 0x400, "movl $8, %eax; syscall"
    FLAGS 0x4000, "movl $8, %eax; syscall"
    FLAGS 0x40000, "movl $8, %eax; syscall; movq 1(%rsp), %rax"
    FLAGS 0x200000, "movl $8, %eax; syscall"
    .p2align 5, 0xcc
    .globl hostile_probes_end
hostile_probes_end:
    .section .note.GNU-stack, "", @progbits
