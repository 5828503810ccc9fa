/* SPDX-License-Identifier: MIT
 * The first instructions: PVH enters here in 32-bit protected mode without paging, ebx = physical address of
 * hvm_start_info ([PVH] "x86/HVM direct boot ABI"). Maps the low 4 GiB twice with 2 MiB pages, all of it writable and
 * executable: where we are and in the direct map; and the image wherever it may run. mmu.c replaces these tables by the
 * final ones. Every stack here is borrowed: nothing is pushed before the kernel's own stack is there. */
#include "x86.h"

#define HIGH_ENTRY_PDPT 510 /* of the root's last entry: 0xffffffff80000000 */
#define TABLE_FLAGS     0x003
#define LEAF_FLAGS      0x083

    .macro PAGING_ON root:vararg /* and long mode, and protection if it was off */
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl \root, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    xorl %edx, %edx
    movl $(EFER_SCE | EFER_LME | EFER_NXE), %eax
    wrmsr
    movl $CR0_BOOT, %eax
    movl %eax, %cr0
    .endm

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18 /* XEN_ELFNOTE_PHYS32_ENTRY; 8 bytes, because QEMU reads as many */
    .asciz "Xen"
    .quad x86_pvh_entry

    .section .boot.text, "ax", @progbits
    .code32
    .globl x86_pvh_entry
x86_pvh_entry:
    cli
    cld
    movl %ebx, %ebp
    rdtsc /* time starts here; esi and esp keep it */
    movl %eax, %esi
    movl %edx, %esp
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb refuse
    movl $0x80000001, %eax
    cpuid
    andl $(1 << 29 | 1 << 20 | 1 << 11), %edx /* long mode, NX, syscall */
    cmpl $(1 << 29 | 1 << 20 | 1 << 11), %edx
    jne refuse

    /* Four page directories: 2048 leaves of 2 MiB. */
    movl $boot_pd, %edi
    movl $LEAF_FLAGS, %eax
    movl $2048, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $8, %edi
    addl $0x200000, %eax
    loop 1b

    movl $boot_pdpt, %edi
    movl $(boot_pd + TABLE_FLAGS), %eax
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $8, %edi
    addl $4096, %eax
    loop 2b
    movl $(boot_pd_high + TABLE_FLAGS), boot_pdpt_high + 8 * HIGH_ENTRY_PDPT
    movl $512, %ecx
3:  movl $(0x200000 + LEAF_FLAGS), boot_pd_high - 8(, %ecx, 8)
    loop 3b

    movl $(boot_pdpt + TABLE_FLAGS), boot_root
    movl $(boot_pdpt + TABLE_FLAGS), boot_root + 8 * 256
    movl $(boot_pdpt_high + TABLE_FLAGS), boot_root + 8 * 511

    PAGING_ON $boot_root
    lgdt boot_gdt_pointer
    ljmp $SEL_KERNEL_CODE, $start64

    /* No long mode, so no C either: say it here. */
refuse:
    movl $refuse_text, %esi
3:  movb (%esi), %bl
    testb %bl, %bl
    jz 5f
    movl $10000, %ecx
    movw $0x3fd, %dx
4:  inb %dx, %al
    testb $0x20, %al
    loopz 4b
    movb %bl, %al
    movw $0x3f8, %dx
    outb %al, %dx
    incl %esi
    jmp 3b
5:  movw $0x604, %dx /* power-off of QEMU's q35 */
    movw $0x2000, %ax
    outw %ax, %dx
6:  hlt
    jmp 6b

    .code64
start64:
    xorl %eax, %eax
    .irp segment, ds, es, ss, fs, gs
    movl %eax, %\segment
    .endr
    movl %ebp, %edi
    movl %esi, %esi
    movl %esp, %eax
    shlq $32, %rax
    orq %rax, %rsi
    movq $x86_high_entry, %rax
    jmp *%rax

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00209b0000000000 /* 64-bit code */
boot_gdt_pointer:
    .word 15
    .long boot_gdt
refuse_text:
    .asciz "vectra: this processor is too old: long mode, NX and syscall are needed\r\n"

    .section .boot.bss, "aw", @nobits
    .balign 4096
boot_root:      .skip 4096
boot_pdpt:      .skip 4096
boot_pdpt_high: .skip 4096
boot_pd_high:   .skip 4096
boot_pd:        .skip 4 * 4096

    .text
x86_high_entry:
    leaq x86_stack_guard + 4096 + X86_STACK_BYTES(%rip), %rsp
    xorl %ebp, %ebp
    movq %rdi, %rbx
    movq %rsi, %r12
    call x86_boot_slide
    leaq 1f(%rip), %rcx
    addq %rax, %rcx
    addq %rax, %rsp
    jmp *%rcx
1:  movq %cr3, %rax /* nothing that was fetched before is executed after this */
    movq %rax, %cr3
    movq %rbx, %rdi
    movq %r12, %rsi
    call x86_boot
    ud2

/* Further harts start in a copy of this in the first MiB, in real mode with cs = its address / 16 ([SDM-3] "Typical AP
 * Initialization Sequence"), and go from there to 64-bit mode at once ("Initializing IA-32e Mode"). Two at a time, of
 * which one is late, do each other no harm: what they write here is the same. */
#define AT(label) (label - x86_trampoline)
    .section .rodata
    .balign 16
    .globl x86_trampoline, x86_trampoline_root, x86_trampoline_end
    .code16
x86_trampoline:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    movzwl %ax, %ebx
    shll $4, %ebx
    leal AT(trampoline_gdt)(%ebx), %eax
    movl %eax, AT(trampoline_gdt_pointer) + 2
    leal AT(trampoline_64)(%ebx), %eax
    movl %eax, AT(trampoline_jump)
    lgdtl AT(trampoline_gdt_pointer)
    PAGING_ON AT(x86_trampoline_root)
    ljmpl *AT(trampoline_jump)
    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00209b0000000000
trampoline_gdt_pointer:
    .word 15
    .long 0
trampoline_jump:
    .long 0
    .word SEL_KERNEL_CODE
x86_trampoline_root:
    .long 0
    .code64
trampoline_64:
    movabsq $hart_high_entry, %rax
    jmp *%rax
x86_trampoline_end:

    .text
hart_high_entry:
    xorl %eax, %eax
    .irp segment, ds, es, ss, fs, gs
    movl %eax, %\segment
    .endr
    /* Is it this hart that is being started? If not, it comes too late. Identifiers that begin to differ at bit 8 are
     * told apart in C. */
    movl $1, %eax
    cpuid
    shrl $24, %ebx
    movq x86_starting(%rip), %rdi
    cmpb %bl, HART_HW_ID(%rdi)
    jne 1f
    movq HART_STACK_TOP(%rdi), %rsp
    xorl %ebp, %ebp
    call x86_hart_main
1:  cli
    hlt
    jmp 1b
    .section .note.GNU-stack, "", @progbits
