/* SPDX-License-Identifier: MIT
 * What a debug kernel checks of its locks: their order, and how long each rank is held. */
#include <kernel/lock.h>

#ifdef VECTRA_DEBUG
static_assert(LOCK_RANKS <= LOCK_RANKS_MAX);

void lock_check(struct hart *h, enum lock_rank rank)
{
    if (h->locks.held >> rank != 0)
        kernel_panic("lock order: rank %u taken while 0x%x are held", rank, h->locks.held);
    h->locks.held |= 1u << rank;
    h->locks.since[rank] = arch_cycles();
}

void lock_count(struct hart *h, enum lock_rank rank)
{
    uint64_t cycles = arch_cycles() - h->locks.since[rank];
    uint32_t log2 = cycles == 0 ? 0 : 63u - (uint32_t)__builtin_clzll(cycles);
    h->locks.held &= ~(1u << rank);
    h->locks.histogram[rank][log2 < LOCK_HELD_BUCKETS ? log2 : LOCK_HELD_BUCKETS - 1]++;
}
#endif
