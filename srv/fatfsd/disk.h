/* SPDX-License-Identifier: MIT
 * A disk or partition of BLOCK_V1 as libfat wants one. Part of the memory that is shared with the driver is libfat's
 * cache, so that its lines go to and from the device without a copy; other memory goes through the rest of it. */
#pragma once
#include <block/disk.h>
#include <fat/volume.h>

enum : uint32_t { DISK_CACHE_BYTES = 768 << 10, DISK_BOUNCE_BYTES = 256 << 10 };

/* name: as block_open. The first DISK_CACHE_BYTES at d->at are the cache. */
status_t disk_open(struct block_disk *d, const char *name, struct fat_disk *out);
/* OK: the next partition's name ("blk0p1") is in `out`; NOT_FOUND: there are no more. *index: 0 to begin with. */
status_t disk_partition(const char *name, uint32_t *index, char out[BLOCK_NAME_MAX]);
