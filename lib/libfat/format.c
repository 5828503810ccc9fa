/* SPDX-License-Identifier: MIT
 * An empty volume. Where data begins is a multiple of the cluster size, as dosfstools has it. The boot sector comes
 * last: what was cut off in the middle is no volume. */
#include <vectra/string.h>
#include <fat/format.h>
#include "disk.h"

enum { COPIES = 2, ROOT_ENTRIES = 512, RESERVED_32 = 32, INFO_SECTOR = 1, BACKUP_SECTOR = 6, MEDIA = 0xf8 };
static constexpr uint64_t MIB = 1024 * 1024;

struct shape {
    uint8_t bits;
    uint32_t sector_bytes, cluster_sectors, reserved, table, root_sectors, sectors, clusters;
};

static uint32_t round_up(uint32_t value, uint32_t to)
{
    return (value + to - 1) / to * to;
}

/* The table for this cluster size, and how many clusters there are then. False: they do not fit together. */
static bool fit(struct shape *s)
{
    bool big = s->bits == 32;
    s->reserved = round_up(big ? RESERVED_32 : 1, s->cluster_sectors);
    s->root_sectors = big ? 0 : round_up(ROOT_ENTRIES * SLOT_BYTES / s->sector_bytes, 1);
    uint64_t fixed = s->reserved + s->root_sectors;
    if (fixed + s->cluster_sectors >= s->sectors)
        return false;
    uint64_t most = (s->sectors - fixed) / s->cluster_sectors;
    uint64_t table = ((most + FIRST_CLUSTER) * s->bits / 8 + 1 + s->sector_bytes - 1) / s->sector_bytes;
    s->table = round_up((uint32_t)table, s->cluster_sectors);
    if (fixed + (uint64_t)COPIES * s->table + s->cluster_sectors > s->sectors)
        return false;
    s->clusters = (uint32_t)((s->sectors - fixed - (uint64_t)COPIES * s->table) / s->cluster_sectors);
    return s->bits == 32   ? s->clusters <= FAT32_CLUSTERS
           : s->bits == 16 ? s->clusters >= FAT12_CLUSTERS && s->clusters < FAT16_CLUSTERS
                           : s->clusters < FAT12_CLUSTERS;
}

static uint32_t cluster_bytes_32(uint64_t bytes)
{
    return bytes <= 260 * MIB     ? 512
           : bytes <= 8192 * MIB  ? 4096
           : bytes <= 16384 * MIB ? 8192
           : bytes <= 32768 * MIB ? 16384
                                  : 32768;
}

/* The smallest clusters that do, unless they were asked for. */
static bool choose(struct shape *s, uint32_t cluster_bytes)
{
    uint64_t bytes = (uint64_t)s->sectors * s->sector_bytes;
    uint32_t first = cluster_bytes != 0 ? cluster_bytes : s->bits == 32 ? cluster_bytes_32(bytes) : 2048;
    uint32_t last = cluster_bytes != 0 ? cluster_bytes : 65536;
    for (uint32_t size = first; size <= last; size *= 2) {
        s->cluster_sectors = size < s->sector_bytes ? 1 : size / s->sector_bytes;
        if (s->cluster_sectors <= 128 && fit(s))
            return true;
    }
    return false;
}

static fat_status_t plan(const struct fat_disk *disk, const struct fat_format *how, struct shape *s)
{
    uint32_t sector = how->sector_bytes != 0 ? how->sector_bytes : disk->block_bytes;
    if (sector < disk->block_bytes || sector < FAT_BLOCK_MIN || sector > FAT_BLOCK_MAX ||
        (sector & (sector - 1)) != 0 || (how->cluster_bytes & (how->cluster_bytes - 1)) != 0 ||
        (how->cluster_bytes != 0 && how->cluster_bytes < sector))
        return FAT_BAD_ARGUMENT;
    uint64_t sectors = disk->blocks / (sector / disk->block_bytes);
    if (sectors > UINT32_MAX)
        return FAT_TOO_BIG;
    *s = (struct shape){ .bits = how->bits, .sector_bytes = sector, .sectors = (uint32_t)sectors };
    if (how->bits != 0)
        return (how->bits == 12 || how->bits == 16 || how->bits == 32) && choose(s, how->cluster_bytes)
                   ? FAT_OK
                   : FAT_BAD_ARGUMENT;
    static const uint8_t order[3] = { 32, 16, 12 };
    for (uint32_t i = sectors * sector >= 512 * MIB ? 0 : 1; i < 3; i++) {
        s->bits = order[i];
        if (choose(s, how->cluster_bytes))
            return FAT_OK;
    }
    s->bits = 32;
    return choose(s, how->cluster_bytes) ? FAT_OK : FAT_BAD_ARGUMENT;
}

/* The label in capitals, padded; false: a character that none has. */
static bool put_label(const char *label, uint8_t out[FAT_LABEL_BYTES])
{
    memset(out, ' ', FAT_LABEL_BYTES);
    for (uint32_t i = 0; label[i] != '\0'; i++) {
        char c = label[i];
        if (i == FAT_LABEL_BYTES || c < ' ' || c > '~' || strchr("\"*+,./:;<=>?[\\]|", c) != nullptr)
            return false;
        out[i] = (uint8_t)(c >= 'a' && c <= 'z' ? c - 0x20 : c);
    }
    return out[0] != ' ';
}

static void make_boot(const struct shape *s, const struct fat_format *how, const uint8_t *label, uint8_t *b)
{
    bool big = s->bits == 32;
    uint8_t *e = b + (big ? BOOT_EXTENSION_32 : BOOT_EXTENSION_16);
    static const uint8_t stop[3] = { 0xf4, 0xeb, 0xfd }; /* hlt; jmp to it: this is no boot disk */
    memset(b, 0, s->sector_bytes);
    b[0] = 0xeb;
    b[1] = big ? 0x58 : 0x3c;
    b[2] = 0x90;
    memcpy(b + BOOT_OEM, "VECTRA  ", 8);
    put16(b + BOOT_SECTOR_BYTES, s->sector_bytes);
    b[BOOT_CLUSTER_SECTORS] = (uint8_t)s->cluster_sectors;
    put16(b + BOOT_RESERVED, s->reserved);
    b[BOOT_COPIES] = COPIES;
    put16(b + BOOT_ROOT_ENTRIES, big ? 0 : ROOT_ENTRIES);
    if (!big && s->sectors <= UINT16_MAX)
        put16(b + BOOT_SECTORS_16, s->sectors);
    else
        put32(b + BOOT_SECTORS_32, s->sectors);
    b[BOOT_MEDIA] = MEDIA;
    put16(b + BOOT_TRACK_SECTORS, 63);
    put16(b + BOOT_HEADS, 255);
    if (big) {
        put32(b + BOOT_FAT_SECTORS_32, s->table);
        put32(b + BOOT_ROOT_CLUSTER, FIRST_CLUSTER);
        put16(b + BOOT_INFO_SECTOR, INFO_SECTOR);
        put16(b + BOOT_BACKUP_SECTOR, BACKUP_SECTOR);
    } else {
        put16(b + BOOT_FAT_SECTORS_16, s->table);
    }
    e[EXTENSION_DRIVE] = 0x80;
    e[EXTENSION_SIGNATURE] = EXTENSION_PRESENT;
    put32(e + EXTENSION_SERIAL, how->serial);
    memcpy(e + EXTENSION_LABEL, label[0] != ' ' ? (const char *)label : "NO NAME    ", FAT_LABEL_BYTES);
    memcpy(e + EXTENSION_TYPE, big ? "FAT32   " : s->bits == 16 ? "FAT16   " : "FAT12   ", 8);
    memcpy(e + EXTENSION_TYPE + 8, stop, sizeof stop);
    b[BOOT_SIGNATURE] = 0x55;
    b[BOOT_SIGNATURE + 1] = 0xaa;
}

static void make_info(const struct shape *s, uint8_t *b)
{
    memset(b, 0, s->sector_bytes);
    put32(b + INFO_LEAD, info_lead);
    put32(b + INFO_STRUCT, info_struct);
    put32(b + INFO_FREE, s->clusters - 1); /* the root has one */
    put32(b + INFO_NEXT, FIRST_CLUSTER + 1);
    put32(b + INFO_TRAIL, info_trail);
}

/* The first entries: the media byte, no mark, and the root's cluster. */
static void make_table(const struct shape *s, uint8_t *b)
{
    memset(b, 0, s->sector_bytes);
    if (s->bits == 32) {
        put32(b, 0x0fffff00 | MEDIA);
        put32(b + 4, 0x0fffffff);
        put32(b + 8, 0x0fffffff);
    } else if (s->bits == 16) {
        put16(b, 0xff00 | MEDIA);
        put16(b + 2, 0xffff);
    } else {
        b[0] = MEDIA;
        b[1] = b[2] = 0xff;
    }
}

static fat_status_t wipe(const struct fat_disk *disk, uint64_t blocks, uint8_t *scratch)
{
    uint64_t per = FAT_FORMAT_SCRATCH / disk->block_bytes;
    fat_status_t st = FAT_OK;
    memset(scratch, 0, FAT_FORMAT_SCRATCH);
    for (uint64_t at = 0; at < blocks && st == FAT_OK; at += per)
        st = disk->write(disk->ctx, at, (uint32_t)(blocks - at < per ? blocks - at : per), scratch);
    return st;
}

fat_status_t fat_format(const struct fat_disk *disk, const struct fat_format *how, void *scratch)
{
    struct shape s;
    uint8_t *b = scratch, label[FAT_LABEL_BYTES];
    fat_status_t st = plan(disk, how, &s);
    if (st != FAT_OK)
        return st;
    memset(label, ' ', sizeof label);
    if (how->label != nullptr && !put_label(how->label, label))
        return FAT_BAD_NAME;
    uint32_t per = s.sector_bytes / disk->block_bytes, data = s.reserved + COPIES * s.table + s.root_sectors;
    uint64_t root = s.bits == 32 ? data : data - s.root_sectors;
    st = wipe(disk, (uint64_t)(data + (s.bits == 32 ? s.cluster_sectors : 0)) * per, b);
    make_table(&s, b);
    for (uint32_t i = 0; i < COPIES && st == FAT_OK; i++)
        st = disk->write(disk->ctx, (uint64_t)(s.reserved + i * s.table) * per, per, b);
    if (st == FAT_OK && how->label != nullptr) {
        memset(b, 0, s.sector_bytes);
        memcpy(b, label, sizeof label);
        b[SLOT_ATTRIBUTES] = FAT_ATTR_LABEL;
        put16(b + SLOT_MODIFIED_DATE, 1 << 5 | 1); /* 1980-01-01: a label needs no clock */
        st = disk->write(disk->ctx, root * per, per, b);
    }
    if (st == FAT_OK && s.bits == 32) {
        make_info(&s, b);
        st = disk->write(disk->ctx, (uint64_t)INFO_SECTOR * per, per, b);
        if (st == FAT_OK)
            st = disk->write(disk->ctx, (uint64_t)(BACKUP_SECTOR + INFO_SECTOR) * per, per, b);
    }
    if (st == FAT_OK)
        st = disk->flush(disk->ctx);
    make_boot(&s, how, label, b);
    if (st == FAT_OK && s.bits == 32)
        st = disk->write(disk->ctx, (uint64_t)BACKUP_SECTOR * per, per, b);
    if (st == FAT_OK)
        st = disk->write(disk->ctx, 0, per, b);
    return st == FAT_OK ? disk->flush(disk->ctx) : st;
}
