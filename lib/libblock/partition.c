/* SPDX-License-Identifier: MIT */
#include <block/partition.h>
#include <vectra/string.h>

enum { MBR_TABLE = 446, MBR_SIGNATURE = 510, MBR_ENTRY = 16, MBR_ENTRIES = 4, LOGICAL_FIRST = 5, LOGICAL_MAX = 64 };
enum { TYPE_EXTENDED = 0x05, TYPE_EXTENDED_LBA = 0x0f, TYPE_EXTENDED_LINUX = 0x85, TYPE_PROTECTIVE = 0xee };
enum { GPT_HEADER_MIN = 92, GPT_ENTRY_MIN = 128, GPT_ENTRY_MAX = 4096, GPT_ENTRIES_MAX = 1024, GPT_NAME = 56 };

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* The CRC-32 of [UEFI], continued from `crc`; start and end with an inversion. */
static uint32_t crc_more(uint32_t crc, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
    }
    return crc;
}

static struct partition *add(struct partition_list *l, const struct partition_disk *d, uint64_t first, uint64_t blocks,
                             uint32_t number, uint32_t kind)
{
    bool fits = blocks != 0 && first < d->blocks && blocks <= d->blocks - first && first != 0;
    for (uint32_t i = 0; fits && i < l->count; i++) {
        const struct partition *o = &l->partition[i];
        fits = first >= o->first + o->blocks || o->first >= first + blocks;
    }
    if (!fits || l->count == PARTITIONS_MAX) {
        l->left_out++;
        return nullptr;
    }
    struct partition *p = &l->partition[l->count++];
    *p = (struct partition){ .first = first, .blocks = blocks, .number = number, .kind = kind };
    return p;
}

/* --- MBR --- */

static bool is_extended(uint8_t type)
{
    return type == TYPE_EXTENDED || type == TYPE_EXTENDED_LBA || type == TYPE_EXTENDED_LINUX;
}

/* The chain of extended boot records: each names one logical partition and the next record, both relative. */
static void scan_logical(const struct partition_disk *d, uint8_t *block, uint64_t base, uint64_t length,
                         struct partition_list *l)
{
    uint64_t at = base;
    for (uint32_t n = 0; n < LOGICAL_MAX; n++) {
        if (at >= d->blocks || d->read(d->ctx, at, block) != OK || block[MBR_SIGNATURE] != 0x55 ||
            block[MBR_SIGNATURE + 1] != 0xaa)
            return;
        const uint8_t *e = block + MBR_TABLE, *next = e + MBR_ENTRY;
        if (e[4] != 0 && !is_extended(e[4]))
            (void)add(l, d, at + get32(e + 8), get32(e + 12), LOGICAL_FIRST + n, e[4]);
        uint64_t offset = get32(next + 8);
        if (!is_extended(next[4]) || offset == 0 || offset >= length || base + offset <= at)
            return; /* records follow one another upwards: a loop ends here */
        at = base + offset;
    }
}

static void scan_mbr(const struct partition_disk *d, uint8_t *block, struct partition_list *l)
{
    struct {
        uint64_t base, length;
    } extended = {};
    /* The boot sector of a file system has the signature too; its code is no table. */
    for (uint32_t i = 0; i < MBR_ENTRIES; i++)
        if ((block[MBR_TABLE + i * MBR_ENTRY] & 0x7f) != 0)
            return;
    l->table = PARTITIONS_MBR;
    for (uint32_t i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *e = block + MBR_TABLE + i * MBR_ENTRY;
        uint64_t first = get32(e + 8), length = get32(e + 12);
        if (is_extended(e[4]) && extended.length == 0) {
            extended.base = first;
            extended.length = length;
        } else if (e[4] != 0 && !is_extended(e[4])) {
            (void)add(l, d, first, length, i + 1, e[4]);
        }
    }
    if (extended.length != 0)
        scan_logical(d, block, extended.base, extended.length, l);
}

/* --- GPT --- */

struct gpt {
    uint64_t entries_at, first_usable, last_usable;
    uint32_t n_entries, entry_bytes, entries_crc;
};

static bool read_header(const struct partition_disk *d, uint8_t *block, uint64_t at, struct gpt *out)
{
    if (at >= d->blocks || d->read(d->ctx, at, block) != OK || memcmp(block, "EFI PART", 8) != 0)
        return false;
    uint32_t bytes = get32(block + 12), crc = get32(block + 16);
    if (bytes < GPT_HEADER_MIN || bytes > d->block_bytes || get64(block + 24) != at)
        return false;
    memset(block + 16, 0, 4); /* it was 0 when the sum was made */
    if ((crc_more(UINT32_MAX, block, bytes) ^ UINT32_MAX) != crc)
        return false;
    *out = (struct gpt){ .entries_at = get64(block + 72),
                         .first_usable = get64(block + 40),
                         .last_usable = get64(block + 48),
                         .n_entries = get32(block + 80),
                         .entry_bytes = get32(block + 84),
                         .entries_crc = get32(block + 88) };
    bool power = (out->entry_bytes & (out->entry_bytes - 1)) == 0;
    return power && out->entry_bytes >= GPT_ENTRY_MIN && out->entry_bytes <= GPT_ENTRY_MAX &&
           out->n_entries <= GPT_ENTRIES_MAX && out->entry_bytes <= d->block_bytes && out->entries_at < d->blocks &&
           out->first_usable <= out->last_usable && out->last_usable < d->blocks;
}

static void add_entry(const struct partition_disk *d, const struct gpt *g, const uint8_t *e, uint32_t number,
                      struct partition_list *l)
{
    static const uint8_t unused[16] = {};
    uint64_t first = get64(e + 32), last = get64(e + 40);
    if (memcmp(e, unused, sizeof unused) == 0)
        return;
    bool inside = first >= g->first_usable && last <= g->last_usable && first <= last;
    struct partition *p = add(l, d, inside ? first : 0, inside ? last - first + 1 : 0, number, get32(e));
    for (unsigned i = 0; p != nullptr && i < PARTITION_NAME_MAX - 1; i++) {
        uint16_t c = (uint16_t)(e[GPT_NAME + 2 * i] | e[GPT_NAME + 2 * i + 1] << 8);
        if (c == 0)
            break;
        p->name[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
}

/* Twice over the entries: nothing of them is believed before their sum is right. */
static bool scan_entries(const struct partition_disk *d, uint8_t *block, const struct gpt *g, struct partition_list *l,
                         bool take)
{
    uint32_t crc = UINT32_MAX, per_block = d->block_bytes / g->entry_bytes;
    for (uint32_t i = 0; i < g->n_entries; i++) {
        uint64_t at = g->entries_at + i / per_block;
        if (i % per_block == 0 && (at >= d->blocks || d->read(d->ctx, at, block) != OK))
            return false;
        const uint8_t *e = block + (size_t)(i % per_block) * g->entry_bytes;
        if (take)
            add_entry(d, g, e, i + 1, l);
        else
            crc = crc_more(crc, e, g->entry_bytes);
    }
    return take || (crc ^ UINT32_MAX) == g->entries_crc;
}

static bool scan_gpt(const struct partition_disk *d, uint8_t *block, uint64_t at, struct partition_list *l)
{
    struct gpt g;
    if (!read_header(d, block, at, &g) || !scan_entries(d, block, &g, l, false))
        return false;
    l->table = PARTITIONS_GPT;
    (void)scan_entries(d, block, &g, l, true);
    return true;
}

void partition_scan(const struct partition_disk *disk, void *scratch, struct partition_list *out)
{
    uint8_t *block = scratch;
    *out = (struct partition_list){};
    if (disk->blocks < 2 || disk->block_bytes < 512 || disk->block_bytes > PARTITION_BLOCK_MAX ||
        disk->read(disk->ctx, 0, block) != OK)
        return;
    bool has_mbr = block[MBR_SIGNATURE] == 0x55 && block[MBR_SIGNATURE + 1] == 0xaa, protective = false;
    for (uint32_t i = 0; has_mbr && i < MBR_ENTRIES; i++)
        protective = protective || block[MBR_TABLE + i * MBR_ENTRY + 4] == TYPE_PROTECTIVE;
    if (protective) {
        if (scan_gpt(disk, block, 1, out))
            return;
        out->backup = scan_gpt(disk, block, disk->blocks - 1, out);
        return;
    }
    if (has_mbr)
        scan_mbr(disk, block, out);
}
