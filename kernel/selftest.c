/* SPDX-License-Identifier: MIT
 * Boot-time checks; see selftest.h. They use the real root Reticle and must leave it exactly as it was. */
#include <kernel/cap.h>
#include <kernel/entropy.h>
#include <kernel/entry.h>
#include <kernel/firmware/machine.h>
#include <kernel/init.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/selftest.h>
#include <kernel/sync.h>
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
    uint64_t before = arch_timer_now_ns();
    paddr_t pa = arch_virt_to_phys(&writable_word);
    CHECK(*(volatile uint64_t *)arch_phys_to_virt(pa) == writable_word); /* image and direct map are the same memory */
    CHECK(arch_timer_now_ns() >= before);
}

static uint32_t prot_at(const volatile void *p, enum mem_type *type)
{
    unsigned level;
    uint64_t e = arch_kernel_pte((vaddr_t){ (uint64_t)(uintptr_t)p }, &level);
    CHECK(e != 0 && pte_present(e));
    *type = pte_type(e);
    return pte_prot(e);
}

void selftest_paging(const struct machine *m)
{
    enum mem_type type;
    uint32_t text = prot_at((const void *)(uintptr_t)selftest_paging, &type);
    CHECK((text & VX_PROT_EXEC) != 0 && (text & (VX_PROT_WRITE | PTE_USER)) == 0 && type == MEM_NORMAL);
    uint32_t constant = prot_at(&read_only_word, &type);
    CHECK((constant & (VX_PROT_WRITE | VX_PROT_EXEC | PTE_USER)) == 0);
    uint32_t data = prot_at(&writable_word, &type);
    CHECK((data & VX_PROT_WRITE) != 0 && (data & (VX_PROT_EXEC | PTE_USER)) == 0);
    for (uint32_t i = 0; i < m->n_ram; i++) {
        uint32_t direct = prot_at(arch_phys_to_virt((paddr_t){ m->ram[i].base }), &type);
        CHECK((direct & VX_PROT_EXEC) == 0 && (direct & PTE_USER) == 0 && type == MEM_NORMAL);
    }
    paddr_t device;
    uint64_t bytes;
    for (unsigned i = 0; arch_kernel_device(i, &device, &bytes); i++) {
        prot_at(arch_map_device(device, ARCH_PAGE_SIZE), &type);
        CHECK(type == MEM_DEVICE);
    }
}

void selftest_reticle(void)
{
    struct reticle *root = root_reticle(), child;
    uint64_t free_before = root->free_pages;
    const char *why = nullptr;
    paddr_t block;
    CHECK(reticle_alloc(root, 3, PAGE_KERNEL, &block) == OK && root->free_pages == free_before - 8);
    reticle_split(root, block, 3, 0);
    for (uint64_t i = 0; i < 8; i++)
        reticle_free(root, (paddr_t){ block.raw + i * ARCH_PAGE_SIZE }, 0);
    CHECK(reticle_carve(root, 4, &child) == OK && child.total_pages == 16);
    CHECK(reticle_alloc(&child, 0, PAGE_KERNEL, &block) == OK);
    reticle_release(&child);
    CHECK(root->free_pages == free_before);
#ifdef VECTRA_DEBUG
    if (!reticle_check(root, &why))
        kernel_panic("self-test: Reticle: %s", why);
#else
    (void)why;
#endif
}

void selftest_caps(void)
{
    uint64_t free_before = root_reticle()->free_pages;
    static struct cap slots[4];
    struct cap_table t = { .slots = slots, .n_slots = 4 };
    struct cap *root, *child, *found;
    struct object *o;
    CHECK(object_create(root_reticle(), VX_CAP_SEM, sizeof(struct sem), &o) == OK);
    waitq_init(&sem_of(o)->waiters);
    list_init(&sem_of(o)->binding.node);
    CHECK(cap_reserve(&t, &root) == OK && cap_reserve(&t, &child) == OK);
    uint32_t a = cap_make(root, o, VX_CAP_SEM, VX_R_WAIT | VX_R_SIGNAL | VX_R_REVOKE, 0, 0);
    uint32_t b = cap_derive(child, root, VX_R_WAIT, 0, 0);
    CHECK(cap_get(&t, b, VX_CAP_SEM, VX_R_WAIT, &found) == OK && found == child);
    CHECK(cap_get(&t, b, VX_CAP_SEM, VX_R_SIGNAL, &found) == ERR_NO_RIGHTS);
    CHECK(cap_get(&t, a, VX_CAP_MEM, 0, &found) == ERR_WRONG_TYPE);
    cap_delete(&t, child);
    CHECK(cap_get(&t, b, VX_CAP_SEM, VX_R_WAIT, &found) == ERR_BAD_HANDLE);
    cap_delete(&t, root); /* the last one: the semaphore goes */
    object_reap_all();
    CHECK(cap_get(&t, a, VX_CAP_SEM, 0, &found) == ERR_BAD_HANDLE && t.used == 0);
    CHECK(root_reticle()->free_pages == free_before);
}

void selftest_sched(void)
{
    uint64_t start = arch_timer_now_ns(), interrupts = sched_ticks();
    arch_timer_arm(start + 200000);
    for (int i = 0; i < 1000 && sched_ticks() == interrupts; i++)
        arch_idle_wait();
    CHECK(sched_ticks() != interrupts && arch_timer_now_ns() >= start + 200000);
}

void selftest_rings(void)
{
    uint64_t free_before = root_reticle()->free_pages;
    struct ring *r;
    CHECK(ring_create(root_reticle(), 16, true, &r) == OK);
    for (uint32_t i = 0; i < 40; i++) { /* past the end of the slots, twice */
        r->shared->slot[i % 16].word[0] = i;
        atomic_store_explicit(&r->shared->head, i + 1, memory_order_release);
        CHECK(ring_has_message(r) && r->shared->slot[i % 16].word[0] == i);
        atomic_store_explicit(&r->shared->tail, i + 1, memory_order_release);
        CHECK(!ring_has_message(r));
    }
    object_destroy(&r->obj, END_OBJECT);
    object_reap_all();
    CHECK(root_reticle()->free_pages == free_before);
}

void selftest_entropy(void)
{
    /* [RFC8439] "Test Vector for the ChaCha20 Block Function" */
    static const uint32_t key[8] = { 0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
                                     0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c };
    static const uint32_t nonce[3] = { 0x09000000, 0x4a000000, 0 };
    uint32_t out[16];
    uint64_t a[2], b[2];
    chacha20_block(key, 1, nonce, out);
    CHECK(out[0] == 0xe4e7f110 && out[15] == 0x4e3c50a2);
    entropy_fill(a, sizeof a);
    entropy_fill(b, sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
}

void selftest_report(const char *kind)
{
    if (strncmp(kind, "panic", 6) == 0)
        kernel_panic("asked for by selftest=panic");
    if (strncmp(kind, "trap", 5) == 0)
        *(volatile uint64_t *)(uintptr_t)&read_only_word = 0; /* constants are not writable, not even for the kernel */
}
