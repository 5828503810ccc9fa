/* SPDX-License-Identifier: MIT
 * What a debug kernel checks of its locks: their order, and how long each rank is held. */
#include <kernel/lock.h>

#ifdef VECTRA_DEBUG
#define HELD_BUCKETS 24u

/* Of each hart, by its number. */
static struct {
    uint32_t held; /* bit: rank */
    uint64_t since[LOCK_RANKS];
    uint32_t histogram[LOCK_RANKS][HELD_BUCKETS]; /* by the logarithm of the cycles */
} locks[HART_MAX];

void lock_check(enum lock_rank rank)
{
    uint32_t hart = arch_hart_self()->id, held = locks[hart].held;
    if (held >> rank != 0)
        kernel_panic("lock order: rank %u taken while 0x%x are held", rank, held);
    locks[hart].held |= 1u << rank;
    locks[hart].since[rank] = arch_cycles();
}

void lock_count(enum lock_rank rank)
{
    uint32_t hart = arch_hart_self()->id;
    uint64_t cycles = arch_cycles() - locks[hart].since[rank];
    uint32_t log2 = cycles == 0 ? 0 : 63u - (uint32_t)__builtin_clzll(cycles);
    locks[hart].held &= ~(1u << rank);
    locks[hart].histogram[rank][log2 < HELD_BUCKETS ? log2 : HELD_BUCKETS - 1]++;
}
#endif
