// sources: lib/libblock/request.c srv/blkd/vblk.c
/* SPDX-License-Identifier: MIT
 * Requests of clients that may be hostile, and what becomes of them for a virtio disk. */
#include "../lib/host.h"
#include <srv/blkd/vblk.h>

static const struct block_limits limits = {
    .blocks = 1000, .block_bytes = 512, .max_bytes = 65536, .max_clear_blocks = 100, .max_segments = 8, .discards = true
};
static alignas(8) uint8_t buffer[65536];
static struct vx_block_request out;
static struct vx_block_segment segments[VX_BLOCK_SEGMENTS_MAX];

static status_t check(const struct vx_block_request *r, const struct block_limits *l)
{
    struct vx_message m;
    memcpy(&m, r, sizeof m);
    return block_request_check(&m, l, buffer, sizeof buffer, &out, segments);
}

static struct vx_block_request good(void)
{
    return (struct vx_block_request){ .tag = 9,
                                      .op = VX_BLOCK_READ,
                                      .n_segments = 2,
                                      .block = 998,
                                      .blocks = 2,
                                      .segment = { { 0, 1000 }, { 65512, 24 } } };
}

static void what_is_in_bounds_is_taken(void **)
{
    struct vx_block_request r = good();
    assert_int_equal(check(&r, &limits), OK);
    assert_int_equal(out.tag, 9);
    assert_int_equal(segments[1].offset, 65512);
    r = (struct vx_block_request){ .op = VX_BLOCK_FLUSH };
    assert_int_equal(check(&r, &limits), OK);
    r = (struct vx_block_request){ .op = VX_BLOCK_DISCARD, .block = 1, .blocks = 100 };
    assert_int_equal(check(&r, &limits), OK);
}

static void what_is_out_of_bounds_is_refused(void **)
{
    static const struct {
        uint64_t block;
        uint32_t blocks;
    } bad[] = { { 999, 2 }, { 1000, 1 }, { 0, 0 }, { UINT64_MAX, 2 }, { 1, UINT32_MAX } };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct vx_block_request r = good();
        r.block = bad[i].block;
        r.blocks = bad[i].blocks;
        assert_int_equal(check(&r, &limits), ERR_BAD_ARGUMENT);
    }
    static const struct vx_block_segment pieces[][2] = {
        { { 0, 1000 }, { 65513, 24 } }, { { 0, 1000 }, { UINT32_MAX, 24 } }, { { 0, 1000 }, { 0, 23 } },
        { { 0, 1024 }, { 0, 0 } },      { { 0, UINT32_MAX }, { 0, 1025 } },
    };
    for (unsigned i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct vx_block_request r = good();
        memcpy(r.segment, pieces[i], sizeof pieces[i]);
        assert_int_equal(check(&r, &limits), ERR_BAD_ARGUMENT);
    }
    struct vx_block_request r = good();
    r.n_segments = 0;
    assert_int_equal(check(&r, &limits), ERR_BAD_ARGUMENT);
    r = (struct vx_block_request){ .op = VX_BLOCK_FLUSH, .blocks = 1 };
    assert_int_equal(check(&r, &limits), ERR_BAD_ARGUMENT);
    r = good();
    r.reserved = 1;
    assert_int_equal(check(&r, &limits), ERR_BAD_ARGUMENT);
    r = good();
    r.reserved2 = 1;
    assert_int_equal(check(&r, &limits), ERR_BAD_ARGUMENT);
}

static void limits_are_held(void **)
{
    struct vx_block_request r = good();
    r.block = 0;
    r.blocks = 129;
    assert_int_equal(check(&r, &limits), ERR_TOO_BIG);
    r = good();
    r.n_segments = 9;
    assert_int_equal(check(&r, &limits), ERR_TOO_BIG);
    r = (struct vx_block_request){ .op = VX_BLOCK_DISCARD, .block = 1, .blocks = 101 };
    assert_int_equal(check(&r, &limits), ERR_TOO_BIG);
    r = (struct vx_block_request){ .op = VX_BLOCK_ZERO, .block = 1, .blocks = 1 };
    assert_int_equal(check(&r, &limits), ERR_NOT_SUPPORTED);
    r.op = 77;
    assert_int_equal(check(&r, &limits), ERR_NOT_SUPPORTED);
}

static void a_long_list_stands_in_the_buffer(void **)
{
    struct vx_block_request r = good();
    for (unsigned i = 0; i < 8; i++)
        ((struct vx_block_segment *)(void *)(buffer + 4096))[i] = (struct vx_block_segment){ i * 128, 128 };
    r.n_segments = 8;
    r.segments_at = 4096;
    assert_int_equal(check(&r, &limits), OK);
    assert_int_equal(segments[7].offset, 7 * 128);
    r.segments_at = 4097;
    assert_int_equal(check(&r, &limits), ERR_BAD_ARGUMENT);
    r.segments_at = 65480;
    assert_int_equal(check(&r, &limits), ERR_BAD_ARGUMENT);
}

static void a_read_only_disk_changes_nothing(void **)
{
    struct block_limits l = limits;
    l.read_only = true;
    struct vx_block_request r = good();
    assert_int_equal(check(&r, &l), OK);
    r.op = VX_BLOCK_WRITE;
    assert_int_equal(check(&r, &l), ERR_NO_RIGHTS);
    r = (struct vx_block_request){ .op = VX_BLOCK_DISCARD, .block = 1, .blocks = 1 };
    assert_int_equal(check(&r, &l), ERR_NO_RIGHTS);
}

/* --- virtio --- */

static void configuration_becomes_limits(void **)
{
    uint8_t config[VBLK_CONFIG_BYTES] = {
        [1] = 0x40 /* 16384 sectors */, [12] = 6, [21] = 0x10 /* 4096 */, [24] = 0, [34] = 3, [37] = 1 /* 256 sectors
                                                                                                        */
    };
    struct vblk_facts f;
    assert_int_equal(vblk_read_config(config, 0, &f), OK);
    assert_int_equal(f.limits.blocks, 16384);
    assert_false(f.cached || f.limits.discards || f.limits.read_only);
    assert_int_equal(f.queues, 1);
    uint64_t all = VBLK_F_SEG_MAX | VBLK_F_BLK_SIZE | VBLK_F_MQ | VBLK_F_DISCARD | VBLK_F_RO | VBLK_F_FLUSH;
    assert_int_equal(vblk_read_config(config, all, &f), OK);
    assert_int_equal(f.limits.blocks, 2048);
    assert_int_equal(f.limits.max_segments, 6);
    assert_int_equal(f.limits.max_clear_blocks, 32);
    assert_int_equal(f.queues, 3);
    assert_true(f.cached && f.limits.discards && f.limits.read_only && !f.limits.zeroes);
    config[20] = 1; /* no power of two */
    assert_int_equal(vblk_read_config(config, all, &f), ERR_BAD_ARGUMENT);
    config[20] = 0;
    config[7] = 0xff;
    assert_int_equal(vblk_read_config(config, all, &f), ERR_BAD_ARGUMENT);
}

static void a_request_becomes_pieces(void **)
{
    static struct vblk_slot slot;
    struct virtq_segment pieces[VBLK_PIECES_MAX];
    uint16_t n_out = 0, n_in = 0;
    const struct vblk_facts f = { .limits = { .block_bytes = 4096 } };
    struct block_job job = { .request = { .op = VX_BLOCK_READ, .n_segments = 2, .block = 3, .blocks = 2 },
                             .segment = { { 0, 4096 }, { 8192, 4096 } } };
    vblk_prepare(&job, &f, &slot, 0x1000, 0x100000, pieces, &n_out, &n_in);
    assert_int_equal(n_out, 1);
    assert_int_equal(n_in, 3);
    assert_int_equal(slot.header.sector, 24);
    assert_int_equal(slot.status, VBLK_S_NONE);
    assert_int_equal(pieces[2].bus, 0x102000);
    assert_int_equal(pieces[3].bus, 0x1000 + offsetof(struct vblk_slot, status));
    assert_int_equal(vblk_outcome(&job, &f, VBLK_S_OK, 8193), OK);
    assert_int_equal(vblk_outcome(&job, &f, VBLK_S_OK, 8192), ERR_IO); /* it wrote less than it says */
    assert_int_equal(vblk_outcome(&job, &f, VBLK_S_NONE, 8193), ERR_IO);
    assert_int_equal(vblk_outcome(&job, &f, VBLK_S_UNSUPP, 1), ERR_NOT_SUPPORTED);
    job.request = (struct vx_block_request){ .op = VX_BLOCK_ZERO, .block = 3, .blocks = 2 };
    vblk_prepare(&job, &f, &slot, 0x1000, 0x100000, pieces, &n_out, &n_in);
    assert_int_equal(n_out, 2);
    assert_int_equal(n_in, 1);
    assert_int_equal(slot.header.type, VBLK_T_WRITE_ZEROES);
    assert_int_equal(slot.range.sector, 24);
    assert_int_equal(slot.range.n_sectors, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_bounds_is_taken),
        cmocka_unit_test(what_is_out_of_bounds_is_refused),
        cmocka_unit_test(limits_are_held),
        cmocka_unit_test(a_long_list_stands_in_the_buffer),
        cmocka_unit_test(a_read_only_disk_changes_nothing),
        cmocka_unit_test(configuration_becomes_limits),
        cmocka_unit_test(a_request_becomes_pieces),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
