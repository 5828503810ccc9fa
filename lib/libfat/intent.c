/* SPDX-License-Identifier: MIT
 * A note of a rename under way. An object whose entry moves to another sector would have two entries or none if the
 * power went between the two writes: none is chosen, since that leaves lost clusters and nothing worse, and the note
 * says how to make the new entry. It lies in the last two reserved sectors of a FAT32, which no other system uses, and
 * is believed only with its checksum.
 *
 *  1. The note is stable before the old entry goes, and is wiped after the new one is stable.
 *  2. Carrying it out again does nothing if the old entry is still there, or the new one is already. */
#include <vectra/string.h>
#include "fat.h"

enum { /* the note */
       NOTE_MAGIC = 0,
       NOTE_SUM = 8,
       NOTE_OLD_AT = 12,
       NOTE_REPLACED_AT = 20,
       NOTE_PARENT = 28,
       NOTE_OLD_NAME = 32,
       NOTE_UNITS = 44,
       NOTE_SLOT = 48,
       NOTE_NAME = 80,
       NOTE_BYTES = NOTE_NAME + 2 * FAT_NAME_UNITS,
       NOTE_SECTORS = 2,
       RESERVED_MIN = 16, /* with fewer there is no knowing what boot code uses */
};
static const uint8_t magic[8] = { 'V', 'X', 'R', 'E', 'N', 'A', 'M', '1' };

/* FNV-1a: against torn writes, not against people. */
static uint32_t sum_of(const uint8_t *note)
{
    uint32_t sum = 0x811c9dc5;
    for (uint32_t i = NOTE_OLD_AT; i < NOTE_BYTES; i++)
        sum = (sum ^ note[i]) * 0x01000193;
    return sum;
}

static fat_status_t write_note(struct fat_volume *v, const uint8_t *note)
{
    uint32_t per = v->sector_bytes / v->disk.block_bytes;
    fat_status_t st = v->disk.write(v->disk.ctx, (uint64_t)v->intent * per, NOTE_SECTORS * per, note);
    v->unflushed = true;
    return st == FAT_OK ? disk_flush(v) : st;
}

fat_status_t intent_write(struct fat_volume *v, const struct intent *i)
{
    static_assert(NOTE_BYTES <= NOTE_SECTORS * FAT_BLOCK_MIN);
    uint8_t note[NOTE_SECTORS * FAT_BLOCK_MAX];
    memset(note, 0, sizeof note);
    memcpy(note + NOTE_MAGIC, magic, sizeof magic);
    put64(note + NOTE_OLD_AT, i->old_at);
    put64(note + NOTE_REPLACED_AT, i->replaced_at);
    put32(note + NOTE_PARENT, i->parent);
    memcpy(note + NOTE_OLD_NAME, i->old_name, SHORT_BYTES);
    put16(note + NOTE_UNITS, i->units);
    memcpy(note + NOTE_SLOT, i->slot, SLOT_BYTES);
    for (uint32_t k = 0; k < i->units; k++)
        put16(note + NOTE_NAME + 2 * k, i->unit[k]);
    put32(note + NOTE_SUM, sum_of(note));
    return write_note(v, note);
}

fat_status_t intent_clear(struct fat_volume *v)
{
    uint8_t note[NOTE_SECTORS * FAT_BLOCK_MAX];
    memset(note, 0, sizeof note);
    return write_note(v, note);
}

static void parse_note(const uint8_t *note, struct intent *out)
{
    *out = (struct intent){ .old_at = get64(note + NOTE_OLD_AT),
                            .replaced_at = get64(note + NOTE_REPLACED_AT),
                            .parent = get32(note + NOTE_PARENT),
                            .units = get16(note + NOTE_UNITS) };
    if (out->units > FAT_NAME_UNITS)
        out->units = 0;
    memcpy(out->old_name, note + NOTE_OLD_NAME, SHORT_BYTES);
    memcpy(out->slot, note + NOTE_SLOT, SLOT_BYTES);
    for (uint32_t k = 0; k < out->units; k++)
        out->unit[k] = get16(note + NOTE_NAME + 2 * k);
}

/* The slot at a place of the volume that can be one of a directory. */
static fat_status_t read_slot(struct fat_volume *v, uint64_t at, uint8_t out[SLOT_BYTES])
{
    uint32_t per = v->sector_bytes / SLOT_BYTES;
    struct line *l;
    if (at / per < v->data || at / per >= v->sectors)
        return FAT_CORRUPT;
    uint32_t sector = (uint32_t)(at / per);
    fat_status_t st = line_get(v, sector, 1, false, &l);
    if (st != FAT_OK)
        return st;
    memcpy(out, line_at(v, l, sector) + at % per * SLOT_BYTES, SLOT_BYTES);
    line_put(l);
    return FAT_OK;
}

static fat_status_t make_entry(struct fat_volume *v, const struct intent *i)
{
    struct fat_node dir = node_for_directory(v, i->parent);
    uint8_t short_name[SHORT_BYTES];
    char text[FAT_NAME_BYTES + 1];
    struct place place;
    struct name name;
    uint32_t first;
    fat_status_t st = name_parse(text, name_to_utf8(i->unit, i->units, text), &name);
    if (st == FAT_OK)
        st = directory_room(&dir, &name, nullptr, short_name, &first, &place);
    if (st == FAT_OK)
        st = directory_put(&dir, &name, short_name, first, i->slot, &place);
    return st == FAT_EXISTS ? FAT_OK : st; /* it was made before the power went */
}

static fat_status_t carry_out(struct fat_volume *v, const struct intent *i)
{
    uint8_t old[SLOT_BYTES], replaced[SLOT_BYTES];
    uint32_t start = slot_start(v, i->slot);
    fat_status_t st = read_slot(v, i->old_at, old);
    if (st != FAT_OK)
        return st;
    if (memcmp(old, i->old_name, SHORT_BYTES) == 0 && slot_start(v, old) == start)
        return FAT_OK; /* the old entry is still there: nothing has happened yet */
    if ((start != 0 && !is_cluster(v, start)) || (i->parent != 0 && !is_cluster(v, i->parent)))
        return FAT_CORRUPT;
    st = volume_change(v);
    if (st == FAT_OK && (i->slot[SLOT_ATTRIBUTES] & FAT_ATTR_DIRECTORY) != 0) {
        st = directory_set_parent(v, start, i->parent);
        if (st == FAT_OK)
            st = cache_commit(v);
    }
    if (st == FAT_OK && i->replaced_at == 0)
        return make_entry(v, i);
    if (st == FAT_OK)
        st = read_slot(v, i->replaced_at, replaced);
    bool is_entry = st == FAT_OK && replaced[0] != SLOT_DELETED && replaced[0] != SLOT_END &&
                    (replaced[SLOT_ATTRIBUTES] & ATTR_LONG_MASK) != ATTR_LONG;
    return is_entry ? directory_take_over(v, i->replaced_at, i->slot) : st;
}

fat_status_t intent_replay(struct fat_volume *v)
{
    uint8_t note[NOTE_SECTORS * FAT_BLOCK_MAX];
    uint32_t per = v->sector_bytes / v->disk.block_bytes, at = v->table - NOTE_SECTORS;
    struct intent i;
    /* With one active table of several v->table is not the end of the reserved sectors: no note then. */
    if (v->bits != 32 || v->table < RESERVED_MIN || v->read_only || v->data != v->table + v->copies * v->table_sectors)
        return FAT_OK;
    fat_status_t st = v->disk.read(v->disk.ctx, (uint64_t)at * per, NOTE_SECTORS * per, note);
    if (st != FAT_OK)
        return st;
    uint32_t used = 0;
    for (uint32_t k = 0; k < NOTE_SECTORS * v->sector_bytes; k++)
        used |= note[k];
    bool ours = memcmp(note, magic, sizeof magic) == 0;
    if (used != 0 && !ours)
        return FAT_OK;
    v->intent = at;
    if (!ours)
        return FAT_OK;
    if (get32(note + NOTE_SUM) == sum_of(note)) {
        parse_note(note, &i);
        st = carry_out(v, &i);
        if (st == FAT_IO)
            return st;
        st = cache_commit(v); /* what made no sense is left to fat_check */
    }
    return st == FAT_OK ? intent_clear(v) : st;
}
