/* SPDX-License-Identifier: MIT
 * A FAT volume as a file system of FS_BACKEND_V1: what of POSIX the format can say, and how. Files and directories are
 * 0755, 0555 if marked read-only; everything is root's; there are no links of either kind. Names that take more than
 * 255 bytes are shown by their short names.
 *
 * When the disk does not take what was written, WRITE_BACKS_MAX times in a row, the volume is given up: it becomes
 * read-only, shows what it would be, and writes nothing any more. A sync of what had changed says IO, once for each
 * object; one of all says so always. */
#pragma once
#include "objects.h"
#include <vectra/thread.h>

struct files {
    struct objects objects;
    struct vx_mutex lock;  /* over the volume: the thread that serves, and the one that writes back */
    bool unwritten;        /* something changed since the last write-back */
    uint64_t unwritten_ns; /* when it did first, or was last tried */
    bool given_up;
    uint32_t failures; /* write-backs in a row */
    uint64_t synced;   /* versions up to this one are on the disk */
};
enum : uint32_t { WRITE_BACKS_MAX = 5 };

void files_init(struct files *f, struct fs_backend *b, uint64_t volume);
/* From time to time: what was changed gets onto the disk once the first change is `age_ns` old, and the volume is
 * marked clean. *again_ns: made earlier if there will be something before. An error with f->given_up set is the last.
 */
status_t files_write_back(struct files *f, struct fs_backend *b, uint64_t age_ns, uint64_t *again_ns);
