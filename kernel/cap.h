/* SPDX-License-Identifier: MIT
 * Capability tables and the derivation tree.
 *
 * C1. A slot is empty (type NONE), live (obj set), or a tombstone (type set, obj null, no rights: the object is gone).
 * C2. `handle` of a live slot or tombstone is what user space must present; it changes when the slot is reused.
 * C3. rights(child) ⊆ rights(parent), range(child) ⊆ range(parent).
 * C4. A slot at or above table.high was never used. Those up to slot `mask` are zero, and the memory beyond is not
 * read: mask + 1 is the power of two that `high` needs, so handle & mask is a slot whatever the handle, and whatever a
 * hart guesses. Handles repeat only after every slot of the table was in use once and one slot was reused 2^18 - 1
 * times. */
#pragma once
#include <base/likely.h>
#include <abi/types.h>
#include <abi/status.h>
#include <kernel/object.h>

struct cap {
    struct object *obj;
    struct cap *parent, *child, *next, *prev; /* siblings: nullptr-terminated, `prev` of the first is nullptr */
    uint32_t handle;
    uint8_t type; /* enum vx_cap_type, of the capability: tells RING_TX from RING_RX */
    bool mapped;  /* perhaps: an area was made through it */
    vx_rights_t rights;
    uint64_t offset, length; /* MEM, DEVICE: bytes; IRQ: lines; of the object */
};
static_assert(sizeof(struct cap) == 64);

struct cap_table {
    struct cap *slots;
    uint32_t n_slots, high, mask, used;
    struct cap *free_first, *free_last; /* emptied slots below high, through `next`, oldest first */
    struct task *task;
};

/* A place for a capability that no table holds: in flight in a Ring. Same tree rules, handle 0. */

/* The slot that the handle is of, if it is of any: then the slot's is the same. */
static inline struct cap *cap_slot(const struct cap_table *t, uint64_t handle)
{
    return &t->slots[handle & t->mask];
}

/* Finds a live capability of that type with those rights. Inline: it is on every call's path. */
static inline status_t cap_get(const struct cap_table *t, uint64_t handle, uint8_t type, vx_rights_t rights,
                               struct cap **out);
/* The same for any type; tombstones are found too when `tombstones` is set. */
status_t cap_get_any(const struct cap_table *t, uint64_t handle, vx_rights_t rights, bool tombstones, struct cap **out);
status_t cap_explain(const struct cap_table *t, uint64_t handle, uint8_t type, vx_rights_t rights);

/* Reserves an empty slot: not yet visible, given back by cap_unreserve. ERR_TABLE_FULL. */
status_t cap_reserve(struct cap_table *t, struct cap **out);
/* Empties it; `t` is nullptr for an in-flight place. */
void cap_unreserve(struct cap_table *t, struct cap *slot);
/* Fills a reserved slot (or an in-flight place) with the first capability of an object / a child of `from` / `from`
 * itself, which is emptied. Cannot fail. Returns the handle (0 for an in-flight place). `t` is nullptr for an in-flight
 * place. */
uint32_t cap_make(struct cap *slot, struct object *o, uint8_t type, vx_rights_t rights, uint64_t offset,
                  uint64_t length);
uint32_t cap_derive(struct cap *slot, struct cap *from, vx_rights_t rights, uint64_t offset, uint64_t length);
uint32_t cap_move(struct cap_table *from_table, struct cap *slot, struct cap *from);
/* Empties a slot; see CAP_DROP. `t` is nullptr for an in-flight place. May destroy the object. */
void cap_delete(struct cap_table *t, struct cap *c);
/* What was mapped through it goes, and its children become its siblings; cap_delete() takes long otherwise. True:
 * nothing is left. In steps, like the next two: kernel/object.h. cap_unmap: only the mappings. */
bool cap_release(struct cap *c);
bool cap_unmap(struct cap *c);
/* Deletes what was derived from c, and counts. */
bool cap_revoke(struct cap *c, uint64_t *n);
/* Makes tombstones of all capabilities to o. */
bool cap_tombstone_all(struct object *o);
/* Which table a slot belongs to: found through the page that it lies in, which is a block of its own. For in-flight
 * places nullptr. */
struct cap_table *cap_table_of(const struct cap *c);

void cap_facts(const struct cap_table *t, const struct cap *c, struct vx_cap_facts *out);
bool cap_table_clear(struct cap_table *t); /* in steps, from the last slot down */

static inline status_t cap_get(const struct cap_table *t, uint64_t handle, uint8_t type, vx_rights_t rights,
                               struct cap **out)
{
    struct cap *c = cap_slot(t, handle);
    if (likely(c->handle == handle && c->type == type && (rights & ~c->rights) == 0 &&
               (rights != 0 || c->obj != nullptr))) { /* C1 */
        *out = c;
        return OK;
    }
    return cap_explain(t, handle, type, rights);
}

/* The object alone; nullptr if anything is wrong with the handle: cap_get says what. `rights` is not 0. */
static inline struct object *cap_peek(const struct cap_table *t, uint64_t handle, uint8_t type, vx_rights_t rights)
{
    const struct cap *c = cap_slot(t, handle);
    if (unlikely(c->handle != handle || c->type != type || (rights & ~c->rights) != 0))
        return nullptr;
    __builtin_assume(c->obj != nullptr); /* C1 */
    return c->obj;
}
