/* SPDX-License-Identifier: MIT
 * The kernel's own page tables, and address spaces as this processor sees them.
 *
 * Invariants:
 *  1. Entries 256..511 of the kernel's root are final when x86_mmu_build() returns, so every root can copy them.
 *  2. They are kernel/kmap.c's, but for the low half of what further harts start with.
 *  3. hart.aspace is the address space whose root is in cr3.
 *  4. A hart that may use translations of an address space has its bit in aspace.harts, from before cr3 is loaded to
 * after another is. Who changes an entry looks at the bits after that, with a fence between: so either it sees the bit
 * and asks the hart to flush, or the hart sees the changed entry. model: test/model/shootdown.pml */
#include "x86.h"
#include <arch/hart.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <arch/usercopy.h>
#include <base/string.h>
#include <kernel/firmware/machine.h>
#include <kernel/kmap.h>

static constexpr uint64_t EARLY_MAP_END = UINT64_C(1) << 32; /* what the tables of start.S reach */
static constexpr size_t FLUSH_PAGES_MAX = 32;                /* beyond it, one reload of cr3 is cheaper */
static constexpr uint64_t LOW_END = 1 << 20;                 /* what 16-bit code reaches */
static constexpr uint64_t CR3_KEEP = UINT64_C(1) << 63;

static uint64_t fresh_stamp(void)
{
    static _Atomic uint64_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static void write_cr3(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr3" ::"r"(v) : "memory");
}

static void invlpg(uint64_t va)
{
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/* --- building the kernel's tables --- */

static void reserve(struct machine *m, uint64_t base, uint64_t end)
{
    if (machine_add_reserved(m, base, end - base, RESERVED_FIRMWARE) != OK)
        kernel_refuse("the firmware lists more than %u reserved memory regions", (unsigned)RESERVED_REGION_MAX);
}

/* A page below 1 MiB for the first instructions of further harts, and tables for the moment in which they are both
 * there and where the kernel is linked. Both stay: a hart may come late. */
static void build_trampoline(struct machine *m)
{
    uint64_t pa = machine_free_from(m, ARCH_PAGE_SIZE, ARCH_PAGE_SIZE, ARCH_PAGE_SIZE);
    if (m->n_harts < 2 || pa >= LOW_END)
        return;
    reserve(m, pa, pa + ARCH_PAGE_SIZE);
    bool ok = kmap_add(pa, pa, ARCH_PAGE_SIZE, VX_PROT_READ | VX_PROT_EXEC, MEM_NORMAL);
    uint64_t root = kmap_table();
    if (!ok || root == 0)
        return;
    memcpy(arch_phys_to_virt((paddr_t){ root }), kernel_root, sizeof kernel_root);
    kernel_root[0] = 0;
    uint8_t *page = arch_phys_to_virt((paddr_t){ pa });
    memcpy(page, x86_trampoline, (size_t)(x86_trampoline_end - x86_trampoline));
    memcpy(page + (x86_trampoline_root - x86_trampoline), &root, sizeof(uint32_t));
    x86_trampoline_pa = pa;
}

void x86_mmu_enter(void)
{
    write_cr3(arch_virt_to_phys(kernel_root).raw);
}

void x86_mmu_build(struct machine *m)
{
    static char *const guard[] = { (char *)x86_stack_guard, (char *)x86_ist_guard };
    reserve(m, arch_virt_to_phys(image_start).raw, arch_virt_to_phys(image_end).raw);
    reserve(m, 0, ARCH_PAGE_SIZE); /* physical address 0 stays a mistake */
    paddr_t block = { kmap_choose(m) };
    if (block.raw >= EARLY_MAP_END)
        kernel_refuse("no room below 4 GiB for the kernel's page tables");
    kmap_build(m, block.raw, arch_phys_to_virt(block), guard, 2, 0);
    (void)arch_map_device((paddr_t){ m->apic.lapic_base }, ARCH_PAGE_SIZE); /* the root has its entry: invariant 1 */
    build_trampoline(m);
    x86_mmu_enter();
    kmap_settle(m);
}

uint64_t x86_map_stack(const void *stack, uint64_t len_bytes)
{
    static uint64_t next = X86_STACKS; /* only the boot hart maps, while the machine starts */
    next += ARCH_PAGE_SIZE;
    if (!kmap_add(next, arch_virt_to_phys(stack).raw, len_bytes, VX_PROT_READ | VX_PROT_WRITE, MEM_NORMAL))
        return 0;
    return next += len_bytes;
}

void arch_seal(void)
{
    kmap_seal();
    for (const char *p = sealed_start; p < sealed_end; p += ARCH_PAGE_SIZE)
        invlpg((uint64_t)p);
}

/* --- address spaces --- */

void arch_aspace_init(struct arch_aspace *as, paddr_t root)
{
    *as = (struct arch_aspace){ .root = root, .stamp = fresh_stamp(), .general = x86_cpu.pcid };
    uint64_t *table = arch_phys_to_virt(root);
    memcpy(table + PT_ENTRIES / 2, kernel_root + PT_ENTRIES / 2, sizeof kernel_root / 2);
}

static void leave(const void *as)
{
    if (arch_hart_self()->aspace == as)
        arch_aspace_activate(nullptr);
}

void arch_aspace_fini(struct arch_aspace *as)
{
    /* Harts that run nothing keep what they ran last. With PCIDs the stamp, which never comes again, disowns the rest.
     */
    kernel_harts_call(atomic_load_explicit(&as->harts, memory_order_relaxed), leave, as);
    *as = (struct arch_aspace){};
}

/* [SDM-3] "Process-Context Identifiers": each hart gives its few numbers to the address spaces it ran last. */
static uint64_t cr3_of(struct x86_hart *x, struct arch_aspace *as)
{
    if (!x86_cpu.pcid)
        return as->root.raw;
    uint64_t stamp = atomic_load_explicit(&as->stamp, memory_order_relaxed); /* after our bit was set: invariant 4 */
    for (uint64_t i = 0; i < X86_PCIDS; i++)
        if (x->pcid_stamp[i] == stamp)
            return as->root.raw | (i + 1) | CR3_KEEP;
    uint64_t i = x->pcid_turn++ % X86_PCIDS;
    x->pcid_stamp[i] = stamp;
    return as->root.raw | (i + 1); /* without CR3_KEEP: what an earlier owner of the number left is flushed */
}

static void allow_ports(struct x86_hart *x, struct x86_port_range r)
{
    for (uint32_t p = r.first, end = r.first + r.count; p < end;) {
        uint32_t bytes = p % 8 == 0 ? (end - p) / 8 : 0;
        if (bytes != 0)
            memset(&x->iomap[p / 8], 0, bytes);
        else
            x->iomap[p / 8] &= (uint8_t)~(1u << p % 8);
        p += bytes != 0 ? bytes * 8 : 1;
    }
}

static void fill_bitmap(struct x86_hart *x, const struct arch_aspace *as)
{
    memset(x->iomap, 0xff, sizeof x->iomap);
    for (uint32_t i = 0; i < as->n_ports; i++)
        allow_ports(x, as->ports[i]);
    x->ports_stamp = as->ports_stamp;
}

/* [SDM-1] "I/O Permission Bit Map": leaving a Task with ports only turns it off; the next one with ports may be the
 * same. */
static void switch_ports(struct x86_hart *x, const struct arch_aspace *as)
{
    x->iomap_on = as != nullptr && as->n_ports != 0;
    if (x->iomap_on && x->ports_stamp != as->ports_stamp)
        fill_bitmap(x, as);
    x->tss.iomap_base = x->iomap_on ? sizeof x->tss : UINT16_MAX;
}

static void refresh_ports(const void *as)
{
    struct hart *h = arch_hart_self();
    if (h->aspace == as)
        switch_ports(x86_of(h), as);
}

/* By a hart that is alone, or the ports could change while another hart looks at them. */
static void ports_changed(struct arch_aspace *as)
{
    as->general = x86_cpu.pcid || as->n_ports != 0;
    as->ports_stamp = fresh_stamp();
    refresh_ports(as);
    kernel_harts_call(atomic_load_explicit(&as->harts, memory_order_relaxed), refresh_ports, as);
}

/* Invariant 4; a locked instruction is a fence. */
static inline void arrive(struct hart *h, struct arch_aspace *as)
{
    h->aspace = as;
    if (as != nullptr)
        __asm__ volatile("lock btsq %1, %0" : "+m"(as->harts) : "r"((uint64_t)h->id) : "memory", "cc");
}

static inline void depart(const struct hart *h, struct arch_aspace *old)
{
    if (old != nullptr)
        __asm__ volatile("lock btrq %1, %0" : "+m"(old->harts) : "r"((uint64_t)h->id) : "memory", "cc");
}

[[gnu::noinline]] static void activate_general(struct hart *h, struct arch_aspace *as)
{
    struct x86_hart *x = x86_of(h);
    struct arch_aspace *old = h->aspace;
    arrive(h, as);
    if (x->iomap_on || (as != nullptr && as->n_ports != 0))
        switch_ports(x, as);
    write_cr3(as != nullptr ? cr3_of(x, as) : arch_virt_to_phys(kernel_root).raw);
    depart(h, old);
}

void arch_aspace_activate(struct arch_aspace *as)
{
    struct hart *h = arch_hart_self();
    struct arch_aspace *old = h->aspace;
    if (as == nullptr || old == nullptr || (as->general | old->general) != 0) {
        activate_general(h, as);
        return;
    }
    arrive(h, as); /* the usual case, on the way of every switch between Tasks */
    write_cr3(as->root.raw);
    depart(h, old);
}

status_t x86_copy_across_general(struct arch_aspace *as, uaddr_t dst, uaddr_t src)
{
    struct arch_aspace *old = arch_hart_self()->aspace;
    uint64_t message[8];
    if (arch_copy_message_from_user(message, src) != OK)
        return ERR_BAD_ADDRESS;
    if (as != old)
        arch_aspace_activate(as);
    return arch_copy_message_to_user(dst, message) == OK ? OK : x86_stay(old);
}

status_t x86_stay(struct arch_aspace *old)
{
    if (arch_hart_self()->aspace != old)
        arch_aspace_activate(old);
    return ERR_BAD_ADDRESS;
}

struct flush {
    const struct arch_aspace *as;
    uint64_t va, len_bytes;
};

static void flush_here(const void *arg)
{
    const struct flush *f = arg;
    if (arch_hart_self()->aspace != f->as)
        return;
    if (f->len_bytes > FLUSH_PAGES_MAX * ARCH_PAGE_SIZE)
        __asm__ volatile("movq %%cr3, %%rax\n\tmovq %%rax, %%cr3" ::: "rax", "memory");
    else
        for (uint64_t off = 0; off < f->len_bytes; off += ARCH_PAGE_SIZE)
            invlpg(f->va + off);
}

void arch_tlb_flush_range(struct arch_aspace *as, vaddr_t va, size_t len_bytes)
{
    const struct flush f = { as, va.raw, len_bytes };
    if (x86_cpu.pcid) /* harts that left it: what they kept is of an older stamp */
        atomic_store_explicit(&as->stamp, fresh_stamp(), memory_order_release); /* after the entries changed */
    flush_here(&f);
    if (n_harts == 1)
        return;
    atomic_thread_fence(memory_order_seq_cst); /* invariant 4 */
    kernel_harts_call(atomic_load_explicit(&as->harts, memory_order_relaxed), flush_here, &f);
}

void arch_tlb_publish(void)
{
    /* Entries that are not present are never cached, and stores are seen in order: [SDM-3] "Caching Translation
     * Information". */
    __asm__ volatile("" ::: "memory");
}

status_t arch_ports_grant(struct arch_aspace *as, uint32_t first, uint32_t count, const struct cap *owner)
{
    if (as->n_ports == DEVICE_PORT_RANGES_MAX)
        return ERR_TABLE_FULL;
    as->ports[as->n_ports++] = (struct x86_port_range){ first, count, owner };
    ports_changed(as);
    return OK;
}

void arch_ports_revoke(struct arch_aspace *as, const struct cap *owner)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < as->n_ports; i++)
        if (as->ports[i].owner != owner)
            as->ports[n++] = as->ports[i];
    as->n_ports = n;
    ports_changed(as);
}

void arch_sync_icache(const void *p, size_t len_bytes)
{
    (void)p; /* instruction caches are coherent; returning to user mode serialises */
    (void)len_bytes;
}
