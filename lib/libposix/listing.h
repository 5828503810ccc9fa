/* SPDX-License-Identifier: MIT
 * Directory records as getdents64 has them. */
#pragma once
#include "posix.h"

/* Writes the record of a name, which may lie a little behind `to`: its length; 0: there is no room for it. `next` is
 * the position behind it. */
size_t px_listing_put(char *to, size_t room, uint64_t inode, int64_t next, uint8_t type, const char *name, size_t len);

/* A listing of names that are told one after the other from the first on; those before `wanted` are passed over. */
struct px_listing {
    char *to;
    size_t room, used;
    int64_t position, wanted; /* names seen; the first one to tell */
    bool full;
};
void px_listing_tell(struct px_listing *l, const char *name, size_t len, uint64_t inode, uint8_t type);
/* What the call answers: bytes, and *offset goes behind them; -EINVAL: not one record fits. */
long px_listing_end(const struct px_listing *l, int64_t *offset);
