// sources: lib/libfat/name.c lib/libfat/time.c
/* SPDX-License-Identifier: MIT
 * Names and times as they lie on the disk. */
#include "../lib/host.h"
#include "../../../lib/libfat/fat.h"

static struct name n;

static void parse(const char *text)
{
    assert_int_equal(name_parse(text, strlen(text), &n), FAT_OK);
}

static void short_is(const char *text, const char *short_name, uint32_t pieces, uint8_t flags)
{
    parse(text);
    assert_memory_equal(n.short_name, short_name, SHORT_BYTES);
    assert_int_equal(n.pieces, pieces);
    assert_int_equal(n.case_flags, flags);
}

static void short_names(void **)
{
    short_is("README.TXT", "README  TXT", 0, 0);
    short_is("readme.txt", "README  TXT", 0, CASE_BASE | CASE_EXTENSION);
    short_is("README.txt", "README  TXT", 0, CASE_EXTENSION);
    short_is("readme.TXT", "README  TXT", 0, CASE_BASE);
    short_is("ReadMe.txt", "README  TXT", 1, 0);
    short_is("a", "A          ", 0, CASE_BASE);
    short_is("12345678.123", "12345678123", 0, 0);
    short_is("123456789.123", "12345678123", 1, 0);
    short_is("name.html", "NAME    HTM", 1, 0);
    short_is("two.dots.c", "TWODOTS C  ", 1, 0);
    short_is(".profile", "PROFILE    ", 1, 0);
    short_is("with space", "WITHSPAC   ", 1, 0);
    short_is("a+b=c.txt", "A_B_C   TXT", 1, 0);
    short_is("~$x.tmp", "~$X     TMP", 0, CASE_BASE | CASE_EXTENSION);
    short_is("\xc3\xa9t\xc3\xa9", "_T_        ", 1, 0);
    short_is("a long name of forty units, more or less", "ALONGNAM   ", 4, 0);
}

static void numbers(void **)
{
    uint8_t out[SHORT_BYTES];
    parse("a long name.text");
    name_number(&n, 0, 3, out);
    assert_memory_equal(out, "ALONGN~3TEX", SHORT_BYTES);
    name_number(&n, 1, 9, out);
    assert_memory_equal(out, "AL", 2);
    assert_memory_equal(out + 6, "~9TEX", 5);
    parse("a b");
    name_number(&n, 0, 1, out);
    assert_memory_equal(out, "AB~1       ", SHORT_BYTES);
}

static void what_is_no_name(void **)
{
    static const char *const bad[] = { "",
                                       ".",
                                       "..",
                                       "a.",
                                       "a ",
                                       "a/b",
                                       "a\\b",
                                       "a:b",
                                       "a*",
                                       "a?",
                                       "\"a",
                                       "a<",
                                       "a>",
                                       "a|b",
                                       "a\x01",
                                       "a\x7f",
                                       "\xff",
                                       "\xc0\x80",
                                       "\xe0\x80",
                                       "\xed\xa0\x80",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xc3" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(name_parse(bad[i], strlen(bad[i]), &n), FAT_BAD_NAME);
    assert_int_equal(name_parse("a\0b", 3, &n), FAT_BAD_NAME);
}

static void the_longest_name(void **)
{
    char text[2000];
    memset(text, 'x', sizeof text);
    assert_int_equal(name_parse(text, 255, &n), FAT_OK);
    assert_int_equal(n.pieces, 20);
    assert_int_equal(name_parse(text, 256, &n), FAT_BAD_NAME);
    /* Outside the first plane a character has two units: 127 of them and one more letter. */
    for (size_t i = 0; i < 128; i++)
        memcpy(text + 4 * i, "\xf0\x9f\x98\x80", 4);
    assert_int_equal(name_parse(text, 4 * 128, &n), FAT_BAD_NAME);
    text[4 * 127] = 'x';
    assert_int_equal(name_parse(text, 4 * 127 + 1, &n), FAT_OK);
    assert_int_equal(n.units, 255);
    char back[FAT_NAME_BYTES + 1];
    assert_int_equal(name_to_utf8(n.unit, n.units, back), 4 * 127 + 1);
    assert_memory_equal(back, text, 4 * 127 + 1);
}

static void three_bytes_each(void **)
{
    char text[FAT_NAME_BYTES], back[FAT_NAME_BYTES + 1];
    for (size_t i = 0; i < 255; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 3);
    assert_int_equal(name_parse(text, sizeof text, &n), FAT_OK);
    assert_int_equal(name_to_utf8(n.unit, n.units, back), FAT_NAME_BYTES);
    assert_memory_equal(back, text, FAT_NAME_BYTES);
}

static void what_cannot_be_shown(void **)
{
    char out[32];
    assert_int_equal(name_to_utf8((uint16_t[]){ 'a', 0xd800, 'b' }, 3, out), 5);
    assert_string_equal(out, "a\xef\xbf\xbd"
                             "b");
    assert_int_equal(name_to_utf8((uint16_t[]){ 0xdc00, '/', 0 }, 3, out), 9);
    assert_string_equal(out, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void letters_and_their_capitals(void **)
{
    static const uint16_t pairs[][2] = { { 'a', 'A' },     { 'z', 'Z' },     { 0xe9, 0xc9 },   { 0xff, 0x178 },
                                         { 0x101, 0x100 }, { 0x13a, 0x139 }, { 0x17e, 0x17d }, { 0x3b1, 0x391 },
                                         { 0x3ac, 0x386 }, { 0x3ce, 0x38f }, { 0x3cb, 0x3ab }, { 0x44f, 0x42f },
                                         { 0x451, 0x401 }, { 0x461, 0x460 }, { 0x561, 0x531 }, { 0x1e01, 0x1e00 } };
    static const uint16_t alone[] = { '1', '_', 0xd7, 0xf7, 0xdf, 0x131, 0x138, 0x149, 0x3c2, 0x5d0, 0x4e00, 0xffff };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal(name_fold(pairs[i][0]), pairs[i][1]);
        assert_int_equal(name_fold(pairs[i][1]), pairs[i][1]);
    }
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        assert_int_equal(name_fold(alone[i]), alone[i]);
    for (uint32_t c = 0; c < 0x10000; c++) /* a capital is its own */
        assert_int_equal(name_fold(name_fold((uint16_t)c)), name_fold((uint16_t)c));
}

static void short_names_are_shown(void **)
{
    uint16_t unit[12];
    char text[64];
    uint8_t slot[SLOT_BYTES] = "README  TXT";
    slot[SLOT_CASE] = CASE_EXTENSION;
    name_to_utf8(unit, name_from_short(slot, unit), text);
    assert_string_equal(text, "README.txt");
    memcpy(slot, "\x05\x82      \x84  ", SHORT_BYTES);
    slot[SLOT_CASE] = 0;
    name_to_utf8(unit, name_from_short(slot, unit), text);
    assert_string_equal(text, "\xc3\x95\xc3\xa9.\xc3\xa4"); /* code page 850 */
    memcpy(slot, "A B      C ", SHORT_BYTES);
    name_to_utf8(unit, name_from_short(slot, unit), text);
    assert_string_equal(text, "A B. C");
}

static void pieces_come_back(void **)
{
    uint8_t slot[SLOT_BYTES];
    uint16_t unit[LONG_UNITS];
    parse("exactly 13 is");
    assert_int_equal(n.pieces, 1);
    name_put_piece(&n, 0, 0x42, slot);
    assert_int_equal(slot[0], 0x41);
    assert_int_equal(slot[LONG_CHECKSUM], 0x42);
    name_get_piece(slot, unit);
    for (uint32_t i = 0; i < LONG_UNITS; i++)
        assert_int_equal(unit[i], "exactly 13 is"[i]);
    parse("not quite 13");
    name_put_piece(&n, 0, 0, slot);
    name_get_piece(slot, unit);
    assert_int_equal(unit[12], 0);
    assert_int_equal(name_checksum((const uint8_t *)"README  TXT"), 0x73);
}

static void time_is(uint64_t seconds, uint32_t hundredths, uint16_t date, uint16_t time, uint8_t fine)
{
    uint16_t d, t;
    uint8_t f;
    uint64_t ns = seconds * 1'000'000'000 + hundredths * UINT64_C(10'000'000);
    time_to_fat(ns, &d, &t, &f);
    assert_int_equal(d, date);
    assert_int_equal(t, time);
    assert_int_equal(f, fine);
    assert_true(time_from_fat(d, t, f) == ns);
}

static void times(void **)
{
    time_is(315532800, 0, 1 << 5 | 1, 0, 0);                                    /* 1980-01-01 */
    time_is(1078062245, 7, 24 << 9 | 2 << 5 | 29, 13 << 11 | 44 << 5 | 2, 107); /* 2004-02-29 13:44:05.07 */
    time_is(951868799, 0, 20 << 9 | 2 << 5 | 29, 23 << 11 | 59 << 5 | 29, 100); /* 2000-02-29 23:59:59 */
    time_is(UINT64_C(4107542400), 0, 120 << 9 | 3 << 5 | 1, 0, 0);              /* 2100-03-01: no leap year */
    time_is(UINT64_C(4354819199), 0, 127 << 9 | 12 << 5 | 31, 23 << 11 | 59 << 5 | 29, 100); /* the last second */
    uint16_t d, t;
    uint8_t f;
    time_to_fat(0, &d, &t, &f);
    assert_int_equal(d, 1 << 5 | 1);
    time_to_fat(UINT64_MAX, &d, &t, &f);
    assert_int_equal(d, 127 << 9 | 12 << 5 | 31);
    assert_true(time_from_fat(0, 0, 0) == UINT64_C(315532800) * 1'000'000'000);
    (void)time_from_fat(UINT16_MAX, UINT16_MAX, UINT8_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_names),
        cmocka_unit_test(numbers),
        cmocka_unit_test(what_is_no_name),
        cmocka_unit_test(the_longest_name),
        cmocka_unit_test(three_bytes_each),
        cmocka_unit_test(what_cannot_be_shown),
        cmocka_unit_test(letters_and_their_capitals),
        cmocka_unit_test(short_names_are_shown),
        cmocka_unit_test(pieces_come_back),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
