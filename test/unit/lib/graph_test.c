// sources: srv/initd/graph.c srv/initd/graph_check.c lib/libvectra/string.c
/* SPDX-License-Identifier: MIT
 * The service graph's language: what is accepted, what is refused and where, and the order of starting. */
#include "host.h"
#include <stdio.h>
#include <abi/fs.h>
#include <srv/initd/graph.h>

static struct graph g;
static struct graph_error error;

static status_t parse(const char *text)
{
    return graph_parse(text, strlen(text), &g, &error);
}

static void a_whole_description_is_taken_in(void **)
{
    assert_int_equal(parse("# comment\n"
                           "service n # trailing\n image /sbin/n\n provides naming\n"
                           "service s\n\timage /bin/sh\n argument -l --x\n uses naming\n"
                           " cap uart from uart.regs READ,WRITE optional\n cap console WRITE\n"
                           " memory 50%\n band person\n restart on-failure\n backoff 50ms 2s 1min\n crash-limit 5 60s\n"
                           " control yes\n session yes\n needs n"),
                     OK);
    assert_int_equal(g.n_services, 2);
    const struct graph_service *s = &g.service[1];
    assert_string_equal(s->image, "/bin/sh");
    assert_string_equal(s->arguments.word[1], "--x");
    assert_int_equal(s->n_caps, 2);
    assert_string_equal(s->cap[0].slot, "uart");
    assert_string_equal(s->cap[0].source, "uart.regs");
    assert_int_equal(s->cap[0].rights, VX_R_READ | VX_R_WRITE);
    assert_true(s->cap[0].optional);
    assert_string_equal(s->cap[1].source, "console");
    assert_false(s->cap[1].optional);
    assert_int_equal(s->memory_percent, 50);
    assert_int_equal(s->band, VX_BAND_PERSON);
    assert_int_equal(s->restart, RESTART_ON_FAILURE);
    assert_int_equal(s->backoff_first_ns, 50000000);
    assert_int_equal(s->stable_ns, 60000000000);
    assert_int_equal(s->crash_limit, 5);
    assert_true(s->control && s->session);
    assert_int_equal(graph_find(&g, "s"), 1);
    assert_int_equal(graph_provider(&g, "naming"), 0);
}

static void the_committed_graph_is_accepted(void **)
{
    static char text[16384];
    FILE *f = fopen("etc/services", "r");
    assert_non_null(f);
    size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_int_equal(graph_parse(text, len, &g, &error), OK);
    assert_true(graph_find(&g, "consoled") >= 0 && graph_find(&g, "namingd") >= 0);
}

static void files_are_a_root_and_rights(void **)
{
    char text[256];
    assert_int_equal(parse("service v\nimage /v\nprovides vfs\n"
                           "service a\nimage /a\nuses vfs\nfiles /data/log READ,WRITE\nstart by-hand\n"),
                     OK);
    assert_string_equal(g.service[1].files, "/data/log");
    assert_int_equal(g.service[1].files_rights, VX_FS_READ | VX_FS_WRITE);
    assert_true(g.service[1].by_hand);
    assert_false(g.service[0].by_hand);
    assert_string_equal(g.service[0].files, "");
    for (unsigned over = 0; over < 2; over++) {
        snprintf(text, sizeof text, "service v\nimage /v\nprovides vfs\nuses vfs\nfiles /%.*s MOUNT\n",
                 GRAPH_FILES_MAX - 1 + (int)over, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
        assert_int_equal(parse(text), over ? ERR_TOO_BIG : OK);
    }
}

static void a_device_has_one_driver(void **)
{
    static const char topod[] = "service t\nimage /t\nprovides topo\n";
    char text[1024];
    snprintf(text, sizeof text, "%sservice a\nimage /a\nuses topo\ndevice virtio-blk 0 optional\ndevice virtio-rng 3\n",
             topod);
    assert_int_equal(parse(text), OK);
    assert_int_equal(g.service[1].n_devices, 2);
    assert_int_equal(g.service[1].device[0].kind, 2);
    assert_true(g.service[1].device[0].optional);
    assert_int_equal(g.service[1].device[1].kind, 4);
    assert_int_equal(g.service[1].device[1].index, 3);
    assert_false(g.service[1].device[1].optional);
    size_t len = strlen(text);
    snprintf(text + len, sizeof text - len, "service b\nimage /b\nuses topo\ndevice virtio-rng 3\n");
    assert_int_equal(parse(text), ERR_BAD_ARGUMENT);
    assert_string_equal(error.word, "b");
    snprintf(text, sizeof text, "%sservice a\nimage /a\ndevice virtio-blk 0\n", topod);
    assert_int_equal(parse(text), ERR_BAD_ARGUMENT); /* it does not use topo */
    snprintf(text, sizeof text, "%sservice a\nimage /a\nuses topo\n", topod);
    for (unsigned i = 0; i <= GRAPH_DEVICES_MAX; i++) {
        assert_int_equal(parse(text), OK);
        len = strlen(text);
        snprintf(text + len, sizeof text - len, "device virtio-blk %u\n", i);
    }
    assert_int_equal(parse(text), ERR_TOO_BIG);
}

static void order_follows_needs_and_after(void **)
{
    assert_int_equal(parse("service a\nimage /a\nneeds c\nservice b\nimage /b\nafter a\nservice c\nimage /c\n"), OK);
    assert_int_equal(g.order[0], 2);
    assert_int_equal(g.order[1], 0);
    assert_int_equal(g.order[2], 1);
}

static void mistakes_are_refused_with_their_line(void **)
{
    static const struct {
        const char *text;
        uint32_t line;
        const char *word;
    } cases[] = {
        { "image /x\n", 1, "image" },
        { "service a\nimagine /x\n", 2, "imagine" },
        { "service a\nimage\n", 2, "image" },
        { "service a\nimage /x y\n", 2, "image" },
        { "service a\nimage /a\nservice a\n", 3, "a" },
        { "service a\nimage /a\ncap console WRITE,FLY\n", 3, "FLY" },
        { "service a\nimage /a\ncap console WRITE,\nmemory 12Q\n", 4, "12Q" },
        { "service a\nimage /a\nmemory 0%\n", 3, "0%" },
        { "service a\nimage /a\nmemory 101%\n", 3, "101%" },
        { "service a\nimage /a\nmemory 4096\n", 3, "4096" },
        { "service a\nimage /a\nmemory 99999999999999999999\n", 3, "99999999999999999999" },
        { "service a\nimage /a\nband fast\n", 3, "fast" },
        { "service a\nimage /a\nstart never\n", 3, "never" },
        { "service a\nimage /a\nfiles tmp READ\n", 3, "tmp" },
        { "service a\nimage /a\nfiles /tmp READ,EXEC\n", 3, "EXEC" },
        { "service a\nimage /a\nfiles /tmp\n", 3, "files" },
        { "service a\nimage /a\nfiles /tmp READ\nfiles / READ\n", 4, "/" },
        { "service a\nimage /a\nfiles / READ\n", 0, "a" },
        { "service v\nimage /v\nprovides vfs\nservice a\nimage /a\nuses vfs\n", 0, "a" },
        { "service a\nimage /a\nbackoff 2s 1s 1s\n", 3, "2s" },
        { "service a\nimage /a\nbackoff 0ms 1s 1s\n", 3, "0ms" },
        { "service a\nimage /a\ncap x READ\ncap x READ\n", 4, "x" },
        { "service a\nimage /a\ncap x READ maybe\n", 3, "maybe" },
        { "service a\n", 0, "a" },
        { "service a\nimage /a\nneeds b\n", 0, "b" },
        { "service a\nimage /a\nuses b\n", 0, "b" },
        { "service a\nimage /a\nneeds a\n", 0, "a" },
        { "service a\nimage /a\nneeds b\nservice b\nimage /b\nafter a\n", 0, "a" },
        { "service a\nimage /a\nprovides x\nservice b\nimage /b\nprovides x\n", 0, "x" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].text), ERR_BAD_ARGUMENT);
        assert_int_equal(error.line, cases[i].line);
        assert_string_equal(error.word, cases[i].word);
        assert_non_null(error.what);
    }
}

static void limits_hold_at_their_edges(void **)
{
    char text[4096];
    for (unsigned over = 0; over < 2; over++) {
        size_t at = 0;
        for (unsigned i = 0; i < GRAPH_SERVICES_MAX + over; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "service s%u\nimage /s\n", i);
        assert_int_equal(parse(text), over ? ERR_TOO_BIG : OK);
        at = (size_t)snprintf(text, sizeof text, "service s\nimage /s\n");
        for (unsigned i = 0; i < GRAPH_CAPS_MAX + over; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "cap c%u READ\n", i);
        assert_int_equal(parse(text), over ? ERR_TOO_BIG : OK);
        at = (size_t)snprintf(text, sizeof text, "service s\nimage /s\nprovides");
        for (unsigned i = 0; i < GRAPH_NAMES_MAX + over; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, " p%u", i);
        assert_int_equal(parse(text), over ? ERR_TOO_BIG : OK);
        snprintf(text, sizeof text, "service s\nimage /s\ncrash-limit %u 1s\n", (unsigned)GRAPH_CRASHES_MAX + over);
        assert_int_equal(parse(text), over ? ERR_TOO_BIG : OK);
        snprintf(text, sizeof text, "service %.*s\nimage /s\n", GRAPH_WORD_MAX - 1 + (int)over,
                 "abcdefghijklmnopqrstuvwxyz");
        assert_int_equal(parse(text), over ? ERR_TOO_BIG : OK);
    }
}

/* Any prefix and any single changed byte of a good graph ends in an answer, not outside the text. */
static void damaged_text_is_read_safely(void **)
{
    static const char good[] =
        "service a\n image /a\n provides n\nservice b\n image /b\n uses n\n cap x from y READ,COPY optional\n";
    for (size_t len = 0; len < sizeof good; len++) {
        char *exact = malloc(len != 0 ? len : 1);
        memcpy(exact, good, len);
        (void)!graph_parse(exact, len, &g, &error);
        for (size_t at = 0; at < len; at++) {
            exact[at] = (char)(good[at] ^ 0x2a);
            (void)!graph_parse(exact, len, &g, &error);
            exact[at] = good[at];
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_description_is_taken_in), cmocka_unit_test(the_committed_graph_is_accepted),
        cmocka_unit_test(files_are_a_root_and_rights),     cmocka_unit_test(a_device_has_one_driver),
        cmocka_unit_test(order_follows_needs_and_after),   cmocka_unit_test(mistakes_are_refused_with_their_line),
        cmocka_unit_test(limits_hold_at_their_edges),      cmocka_unit_test(damaged_text_is_read_safely),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
