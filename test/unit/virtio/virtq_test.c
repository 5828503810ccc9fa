// sources: lib/libvirtio/virtq.c
/* SPDX-License-Identifier: MIT
 * Both kinds of virtqueue against a device that is played here, obedient or not. */
#include "../lib/host.h"
#include <virtio/virtq.h>

enum { SIZE = 16, BUS = 0x100000, F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4, F_AVAIL = 1 << 7, F_USED = 1 << 15 };

/* The device's side: what it has seen and may answer. */
struct seen {
    uint16_t id, n_desc, n_pieces;
    uint64_t first_bus;
    uint32_t writable;
};

static alignas(4096) uint8_t memory[8192];
static struct virtq_desc table[SIZE][8];
static struct virtq_slot slots[SIZE];
static struct virtq q;
static uint16_t dev_avail, dev_used;
static bool dev_avail_wrap, dev_used_wrap;

static void begin(bool packed, bool event_index, bool indirect)
{
    memset(memory, 0, sizeof memory);
    assert_true(virtq_bytes(SIZE, packed) <= sizeof memory);
    virtq_init(&q, SIZE, packed, event_index, indirect, memory, BUS, slots);
    dev_avail = dev_used = 0;
    dev_avail_wrap = dev_used_wrap = true;
}

static void piece(struct seen *s, uint64_t bus, uint32_t len, uint16_t flags)
{
    if (s->n_pieces++ == 0)
        s->first_bus = bus;
    s->writable += (flags & F_WRITE) != 0 ? len : 0;
}

static void indirect_table(struct seen *s, uint64_t bus, uint32_t len)
{
    const struct virtq_desc *t = (const struct virtq_desc *)(uintptr_t)bus;
    for (uint32_t i = 0; i < len / sizeof *t; i++)
        piece(s, t[i].bus, t[i].len, q.packed ? t[i].next_or_flags : t[i].id_or_flags);
}

static bool see_split(struct seen *s)
{
    const uint16_t *avail = (const uint16_t *)(void *)(memory + 16 * SIZE);
    if (avail[1] == dev_avail)
        return false;
    uint16_t at = s->id = avail[2 + dev_avail++ % SIZE];
    for (bool more = true; more; s->n_desc++) {
        struct virtq_desc d = q.desc[at];
        if ((d.id_or_flags & F_INDIRECT) != 0)
            indirect_table(s, d.bus, d.len);
        else
            piece(s, d.bus, d.len, d.id_or_flags);
        more = (d.id_or_flags & F_NEXT) != 0;
        at = d.next_or_flags;
    }
    return true;
}

static bool see_packed(struct seen *s)
{
    for (bool more = true; more;) {
        struct virtq_desc d = q.desc[dev_avail];
        bool avail = (d.next_or_flags & F_AVAIL) != 0, used = (d.next_or_flags & F_USED) != 0;
        if (avail == used || avail != dev_avail_wrap)
            return false;
        if ((d.next_or_flags & F_INDIRECT) != 0)
            indirect_table(s, d.bus, d.len);
        else
            piece(s, d.bus, d.len, d.next_or_flags);
        s->id = d.id_or_flags;
        s->n_desc++;
        more = (d.next_or_flags & F_NEXT) != 0;
        if (++dev_avail == SIZE) {
            dev_avail = 0;
            dev_avail_wrap = !dev_avail_wrap;
        }
    }
    return true;
}

static bool see(struct seen *s)
{
    *s = (struct seen){};
    return q.packed ? see_packed(s) : see_split(s);
}

static void answer(uint32_t id, uint32_t len, uint16_t n_desc)
{
    if (q.packed) {
        struct virtq_desc *d = &q.desc[dev_used];
        d->id_or_flags = (uint16_t)id;
        d->len = len;
        d->next_or_flags = dev_used_wrap ? F_AVAIL | F_USED : 0;
        dev_used += n_desc;
        if (dev_used >= SIZE) {
            dev_used -= SIZE;
            dev_used_wrap = !dev_used_wrap;
        }
        return;
    }
    uint32_t *e = (uint32_t *)(void *)((uint8_t *)(uintptr_t)q.used + 4 + 8 * (dev_used++ % SIZE));
    e[0] = id;
    e[1] = len;
    q.used[1] = dev_used;
}

static const struct virtq_segment three[] = { { 0x1000, 16 }, { 0x2000, 512 }, { 0x3000, 1 } };

static status_t add(uint64_t token, uint16_t n_out, uint16_t n_in)
{
    const struct virtq_indirect t = { table[token % SIZE], (uintptr_t)table[token % SIZE], 8 };
    return virtq_add(&q, three, n_out, n_in, &t, token);
}

/* Whatever is added comes back once, in whatever order the device likes, and the queue never overfills. */
static void obey(bool packed, bool event_index, bool indirect)
{
    begin(packed, event_index, indirect);
    struct seen there[SIZE];
    bool out[64] = {};
    unsigned n_there = 0, n_out = 0;
    uint32_t random = 12345;
    for (unsigned step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        unsigned what = random >> 28;
        if (what < 7) {
            uint64_t token = random >> 8 & 63;
            if (out[token])
                continue;
            uint16_t ins = 1 + (random >> 16 & 1), takes = indirect ? 1 : (uint16_t)(1 + ins);
            status_t st = add(token, 1, ins);
            assert_int_equal(st, q.n_free + (st == OK ? takes : 0) >= takes ? OK : ERR_WOULD_BLOCK);
            out[token] = st == OK;
            n_out += st == OK;
        } else if (what < 11 && n_there < SIZE) {
            if (see(&there[n_there])) {
                assert_true(there[n_there].n_pieces == 2 || there[n_there].n_pieces == 3);
                assert_int_equal(there[n_there].first_bus, 0x1000);
                n_there++;
            }
        } else if (n_there != 0 && what < 14) {
            unsigned i = random >> 8 & 0xff;
            i %= n_there;
            answer(there[i].id, there[i].writable, there[i].n_desc);
            there[i] = there[--n_there];
        } else {
            uint64_t token;
            uint32_t written;
            status_t st = virtq_take(&q, &token, &written);
            if (st == OK) {
                assert_true(token < 64 && out[token]);
                assert_true(written == 512 || written == 513);
                out[token] = false;
                n_out--;
            } else {
                assert_int_equal(st, ERR_WOULD_BLOCK);
            }
        }
        assert_int_equal(q.n_busy, n_out);
        assert_true(q.n_free <= SIZE);
    }
}

static void what_is_added_comes_back_once(void **)
{
    for (unsigned i = 0; i < 8; i++)
        obey((i & 1) != 0, (i & 2) != 0, (i & 4) != 0);
}

static void a_full_queue_says_so_and_changes_nothing(void **)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        begin(packed != 0, false, false);
        for (unsigned i = 0; i < SIZE / 3; i++)
            assert_int_equal(add(i, 1, 2), OK);
        struct virtq before = q;
        assert_int_equal(add(9, 1, 2), ERR_WOULD_BLOCK);
        assert_memory_equal(&before, &q, sizeof q);
        assert_int_equal(virtq_add(&q, three, 0, 0, nullptr, 1), ERR_BAD_ARGUMENT);
        struct virtq_segment many[SIZE + 1] = {};
        assert_int_equal(virtq_add(&q, many, SIZE + 1, 0, nullptr, 1), ERR_TOO_BIG);
        struct virtq_segment huge[] = { { 0, UINT32_MAX }, { 0, 1 } };
        assert_int_equal(virtq_add(&q, huge, 0, 2, nullptr, 1), ERR_TOO_BIG);
    }
}

/* Every lie breaks the queue, and a broken queue stays so. */
static void a_lying_device_breaks_the_queue(void **)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        for (unsigned lie = 0; lie < 4; lie++) {
            struct seen s;
            uint64_t token = 77;
            uint32_t written = 0;
            begin(packed != 0, false, false);
            if (lie != 0)
                assert_int_equal(add(1, 1, 2), OK);
            if (lie != 0)
                assert_true(see(&s));
            switch (lie) {
            case 0: /* nothing was given to it */
                answer(0, 0, 1);
                break;
            case 1: /* an id that there is not */
                answer(SIZE, 0, 3);
                break;
            case 2: /* one that it has not got */
                answer(s.id + 1u, 0, 3);
                break;
            default: /* more than it may write */
                answer(s.id, 514, 3);
                break;
            }
            assert_int_equal(virtq_take(&q, &token, &written), ERR_PEER_CLOSED);
            assert_int_equal(token, 77);
            assert_int_equal(virtq_take(&q, &token, &written), ERR_PEER_CLOSED);
            assert_int_equal(add(2, 1, 1), ERR_PEER_CLOSED);
            assert_true(virtq_listen(&q, 0));
        }
    }
}

static void the_same_answer_twice_breaks_the_queue(void **)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        struct seen s;
        uint64_t token;
        uint32_t written;
        begin(packed != 0, false, true);
        assert_int_equal(add(1, 1, 1), OK);
        assert_int_equal(add(2, 1, 1), OK);
        assert_true(see(&s));
        answer(s.id, 0, 1);
        answer(s.id, 0, 1);
        assert_int_equal(virtq_take(&q, &token, &written), OK);
        assert_int_equal(virtq_take(&q, &token, &written), ERR_PEER_CLOSED);
    }
}

static void the_device_is_told_when_it_wants_to_be(void **)
{
    begin(false, false, false);
    assert_false(virtq_should_notify(&q));
    assert_int_equal(add(1, 1, 1), OK);
    assert_true(virtq_should_notify(&q));
    assert_false(virtq_should_notify(&q));
    q.used[0] = 1;
    assert_int_equal(add(2, 1, 1), OK);
    assert_false(virtq_should_notify(&q));
    begin(false, true, true);
    q.used[2 + 4 * SIZE] = 1; /* tell me when you pass 1 */
    assert_int_equal(add(1, 1, 1), OK);
    assert_false(virtq_should_notify(&q));
    assert_int_equal(add(2, 1, 1), OK);
    assert_true(virtq_should_notify(&q));
    begin(true, true, true);
    q.used[0] = 1 | 1 << 15;
    q.used[1] = 2;
    assert_int_equal(add(1, 1, 1), OK);
    assert_false(virtq_should_notify(&q));
    assert_int_equal(add(2, 1, 1), OK);
    assert_true(virtq_should_notify(&q));
    q.used[1] = 1; /* never */
    assert_int_equal(add(3, 1, 1), OK);
    assert_false(virtq_should_notify(&q));
}

static void sleeping_is_refused_while_something_waits(void **)
{
    for (unsigned i = 0; i < 4; i++) {
        struct seen s;
        begin((i & 1) != 0, (i & 2) != 0, true);
        assert_int_equal(add(1, 1, 1), OK);
        assert_true(virtq_listen(&q, 0));
        assert_true(see(&s));
        answer(s.id, 5, s.n_desc);
        assert_false(virtq_listen(&q, 0));
        virtq_deafen(&q);
    }
}

static void an_interrupt_can_wait_for_several(void **)
{
    struct seen s;
    begin(false, true, true);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(add(i, 1, 1), OK);
    assert_true(virtq_listen(&q, 2));
    assert_int_equal(q.avail[2 + SIZE], 2); /* the event: the third to be done */
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(virtq_listen(&q, 2), true);
        assert_true(see(&s));
        answer(s.id, 0, 1);
    }
    assert_false(virtq_listen(&q, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_comes_back_once),
        cmocka_unit_test(a_full_queue_says_so_and_changes_nothing),
        cmocka_unit_test(a_lying_device_breaks_the_queue),
        cmocka_unit_test(the_same_answer_twice_breaks_the_queue),
        cmocka_unit_test(the_device_is_told_when_it_wants_to_be),
        cmocka_unit_test(an_interrupt_can_wait_for_several),
        cmocka_unit_test(sleeping_is_refused_while_something_waits),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
