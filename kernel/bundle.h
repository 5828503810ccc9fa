/* SPDX-License-Identifier: MIT
 * Bundle specifications: checks one that is already in kernel memory. Pure; fuzzed on the host. */
#pragma once
#include <abi/bundle.h>
#include <abi/status.h>

/* What a specification asks of the kernel, with defaults filled in. */
struct bundle_plan {
    uint64_t memory_bytes, stack_bytes, cap_slots;
    uint64_t band;           /* VX_BAND_COUNT: not said */
    struct vx_slot *reticle; /* nullptr: the parent's own pays */
    const char *name;        /* not terminated */
    uint32_t name_len;
};

/* Checks the header of the `bytes` bytes at `spec`; then slot i, when those before it are. ERR_BAD_ARGUMENT,
 * ERR_TOO_BIG.
 */
status_t bundle_begin(const struct vx_bundle *spec, uint64_t bytes, struct bundle_plan *out);
status_t bundle_take(struct vx_bundle *spec, uint32_t i, struct bundle_plan *plan);

static inline struct vx_slot *bundle_slots(struct vx_bundle *b)
{
    return (struct vx_slot *)(void *)((char *)b + b->slots_at);
}
