/* SPDX-License-Identifier: MIT
 * The kernel's own translation tables; see kmap.h. Pages for them come from one run of free RAM that boot found, in
 * order, and are never given back. Nothing but kmap_seal() replaces or removes a valid entry, so no flush is needed, on
 * no hart: all walk the same tables, and what was not valid is in no TLB.
 *
 * The direct map holds RAM and nothing else, so that the hart cannot even speculate into device registers; the image it
 * has only to be read, so that nothing of it is writable but where it runs, or executable but there. */
#include <kernel/entry.h>
#include <kernel/firmware/machine.h>
#include <kernel/kmap.h>
#include <abi/types.h>
#include <arch/mmu.h>
#include <base/string.h>

static constexpr uint64_t BLOCK_BYTES = UINT64_C(1) << 21;
static constexpr uint64_t SPARE_TABLES = 26; /* for device registers and the stacks of further harts */
static constexpr uint32_t PROT_RW = VX_PROT_READ | VX_PROT_WRITE;

SEALED alignas(ARCH_PAGE_SIZE) uint64_t kernel_root[PT_ENTRIES];
static uint64_t pool_start, pool_next, pool_end; /* physical */
static uint64_t pool_offset;                     /* added to a table's address to reach it */
SEALED static uint64_t exec_bits;

uint64_t kmap_table(void)
{
    if (pool_next == pool_end)
        return 0;
    uint64_t pa = pool_next;
    pool_next += ARCH_PAGE_SIZE;
    memset((void *)(uintptr_t)(pa + pool_offset), 0, ARCH_PAGE_SIZE);
    return pa;
}

/* The entry for va at `level`, or the leaf above it that already maps va. nullptr: there is no table for it, and none
 * is to be made or no page is left for one. */
static uint64_t *entry_for(uint64_t va, unsigned level, bool make, unsigned *found)
{
    uint64_t *table = kernel_root;
    for (unsigned at = PT_LEVELS - 1;; at--) {
        uint64_t *e = &table[pt_index(va, at)];
        *found = at;
        if (at == level || (pte_present(*e) && pte_is_leaf(*e, at)))
            return e;
        if (!pte_present(*e)) {
            uint64_t pa = make ? kmap_table() : 0;
            if (pa == 0)
                return nullptr;
            arch_tlb_publish(); /* the walkers must see the table's zeroes before the entry that leads to them */
            *e = pte_table(pa);
        }
        table = (uint64_t *)(uintptr_t)(pte_pa(*e) + pool_offset);
    }
}

bool kmap_add(uint64_t va, uint64_t pa, uint64_t len_bytes, uint32_t prot, enum mem_type type)
{
    uint64_t end = va + len_bytes;
    while (va != end) {
        unsigned level = pt_fit(va, pa, end - va), found;
        uint64_t *e = entry_for(va, level, true, &found);
        while (e != nullptr && pte_present(*e) && !pte_is_leaf(*e, found)) /* smaller leaves are there already */
            e = entry_for(va, --level, true, &found);
        if (e == nullptr)
            return false;
        if (!pte_present(*e))
            *e = pte_leaf(pa, level, prot, type) | ((prot & VX_PROT_EXEC) != 0 ? exec_bits : 0);
        va += pt_span(level);
        pa += pt_span(level);
    }
    arch_tlb_publish();
    return true;
}

static void add(uint64_t va, uint64_t pa, uint64_t len_bytes, uint32_t prot)
{
    if (!kmap_add(va, pa, len_bytes, prot, MEM_NORMAL))
        kernel_refuse("the memory map is too scattered: no room for its page tables");
}

static void add_image(const char *from, const char *to, uint32_t prot)
{
    add((uint64_t)(uintptr_t)from, arch_virt_to_phys(from).raw, (uint64_t)(to - from), prot);
}

static void add_direct(uint64_t from, uint64_t to, uint32_t prot)
{
    add((uint64_t)(uintptr_t)arch_phys_to_virt((paddr_t){ from }), from, to - from, prot);
}

/* The direct map of [at, end) but for what may not be mapped, or is there already. */
static void add_ram(const struct machine *m, uint64_t at, uint64_t end)
{
    while (at < end) {
        uint64_t stop = end, next = end;
        for (uint32_t i = 0; i < m->n_reserved; i++) {
            uint64_t from = page_down(m->reserved[i].base),
                     to = page_up(m->reserved[i].base + m->reserved[i].len_bytes);
            if (m->reserved[i].kind == RESERVED_NO_MAP && to > at && from < stop) {
                stop = from > at ? from : at;
                next = to < end ? to : end;
            }
        }
        add_direct(at, stop, PROT_RW);
        at = next;
    }
}

uint64_t kmap_choose(const struct machine *m)
{
    uint64_t block = machine_free_from(m, 0, BLOCK_BYTES, BLOCK_BYTES);
    if (block == UINT64_MAX)
        kernel_refuse("too little memory: no 2 MiB are free for page tables");
    return block;
}

void kmap_build(const struct machine *m, uint64_t block, void *view, char *const guard[], unsigned n,
                uint64_t code_bits)
{
    pool_start = pool_next = block;
    pool_end = block + BLOCK_BYTES;
    pool_offset = (uint64_t)(uintptr_t)view - block;
    exec_bits = code_bits;
    const char *at = sealed_end;
    add_image(image_start, text_end, VX_PROT_READ | VX_PROT_EXEC);
    add_image(text_end, sealed_start, VX_PROT_READ);
    add_image(sealed_start, sealed_end, PROT_RW);
    for (unsigned i = 0; i < n; i++) {
        add_image(at, guard[i], PROT_RW);
        at = guard[i] + ARCH_PAGE_SIZE;
    }
    add_image(at, image_end, PROT_RW);
    add_direct(arch_virt_to_phys(image_start).raw, arch_virt_to_phys(image_end).raw, VX_PROT_READ);
    for (uint32_t i = 0; i < m->n_ram; i++) {
        uint64_t end = page_down(m->ram[i].base + m->ram[i].len_bytes);
        add_ram(m, page_up(m->ram[i].base), end < ARCH_DIRECT_BYTES ? end : ARCH_DIRECT_BYTES);
    }
}

void kmap_settle(struct machine *m)
{
    uint64_t room = (pool_end - pool_next) / ARCH_PAGE_SIZE;
    pool_end = pool_next + (SPARE_TABLES < room ? SPARE_TABLES : room) * ARCH_PAGE_SIZE;
    pool_offset = (uint64_t)(uintptr_t)arch_phys_to_virt((paddr_t){ 0 });
    if (machine_add_reserved(m, pool_start, pool_end - pool_start, RESERVED_FIRMWARE) != OK)
        kernel_refuse("the firmware reserves more ranges than the kernel can keep apart");
}

void *arch_map_device(paddr_t pa, size_t len_bytes)
{
    uint64_t start = page_down(pa.raw), end;
    if (len_bytes == 0 || __builtin_add_overflow(pa.raw, len_bytes, &end) || end > ARCH_DEVICE_BYTES ||
        !kmap_add(ARCH_DEVICE_BASE + start, start, page_up(end) - start, PROT_RW, MEM_DEVICE))
        return nullptr;
    return (void *)(uintptr_t)(ARCH_DEVICE_BASE + pa.raw);
}

void kmap_seal(void)
{
    unsigned level;
    for (const char *p = sealed_start; p < sealed_end; p += ARCH_PAGE_SIZE) {
        uint64_t *e = entry_for((uint64_t)(uintptr_t)p, 0, false, &level);
        *e = pte_leaf(pte_pa(*e), level, VX_PROT_READ, MEM_NORMAL);
    }
}

uint64_t arch_kernel_pte(vaddr_t va, unsigned *level)
{
    const uint64_t *e = entry_for(va.raw, 0, false, level);
    return e != nullptr && pte_present(*e) ? *e : 0;
}
