/* SPDX-License-Identifier: MIT
 * Bundle specifications as the kernel checks them: every limit at its edge, every field that must have one value. */
// sources: kernel/bundle.c lib/libvectra/bundle.c
#include "bundle_check.h"
#include "cmocka_kassert.h"
#include <kernel/bundle.h>
#include <stdlib.h>
#include <string.h>
#include <vectra/bundle.h>

static alignas(8) uint8_t buffer[BUNDLE_MAX_BYTES + 8];
static struct vx_spec spec;

static struct vx_bundle *begin(void)
{
    memset(buffer, 0, sizeof buffer);
    vx_spec_init(&spec, buffer, sizeof buffer);
    return (struct vx_bundle *)(void *)buffer;
}

static status_t check(struct bundle_plan *plan)
{
    size_t len = 0;
    assert_int_equal(vx_spec_finish(&spec, &len), OK);
    return bundle_check((struct vx_bundle *)(void *)buffer, len, plan);
}

static status_t with_int(const char *name, uint64_t value, struct bundle_plan *plan)
{
    (void)begin();
    vx_spec_int(&spec, name, value);
    return check(plan);
}

static void an_empty_specification_gets_the_defaults(void **)
{
    struct bundle_plan p;
    (void)begin();
    assert_int_equal(check(&p), OK);
    assert_int_equal(p.memory_bytes, TASK_MEMORY_DEFAULT);
    assert_int_equal(p.stack_bytes, STACK_DEFAULT_BYTES);
    assert_int_equal(p.cap_slots, CAP_SLOTS_DEFAULT);
    assert_int_equal(p.band, VX_BAND_COUNT);
    assert_null(p.reticle);
    assert_memory_equal(p.name, "task", p.name_len);
}

static void numbers_hold_at_their_edges(void **)
{
    static const struct {
        const char *name;
        uint64_t value;
        status_t status;
    } cases[] = {
        { "memory", TASK_MEMORY_MIN, OK },
        { "memory", TASK_MEMORY_MIN - 1, ERR_BAD_ARGUMENT },
        { "memory", UINT64_MAX, OK }, /* the Reticle that pays will refuse it */
        { "stack", 1, OK },
        { "stack", 0, ERR_BAD_ARGUMENT },
        { "stack", STACK_MAX_BYTES, OK },
        { "stack", STACK_MAX_BYTES + 1, ERR_TOO_BIG },
        { "capslots", CAP_SLOTS_MIN, OK },
        { "capslots", CAP_SLOTS_MIN - 64, ERR_BAD_ARGUMENT },
        { "capslots", CAP_SLOTS_MIN + 1, ERR_BAD_ARGUMENT },
        { "capslots", CAP_SLOTS_MAX, OK },
        { "capslots", CAP_SLOTS_MAX + 64, ERR_TOO_BIG },
        { "band", VX_BAND_COUNT - 1, OK },
        { "band", VX_BAND_COUNT, ERR_BAD_ARGUMENT },
        { "reticle", 1, ERR_BAD_ARGUMENT }, /* must be a capability */
        { "name", 1, ERR_BAD_ARGUMENT },    /* must be bytes */
    };
    struct bundle_plan p;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(with_int(cases[i].name, cases[i].value, &p), cases[i].status);
}

static void sizes_hold_at_their_edges(void **)
{
    struct bundle_plan p;
    struct vx_bundle *b = begin();
    size_t len = 0;
    for (unsigned i = 0; i < BUNDLE_MAX_SLOTS; i++) {
        char name[VX_SLOT_NAME_MAX] = { 's', (char)('a' + i % 16), (char)('a' + i / 16) };
        vx_spec_int(&spec, name, i);
    }
    assert_int_equal(vx_spec_finish(&spec, &len), OK);
    assert_int_equal(bundle_check(b, len, &p), OK);
    b->n_slots++;
    assert_int_equal(bundle_check(b, len, &p), ERR_TOO_BIG);
    b = begin();
    static const uint8_t filler[BUNDLE_MAX_BYTES];
    vx_spec_bytes(&spec, "filler", filler, BUNDLE_MAX_BYTES - sizeof *b - sizeof(struct vx_slot));
    assert_int_equal(vx_spec_finish(&spec, &len), OK);
    assert_int_equal(len, BUNDLE_MAX_BYTES);
    assert_int_equal(bundle_check(b, len, &p), OK);
    b->bytes++;
    assert_int_equal(bundle_check(b, len + 1, &p), ERR_TOO_BIG);
}

/* Whatever single byte is changed: refused, or all of it still lies inside. */
static void a_damaged_specification_is_refused_or_lies_inside(void **)
{
    struct vx_bundle *b = begin();
    size_t len = 0;
    vx_spec_bytes(&spec, "name", "sh", 2);
    vx_spec_copy(&spec, "reticle", 0x4001, VX_R_WRITE);
    vx_spec_int(&spec, "memory", 1 << 20);
    assert_int_equal(vx_spec_finish(&spec, &len), OK);
    struct vx_bundle *copy = malloc(len);
    unsigned refused = 0;
    for (size_t at = 0; at < len; at++) {
        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            struct bundle_plan p;
            memcpy(copy, b, len);
            ((uint8_t *)copy)[at] ^= (uint8_t)flip;
            if (bundle_check(copy, len, &p) != OK) {
                refused++;
                continue;
            }
            const char *end = (const char *)copy + len;
            assert_true(p.name_len == 4 || (p.name >= (const char *)copy && p.name_len <= (size_t)(end - p.name)));
        }
    }
    assert_true(refused > sizeof *b); /* every bit of most header fields counts */
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_specification_gets_the_defaults),
        cmocka_unit_test(numbers_hold_at_their_edges),
        cmocka_unit_test(sizes_hold_at_their_edges),
        cmocka_unit_test(a_damaged_specification_is_refused_or_lies_inside),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
