/* SPDX-License-Identifier: MIT
 * See fs/locks.h. */
#include <fs/locks.h>

bool fs_range_of(uint64_t offset, uint64_t length, uint64_t *first, uint64_t *last)
{
    *first = offset;
    *last = UINT64_MAX;
    return length == 0 || !__builtin_add_overflow(offset, length - 1, last);
}

static bool same_owner(const struct fs_range *a, const struct fs_range *b)
{
    return a->session == b->session && a->owner == b->owner;
}

const struct fs_range *fs_locks_conflict(const struct fs_range *locks, const struct fs_range *wanted)
{
    for (const struct fs_range *r = locks; r != nullptr; r = r->next) {
        if (!same_owner(r, wanted) && r->first <= wanted->last && wanted->first <= r->last &&
            (r->kind == VX_FS_LOCK_EXCLUSIVE || wanted->kind == VX_FS_LOCK_EXCLUSIVE))
            return r;
    }
    return nullptr;
}

static struct fs_range *take_spare(struct fs_range *spare[2])
{
    struct fs_range *r = spare[0] != nullptr ? spare[0] : spare[1];
    if (r == spare[0])
        spare[0] = nullptr;
    else
        spare[1] = nullptr;
    return r;
}

/* Removes [first, last] from the owner's range r, which overlaps it: 0, 1 or 2 pieces stay. True: r is gone. */
static bool cut(struct fs_range *r, uint64_t first, uint64_t last, struct fs_range *spare[2])
{
    bool before = r->first<first, behind = r->last> last;
    if (before && behind) { /* at most one range of an owner holds both ends: one spare is enough */
        struct fs_range *rest = take_spare(spare);
        *rest = *r;
        rest->first = last + 1;
        r->next = rest;
    }
    if (before)
        r->last = first - 1;
    else if (behind)
        r->first = last + 1;
    return !before && !behind;
}

/* Whether r and the new range are one: alike, and nothing between them. */
static bool joins(const struct fs_range *r, const struct fs_range *n)
{
#ifdef MUTATE_LOCKS_TOUCH
    return r->kind == n->kind && r->last >= n->first && n->last + 2 >= r->first;
#endif
    return r->kind == n->kind && (r->last == UINT64_MAX || r->last + 1 >= n->first) &&
           (n->last == UINT64_MAX || n->last + 1 >= r->first);
}

void fs_locks_set(struct fs_range **locks, const struct fs_range *wanted, struct fs_range *spare[2],
                  struct fs_range **freed)
{
    struct fs_range made = *wanted;
    *freed = nullptr;
    for (struct fs_range **at = locks; *at != nullptr;) {
        struct fs_range *r = *at;
        bool gone = false;
        if (same_owner(r, wanted) && wanted->kind != VX_FS_UNLOCK && joins(r, &made)) {
            made.first = r->first < made.first ? r->first : made.first;
            made.last = r->last > made.last ? r->last : made.last;
            gone = true;
        } else if (same_owner(r, wanted) && r->first <= wanted->last && wanted->first <= r->last) {
            gone = cut(r, wanted->first, wanted->last, spare);
        }
        if (gone) {
            *at = r->next;
            r->next = *freed;
            *freed = r;
        } else {
            at = &r->next;
        }
    }
    if (wanted->kind == VX_FS_UNLOCK)
        return;
    struct fs_range *n = take_spare(spare);
    made.next = *locks;
    *n = made;
    *locks = n;
}

struct fs_range *fs_locks_remove(struct fs_range **locks, const void *session, const uint64_t *owner)
{
    struct fs_range *out = nullptr;
    for (struct fs_range **at = locks; *at != nullptr;) {
        struct fs_range *r = *at;
        if (r->session != session || (owner != nullptr && r->owner != *owner)) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        r->next = out;
        out = r;
    }
    return out;
}
