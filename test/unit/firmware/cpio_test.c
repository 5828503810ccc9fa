// sources: kernel/firmware/cpio.c
/* SPDX-License-Identifier: MIT
 * Files in cpio archives: cpio(1)'s own, ones made to reach each rule, and damaged ones. */
#include "support.h"
#include <stdio.h>
#include <kernel/firmware/cpio.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wsign-conversion" /* clang 19 warns of the bytes that #embed makes */
static const uint8_t plain[] = {
#embed "../../data/firmware/plain.cpio"
};
static const uint8_t later[] = {
#embed "../../data/firmware/later.cpio"
};
#pragma clang diagnostic pop

static uint8_t archive[1 << 16];
static size_t archive_len;

static status_t find(const char *path, struct cpio_file *e)
{
    struct firmware_error error = {};
    status_t st = cpio_find(archive, archive_len, path, e, &error);
    if (st != OK && st != ERR_NOT_FOUND)
        assert_non_null(error.what);
    return st;
}

static void assert_holds(const char *path, const char *text)
{
    struct cpio_file e;
    assert_int_equal(find(path, &e), OK);
    assert_int_equal(e.len_bytes, strlen(text));
    assert_memory_equal(e.data, text, e.len_bytes);
}

/* Reads everything, in an allocation of just that size. ERR_NOT_FOUND: it is sound. */
static status_t read_all(const uint8_t *bytes, size_t len)
{
    void *copy = exact_copy(bytes, len);
    struct firmware_error error = {};
    struct cpio_file f;
    status_t st = cpio_find(copy, len, "not there", &f, &error);
    assert_true((st == ERR_NOT_FOUND) == (error.what == nullptr));
    if (cpio_find(copy, len, "motd", &f, &error) == OK) {
        static uint8_t data[1 << 12];
        assert_true(f.len_bytes <= sizeof data);
        memcpy(data, f.data, f.len_bytes);
    }
    free(copy);
    return st;
}

static void load(const uint8_t *bytes, size_t len)
{
    memcpy(archive + archive_len, bytes, len);
    archive_len += len;
}

static int fresh(void **)
{
    archive_len = 0;
    return 0;
}

/* Appends a member; field `f` of the thirteen gets another value when it is not -1. */
static void add_with(const char *name, const void *data, size_t len, uint32_t mode, int f, uint32_t value)
{
    uint32_t field[13] = { 1, mode, 0, 0, 1, 0, (uint32_t)len, 8, 1, 0, 0, (uint32_t)strlen(name) + 1, 0 };
    if (f >= 0)
        field[f] = value;
    char *at = (char *)archive + archive_len;
    strcpy(at, "070701");
    for (size_t i = 0; i < 13; i++)
        snprintf(at + 6 + 8 * i, 9, "%08X", field[i]);
    strcpy(at + 110, name);
    archive_len += 110 + strlen(name) + 1;
    while (archive_len % 4 != 0)
        archive[archive_len++] = 0;
    if (len > 0)
        memcpy(archive + archive_len, data, len);
    archive_len += len;
    while (archive_len % 4 != 0)
        archive[archive_len++] = 0;
}

static void add(const char *name, const char *text)
{
    add_with(name, text, strlen(text), 0100644, -1, 0);
}

static void zeros(size_t n)
{
    memset(archive + archive_len, 0, n);
    archive_len += n;
}

static void trailer(void)
{
    add("TRAILER!!!", "");
}

static void a_path_is_found_however_it_is_written(void **)
{
    struct cpio_file e;
    load(plain, sizeof plain);
    assert_holds("motd", "hello");
    assert_holds("/motd", "hello");
    assert_holds("./motd", "hello");
    assert_holds("//./motd", "hello");
    assert_holds("/", "");
    assert_int_equal(find("mot", &e), ERR_NOT_FOUND);
    assert_int_equal(find("motd/", &e), ERR_NOT_FOUND);
    assert_int_equal(find("..", &e), ERR_NOT_FOUND);
    assert_int_equal(find("TRAILER!!!", &e), ERR_NOT_FOUND);
}

static void of_a_file_with_several_names_the_last_holds_the_data(void **)
{
    load(plain, sizeof plain);
    assert_holds("/sbin/initd", "");
    assert_holds("/sbin/other", "the first program");
}

static void later_archives_override_earlier_ones(void **)
{
    load(plain, sizeof plain);
    load(later, sizeof later);
    assert_holds("sbin/other", "a newer first program"); /* the last of its two names */
    assert_holds("motd", "hello");
    assert_holds("empty", "");
    fresh(nullptr);
    load(later, sizeof later);
    zeros(4096);
    load(plain, sizeof plain);
    zeros(3);
    assert_holds("sbin/other", "the first program");
}

static void zeros_may_be_anywhere_between_archives_if_headers_stay_aligned(void **)
{
    struct cpio_file e;
    zeros(512);
    add("a", "1");
    trailer();
    zeros(4);
    add("b", "22");
    trailer();
    add("c", "333");
    trailer();
    zeros(7);
    assert_holds("a", "1");
    assert_holds("b", "22");
    assert_holds("c", "333");

    fresh(nullptr);
    add("a", "1");
    trailer();
    zeros(2);
    add("b", "22"); /* a member like any other, but for its place */
    trailer();
    assert_int_equal(find("a", &e), ERR_BAD_ARGUMENT);
}

static void nothing_is_an_archive_without_members(void **)
{
    struct cpio_file e;
    assert_int_equal(find("a", &e), ERR_NOT_FOUND);
    zeros(1024);
    assert_int_equal(find("a", &e), ERR_NOT_FOUND);
    fresh(nullptr);
    trailer();
    assert_int_equal(find("a", &e), ERR_NOT_FOUND);
}

static void the_last_padding_may_be_missing(void **)
{
    add("a", "1");
    trailer();
    while (archive[archive_len - 1] == 0)
        archive_len--;
    archive_len++; /* the zero of the name */
    assert_int_equal(read_all(archive, archive_len), ERR_NOT_FOUND);
    assert_holds("a", "1");
}

static void names_have_a_longest_length(void **)
{
    char name[CPIO_NAME_MAX + 1];
    struct cpio_file e;
    for (uint32_t extra = 0; extra < 2; extra++) {
        fresh(nullptr);
        memset(name, 'n', sizeof name);
        name[CPIO_NAME_MAX - 1 + extra] = 0; /* the limit counts the zero */
        add(name, "long");
        trailer();
        assert_int_equal(find(name, &e), extra == 0 ? OK : ERR_BAD_ARGUMENT);
    }
}

/* What brings data to the beginning of a page. */
static void zeros_behind_a_name_count_up_to_a_limit(void **)
{
    struct cpio_file e;
    for (uint32_t extra = 0; extra < 2; extra++) {
        fresh(nullptr);
        uint32_t field = CPIO_PADDED_MAX + extra;
        add_with("abc", nullptr, 0, 0100644, 11, field);
        memcpy(archive + 54, "00000003", 8); /* its length */
        zeros((field + 110 + 3) / 4 * 4 - archive_len);
        memcpy(archive + archive_len, "xyz", 4);
        archive_len += 4;
        trailer();
        assert_int_equal(find("abc", &e), extra == 0 ? OK : ERR_BAD_ARGUMENT);
        if (extra == 0)
            assert_holds("abc", "xyz");
    }
}

static void bad_fields_are_refused(void **)
{
    static const struct {
        int field;
        uint32_t value;
    } cases[] = {
        { 11, 0 },         /* no name */
        { 11, 2 },         /* ends before the zero */
        { 6, 0xffffffff }, /* data beyond the end */
        { 6, 0x7fffffff }, { 6, 1000 },
    };
    struct cpio_file e;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fresh(nullptr);
        add_with("abc", "1234", 4, 0100644, cases[i].field, cases[i].value);
        trailer();
        assert_int_equal(find("abc", &e), ERR_BAD_ARGUMENT);
    }
    fresh(nullptr);
    add("abc", "1");
    assert_int_equal(find("abc", &e), ERR_BAD_ARGUMENT); /* no trailer */
    trailer();
    assert_int_equal(find("abc", &e), OK);
    archive[20] = 'g';
    assert_int_equal(find("abc", &e), ERR_BAD_ARGUMENT);
    archive[20] = 'f';
    archive[5] = '7'; /* the old portable format */
    assert_int_equal(find("abc", &e), ERR_BAD_ARGUMENT);
    archive[5] = '2'; /* the one with sums, which nobody makes */
    assert_int_equal(find("abc", &e), ERR_BAD_ARGUMENT);
}

static void an_archive_cut_anywhere_is_refused(void **)
{
    size_t end = sizeof plain;
    while (plain[end - 1] == 0)
        end--; /* zeros at the end may be missing, but for the name's */
    for (size_t len = 1; len <= end; len++)
        assert_int_equal(read_all(plain, len), ERR_BAD_ARGUMENT);
    for (size_t len = end + 1; len <= sizeof plain; len++)
        assert_int_equal(read_all(plain, len), ERR_NOT_FOUND);
}

static void an_archive_damaged_anywhere_is_refused_or_read_within_its_bounds(void **)
{
    uint8_t *copy = exact_copy(plain, sizeof plain);
    for (size_t i = 0; i < sizeof plain; i++)
        for (uint32_t v = 0; v < 256; v++) {
            copy[i] = (uint8_t)v;
            (void)read_all(copy, sizeof plain);
            copy[i] = plain[i];
        }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_path_is_found_however_it_is_written, fresh),
        cmocka_unit_test_setup(of_a_file_with_several_names_the_last_holds_the_data, fresh),
        cmocka_unit_test_setup(later_archives_override_earlier_ones, fresh),
        cmocka_unit_test_setup(zeros_may_be_anywhere_between_archives_if_headers_stay_aligned, fresh),
        cmocka_unit_test_setup(nothing_is_an_archive_without_members, fresh),
        cmocka_unit_test_setup(the_last_padding_may_be_missing, fresh),
        cmocka_unit_test_setup(names_have_a_longest_length, fresh),
        cmocka_unit_test_setup(zeros_behind_a_name_count_up_to_a_limit, fresh),
        cmocka_unit_test_setup(bad_fields_are_refused, fresh),
        cmocka_unit_test_setup(an_archive_cut_anywhere_is_refused, fresh),
        cmocka_unit_test_setup(an_archive_damaged_anywhere_is_refused_or_read_within_its_bounds, fresh),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
