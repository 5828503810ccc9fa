/* SPDX-License-Identifier: MIT
 * Byte-range locks against a table of bytes. */
// sources: lib/libfs/locks.c
// mutations: -DMUTATE_LOCKS_TOUCH
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fs/locks.h>

enum { BYTES = 24, OWNERS = 3, STEPS = 40000 };

static struct fs_range *fresh(void)
{
    return calloc(1, sizeof(struct fs_range));
}

static void free_chain(struct fs_range *r)
{
    while (r != nullptr) {
        struct fs_range *next = r->next;
        free(r);
        r = next;
    }
}

/* What the list says of a byte and an owner. */
static uint32_t kind_at(const struct fs_range *r, uint64_t owner, uint64_t at)
{
    uint32_t kind = VX_FS_UNLOCK;
    unsigned n = 0;
    for (; r != nullptr; r = r->next) {
        if (r->owner == owner && r->first <= at && at <= r->last) {
            kind = r->kind;
            n++;
        }
    }
    assert_true(n <= 1); /* invariant 1 */
    return kind;
}

static void ranges_agree_with_a_table_of_bytes(void **)
{
    static uint8_t model[OWNERS][BYTES];
    struct fs_range *locks = nullptr;
    srand(1);
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t owner = (uint64_t)rand() % OWNERS, first = (uint64_t)rand() % BYTES;
        uint64_t last = first + (uint64_t)rand() % (BYTES - first);
        struct fs_range wanted = { .owner = owner, .first = first, .last = last, .kind = (uint32_t)rand() % 3 };
        bool conflict = false;
        for (uint64_t o = 0; o < OWNERS; o++) {
            for (uint64_t i = first; i <= last && o != owner && wanted.kind != VX_FS_UNLOCK; i++)
                conflict = conflict || model[o][i] == VX_FS_LOCK_EXCLUSIVE ||
                           (model[o][i] != 0 && wanted.kind == VX_FS_LOCK_EXCLUSIVE);
        }
        bool found = wanted.kind != VX_FS_UNLOCK && fs_locks_conflict(locks, &wanted) != nullptr;
        assert_int_equal(found, conflict);
        if (conflict)
            continue;
        struct fs_range *spare[2] = { fresh(), fresh() }, *freed = nullptr;
        fs_locks_set(&locks, &wanted, spare, &freed);
        free_chain(freed);
        free(spare[0]);
        free(spare[1]);
        memset(&model[owner][first], (int)wanted.kind, last - first + 1);
        for (uint64_t o = 0; o < OWNERS; o++) {
            for (uint64_t i = 0; i < BYTES; i++)
                assert_int_equal(kind_at(locks, o, i), model[o][i]);
        }
    }
    free_chain(fs_locks_remove(&locks, nullptr, nullptr));
    assert_null(locks);
}

static void neighbours_become_one(void **)
{
    struct fs_range *locks = nullptr, *freed = nullptr;
    for (uint64_t i = 0; i < 10; i++) {
        struct fs_range w = { .owner = 1, .first = i * 10, .last = i * 10 + 9, .kind = VX_FS_LOCK_SHARED };
        struct fs_range *spare[2] = { fresh(), fresh() };
        fs_locks_set(&locks, &w, spare, &freed);
        free_chain(freed);
        free(spare[0]);
        free(spare[1]);
    }
    assert_non_null(locks);
    assert_null(locks->next);
    assert_int_equal(locks->first, 0);
    assert_int_equal(locks->last, 99);
    free_chain(locks);
}

static void a_range_ends_with_the_64_bits(void **)
{
    uint64_t first, last;
    assert_true(fs_range_of(5, 0, &first, &last));
    assert_int_equal(last, UINT64_MAX);
    assert_true(fs_range_of(UINT64_MAX, 1, &first, &last));
    assert_int_equal(first, UINT64_MAX);
    assert_false(fs_range_of(UINT64_MAX, 2, &first, &last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_agree_with_a_table_of_bytes),
        cmocka_unit_test(neighbours_become_one),
        cmocka_unit_test(a_range_ends_with_the_64_bits),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
