// sources: lib/libvectra/cpio.c
/* SPDX-License-Identifier: MIT
 * The archive reader against archives built here, whole and damaged in every byte. */
#include "host.h"
#include <stdio.h>
#include <vectra/cpio.h>

struct builder {
    uint8_t bytes[4096];
    size_t len;
};

static void add(struct builder *b, const char *name, uint32_t mode, const char *data, size_t len)
{
    size_t name_len = strlen(name) + 1;
    char head[111];
    snprintf(head, sizeof head, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1u, mode, 0u, 0u, 1u, 7u,
             (unsigned)len, 0u, 0u, 0u, 0u, (unsigned)name_len, 0u);
    memcpy(b->bytes + b->len, head, 110);
    memcpy(b->bytes + b->len + 110, name, name_len);
    b->len = (b->len + 110 + name_len + 3) & ~(size_t)3;
    memcpy(b->bytes + b->len, data, len);
    b->len = (b->len + len + 3) & ~(size_t)3;
}

static void finish(struct builder *b)
{
    add(b, "TRAILER!!!", 0, "", 0);
}

static struct vx_cpio archive_of(const struct builder *b)
{
    return (struct vx_cpio){ b->bytes, b->len };
}

static struct builder sample(void)
{
    struct builder b = {};
    add(&b, "etc", 0040755, "", 0);
    add(&b, "etc/motd", 0100644, "hello\n", 6);
    add(&b, "./bin/sh", 0100755, "\177ELF", 4);
    finish(&b);
    return b;
}

static void entries_come_in_order_with_their_data(void **)
{
    struct builder b = sample();
    struct vx_cpio a = archive_of(&b);
    struct vx_cpio_entry e;
    size_t cursor = 0;
    assert_int_equal(vx_cpio_next(&a, &cursor, &e), OK);
    assert_string_equal(e.name, "etc");
    assert_true(VX_CPIO_IS_DIR(e.mode));
    assert_int_equal(vx_cpio_next(&a, &cursor, &e), OK);
    assert_string_equal(e.name, "etc/motd");
    assert_int_equal(e.data_len, 6);
    assert_memory_equal(e.data, "hello\n", 6);
    assert_ptr_equal(a.bytes + e.data_at, e.data);
    assert_int_equal(e.mtime, 7);
    assert_int_equal(vx_cpio_next(&a, &cursor, &e), OK);
    assert_string_equal(e.name, "bin/sh");
    assert_int_equal(vx_cpio_next(&a, &cursor, &e), ERR_NOT_FOUND);
}

static void a_path_is_found_however_it_is_spelled(void **)
{
    struct builder b = sample();
    struct vx_cpio a = archive_of(&b);
    struct vx_cpio_entry e;
    const char *spelled[] = { "bin/sh", "/bin/sh", "./bin/sh", "//bin/sh" };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(vx_cpio_find(&a, spelled[i], &e), OK);
        assert_memory_equal(e.data, "\177ELF", 4);
    }
    assert_int_equal(vx_cpio_find(&a, "/bin", &e), ERR_NOT_FOUND);
    assert_int_equal(vx_cpio_find(&a, "/bin/s", &e), ERR_NOT_FOUND);
}

static void a_symbolic_link_leads_to_its_target(void **)
{
    struct builder b = {};
    struct vx_cpio_entry e;
    add(&b, "bin/box", 0100755, "\177ELF", 4);
    add(&b, "bin/ls", 0120777, "box", 3);
    add(&b, "list", 0120777, "/bin/ls", 7);
    add(&b, "lost", 0120777, "bin/nothing", 11);
    add(&b, "empty", 0120777, "", 0);
    add(&b, "round", 0120777, "round", 5);
    char name[8] = "l0", target[8];
    for (unsigned i = 0; i <= CPIO_LINKS_MAX; i++) {
        snprintf(target, sizeof target, "l%u", i + 1);
        add(&b, name, 0120777, target, strlen(target));
        memcpy(name, target, sizeof name);
    }
    add(&b, name, 0100644, "end", 3);
    finish(&b);
    struct vx_cpio a = archive_of(&b);
    assert_int_equal(vx_cpio_find(&a, "/bin/ls", &e), OK);
    assert_string_equal(e.name, "bin/box");
    assert_int_equal(vx_cpio_find(&a, "/list", &e), OK);
    assert_string_equal(e.name, "bin/box");
    assert_int_equal(vx_cpio_find(&a, "/lost", &e), ERR_NOT_FOUND);
    assert_int_equal(vx_cpio_find(&a, "/empty", &e), ERR_NOT_FOUND);
    assert_int_equal(vx_cpio_find(&a, "/round", &e), ERR_NOT_FOUND);
    assert_int_equal(vx_cpio_find(&a, "/l0", &e), ERR_NOT_FOUND); /* one link too many */
    assert_int_equal(vx_cpio_find(&a, "/l1", &e), OK);
    assert_memory_equal(e.data, "end", 3);
}

static void of_several_archives_the_last_entry_wins(void **)
{
    struct builder b = sample();
    b.len += 512; /* zero padding, as archives are joined */
    add(&b, "etc/motd", 0100644, "second", 6);
    finish(&b);
    struct vx_cpio a = archive_of(&b);
    struct vx_cpio_entry e;
    assert_int_equal(vx_cpio_find(&a, "/etc/motd", &e), OK);
    assert_memory_equal(e.data, "second", 6);
}

/* Cut at every length, in memory of exactly that size, so that the sanitizer sees any read beyond it. */
static void a_cut_archive_is_damaged_or_shorter_but_never_read_beyond(void **)
{
    struct builder b = sample();
    for (size_t len = 0; len <= b.len; len++) {
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, b.bytes, len);
        struct vx_cpio a = { exact, len };
        struct vx_cpio_entry e;
        status_t st = vx_cpio_find(&a, "bin/sh", &e);
        assert_true(st == OK || st == ERR_NOT_FOUND || st == ERR_BAD_ARGUMENT);
        exact = realloc(exact, len != 0 ? len : 1);
        free(exact);
    }
}

static void no_single_changed_byte_makes_it_read_outside(void **)
{
    static const uint8_t values[] = { 0, '0', 'f', 'F', 0xff };
    struct builder b = sample();
    for (size_t at = 0; at < b.len; at++) {
        for (size_t v = 0; v < sizeof values; v++) {
            uint8_t *exact = malloc(b.len);
            memcpy(exact, b.bytes, b.len);
            exact[at] = values[v];
            struct vx_cpio a = { exact, b.len };
            struct vx_cpio_entry e = {};
            size_t cursor = 0;
            while (vx_cpio_next(&a, &cursor, &e) == OK) {
                assert_true(e.data_at <= b.len && e.data_len <= b.len - e.data_at);
                assert_true((const uint8_t *)e.name >= exact && (const uint8_t *)e.name + e.name_len < exact + b.len);
            }
            free(exact);
        }
    }
}

static void a_name_at_the_limit_is_read_and_one_beyond_is_refused(void **)
{
    char name[CPIO_NAME_MAX + 1];
    memset(name, 'a', sizeof name);
    for (unsigned over = 0; over < 2; over++) {
        struct builder b = {};
        name[CPIO_NAME_MAX - 1 + over] = '\0';
        add(&b, name, 0100644, "x", 1);
        name[CPIO_NAME_MAX - 1 + over] = 'a';
        finish(&b);
        struct vx_cpio a = archive_of(&b);
        struct vx_cpio_entry e;
        size_t cursor = 0;
        assert_int_equal(vx_cpio_next(&a, &cursor, &e), over ? ERR_BAD_ARGUMENT : OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_in_order_with_their_data),
        cmocka_unit_test(a_path_is_found_however_it_is_spelled),
        cmocka_unit_test(a_symbolic_link_leads_to_its_target),
        cmocka_unit_test(of_several_archives_the_last_entry_wins),
        cmocka_unit_test(a_cut_archive_is_damaged_or_shorter_but_never_read_beyond),
        cmocka_unit_test(no_single_changed_byte_makes_it_read_outside),
        cmocka_unit_test(a_name_at_the_limit_is_read_and_one_beyond_is_refused),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
