/* SPDX-License-Identifier: MIT
 * Where a FAT volume is, or is to be: a disk or partition of BLOCK_V1 by its name, or a file that is the image of one.
 */
#pragma once
#include <block/disk.h>
#include <fat/volume.h>

struct place {
    const char *name;
    struct fat_disk fat;
    struct block_disk disk; /* of a disk; else fd */
    int fd;
    bool is_disk, partitioned; /* partitioned: a whole disk with a table */
};

/* False with a message. A disk whose blocks somebody has mounted is not opened to be written. */
bool place_open(struct place *p, const char *name, bool write);
/* False, with a message: not everything is where it was written to. */
bool place_close(struct place *p);

/* "NAME: what" to standard error; answers 1. */
[[gnu::format(printf, 2, 3)]] int complain(const char *name, const char *format, ...);

int run_mkfs(int argc, char **argv);
int run_fsck(int argc, char **argv);
