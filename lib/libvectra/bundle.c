/* SPDX-License-Identifier: MIT
 * The Bundle reader and the specification builder: pure functions over the layout of abi/bundle.h. */
#include <vectra/bundle.h>
#include <vectra/string.h>

const struct vx_slot *vx_bundle_slots(const struct vx_bundle *bundle)
{
    return (const struct vx_slot *)(const void *)((const uint8_t *)bundle + bundle->slots_at);
}

/* Names as a slot holds them, zeros to the end: compared as words, of which the first is nearly always enough. */
struct words {
    uint64_t word[VX_SLOT_NAME_MAX / 8];
};

/* *len: of the name, or VX_SLOT_NAME_MAX if it has no end within that. */
static struct words words_of(const char *name, size_t *len)
{
    char bytes[VX_SLOT_NAME_MAX] = {};
    struct words w;
    for (*len = 0; *len < sizeof bytes && name[*len] != '\0'; ++*len)
        bytes[*len] = name[*len];
    __builtin_memcpy(&w, bytes, sizeof w);
    return w;
}

static const struct vx_slot *find(const struct vx_slot *slots, unsigned n, const struct words *wanted)
{
    for (unsigned i = 0; i < n; i++) {
        struct words w;
        __builtin_memcpy(&w, slots[i].name, sizeof w);
        if (w.word[0] == wanted->word[0] && w.word[1] == wanted->word[1] && w.word[2] == wanted->word[2])
            return &slots[i];
    }
    return nullptr;
}

const struct vx_slot *vx_bundle_find(const struct vx_bundle *bundle, const char *name)
{
    size_t len;
    const struct words wanted = words_of(name, &len);
    return len < VX_SLOT_NAME_MAX ? find(vx_bundle_slots(bundle), bundle->n_slots, &wanted) : nullptr;
}

const void *vx_bundle_bytes_in(const struct vx_bundle *bundle, const char *name, size_t *len)
{
    const struct vx_slot *slot = vx_bundle_find(bundle, name);
    bool found = slot != nullptr && slot->kind == VX_SLOT_BYTES;
    *len = found ? slot->length : 0;
    return found ? (const uint8_t *)bundle + slot->value : nullptr;
}

static bool slot_ok(const struct vx_bundle *b, const struct vx_slot *s)
{
    if (s->name[0] == '\0' || memchr(s->name, '\0', VX_SLOT_NAME_MAX) == nullptr)
        return false;
    switch (s->kind) {
    case VX_SLOT_CAP:
        return s->value != 0 && s->value <= UINT32_MAX;
    case VX_SLOT_INT:
        return true;
    case VX_SLOT_BYTES:
        return s->value <= b->bytes && s->length <= b->bytes - s->value;
    default:
        return false;
    }
}

status_t vx_bundle_check(const void *bundle, size_t bytes)
{
    const struct vx_bundle *b = bundle;
    if (bytes < sizeof *b || b->magic != VX_BUNDLE_MAGIC || b->version != VX_BUNDLE_VERSION || b->bytes > bytes)
        return ERR_BAD_ARGUMENT;
    if (b->bytes > BUNDLE_MAX_BYTES || b->n_slots > BUNDLE_MAX_SLOTS)
        return ERR_TOO_BIG;
    if (b->slots_at < sizeof *b || b->slots_at % 8 != 0 || b->slots_at > b->bytes ||
        (b->bytes - b->slots_at) / sizeof(struct vx_slot) < b->n_slots)
        return ERR_BAD_ARGUMENT;
    const struct vx_slot *slots = vx_bundle_slots(b);
    for (unsigned i = 0; i < b->n_slots; i++) {
        if (!slot_ok(b, &slots[i]) || vx_bundle_find(b, slots[i].name) != &slots[i])
            return ERR_BAD_ARGUMENT;
    }
    return OK;
}

/* --- the builder: [header][slots -> ...  <- bytes] --- */

static struct vx_slot *spec_slots(const struct vx_spec *s)
{
    return (struct vx_slot *)(void *)(s->buffer + sizeof(struct vx_bundle));
}

static size_t spec_slots_end(const struct vx_spec *s)
{
    return sizeof(struct vx_bundle) + s->n_slots * sizeof(struct vx_slot);
}

static void spec_fail(struct vx_spec *s, status_t st)
{
    if (s->error == OK)
        s->error = st;
}

void vx_spec_init(struct vx_spec *s, void *buffer, size_t room)
{
    *s = (struct vx_spec){ .buffer = buffer, .room = room, .bytes_from = room };
    if (room < sizeof(struct vx_bundle))
        spec_fail(s, ERR_TOO_BIG);
}

/* The next slot, named, with room for `bytes` more bytes; nullptr after an error. */
static struct vx_slot *spec_slot(struct vx_spec *s, const char *name, size_t bytes)
{
    size_t len;
    const struct words words = words_of(name, &len);
    if (len == 0 || len == VX_SLOT_NAME_MAX || (s->error == OK && find(spec_slots(s), s->n_slots, &words) != nullptr))
        spec_fail(s, ERR_BAD_ARGUMENT);
    size_t needed = 0;
    if (__builtin_add_overflow(sizeof(struct vx_slot), bytes, &needed) || s->n_slots == BUNDLE_MAX_SLOTS ||
        (s->error == OK && s->bytes_from - spec_slots_end(s) < needed))
        spec_fail(s, ERR_TOO_BIG);
    if (s->error != OK)
        return nullptr;
    struct vx_slot *slot = &spec_slots(s)[s->n_slots++];
    *slot = (struct vx_slot){};
    __builtin_memcpy(slot->name, &words, sizeof slot->name);
    return slot;
}

static void spec_cap(struct vx_spec *s, const char *name, vx_handle_t handle, vx_rights_t rights, bool move)
{
    struct vx_slot *slot = handle == VX_HANDLE_NONE ? nullptr : spec_slot(s, name, 0);
    if (slot == nullptr)
        return;
    slot->kind = VX_SLOT_CAP;
    slot->move = move;
    slot->rights = rights;
    slot->value = handle;
}

void vx_spec_copy(struct vx_spec *s, const char *name, vx_handle_t handle, vx_rights_t rights)
{
    spec_cap(s, name, handle, rights, false);
}

void vx_spec_move(struct vx_spec *s, const char *name, vx_handle_t handle, vx_rights_t rights)
{
    spec_cap(s, name, handle, rights, true);
}

void vx_spec_int(struct vx_spec *s, const char *name, uint64_t value)
{
    struct vx_slot *slot = spec_slot(s, name, 0);
    if (slot == nullptr)
        return;
    slot->kind = VX_SLOT_INT;
    slot->value = value;
}

/* A BYTES slot of `len` bytes still to be filled in; nullptr after an error. */
static uint8_t *spec_reserve(struct vx_spec *s, const char *name, size_t len)
{
    struct vx_slot *slot = spec_slot(s, name, len);
    if (slot == nullptr)
        return nullptr;
    s->bytes_from -= len;
    slot->kind = VX_SLOT_BYTES;
    slot->value = s->bytes_from;
    slot->length = (uint32_t)len;
    return s->buffer + s->bytes_from;
}

void vx_spec_bytes(struct vx_spec *s, const char *name, const void *bytes, size_t len)
{
    uint8_t *at = spec_reserve(s, name, len);
    if (at != nullptr && len != 0)
        memcpy(at, bytes, len);
}

void vx_spec_strings(struct vx_spec *s, const char *name, size_t count, const char *const *strings)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += strlen(strings[i]) + 1;
    uint8_t *at = spec_reserve(s, name, total);
    for (size_t i = 0; at != nullptr && i < count; i++) {
        size_t len = strlen(strings[i]) + 1;
        memcpy(at, strings[i], len);
        at += len;
    }
}

status_t vx_spec_finish(struct vx_spec *s, size_t *len)
{
    if (s->error != OK)
        return s->error;
    size_t end = spec_slots_end(s), gap = s->bytes_from - end, bytes = s->room - s->bytes_from;
    memmove(s->buffer + end, s->buffer + s->bytes_from, bytes);
    for (unsigned i = 0; i < s->n_slots; i++) {
        if (spec_slots(s)[i].kind == VX_SLOT_BYTES)
            spec_slots(s)[i].value -= gap;
    }
    struct vx_bundle head = { .magic = VX_BUNDLE_MAGIC,
                              .version = VX_BUNDLE_VERSION,
                              .n_slots = s->n_slots,
                              .bytes = (uint32_t)(end + bytes),
                              .slots_at = sizeof head };
    memcpy(s->buffer, &head, sizeof head);
    if (head.bytes > BUNDLE_MAX_BYTES)
        return s->error = ERR_TOO_BIG;
    *len = head.bytes;
    s->error = ERR_BUSY; /* finished: nothing can be added any more */
    return OK;
}
