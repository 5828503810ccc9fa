/* SPDX-License-Identifier: MIT
 * What the files of this port share, and the numbers that C and assembly must agree on. */
#pragma once

/* struct hart (kernel/entry.h) and struct x86_hart, for assembly; asserted in cpu.c. */
#define HART_FRAME 0
#define HART_STACK_TOP 8
#define HART_SYSCALLS 16
#define HART_NEED_SWITCH 24
#define HART_USER_RSP 32 /* scratch[0] */
#define HART_ID 28
#define HART_X86 40 /* scratch[1]: struct x86_hart */
#define HART_ASPACE 56
#define HART_TLS 64 /* arch_word: FS base as last set */
#define HART_HW_ID 72
#define HART_GATE 80
#define X86_HART_RSP0 4
#define ASPACE_HARTS 8 /* struct arch_aspace (isa/mmu.h), whose root comes first */
#define ASPACE_GENERAL 24

/* Selectors. The order is what syscall and sysret demand: [SDM-2] "SYSCALL", "SYSRET". */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_DATA 0x1b
#define SEL_USER_CODE 0x23
#define SEL_TSS 0x28

#define X86_STACK_BYTES 16384
#define X86_IST_STACK_BYTES 8192

#define MSR_EFER 0xc0000080
#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_NXE 0x800
#define CR0_BOOT 0x80010023 /* PG WP NE MP PE */
#define CR4_PAE 0x20
#define MSR_GS_BASE 0xc0000101

#define RFLAGS_IF 0x200

#ifndef __ASSEMBLER__
#include <arch/fp.h>
#include <arch/mmu.h>
#include <kernel/entry.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

/* [SDM-3] "64-Bit Task State Segment" */
struct [[gnu::packed]] x86_tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base;
};
#define X86_IOMAP_BYTES (65536 / 8)
#define X86_PCIDS 8

/* What a hart needs beside struct hart. */
struct x86_hart {
    struct x86_tss tss;                 /* rsp[0] is the end of hart->frame whenever user code runs */
    uint8_t iomap[X86_IOMAP_BYTES + 1]; /* directly behind the TSS, ends in a byte of ones */
    uint64_t gdt[7];
    bool iomap_on;                  /* the TSS points to the bitmap */
    uint32_t pcid_turn;             /* the next number to be given away */
    uint64_t pcid_stamp[X86_PCIDS]; /* what may be cached under number i + 1: the stamp of an address space */
    uint64_t ports_stamp;           /* whose ports it holds, on or off */
};

/* What the processor has. */
struct x86_features {
    bool is_tcg; /* QEMU's emulator: an instruction costs the same whatever it does, and `rep` costs one per element */
    bool smep, smap, umip, pge, pcid, avx, rdseed, rdrand, x2apic, tsc_deadline;
    bool tsc_invariant;
    bool pages_by_avx; /* the quickest way to zero and copy them; else by words with one string instruction */
    uint64_t xcr0;
    uint32_t fp_bytes;
    uint64_t tsc_hz; /* 0: the processor does not say */
};
extern struct x86_features x86_cpu;

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline struct x86_hart *x86_of(const struct hart *h)
{
    return (struct x86_hart *)h->scratch[1];
}

/* cpu.c */
void x86_cpu_detect(void); /* refuses a processor that lacks what we build on */
/* mmu.c */
void x86_mmu_build(struct machine *m); /* makes the final tables, switches to them, reserves what they occupy */
void x86_mmu_enter(void);              /* switches this hart to them */
/* Maps a stack above a page that is not mapped, for ever; answers where it ends, or 0: no room. */
uint64_t x86_map_stack(const void *stack, uint64_t len_bytes);
/* trap.c */
void x86_idt_load(void);
/* lapic.c */
void x86_lapic_init(const struct machine *m); /* the boot hart's; then each hart its own: */
void x86_lapic_local_init(void);
void x86_lapic_send(uint64_t hw_id, uint32_t command); /* X86_ICR_*, and a vector or a page's number */
#define X86_ICR_FIXED 0x4000u                          /* the level bit, which says: assert */
#define X86_ICR_INIT 0x4500u
#define X86_ICR_STARTUP 0x4600u
void x86_lapic_eoi(void);
void x86_lapic_timer_start(uint32_t ticks); /* one shot; 0 stops it */
uint32_t x86_lapic_timer_left(void);
/* time.c */
void x86_time_init(const struct machine *m, uint64_t tsc_at_entry);
/* hart.c */
extern uint64_t x86_trampoline_pa; /* 0: there is no page for it */
extern const struct hart *_Atomic x86_starting;
void x86_hart_check(void); /* hart_check.c: debug kernels alone have it */
[[noreturn]] void x86_hart_main(struct hart *h);
/* start.S */
extern const uint8_t x86_trampoline[], x86_trampoline_root[], x86_trampoline_end[];
/* entry.S */
extern const uint8_t x86_vectors[]; /* 256 stubs of 8 bytes */
void x86_syscall_entry(void);
/* usercopy.S */
/* The slow ends of arch_copy_message_across() */
status_t x86_copy_across_general(struct arch_aspace *as, uaddr_t dst, uaddr_t src);
status_t x86_stay(struct arch_aspace *old);
void x86_page_zero_avx(void *page);
void x86_page_copy_avx(void *dst, const void *src);

/* boot.c: stacks, each above a page that is never mapped */
extern uint8_t x86_stack_guard[], x86_ist_guard[];
#else
/* clang-format off */
    .macro SMAP insn /* stac or clac: boot makes a no-op of it where there is no SMAP */
9:  \insn
    .pushsection .smap_sites, "a"
    .quad 9b
    .popsection
    .endm
/* clang-format on */
#endif
