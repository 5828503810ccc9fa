/* SPDX-License-Identifier: MIT
 * Vector state. A thread that never used a vector register costs a few instructions at a switch: CPACR_EL1.FPEN traps
 * its first use, which hands it zeroed registers and turns them on for good.
 *
 * Invariants: FPEN is "no traps" exactly while the registers belong to the thread that was switched to last, and then
 * its state's memory is stale; else user mode traps, and what is in the registers does not matter. Source: [Arm-ARM]
 * "CPACR_EL1". */
#include "boot.h"
#include <abi/status.h>
#include <arch/fp.h>
#include <arch/hart.h>
#include <kernel/entry.h>

struct fp_state {
    uint64_t q[32][2];
    uint32_t fpsr, fpcr;
    uint64_t used; /* 0: the rest means nothing, the registers are all zero */
};
static_assert(offsetof(struct fp_state, fpsr) == 512);
static_assert(sizeof(struct fp_state) == 528);

static constexpr uint64_t FPEN_KERNEL = 1u << 20, FPEN_ALL = 3u << 20;

void fp_load(const struct fp_state *s);
void fp_swap(struct fp_state *from, const struct fp_state *to);

static bool user_has_it(void)
{
    return (ISA_READ("cpacr_el1") & (FPEN_ALL & ~FPEN_KERNEL)) != 0;
}

static void set_access(uint64_t fpen)
{
    __asm__ volatile("msr cpacr_el1, %0" ::"r"(fpen) : "memory"); /* the return to user mode synchronises it */
}

size_t arch_fp_bytes(void)
{
    return sizeof(struct fp_state);
}

void arch_fp_clear(void *state)
{
    ((struct fp_state *)state)->used = 0;
}

[[gnu::noinline]] static void switch_used(struct fp_state *from, const struct fp_state *next, bool on)
{
    set_access(next->used != 0 || from == next ? FPEN_ALL : FPEN_KERNEL);
    if (on && from != nullptr) {
        from->used = 1;
        fp_swap(from, next); /* what it loads of a state that was not used does not matter */
    } else if (next->used != 0) {
        fp_load(next);
    }
}

void arch_fp_switch(void *from, const void *to)
{
    struct fp_state *last = from;
    const struct fp_state *next = to; /* may be the same */
    bool on = user_has_it();
    if (!on && next->used == 0)
        return;
    if (!on || next->used == 0 || last == nullptr) {
        switch_used(last, next, on);
        return;
    }
    last->used = 1;
    fp_swap(last, next);
}

void fp_first_use(void)
{
    fp_fill(0);
    set_access(FPEN_ALL);
}
