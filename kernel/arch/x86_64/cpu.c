/* SPDX-License-Identifier: MIT
 * The processor: what it has, how a hart is set up, its vector state, thread pointer, entropy, and how it rests.
 *
 * FSGSBASE stays off: with it user code could load any GS base, a register that would leak from Task to Task unless
 * every switch saved it. So FS base changes only through arch_tls_set(), and the last value set is the value. */
#include "x86.h"
#include <abi/limits.h>
#include <abi/timepage.h>
#include <arch/boot.h>
#include <arch/fp.h>
#include <arch/frame.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <base/string.h>
#include <kernel/gate.h>

static_assert(offsetof(struct hart, frame) == HART_FRAME && offsetof(struct hart, syscalls) == HART_SYSCALLS);
static_assert(offsetof(struct hart, kernel_stack_top) == HART_STACK_TOP);
static_assert(offsetof(struct hart, need_switch) == HART_NEED_SWITCH);
static_assert(offsetof(struct hart, scratch) == HART_USER_RSP && HART_X86 == HART_USER_RSP + 8);
static_assert(offsetof(struct hart, arch_word) == HART_TLS && offsetof(struct hart, hw_id) == HART_HW_ID);
static_assert(offsetof(struct hart, id) == HART_ID && offsetof(struct hart, aspace) == HART_ASPACE);
static_assert(offsetof(struct arch_aspace, root) == 0 && offsetof(struct arch_aspace, harts) == ASPACE_HARTS);
static_assert(offsetof(struct arch_aspace, general) == ASPACE_GENERAL);
static_assert(offsetof(struct hart, gate) == HART_GATE && GATE_OUT == 0 && GATE_IN == 1);
static_assert(offsetof(struct x86_hart, tss.rsp) == X86_HART_RSP0 && sizeof(struct x86_tss) == 104);
static_assert(offsetof(struct x86_hart, iomap) == sizeof(struct x86_tss), "iomap_base counts from the TSS");
static_assert(SYSCALL_TABLE_ENTRIES == 64 && ERR_BAD_SYSCALL == -1, "entry.S");

SEALED struct x86_features x86_cpu;
SEALED uint8_t x86_use_xsaveopt, x86_leaf_max;

static constexpr uint64_t CR4_ALWAYS = 1 << 5 | 1 << 9 | 1 << 10 | 1 << 18; /* PAE OSFXSR OSXMMEXCPT OSXSAVE */
static constexpr uint64_t CR4_PGE = 1 << 7, CR4_UMIP = 1 << 11, CR4_PCIDE = 1 << 17, CR4_SMEP = 1 << 20;
static constexpr uint64_t CR4_SMAP = 1 << 21;
enum : uint32_t {
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_CSTAR = 0xc0000083,
    MSR_SFMASK = 0xc0000084,
    MSR_FS_BASE = 0xc0000100,
    MSR_PAT = 0x277,
    MSR_KERNEL_GS_BASE = 0xc0000102,
};
/* The low bits, x87 SSE AVX, then the three of AVX-512. AMX would not fit 4096 bytes. */
static constexpr uint64_t XCR0_AVX = 7, XCR0_AVX512 = 0xe7;

struct cpuid {
    uint32_t a, b, c, d;
};

static struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}

static bool bit(uint32_t word, unsigned n)
{
    return (word >> n & 1) != 0;
}

static void set_xcr0(uint64_t v)
{
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static void write_cr4(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr4" ::"r"(v) : "memory");
}

/* [SDM-1] "Enabling the XSAVE Feature Set and XSAVE-Enabled Features" */
static void detect_fp(struct cpuid f1)
{
    if (!bit(f1.c, 26))
        kernel_refuse("this processor has no XSAVE, which saves the vector registers");
    write_cr4(CR4_ALWAYS);
    uint64_t can = cpuid(0xd, 0).a;
    x86_cpu.xcr0 = (can & XCR0_AVX512) == XCR0_AVX512 ? XCR0_AVX512 : can & XCR0_AVX;
    set_xcr0(x86_cpu.xcr0);
    x86_cpu.fp_bytes = cpuid(0xd, 0).b;
    if (x86_cpu.fp_bytes > ARCH_FP_BYTES_MAX)
        kernel_refuse("the vector state takes %u bytes, more than there is room for", x86_cpu.fp_bytes);
    x86_use_xsaveopt = bit(cpuid(0xd, 1).a, 0);
    x86_cpu.avx = bit(f1.c, 28) && (x86_cpu.xcr0 & XCR0_AVX) == XCR0_AVX;
}

/* [SDM-3] "Time-Stamp Counter", nominal frequency; the hypervisor leaf is the one VMware defined and KVM answers. */
static uint64_t detect_tsc_hz(uint32_t max_leaf)
{
    if (max_leaf >= 0x15) {
        struct cpuid t = cpuid(0x15, 0);
        if (t.a != 0 && t.b != 0 && t.c != 0)
            return (uint64_t)t.c * t.b / t.a;
    }
    struct cpuid h = cpuid(0x40000000, 0);
    return h.a >= 0x40000010 && h.a < 0x40001000 ? (uint64_t)cpuid(0x40000010, 0).a * 1000 : 0;
}

void x86_cpu_detect(void)
{
    uint32_t max = cpuid(0, 0).a;
    struct cpuid f1 = cpuid(1, 0), f7 = max >= 7 ? cpuid(7, 0) : (struct cpuid){};
    struct cpuid e1 = cpuid(0x80000001, 0), power = {};
    if (cpuid(0x80000000, 0).a >= 0x80000007)
        power = cpuid(0x80000007, 0);
    if (bit(f1.c, 31)) {
        struct cpuid h = cpuid(0x40000000, 0);
        x86_cpu.is_tcg = h.b == 0x54474354 && h.c == 0x43544743 && h.d == 0x47435447; /* "TCGTCGTCGTCG" */
        x86_cpu.tsc_hz = detect_tsc_hz(max);
    } else if (max >= 0x15) {
        x86_cpu.tsc_hz = detect_tsc_hz(max);
    }
    x86_cpu.pge = bit(f1.d, 13);
    x86_cpu.pcid = bit(f1.c, 17) && x86_cpu.pge;
    x86_cpu.x2apic = bit(f1.c, 21);
    x86_cpu.tsc_deadline = bit(f1.c, 24);
    x86_cpu.rdrand = bit(f1.c, 30);
    x86_cpu.rdseed = bit(f7.b, 18);
    x86_cpu.smep = bit(f7.b, 7);
    x86_cpu.smap = bit(f7.b, 20);
    x86_cpu.umip = bit(f7.c, 2);
    x86_leaf_max = bit(e1.d, 26) ? 2 : 1;
    x86_cpu.tsc_invariant = bit(power.d, 8) || x86_cpu.is_tcg; /* the emulator's counter is a clock */
    detect_fp(f1);
    x86_cpu.pages_by_avx = x86_cpu.is_tcg && x86_cpu.avx && x86_cpu.xcr0 == XCR0_AVX; /* ymm0 is all there is to save */
}

void arch_page_zero(void *page)
{
    size_t words = ARCH_PAGE_SIZE / 8;
    if (x86_cpu.pages_by_avx)
        x86_page_zero_avx(page);
    else
        __asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0) : "memory");
}

void arch_page_copy(void *dst, const void *src)
{
    size_t words = ARCH_PAGE_SIZE / 8;
    if (x86_cpu.pages_by_avx)
        x86_page_copy_avx(dst, src);
    else
        __asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(words)::"memory");
}

/* [SDM-3] "Segment Descriptors"; a descriptor for the TSS takes two entries. */
static void load_tables(struct x86_hart *x)
{
    uint64_t tss = (uint64_t)&x->tss;
    x->gdt[SEL_KERNEL_CODE / 8] = 0x00209b0000000000;
    x->gdt[SEL_KERNEL_DATA / 8] = 0x0000930000000000;
    x->gdt[SEL_USER_DATA / 8] = 0x0000f30000000000;
    x->gdt[SEL_USER_CODE / 8] = 0x0020fb0000000000;
    uint64_t limit = sizeof x->tss + sizeof x->iomap - 1;
    x->gdt[SEL_TSS / 8] = limit | (tss & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (tss >> 24 & 0xff) << 56;
    x->gdt[SEL_TSS / 8 + 1] = tss >> 32;
    struct [[gnu::packed]] {
        uint16_t limit;
        uint64_t base;
    } gdtr = { sizeof x->gdt - 1, (uint64_t)x->gdt };
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmovl %2, %%eax\n\t"
                     "movl %%eax, %%ss\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "ltr %w3" ::"m"(gdtr),
                     "i"(SEL_KERNEL_CODE), "i"(SEL_KERNEL_DATA), "r"(SEL_TSS)
                     : "rax", "memory");
}

void arch_hart_local_init(void)
{
    struct hart *h = arch_hart_self();
    struct x86_hart *x = x86_of(h);
    x->tss.rsp[0] = h->kernel_stack_top;
    x->tss.iomap_base = UINT16_MAX; /* beyond the limit: no port is allowed */
    memset(x->iomap, 0xff, sizeof x->iomap);
    load_tables(x);
    x86_idt_load();
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    wrmsr(MSR_FS_BASE, 0);

    wrmsr(MSR_PAT, 0x0007040600070406); /* the reset value: entry 0 is WB, entry 3 UC */
    __asm__ volatile("movq %0, %%cr0" ::"r"(UINT64_C(CR0_BOOT)) : "memory");
    write_cr4(CR4_ALWAYS | (x86_cpu.pge ? CR4_PGE : 0) | (x86_cpu.umip ? CR4_UMIP : 0) |
              (x86_cpu.pcid ? CR4_PCIDE : 0) | (x86_cpu.smep ? CR4_SMEP : 0) | (x86_cpu.smap ? CR4_SMAP : 0));
    set_xcr0(x86_cpu.xcr0);
    static const uint32_t clean[2] = { 0, 0x1f80 };
    __asm__ volatile("fninit; ldmxcsr %0" ::"m"(clean[1]));

    wrmsr(MSR_EFER, EFER_SCE | EFER_LME | EFER_NXE);
    wrmsr(MSR_STAR, (uint64_t)SEL_KERNEL_CODE << 32 | (uint64_t)(SEL_KERNEL_DATA | 3) << 48);
    wrmsr(MSR_LSTAR, (uint64_t)x86_syscall_entry);
    wrmsr(MSR_CSTAR, 0);
    wrmsr(MSR_SFMASK, 0x57700); /* TF IF DF IOPL NT RF AC */
}

void arch_idle_wait(void)
{
    /* sti opens the gate one instruction late, so an interrupt cannot slip in before hlt. */
    __asm__ volatile("sti; hlt; cli" ::: "memory");
    gate_enter(arch_hart_self()); /* it has, unless something else than an interrupt ended hlt */
}

void arch_irq_window(void)
{
    __asm__ volatile("sti; nop; cli" ::: "memory");
}

void arch_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void x86_tls_change(uint64_t address)
{
    /* A base that is not canonical would fault here; such a pointer is the Task's own mistake, and 0 as good as it. */
    if (address >= VX_UADDR_LIMIT)
        address = 0;
    arch_hart_self()->arch_word = address;
    wrmsr(MSR_FS_BASE, address);
}

/* --- vector state. [SDM-1] "Managing State Using the XSAVE Feature Set" --- */

size_t arch_fp_bytes(void)
{
    return (x86_cpu.fp_bytes + 63) & ~UINT64_C(63);
}

void arch_fp_clear(void *state)
{
    /* Legacy area and header: with XSTATE_BV 0 everything behind them counts as in its initial state. */
    static constexpr uint32_t mxcsr = 0x1f80;
    static constexpr uint16_t fcw = 0x37f;
    memset(state, 0, 512 + 64);
    memcpy(state, &fcw, sizeof fcw);
    memcpy((char *)state + 24, &mxcsr, sizeof mxcsr);
}

/* --- entropy. [SDM-1] "Random Number Generator Instructions" --- */

bool arch_random(uint64_t *word)
{
    bool ok = false;
    for (int i = 0; x86_cpu.rdseed && !ok && i < 64; i++) /* the seed generator may run dry for a while */
        __asm__ volatile("rdseed %0" : "=r"(*word), "=@ccc"(ok));
    for (int i = 0; x86_cpu.rdrand && !ok && i < 10; i++)
        __asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(ok));
    return ok;
}
