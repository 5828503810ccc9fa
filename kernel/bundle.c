/* SPDX-License-Identifier: MIT
 * Checks Bundle specifications; see bundle.h and abi/bundle.h. The bytes are the kernel's own copy, but every one of
 * them is the caller's claim. */
#include <abi/limits.h>
#include <kernel/bundle.h>
#include <base/string.h>

static bool name_is(const struct vx_slot *s, const char *name)
{
    return s->name[0] == name[0] && strncmp(s->name, name, sizeof s->name) == 0;
}

/* Every name is compared with every other: as words, of which the first is nearly always enough. */
static bool same_name(const struct vx_slot *a, const struct vx_slot *b)
{
    uint64_t x[3], y[3];
    static_assert(sizeof x == sizeof a->name);
    __builtin_memcpy(x, a->name, sizeof x);
    __builtin_memcpy(y, b->name, sizeof y);
    return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

/* Not empty, terminated, and no second name hides behind the terminator. Eight characters at a time: the lowest one
 * that is zero has the lowest bit of `zeros`. */
static bool name_ok(const struct vx_slot *s)
{
    constexpr uint64_t ones = UINT64_C(0x0101010101010101);
    bool ended = false;
    uint64_t w[3];
    __builtin_memcpy(w, s->name, sizeof w);
    for (size_t i = 0; i < 3; i++) {
        uint64_t zeros = (w[i] - ones) & ~w[i] & ones << 7;
        if (ended ? w[i] != 0 : zeros != 0 && w[i] >> (__builtin_ctzll(zeros) - 7) != 0)
            return false;
        ended = ended || zeros != 0;
    }
    return ended && s->name[0] != 0;
}

static bool slot_ok(const struct vx_slot *s, uint64_t bytes)
{
    if (!name_ok(s) || (s->kind != VX_SLOT_CAP && (s->move != 0 || s->rights != 0)))
        return false;
    switch (s->kind) {
    case VX_SLOT_CAP:
        return s->move <= 1 && (s->rights & ~VX_RIGHTS_ALL) == 0 && s->value <= UINT32_MAX;
    case VX_SLOT_INT:
        return s->length == 0;
    case VX_SLOT_BYTES:
        return s->value <= bytes && s->length <= bytes - s->value;
    default:
        return false;
    }
}

/* A value of at least `least`, in steps, and at most `most`. */
static status_t take_number(const struct vx_slot *s, uint64_t least, uint64_t step, uint64_t most, uint64_t *out)
{
    if (s->kind != VX_SLOT_INT || s->value < least || s->value % step != 0)
        return ERR_BAD_ARGUMENT;
    if (s->value > most)
        return ERR_TOO_BIG;
    *out = s->value;
    return OK;
}

/* Takes in what the kernel itself understands. */
static status_t take(struct bundle_plan *p, struct vx_bundle *b, struct vx_slot *s)
{
    if (name_is(s, "memory"))
        return take_number(s, TASK_MEMORY_MIN, 1, UINT64_MAX, &p->memory_bytes);
    if (name_is(s, "stack"))
        return take_number(s, 1, 1, STACK_MAX_BYTES, &p->stack_bytes);
    if (name_is(s, "capslots"))
        return take_number(s, CAP_SLOTS_MIN, 64, CAP_SLOTS_MAX, &p->cap_slots);
    if (name_is(s, "band"))
        return take_number(s, 0, 1, VX_BAND_COUNT - 1, &p->band) == OK ? OK : ERR_BAD_ARGUMENT;
    if (name_is(s, "reticle")) {
        p->reticle = s;
        return s->kind == VX_SLOT_CAP && s->move == 0 ? OK : ERR_BAD_ARGUMENT;
    }
    if (name_is(s, "name")) {
        if (s->kind != VX_SLOT_BYTES)
            return ERR_BAD_ARGUMENT;
        p->name = (const char *)b + s->value;
        p->name_len = s->length;
        return OK;
    }
    return OK;
}

status_t bundle_begin(const struct vx_bundle *b, uint64_t bytes, struct bundle_plan *out)
{
    *out = (struct bundle_plan){ .memory_bytes = TASK_MEMORY_DEFAULT,
                                 .stack_bytes = STACK_DEFAULT_BYTES,
                                 .cap_slots = CAP_SLOTS_DEFAULT,
                                 .band = VX_BAND_COUNT,
                                 .name = "task",
                                 .name_len = 4 };
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

status_t bundle_take(struct vx_bundle *b, uint32_t i, struct bundle_plan *p)
{
    struct vx_slot *s = bundle_slots(b), *slot = &s[i];
    if (!slot_ok(slot, b->bytes))
        return ERR_BAD_ARGUMENT;
    for (uint32_t j = 0; j < i; j++)
        if (same_name(slot, &s[j]) ||
            ((slot->move | s[j].move) != 0 && slot->kind == s[j].kind && slot->value == s[j].value))
            return ERR_BAD_ARGUMENT; /* also what is moved away and handed over once more */
    return take(p, b, slot);
}
