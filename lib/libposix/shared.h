/* SPDX-License-Identifier: MIT
 * Shared maps of files (shared.c). */
#pragma once
#include "posix.h"

struct px_file;

/* Maps [offset, offset + bytes) of the file, shared with all who map it; the address, or an error: ENODEV, if its file
 * system lends no memory. fixed: at `at`, in place of what is there. */
long px_shared_map(struct px_file *f, uint64_t offset, uintptr_t at, size_t bytes, uint32_t prot, bool fixed);
/* Takes away whatever is mapped in the range, as MEM_FREE without a capability does, and forgets what was shared in it.
 * Every range of the C library's goes this way. */
status_t px_unmap(uintptr_t at, size_t bytes);
/* Whether any page of the range is shared. */
bool px_is_shared(uintptr_t at, size_t bytes);
