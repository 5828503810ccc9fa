/* SPDX-License-Identifier: MIT
 * Boot-time checks; see selftest.h. They use the real root Reticle and must leave it exactly as it was. */
#include <kernel/cap.h>
#include <kernel/entropy.h>
#include <kernel/entry.h>
#include <kernel/firmware/machine.h>
#include <kernel/init.h>
#include <kernel/ring.h>
#include <kernel/selftest.h>
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <arch/timer.h>
#include <base/string.h>

static const uint64_t read_only_word = 0x5645435452414f53;
static uint64_t writable_word = 1;

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            kernel_panic("self-test: %s is not true", #cond);                                                          \
    } while (0)

void selftest_boot(void)
{
    paddr_t pa = arch_virt_to_phys(&writable_word);
    CHECK(*(volatile uint64_t *)arch_phys_to_virt(pa) == writable_word); /* image and direct map are the same memory */
}

/* How the kernel's own tables map an address. */
static uint64_t leaf_at(const volatile void *p)
{
    unsigned level;
    return arch_kernel_pte((vaddr_t){ (uint64_t)(uintptr_t)p }, &level);
}

void selftest_paging(const struct machine *m)
{
    uint64_t text = leaf_at((const void *)(uintptr_t)selftest_paging), bytes;
    paddr_t device;
    CHECK(pte_prot(text) == (VX_PROT_READ | VX_PROT_EXEC) && pte_type(text) == MEM_NORMAL);
    CHECK(pte_prot(leaf_at(&read_only_word)) == VX_PROT_READ);
    CHECK(pte_prot(leaf_at(&writable_word)) == (VX_PROT_READ | VX_PROT_WRITE));
    CHECK(pte_prot(leaf_at(arch_phys_to_virt(arch_virt_to_phys(&writable_word)))) == VX_PROT_READ);
    for (uint32_t i = 0; i < m->n_ram; i++) {
        uint64_t direct = leaf_at(arch_phys_to_virt((paddr_t){ m->ram[i].base }));
        CHECK(pte_present(direct) && (pte_prot(direct) & (VX_PROT_EXEC | PTE_USER)) == 0);
        CHECK(pte_type(direct) == MEM_NORMAL);
    }
    for (unsigned i = 0; arch_kernel_device(i, &device, &bytes); i++)
        CHECK(pte_type(leaf_at(arch_map_device(device, ARCH_PAGE_SIZE))) == MEM_DEVICE);
}

void selftest_sealed(const struct machine *m)
{
    CHECK(pte_prot(leaf_at(m)) == VX_PROT_READ);
    CHECK(pte_prot(leaf_at(arch_phys_to_virt(arch_virt_to_phys(m)))) == VX_PROT_READ);
}

void selftest_reticle(void)
{
    struct reticle *root = root_reticle(), child;
    uint64_t free_before = root->free_pages;
    paddr_t page;
    CHECK(reticle_carve(root, 4, &child) == OK && child.total_pages == 16);
    CHECK(reticle_alloc(&child, 0, PAGE_KERNEL, &page) == OK && root->free_pages == free_before - 16);
    reticle_release(&child);
    CHECK(root->free_pages == free_before);
#ifdef VECTRA_DEBUG
    const char *why = "";
    if (!reticle_check(root, &why))
        kernel_panic("self-test: Reticle: %s", why);
#endif
}

/* A Ring, and a capability to an end of it in a table of our own. */
void selftest_caps_and_rings(void)
{
    static struct cap slots[2];
    struct cap_table t = { .slots = slots, .n_slots = 2 };
    uint64_t free_before = root_reticle()->free_pages;
    struct cap *c, *found;
    struct ring *r;
    work_begin();
    CHECK(ring_create(root_reticle(), 16, true, &r) == OK && ring_make_some(r) && ring_used(r) == 0);
    atomic_store_explicit(&r->shared->head, 1, memory_order_release);
    CHECK(ring_used(r) == 1);
    CHECK(cap_reserve(&t, &c) == OK);
    uint32_t handle = cap_make(c, &r->obj, VX_CAP_RING_TX, VX_R_SEND, 0, 0);
    CHECK(cap_get(&t, handle, VX_CAP_RING_TX, VX_R_SEND, &found) == OK && found == c);
    CHECK(cap_get(&t, handle, VX_CAP_RING_TX, VX_R_REVOKE, &found) == ERR_NO_RIGHTS);
    cap_delete(&t, c); /* the last one: the Ring goes */
    do
        work_begin();
    while (!object_reap());
    CHECK(cap_get(&t, handle, VX_CAP_RING_TX, VX_R_SEND, &found) == ERR_BAD_HANDLE);
    CHECK(root_reticle()->free_pages == free_before);
}

void selftest_sched(void)
{
    volatile bool *armed = &arch_hart_self()->sched.slice_armed; /* until the timer's interrupt */
    uint64_t start = arch_timer_now_ns();
    *armed = true;
    arch_timer_arm(start + 200000);
    for (int i = 0; i < 1000 && *armed; i++)
        arch_idle_wait();
    CHECK(!*armed && arch_timer_now_ns() >= start + 200000);
}

void selftest_entropy(void)
{
    uint64_t a[2], b[2];
    entropy_fill(a, sizeof a);
    entropy_fill(b, sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
}
