/* SPDX-License-Identifier: MIT
 * What lies on the disk: offsets and values. Sources: [FAT] "FAT32 File System Specification"; what it leaves open is
 * as dosfstools and Linux do it. */
#pragma once
#include <stdint.h>

enum { /* boot sector */
       BOOT_BYTES = 512,
       BOOT_OEM = 3,
       BOOT_SECTOR_BYTES = 11,
       BOOT_CLUSTER_SECTORS = 13,
       BOOT_RESERVED = 14,
       BOOT_COPIES = 16,
       BOOT_ROOT_ENTRIES = 17,
       BOOT_SECTORS_16 = 19,
       BOOT_MEDIA = 21,
       BOOT_FAT_SECTORS_16 = 22,
       BOOT_TRACK_SECTORS = 24,
       BOOT_HEADS = 26,
       BOOT_HIDDEN = 28,
       BOOT_SECTORS_32 = 32,
       BOOT_FAT_SECTORS_32 = 36,
       BOOT_FLAGS = 40,
       BOOT_VERSION = 42,
       BOOT_ROOT_CLUSTER = 44,
       BOOT_INFO_SECTOR = 48,
       BOOT_BACKUP_SECTOR = 50,
       BOOT_EXTENSION_16 = 36, /* the extension begins: drive number, state, signature, serial, label, type */
       BOOT_EXTENSION_32 = 64,
       EXTENSION_DRIVE = 0,
       EXTENSION_STATE = 1,
       EXTENSION_SIGNATURE = 2,
       EXTENSION_SERIAL = 3,
       EXTENSION_LABEL = 7,
       EXTENSION_TYPE = 18,
       BOOT_SIGNATURE = 510,
       /* values */
       STATE_DIRTY = 1,
       FLAGS_ONE_FAT = 0x80,
       FLAGS_ACTIVE = 0x0f,
       EXTENSION_PRESENT = 0x29,
};
enum { /* the sector of free counts */
       INFO_LEAD = 0,
       INFO_STRUCT = 484,
       INFO_FREE = 488,
       INFO_NEXT = 492,
       INFO_TRAIL = 508,
};
static constexpr uint32_t info_lead = 0x41615252, info_struct = 0x61417272, info_trail = 0xaa550000,
                          info_unknown = UINT32_MAX;

enum { /* a slot of a directory */
       SLOT_BYTES = 32,
       SLOT_NAME = 0,
       SLOT_ATTRIBUTES = 11,
       SLOT_CASE = 12,
       SLOT_CREATED_10MS = 13,
       SLOT_CREATED_TIME = 14,
       SLOT_CREATED_DATE = 16,
       SLOT_ACCESSED_DATE = 18,
       SLOT_START_HIGH = 20,
       SLOT_MODIFIED_TIME = 22,
       SLOT_MODIFIED_DATE = 24,
       SLOT_START_LOW = 26,
       SLOT_SIZE = 28,
       SHORT_BYTES = 11, /* of a short name */
       SHORT_BASE = 8,
       SLOT_END = 0x00,
       SLOT_DELETED = 0xe5,
       SLOT_KANJI = 0x05, /* stands for 0xe5 as the first byte of a name */
       CASE_BASE = 0x08,
       CASE_EXTENSION = 0x10,
       /* a piece of a long name */
       LONG_ORDER = 0,
       LONG_CHECKSUM = 13,
       LONG_UNITS = 13, /* of UTF-16 in a slot */
       LONG_LAST = 0x40,
       LONG_PIECES = 20,
       ATTR_LONG = 0x0f,
       ATTR_LONG_MASK = 0x3f,
};

enum { FAT12_CLUSTERS = 4085, FAT16_CLUSTERS = 65525, FIRST_CLUSTER = 2 };
static constexpr uint32_t FAT32_CLUSTERS = 0x0ffffff5; /* more cannot be numbered */

static inline uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}
static inline void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}
static inline void put32(uint8_t *p, uint32_t value)
{
    put16(p, value);
    put16(p + 2, value >> 16);
}
static inline void put64(uint8_t *p, uint64_t value)
{
    put32(p, (uint32_t)value);
    put32(p + 4, (uint32_t)(value >> 32));
}
