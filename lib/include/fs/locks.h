/* SPDX-License-Identifier: MIT
 * Byte-range locks of one object. Pure.
 *
 *  1. Ranges of one owner never overlap; those that touch and are alike are one.
 *  2. Ranges of different owners overlap only if both are shared. */
#pragma once
#include <abi/fs.h>

struct fs_range {
    struct fs_range *next;
    const void *session; /* with owner: whose it is */
    uint64_t owner;
    uint64_t first, last; /* last: included */
    uint32_t kind, pid;
};

/* Offset and length of a request as first and last. False: it leaves the 64 bits. Length 0 reaches to their end. */
bool fs_range_of(uint64_t offset, uint64_t length, uint64_t *first, uint64_t *last);
/* A range of somebody else's that this one cannot be beside, or nullptr. */
const struct fs_range *fs_locks_conflict(const struct fs_range *locks, const struct fs_range *wanted);
/* Makes what the owner has in the range be of wanted->kind (VX_FS_UNLOCK: nothing). There is no conflict. spare: two
 * ranges that are taken if needed, and then nullptr. *freed: chain of those that are not needed any more. */
void fs_locks_set(struct fs_range **locks, const struct fs_range *wanted, struct fs_range *spare[2],
                  struct fs_range **freed);
/* Takes out everything of that session; of `owner` only if that is not nullptr. Returns the chain. */
struct fs_range *fs_locks_remove(struct fs_range **locks, const void *session, const uint64_t *owner);
