/* SPDX-License-Identifier: MIT
 * Makes an empty volume, laid out as dosfstools does it. */
#pragma once
#include <fat/volume.h>

struct fat_format {
    uint8_t bits;           /* 12, 16, 32; 0: 32 from 512 MiB on, else what fits */
    uint32_t sector_bytes;  /* 0: the disk's block */
    uint32_t cluster_bytes; /* 0: by size */
    uint32_t serial;
    const char *label; /* nullptr: none; at most FAT_LABEL_BYTES of ASCII */
};
/* scratch: FAT_FORMAT_SCRATCH bytes. BAD_ARGUMENT: no such volume is possible. TOO_BIG: more than 2^32 sectors. */
enum { FAT_FORMAT_SCRATCH = 65536 };
fat_status_t fat_format(const struct fat_disk *disk, const struct fat_format *how, void *scratch);
