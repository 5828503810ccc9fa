// sources: lib/libvectra/bundle.c
/* SPDX-License-Identifier: MIT
 * The specification builder, read back by the reader; and the check against damaged Bundles. */
#include "host.h"
#include <vectra/bundle.h>

static alignas(8) uint8_t buffer[2048];

static const struct vx_bundle *build(size_t *len)
{
    struct vx_spec s;
    const char *argv[] = { "sh", "-c", "echo hi" };
    memset(buffer, 0xa5, sizeof buffer);
    vx_spec_init(&s, buffer, sizeof buffer);
    vx_spec_strings(&s, "argv", 3, argv);
    vx_spec_int(&s, "memory", 1 << 20);
    vx_spec_copy(&s, "console", 0x4001, VX_R_WRITE);
    vx_spec_move(&s, "tty.tx", 0x4002, VX_RIGHTS_TX);
    vx_spec_copy(&s, "absent", 0, VX_R_WRITE);
    vx_spec_bytes(&s, "name", "sh", 2);
    assert_int_equal(vx_spec_finish(&s, len), OK);
    return (const struct vx_bundle *)(const void *)buffer;
}

static void what_was_written_is_read_back(void **)
{
    size_t len = 0, n = 0;
    const struct vx_bundle *b = build(&len);
    assert_int_equal(b->bytes, len);
    assert_int_equal(b->n_slots, 5);
    assert_int_equal(vx_bundle_check(b, len), OK);
    assert_memory_equal(vx_bundle_bytes_in(b, "argv", &n), "sh\0-c\0echo hi", 14);
    assert_int_equal(n, 14);
    assert_memory_equal(vx_bundle_bytes_in(b, "name", &n), "sh", 2);
    assert_int_equal(n, 2);
    assert_int_equal(vx_bundle_find(b, "memory")->value, 1 << 20);
    const struct vx_slot *tx = vx_bundle_find(b, "tty.tx");
    assert_int_equal(tx->kind, VX_SLOT_CAP);
    assert_int_equal(tx->move, 1);
    assert_int_equal(tx->rights, VX_RIGHTS_TX);
    assert_int_equal(tx->value, 0x4002);
    assert_int_equal(vx_bundle_find(b, "console")->move, 0);
}

static void a_name_that_is_not_there_is_not_found(void **)
{
    size_t len = 0, n = 1;
    const struct vx_bundle *b = build(&len);
    assert_null(vx_bundle_find(b, "absent"));
    assert_null(vx_bundle_find(b, "arg"));
    assert_null(vx_bundle_find(b, "argvv"));
    assert_null(vx_bundle_bytes_in(b, "memory", &n));
    assert_int_equal(n, 0);
}

static void what_the_kernel_checks_of_reserved_fields_is_zero(void **)
{
    size_t len = 0;
    const struct vx_bundle *b = build(&len);
    assert_int_equal(b->task_id | b->band | b->phdr_count | b->reserved, 0);
    assert_int_equal(b->stack_low | b->stack_high | b->image_base | b->phdr_address, 0);
    for (unsigned i = 0; i < b->n_slots; i++) {
        const struct vx_slot *s = &vx_bundle_slots(b)[i];
        size_t used = strlen(s->name);
        for (size_t k = used; k < VX_SLOT_NAME_MAX; k++)
            assert_int_equal(s->name[k], 0);
        if (s->kind != VX_SLOT_BYTES)
            assert_int_equal(s->length, 0);
    }
}

static void errors_stick_until_the_end(void **)
{
    struct vx_spec s;
    size_t len = 7;
    vx_spec_init(&s, buffer, sizeof buffer);
    vx_spec_int(&s, "twice", 1);
    vx_spec_int(&s, "twice", 2);
    vx_spec_int(&s, "fine", 3);
    assert_int_equal(vx_spec_finish(&s, &len), ERR_BAD_ARGUMENT);
    vx_spec_init(&s, buffer, sizeof buffer);
    vx_spec_int(&s, "123456789012345678901234", 1);
    assert_int_equal(vx_spec_finish(&s, &len), ERR_BAD_ARGUMENT);
    vx_spec_init(&s, buffer, sizeof buffer);
    vx_spec_int(&s, "", 1);
    assert_int_equal(vx_spec_finish(&s, &len), ERR_BAD_ARGUMENT);
    assert_int_equal(len, 7);
}

static void every_room_either_fits_or_is_too_small_and_nothing_is_written_beyond(void **)
{
    for (size_t room = 0; room < 400; room++) {
        uint8_t *exact = aligned_alloc(8, (room + 15) & ~(size_t)7);
        uint8_t *end = exact + room;
        memset(exact, 0, room);
        *end = 0x5a;
        struct vx_spec s;
        size_t len = 0;
        vx_spec_init(&s, exact, room);
        vx_spec_int(&s, "a", 1);
        vx_spec_bytes(&s, "b", "0123456789", 10);
        vx_spec_copy(&s, "c", 1, 1);
        status_t st = vx_spec_finish(&s, &len);
        assert_int_equal(st, room >= 64 + 3 * 40 + 10 ? OK : ERR_TOO_BIG);
        if (st == OK)
            assert_int_equal(vx_bundle_check(exact, len), OK);
        assert_int_equal(*end, 0x5a);
        free(exact);
    }
}

static void slots_at_the_limit_fit_and_one_more_is_too_big(void **)
{
    static alignas(8) uint8_t large[64 + (BUNDLE_MAX_SLOTS + 2) * 40];
    for (unsigned over = 0; over < 2; over++) {
        struct vx_spec s;
        size_t len = 0;
        vx_spec_init(&s, large, sizeof large);
        for (unsigned i = 0; i < BUNDLE_MAX_SLOTS + over; i++) {
            char name[VX_SLOT_NAME_MAX] = { (char)('a' + i % 16), (char)('a' + i / 16 % 16), (char)('a' + i / 256) };
            vx_spec_int(&s, name, i);
        }
        assert_int_equal(vx_spec_finish(&s, &len), over ? ERR_TOO_BIG : OK);
    }
}

/* Whatever one byte says, a Bundle that passes the check can be read without leaving it. */
static void a_checked_bundle_can_be_read_safely(void **)
{
    size_t len = 0;
    build(&len);
    for (size_t at = 0; at < len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *exact = aligned_alloc(8, (len + 7) & ~(size_t)7);
            memcpy(exact, buffer, len);
            exact[at] ^= (uint8_t)(1u << bit);
            const struct vx_bundle *b = (const struct vx_bundle *)(const void *)exact;
            if (vx_bundle_check(b, len) == OK) {
                const char *names[] = { "argv", "name", "nothing" };
                for (unsigned i = 0; i < 3; i++) {
                    size_t n = 0;
                    const uint8_t *bytes = vx_bundle_bytes_in(b, names[i], &n);
                    if (bytes != nullptr)
                        assert_true(bytes >= exact && n <= len && bytes + n <= exact + len);
                }
            }
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(a_name_that_is_not_there_is_not_found),
        cmocka_unit_test(what_the_kernel_checks_of_reserved_fields_is_zero),
        cmocka_unit_test(errors_stick_until_the_end),
        cmocka_unit_test(every_room_either_fits_or_is_too_small_and_nothing_is_written_beyond),
        cmocka_unit_test(slots_at_the_limit_fit_and_one_more_is_too_big),
        cmocka_unit_test(a_checked_bundle_can_be_read_safely),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
