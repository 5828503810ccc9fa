// sources: lib/libvectra/string.c
/* SPDX-License-Identifier: MIT
 * Generated calls: a byte string of the longest its protocol allows is sent whole, one byte more is TOO_BIG and not
 * sent; and an answer whose length is a lie is no answer. */
#include "host.h"
#include <vectra/rpc_console.h>

static struct vx_message sent, answer;
static unsigned n_sent;

status_t vx_rpc_call(struct vx_client *, struct vx_message *m, vx_handle_t, vx_handle_t *, uint64_t)
{
    sent = *m;
    n_sent++;
    *m = answer;
    return OK;
}

status_t vx_rpc_start(struct vx_client *, struct vx_message *m, vx_handle_t, uint64_t)
{
    sent = *m;
    n_sent++;
    return OK;
}

static void a_byte_string_is_sent_to_its_last_byte_and_no_further(void **)
{
    char text[49];
    uint32_t written;
    struct vx_console_write_request q;
    memset(text, 'x', sizeof text);
    n_sent = 0;
    assert_int_equal(vx_console_write(nullptr, text, 49, &written), ERR_TOO_BIG);
    assert_int_equal(vx_console_write_start(nullptr, text, 49), ERR_TOO_BIG);
    assert_int_equal(vx_console_write(nullptr, text, SIZE_MAX, &written), ERR_TOO_BIG);
    assert_int_equal(n_sent, 0);
    assert_int_equal(vx_console_write(nullptr, text, 48, &written), OK);
    assert_int_equal(n_sent, 1);
    memcpy(&q, &sent.word[1], sizeof q);
    assert_int_equal(q.data_len, 48);
    assert_memory_equal(q.data, text, 48);
}

static void an_answer_that_lies_about_its_length_is_refused(void **)
{
    struct vx_console_read_line_reply a = { .data_len = 48 };
    uint8_t data[48];
    size_t len;
    uint32_t flags;
    memcpy(&answer.word[1], &a, sizeof a);
    assert_int_equal(vx_console_read_line(nullptr, 0, &flags, data, &len), OK);
    assert_int_equal(len, 48);
    a.data_len = 49;
    memcpy(&answer.word[1], &a, sizeof a);
    assert_int_equal(vx_console_read_line(nullptr, 0, &flags, data, &len), ERR_PEER_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_string_is_sent_to_its_last_byte_and_no_further),
        cmocka_unit_test(an_answer_that_lies_about_its_length_is_refused),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
