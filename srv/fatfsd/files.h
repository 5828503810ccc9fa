/* SPDX-License-Identifier: MIT
 * A FAT volume as a file system of FS_BACKEND_V1: what of POSIX the format can say, and how. Files and directories are
 * 0755, 0555 if marked read-only; everything is root's; there are no links of either kind. Names that take more than
 * 255 bytes are shown by their short names. */
#pragma once
#include "objects.h"
#include <vectra/thread.h>

struct files {
    struct objects objects;
    struct vx_mutex lock; /* over the volume: the thread that serves, and the one that writes back */
    bool unwritten;       /* something changed since the last write-back */
};

void files_init(struct files *f, struct fs_backend *b, uint64_t volume);
/* From time to time: what was changed gets onto the disk, and the volume is marked clean. */
status_t files_write_back(struct files *f);
