#define _POSIX_C_SOURCE 200809L /* clock_gettime */
/* SPDX-License-Identifier: MIT
 * The host architecture's memory management unit, in software. User memory is reached by walking the kernel's tables
 * and remembering the result in a TLB that only the kernel's flushes clear: a flush that was forgotten makes a
 * remembered translation differ from the tables, which ends the test. Where there are several harts, each has its TLB,
 * a remembered translation is used as a processor would, and a thread sanitizer sees who uses a frame that is not its
 * any more; a difference that stays for seconds ends the test. Harts that have an address space active have their bit
 * in it, as on x86_64 (test/model/shootdown.pml). */
#include <arch/mmu.h>
#include <arch/pte.h>
#include <arch/usercopy.h>
#include <host.h>
#include <kernel/entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HOST_SMP
#define TLB_ENTRIES 64u
#define STALE_NS UINT64_C(8000000000)
#else
#define TLB_ENTRIES 1024u
#endif

/* Not in every test: then there is one hart. */
[[gnu::weak]] void kernel_harts_call(uint64_t harts, void (*fn)(const void *arg), const void *arg);

static _Thread_local struct tlb_entry {
    const struct arch_aspace *as; /* null: empty */
    uint64_t page, entry;         /* virtual page number; the leaf, with the address of this very page */
    uint64_t differs_since;       /* from the tables; 0: it did not when we looked */
} tlb[TLB_ENTRIES];

static _Atomic size_t live;

/* The leaf for va, with its address moved to va's own page; 0: none. */
static uint64_t walk(const struct arch_aspace *as, uint64_t va)
{
    const uint64_t *table = arch_phys_to_virt(as->root);
    for (unsigned level = PT_LEVELS - 1;; level--) {
        unsigned shift = ARCH_PAGE_SHIFT + 9 * level;
        /* acquire: pairs with pt_entry_store(). On hardware the address depends on what was loaded. */
        uint64_t e = __atomic_load_n(&table[va >> shift & (PT_ENTRIES - 1)], __ATOMIC_ACQUIRE);
        if (!pte_present(e))
            return 0;
        if (pte_is_leaf(e, level))
            return e + (va & ((UINT64_C(1) << shift) - ARCH_PAGE_SIZE));
        if (level == 0)
            return 0;
        table = arch_phys_to_virt((paddr_t){ pte_pa(e) });
    }
}

static struct tlb_entry *tlb_slot(const struct arch_aspace *as, uint64_t page)
{
    return &tlb[(page * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)as >> 4) % TLB_ENTRIES];
}

[[noreturn]] static void stale(uint64_t va, uint64_t tlb_holds, uint64_t now)
{
    fprintf(stderr, "host: stale translation of %llx: the TLB holds %llx, the tables %llx\n", (unsigned long long)va,
            (unsigned long long)tlb_holds, (unsigned long long)now);
    abort();
}

#ifdef HOST_SMP
static uint64_t real_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}
#endif

/* What the processor would use for va: the TLB's answer, which must be the tables'. 0: a fault. */
static uint64_t translate(uint64_t va, uint32_t access)
{
    const struct arch_aspace *as = host_hart->aspace;
    if (as == nullptr)
        return 0;
    uint64_t page = va >> ARCH_PAGE_SHIFT, now = walk(as, va);
    struct tlb_entry *t = tlb_slot(as, page);
#ifdef HOST_SMP
    if (t->as == as && t->page == page) {
        uint64_t at = real_ns();
        if (t->entry == now)
            t->differs_since = 0;
        else if (t->differs_since == 0)
            t->differs_since = at;
        else if (at - t->differs_since > STALE_NS)
            stale(va, t->entry, now);
        uint32_t may = pte_prot(t->entry);
        if ((may & PTE_USER) != 0 && (may & access) == access)
            return t->entry;
        t->as = nullptr; /* what does not allow an access is looked up again before that faults */
    }
#endif
    if (t->as == as && t->page == page && t->entry != now)
        stale(va, t->entry, now);
    if (now == 0)
        return 0; /* what is not present is not remembered */
    *t = (struct tlb_entry){ as, page, now, 0 };
    uint32_t prot = pte_prot(now);
    return (prot & PTE_USER) != 0 && (prot & access) == access ? now : 0;
}

/* What stands behind the registers of devices: none is simulated. */
static _Thread_local unsigned char no_device[ARCH_PAGE_SIZE];

/* [va, va + len) lies in one page. */
static unsigned char *user_bytes(uint64_t va, uint32_t access)
{
    uint64_t e = va < UINT64_C(1) << 47 ? translate(va, access) : 0;
    if (e != 0 && pte_type(e) == MEM_DEVICE)
        return &no_device[va & (ARCH_PAGE_SIZE - 1)];
    return e == 0 ? nullptr : (unsigned char *)arch_phys_to_virt((paddr_t){ pte_pa(e) }) + (va & (ARCH_PAGE_SIZE - 1));
}

static status_t copy(uint64_t user, unsigned char *kernel, size_t len, bool to_user)
{
    while (len != 0) {
        size_t n = ARCH_PAGE_SIZE - (user & (ARCH_PAGE_SIZE - 1));
        n = n < len ? n : len;
        unsigned char *p = user_bytes(user, to_user ? VX_PROT_WRITE : VX_PROT_READ);
        if (p == nullptr)
            return ERR_BAD_ADDRESS;
        for (size_t i = 0; i < n; i++) /* other threads of the Task may touch them too: what they get is their affair */
            if (to_user)
                __atomic_store_n(&p[i], kernel[i], __ATOMIC_RELAXED);
            else
                kernel[i] = __atomic_load_n(&p[i], __ATOMIC_RELAXED);
        user += n;
        kernel += n;
        len -= n;
    }
    return OK;
}

status_t host_user_read(void *dst, uint64_t src, size_t len)
{
    return copy(src, dst, len, false);
}

status_t host_user_write(uint64_t dst, const void *src, size_t len)
{
    return copy(dst, (unsigned char *)(uintptr_t)src, len, true);
}

status_t arch_copy_from_user(void *dst, uaddr_t src, size_t len)
{
    return copy(src.raw, dst, len, false);
}

status_t arch_copy_to_user(uaddr_t dst, const void *src, size_t len)
{
    return copy(dst.raw, (unsigned char *)(uintptr_t)src, len, true);
}

status_t arch_copy_message_from_user(void *dst, uaddr_t src)
{
    return copy(src.raw, dst, 64, false);
}

status_t arch_copy_message_to_user(uaddr_t dst, const void *src)
{
    return copy(dst.raw, (unsigned char *)(uintptr_t)src, 64, true);
}

status_t arch_user_load32(uaddr_t src, uint32_t *out)
{
    return copy(src.raw, (unsigned char *)out, sizeof *out, false);
}

void arch_aspace_init(struct arch_aspace *as, paddr_t root)
{
    *as = (struct arch_aspace){ .root = root, .live = true };
    live++;
}

static uint64_t others(struct arch_aspace *as)
{
    /* A write, though of nothing: in one order with those of activate(). */
    uint64_t all = atomic_fetch_or_explicit(&as->harts, 0, memory_order_seq_cst);
    return host_hart != nullptr ? all & ~(UINT64_C(1) << host_hart->id) : 0;
}

static void leave(const void *as)
{
    if (host_hart->aspace == as)
        arch_aspace_activate(nullptr);
}

void arch_aspace_fini(struct arch_aspace *as)
{
    if (!as->live || host_hart->aspace == as) {
        fprintf(stderr, "host: an address space ends twice, or while it is active\n");
        abort();
    }
    arch_tlb_flush_range(as, (vaddr_t){ 0 }, SIZE_MAX);
    uint64_t mask = others(as);
    if (mask != 0)
        kernel_harts_call(mask, leave, as);
    as->live = false;
    live--;
}

size_t host_live_aspaces(void)
{
    return live;
}

void arch_aspace_activate(struct arch_aspace *as)
{
    struct hart *h = host_hart;
    struct arch_aspace *old = h->aspace;
    if (old == as)
        return;
    h->aspace = as;
    if (as != nullptr)
        atomic_fetch_or_explicit(&as->harts, UINT64_C(1) << h->id, memory_order_seq_cst);
#ifdef HOST_SMP
    memset(tlb, 0, sizeof tlb); /* no tags */
#endif
    if (old != nullptr)
        atomic_fetch_and_explicit(&old->harts, ~(UINT64_C(1) << h->id), memory_order_release);
}

status_t arch_copy_message_across(struct arch_aspace *as, uaddr_t dst, uaddr_t src)
{
    struct arch_aspace *old = host_hart->aspace;
    uint64_t message[8];
    status_t st = arch_copy_message_from_user(message, src);
    if (st != OK)
        return st;
    arch_aspace_activate(as);
    st = arch_copy_message_to_user(dst, message);
    if (st != OK)
        arch_aspace_activate(old);
    return st;
}

struct flush {
    const struct arch_aspace *as;
    uint64_t va, len_bytes;
};

static void flush_here(const void *arg)
{
    const struct flush *f = arg;
    for (struct tlb_entry *t = tlb; t < tlb + TLB_ENTRIES; t++)
        if (t->as == f->as && (t->page << ARCH_PAGE_SHIFT) - f->va < f->len_bytes)
            t->as = nullptr;
}

static void flush(struct arch_aspace *as, uint64_t va, size_t len_bytes)
{
    const struct flush f = { as, va & ~(uint64_t)(ARCH_PAGE_SIZE - 1), len_bytes };
    flush_here(&f);
    uint64_t mask = others(as);
    if (mask != 0)
        kernel_harts_call(mask, flush_here, &f);
}

void arch_tlb_flush_range(struct arch_aspace *as, vaddr_t va, size_t len_bytes)
{
#ifdef MUTATE_TLB_NO_FLUSH
    len_bytes = 0; /* what a kernel that forgets to flush looks like */
#endif
    flush(as, va.raw, len_bytes);
}

void arch_tlb_publish(void)
{
}

void *arch_map_device(paddr_t pa, size_t len_bytes)
{
    (void)pa;
    (void)len_bytes;
    return nullptr;
}

status_t arch_ports_grant(struct arch_aspace *as, uint32_t first, uint32_t count, const struct cap *owner)
{
    if (as->n_ports == sizeof as->ports / sizeof *as->ports)
        return ERR_TABLE_FULL;
    as->ports[as->n_ports].first = first;
    as->ports[as->n_ports].count = count;
    as->ports[as->n_ports++].owner = owner;
    return OK;
}

void arch_ports_revoke(struct arch_aspace *as, const struct cap *owner)
{
    for (uint32_t i = as->n_ports; i-- > 0;)
        if (as->ports[i].owner == owner)
            as->ports[i] = as->ports[--as->n_ports];
}

uint64_t arch_kernel_pte(vaddr_t va, unsigned *level)
{
    (void)va;
    *level = 0;
    return 0;
}

void arch_sync_icache(const void *p, size_t len_bytes)
{
    (void)p;
    (void)len_bytes;
}

void arch_page_zero(void *page)
{
    memset(page, 0, ARCH_PAGE_SIZE);
}

void arch_page_copy(void *dst, const void *src)
{
    memcpy(dst, src, ARCH_PAGE_SIZE);
}
