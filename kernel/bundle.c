/* SPDX-License-Identifier: MIT
 * Checks Bundle specifications; see bundle.h and abi/bundle.h. The bytes are the kernel's own copy, but every one of
 * them is the caller's claim. */
#include <abi/limits.h>
#include <kernel/bundle.h>
#include <base/string.h>

static bool name_is(const struct vx_slot *s, const char *name)
{
    return strncmp(s->name, name, sizeof s->name) == 0;
}

static bool name_ok(const struct vx_slot *s)
{
    size_t n = 0;
    while (n < sizeof s->name && s->name[n] != 0)
        n++;
    if (n == 0 || n == sizeof s->name)
        return false;
    for (size_t i = n; i < sizeof s->name; i++) /* no second name hides behind the terminator */
        if (s->name[i] != 0)
            return false;
    return true;
}

static status_t check_slot(const struct vx_slot *s, uint64_t bytes)
{
    if (!name_ok(s))
        return ERR_BAD_ARGUMENT;
    switch (s->kind) {
    case VX_SLOT_CAP:
        return s->move <= 1 && (s->rights & ~VX_RIGHTS_ALL) == 0 && s->value <= UINT32_MAX ? OK : ERR_BAD_ARGUMENT;
    case VX_SLOT_INT:
        return s->move == 0 && s->rights == 0 && s->length == 0 ? OK : ERR_BAD_ARGUMENT;
    case VX_SLOT_BYTES:
        return s->move == 0 && s->rights == 0 && s->value <= bytes && s->length <= bytes - s->value ? OK
                                                                                                    : ERR_BAD_ARGUMENT;
    default:
        return ERR_BAD_ARGUMENT;
    }
}

/* Takes in what the kernel itself understands. */
static status_t take(struct bundle_plan *p, struct vx_bundle *b, struct vx_slot *s)
{
    if (name_is(s, "reticle")) {
        if (s->kind != VX_SLOT_CAP || s->move != 0)
            return ERR_BAD_ARGUMENT;
        p->reticle = s;
    } else if (name_is(s, "name")) {
        if (s->kind != VX_SLOT_BYTES)
            return ERR_BAD_ARGUMENT;
        p->name = (const char *)b + s->value;
        p->name_len = s->length;
    } else if (name_is(s, "band")) {
        if (s->kind != VX_SLOT_INT || s->value >= VX_BAND_COUNT)
            return ERR_BAD_ARGUMENT;
        p->band = (uint32_t)s->value;
    } else if (name_is(s, "memory")) {
        if (s->kind != VX_SLOT_INT || s->value < TASK_MEMORY_MIN)
            return ERR_BAD_ARGUMENT;
        p->memory_bytes = s->value;
    } else if (name_is(s, "stack")) {
        if (s->kind != VX_SLOT_INT || s->value == 0)
            return ERR_BAD_ARGUMENT;
        if (s->value > STACK_MAX_BYTES)
            return ERR_TOO_BIG;
        p->stack_bytes = s->value;
    } else if (name_is(s, "capslots")) {
        if (s->kind != VX_SLOT_INT || s->value < CAP_SLOTS_MIN || s->value % 64 != 0)
            return ERR_BAD_ARGUMENT;
        if (s->value > CAP_SLOTS_MAX)
            return ERR_TOO_BIG;
        p->cap_slots = (uint32_t)s->value;
    }
    return OK;
}

static status_t check_header(const struct vx_bundle *b, uint64_t bytes)
{
    if (bytes > BUNDLE_MAX_BYTES)
        return ERR_TOO_BIG;
    if (bytes < sizeof *b || b->magic != VX_BUNDLE_MAGIC || b->version != VX_BUNDLE_VERSION || b->bytes != bytes)
        return ERR_BAD_ARGUMENT;
    if (b->n_slots > BUNDLE_MAX_SLOTS)
        return ERR_TOO_BIG;
    if (b->slots_at % 8 != 0 || b->slots_at < sizeof *b || b->slots_at > bytes ||
        (uint64_t)b->n_slots * sizeof(struct vx_slot) > bytes - b->slots_at)
        return ERR_BAD_ARGUMENT;
    if (b->task_id != 0 || b->band != 0 || b->stack_low != 0 || b->stack_high != 0 || b->image_base != 0 ||
        b->phdr_address != 0 || b->phdr_count != 0 || b->reserved != 0)
        return ERR_BAD_ARGUMENT;
    return OK;
}

status_t bundle_check(struct vx_bundle *b, uint64_t bytes, struct bundle_plan *out)
{
    struct bundle_plan p = { .memory_bytes = TASK_MEMORY_DEFAULT,
                             .stack_bytes = STACK_DEFAULT_BYTES,
                             .cap_slots = CAP_SLOTS_DEFAULT,
                             .band = VX_BAND_COUNT,
                             .name = "task",
                             .name_len = 4 };
    status_t st = check_header(b, bytes);
    if (st != OK)
        return st;
    struct vx_slot *slots = bundle_slots(b);
    for (uint32_t i = 0; i < b->n_slots; i++) {
        if ((st = check_slot(&slots[i], bytes)) != OK)
            return st;
        for (uint32_t j = 0; j < i; j++)
            if (memcmp(slots[i].name, slots[j].name, sizeof slots[i].name) == 0)
                return ERR_BAD_ARGUMENT;
        if ((st = take(&p, b, &slots[i])) != OK)
            return st;
    }
    *out = p;
    return OK;
}
