/* SPDX-License-Identifier: MIT
 * Names: UTF-8 outside, UTF-16 in long names, a code page in short ones. Two names that differ in case alone are the
 * same; which letters have a case is told by a few ranges, which cover the scripts of Europe.
 * Source: [FAT] "Long File Name Implementation", "Name Limits". The code page is 850, as dosfstools and mtools have it.
 */
#include <vectra/string.h>
#include "fat.h"

/* What bytes from 0x80 on mean in a short name. */
static const uint16_t code_page[128] = {
    // clang-format off
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef,
    0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
    0x00ff, 0x00d6, 0x00dc, 0x00f8, 0x00a3, 0x00d8, 0x00d7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa,
    0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x00ae, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x00c1, 0x00c2, 0x00c0, 0x00a9, 0x2563, 0x2551, 0x2557,
    0x255d, 0x00a2, 0x00a5, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x00e3, 0x00c3,
    0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x00a4, 0x00f0, 0x00d0, 0x00ca, 0x00cb,
    0x00c8, 0x0131, 0x00cd, 0x00ce, 0x00cf, 0x2518, 0x250c, 0x2588, 0x2584, 0x00a6, 0x00cc, 0x2580,
    0x00d3, 0x00df, 0x00d4, 0x00d2, 0x00f5, 0x00d5, 0x00b5, 0x00fe, 0x00de, 0x00da, 0x00db, 0x00d9,
    0x00fd, 0x00dd, 0x00af, 0x00b4, 0x00ad, 0x00b1, 0x2017, 0x00be, 0x00b6, 0x00a7, 0x00f7, 0x00b8,
    0x00b0, 0x00a8, 0x00b7, 0x00b9, 0x00b3, 0x00b2, 0x25a0, 0x00a0,
    // clang-format on
};

/* --- case --- */

/* The upper case of a letter. */
uint16_t name_fold(uint16_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? (uint16_t)(c - 0x20) : c;
    if ((c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3cb && c != 0x3c2) || (c >= 0x430 && c <= 0x44f))
        return (uint16_t)(c - 0x20);
    if (c == 0xff)
        return 0x178;
    if (c >= 0x450 && c <= 0x45f)
        return (uint16_t)(c - 0x50);
    if (c >= 0x561 && c <= 0x586)
        return (uint16_t)(c - 0x30);
    if (c >= 0x3ac && c <= 0x3ce && (c <= 0x3af || c >= 0x3cc)) { /* Greek with accents */
        static const uint16_t low[4] = { 0x386, 0x388, 0x389, 0x38a }, high[3] = { 0x38c, 0x38e, 0x38f };
        return c <= 0x3af ? low[c - 0x3ac] : high[c - 0x3cc];
    }
    /* Pairs, the upper case first: at even numbers, then at odd ones. */
    bool even = (c >= 0x100 && c <= 0x137 && c != 0x131) || (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x481) ||
                (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f) || (c >= 0x1e00 && c <= 0x1e95) ||
                (c >= 0x1ea0 && c <= 0x1eff);
    bool odd = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) || (c >= 0x4c1 && c <= 0x4ce);
    if (even)
        return c & 0xfffe;
    if (odd)
        return (c & 1) == 0 ? (uint16_t)(c - 1) : c;
    return c;
}

/* --- UTF-8 and UTF-16 --- */

/* The next character of text[*at ...]; UINT32_MAX: not UTF-8. */
static uint32_t next_character(const char *text, size_t len, size_t *at)
{
    uint8_t first = (uint8_t)text[(*at)++];
    if (first < 0x80)
        return first;
    uint32_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1, c = first & (0x3f >> more);
    if (first < 0xc2 || first > 0xf4 || len - *at < more)
        return UINT32_MAX;
    for (uint32_t i = 0; i < more; i++) {
        uint8_t byte = (uint8_t)text[(*at)++];
        if ((byte & 0xc0) != 0x80)
            return UINT32_MAX;
        c = c << 6 | (byte & 0x3f);
    }
    bool shortest = more == 1 || (more == 2 ? c >= 0x800 : c >= 0x10000);
    return shortest && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? c : UINT32_MAX;
}

static uint32_t put_character(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    uint32_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[4] = { 0, 0xc0, 0xe0, 0xf0 };
    out[0] = (char)(lead[more] | c >> (6 * more));
    for (uint32_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

uint32_t name_to_utf8(const uint16_t *unit, uint32_t units, char *out)
{
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < units; i++) {
        uint32_t c = unit[i];
        if (c >= 0xd800 && c <= 0xdbff && i + 1 < units && unit[i + 1] >= 0xdc00 && unit[i + 1] <= 0xdfff)
            c = 0x10000 + ((c & 0x3ff) << 10 | (unit[++i] & 0x3ff));
        /* A half of a pair, and what would end or split a path, are shown and cannot be asked for. */
        if ((c >= 0xd800 && c <= 0xdfff) || c == 0 || c == '/')
            c = 0xfffd;
        bytes += put_character(c, out + bytes);
    }
    out[bytes] = '\0';
    return bytes;
}

/* --- short names --- */

uint8_t name_checksum(const uint8_t *short_name)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < SHORT_BYTES; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + short_name[i]);
    return sum;
}

uint32_t name_from_short(const uint8_t *slot, uint16_t *out)
{
    uint32_t units = 0;
    for (uint32_t i = 0; i < SHORT_BYTES; i++) {
        uint32_t end = i < SHORT_BASE ? SHORT_BASE : SHORT_BYTES, last = end;
        while (last > i && slot[last - 1] == ' ')
            last--;
        if (last == i) { /* only spaces are left of this part */
            i = end - 1;
            continue;
        }
        uint8_t c = i == 0 && slot[0] == SLOT_KANJI ? SLOT_DELETED : slot[i];
        uint8_t lower = i < SHORT_BASE ? CASE_BASE : CASE_EXTENSION;
        if (i == SHORT_BASE)
            out[units++] = '.';
        if (c >= 'A' && c <= 'Z' && (slot[SLOT_CASE] & lower) != 0)
            c |= 0x20;
        out[units++] = c < 0x80 ? c : code_page[c - 0x80];
    }
    return units;
}

/* The byte of a short name for a unit in upper case; 0: there is none. */
static uint8_t short_byte(uint16_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return (uint8_t)c;
    return c > ' ' && c < 0x7f && strchr("$%'-_@~`!(){}^#&", c) != nullptr ? (uint8_t)c : 0;
}

/* One part of a short name from units [at, end): at most `room` bytes. False: something was left out or replaced. */
static bool short_part(const struct name *n, uint32_t at, uint32_t end, uint8_t *out, uint32_t room, bool *upper,
                       bool *lower)
{
    bool faithful = true;
    uint32_t bytes = 0;
    for (; at < end; at++) {
        uint16_t c = n->unit[at];
        uint8_t byte = short_byte(name_fold(c));
        *upper = *upper || (c >= 'A' && c <= 'Z');
        *lower = *lower || (c >= 'a' && c <= 'z');
        faithful = faithful && byte != 0 && bytes < room && name_fold(c) < 0x80;
        if (c == ' ' || c == '.' || bytes == room)
            continue;
        out[bytes++] = byte != 0 ? byte : '_';
    }
    return faithful;
}

/* short_name and what goes with it. */
static void make_short(struct name *n)
{
    uint32_t dot = n->units, base = 0;
    bool upper[2] = {}, lower[2] = {};
    while (base < n->units && n->unit[base] == '.')
        base++; /* leading dots are left out */
    for (uint32_t i = n->units; i > base + 1 && dot == n->units; i--)
        if (n->unit[i - 1] == '.')
            dot = i - 1;
    memset(n->short_name, ' ', SHORT_BYTES);
    bool faithful = short_part(n, base, dot, n->short_name, SHORT_BASE, &upper[0], &lower[0]) && base == 0;
    if (dot < n->units)
        faithful = short_part(n, dot + 1, n->units, n->short_name + SHORT_BASE, SHORT_BYTES - SHORT_BASE, &upper[1],
                              &lower[1]) &&
                   faithful;
    if (n->short_name[0] == ' ')
        n->short_name[0] = '_';
    bool mixed = (upper[0] && lower[0]) || (upper[1] && lower[1]);
    n->lossy = !faithful;
    n->exact = faithful;
    n->pieces = faithful && !mixed ? 0 : (n->units + LONG_UNITS - 1) / LONG_UNITS;
    n->case_flags = n->pieces == 0 ? (uint8_t)((lower[0] ? CASE_BASE : 0) | (lower[1] ? CASE_EXTENSION : 0)) : 0;
}

void name_number(const struct name *n, uint32_t salt, uint32_t number, uint8_t out[SHORT_BYTES])
{
    static const char digits[] = "0123456789ABCDEF";
    uint32_t base = 0, keep = salt != 0 ? 2 : SHORT_BASE - 2;
    memcpy(out, n->short_name, SHORT_BYTES);
    while (base < keep && out[base] != ' ')
        base++;
    if (salt != 0) {
        uint32_t hash = salt * UINT32_C(0x9e3779b1);
        for (uint32_t i = 0; i < n->units; i++)
            hash = (hash ^ n->unit[i]) * UINT32_C(0x01000193);
        for (uint32_t i = 0; i < 4; i++)
            out[base++] = (uint8_t)digits[hash >> (28 - 4 * i) & 15];
    }
    out[base++] = '~';
    out[base++] = (uint8_t)('0' + number);
    while (base < SHORT_BASE)
        out[base++] = ' ';
}

/* --- long names --- */

static uint32_t unit_offset(uint32_t i)
{
    return i < 5 ? 1 + 2 * i : i < 11 ? 14 + 2 * (i - 5) : 28 + 2 * (i - 11);
}

void name_put_piece(const struct name *n, uint32_t piece, uint8_t checksum, uint8_t *slot)
{
    memset(slot, 0, SLOT_BYTES);
    slot[LONG_ORDER] = (uint8_t)((piece + 1) | (piece + 1 == n->pieces ? LONG_LAST : 0));
    slot[SLOT_ATTRIBUTES] = ATTR_LONG;
    slot[LONG_CHECKSUM] = checksum;
    for (uint32_t i = 0; i < LONG_UNITS; i++)
        put16(slot + unit_offset(i), n->unit[piece * LONG_UNITS + i]);
}

void name_get_piece(const uint8_t *slot, uint16_t out[LONG_UNITS])
{
    for (uint32_t i = 0; i < LONG_UNITS; i++)
        out[i] = get16(slot + unit_offset(i));
}

static bool is_allowed(uint32_t c)
{
    return c >= 0x20 && c != 0x7f && (c >= 0x80 || strchr("\"*/:<>?\\|", (int)c) == nullptr);
}

fat_status_t name_parse(const char *text, size_t len, struct name *out)
{
    uint32_t units = 0;
    for (size_t at = 0; at < len;) {
        uint32_t c = next_character(text, len, &at);
        if (c == UINT32_MAX || !is_allowed(c) || units + (c >= 0x10000 ? 2 : 1) > FAT_NAME_UNITS)
            return FAT_BAD_NAME;
        if (c >= 0x10000) {
            out->unit[units++] = (uint16_t)(0xd7c0 + (c >> 10));
            c = 0xdc00 | (c & 0x3ff);
        }
        out->unit[units++] = (uint16_t)c;
    }
    /* Names that end in a dot or a space other systems cannot reach; `.` and `..` are among them. */
    if (units == 0 || out->unit[units - 1] == '.' || out->unit[units - 1] == ' ')
        return FAT_BAD_NAME;
    out->units = units;
    out->hash = 0x811c9dc5;
    for (uint32_t i = 0; i < units; i++) {
        out->folded[i] = name_fold(out->unit[i]);
        out->hash = (out->hash ^ out->folded[i]) * 0x01000193;
    }
    for (uint32_t i = 0; i < LONG_UNITS; i++)
        out->unit[units + i] = i == 0 ? 0 : 0xffff;
    make_short(out);
    return FAT_OK;
}
