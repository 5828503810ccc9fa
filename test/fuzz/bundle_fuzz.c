/* SPDX-License-Identifier: MIT
 * Any bytes as a Bundle specification. What the kernel accepts lies inside the specification, names are terminated and
 * differ, numbers are within their limits. If the first byte is odd, the fields that must have one value get it. */
// sources: kernel/bundle.c
#include "../unit/kernel/bundle_check.h"
#include "require.h"
#include <abi/limits.h>
#include <kernel/bundle.h>

static void mend_header(struct vx_bundle *b, size_t size)
{
    b->magic = VX_BUNDLE_MAGIC;
    b->version = VX_BUNDLE_VERSION;
    b->bytes = (uint32_t)size;
    b->slots_at = sizeof *b;
    b->task_id = b->band = b->phdr_count = b->reserved = 0;
    b->stack_low = b->stack_high = b->image_base = b->phdr_address = 0;
}

static void check_slots(struct vx_bundle *b, size_t size)
{
    struct vx_slot *slots = bundle_slots(b);
    require((uintptr_t)slots % 8 == 0 && (uint8_t *)(slots + b->n_slots) <= (uint8_t *)b + size);
    for (uint32_t i = 0; i < b->n_slots; i++) {
        size_t n = bounded_length(slots[i].name, sizeof slots[i].name);
        require(n > 0 && n < sizeof slots[i].name);
        require(slots[i].kind != VX_SLOT_BYTES || (slots[i].value <= size && slots[i].length <= size - slots[i].value));
        require(slots[i].kind != VX_SLOT_CAP || slots[i].value <= UINT32_MAX);
        for (uint32_t k = 0; k < i; k++)
            require(strcmp(slots[i].name, slots[k].name) != 0);
    }
}

static void check_plan(const struct vx_bundle *b, size_t size, const struct bundle_plan *p)
{
    const uint8_t *from = (const uint8_t *)b, *name = (const uint8_t *)p->name;
    bool own = name >= from && name <= from + size;
    require(own ? p->name_len <= (size_t)(from + size - name) : p->name_len == 4);
    require(p->cap_slots >= CAP_SLOTS_MIN && p->cap_slots <= CAP_SLOTS_MAX && p->cap_slots % 64 == 0);
    require(p->stack_bytes > 0 && p->stack_bytes <= STACK_MAX_BYTES && p->memory_bytes >= TASK_MEMORY_MIN);
    require(p->band <= VX_BAND_COUNT);
    require(p->reticle == nullptr || ((uint8_t *)p->reticle >= from && p->reticle->kind == VX_SLOT_CAP));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t bytes = size - 1;
    struct vx_bundle *b = exact_copy(data + 1, bytes);
    struct bundle_plan plan = { .name_len = UINT32_MAX };
    if ((data[0] & 1) != 0 && bytes >= sizeof *b)
        mend_header(b, bytes);
    if (bundle_check(b, bytes, &plan) == OK) {
        check_slots(b, bytes);
        check_plan(b, bytes, &plan);
    } else {
        require(plan.name_len == UINT32_MAX); /* an output is written only on OK */
    }
    free(b);
    return 0;
}
