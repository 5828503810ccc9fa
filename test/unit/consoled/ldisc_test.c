/* SPDX-License-Identifier: MIT
 * The line discipline, the window-size answer, and the key parser. */
// sources: srv/consoled/ldisc.c srv/consoled/winsize.c lib/libterm/keys.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <srv/consoled/ldisc.h>
#include <srv/consoled/winsize.h>
#include <term/keys.h>

static struct ldisc d;
static char shown[8192];

/* Types text; what was shown is in `shown`; the last event. */
static ldisc_event_t type(const char *text)
{
    static struct ldisc_echo echo;
    ldisc_event_t last = LDISC_QUIET;
    size_t n = 0;
    for (; *text != '\0'; text++) {
        last = ldisc_input(&d, (uint8_t)*text, &echo);
        assert_true(n + echo.len < sizeof shown);
        memcpy(shown + n, echo.text, echo.len);
        n += echo.len;
    }
    shown[n] = '\0';
    return last;
}

static void reads(const char *want, size_t room, bool want_end)
{
    uint8_t got[64] = {};
    bool end;
    size_t n = ldisc_read(&d, got, room, &end);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(got, want, n);
    assert_int_equal(end, want_end);
}

static void a_line_comes_whole(void **)
{
    ldisc_init(&d);
    assert_int_equal(type("hel"), LDISC_QUIET);
    assert_false(ldisc_readable(&d));
    assert_int_equal(type("lo\rnext\n"), LDISC_READY);
    assert_string_equal(shown, "lo\r\nnext\r\n");
    reads("hel", 3, false);
    reads("lo\n", 64, true);
    reads("next\n", 64, true);
    assert_false(ldisc_readable(&d));
}

static void erasing(void **)
{
    ldisc_init(&d);
    (void)type("ab\x7f");
    assert_string_equal(shown, "ab\b \b");
    (void)type("\b\b\x7f");
    assert_string_equal(shown, "\b \b"); /* nothing beyond the beginning */
    (void)type("one two\x17x\r");
    reads("one x\n", 64, true);
    (void)type("junk\x15ok\r");
    reads("ok\n", 64, true);
    (void)type("\x01\x7f");
    assert_string_equal(shown, "^A\b \b\b \b");
    (void)type("\xc3\xa4\x7f\r"); /* one character of two bytes */
    reads("\n", 64, true);
}

static void control_c_drops_the_line(void **)
{
    ldisc_init(&d);
    assert_int_equal(type("half\x03"), LDISC_INTERRUPT);
    assert_string_equal(shown, "half^C\r\n");
    assert_false(ldisc_readable(&d));
    ldisc_set_mode(&d, true, true, false);
    assert_int_equal(type("\x03\r"), LDISC_READY); /* a byte like others */
    reads("\x03\n", 64, true);
}

static void keys_of_job_control_are_bytes_without_it(void **)
{
    ldisc_init(&d);
    d.jobs = true;
    assert_int_equal(type("half\x1a"), LDISC_SUSPEND);
    assert_false(ldisc_readable(&d));
    assert_int_equal(type("half\x1c"), LDISC_QUIT);
    assert_string_equal(shown, "half^\\\r\n");
    assert_false(ldisc_readable(&d));
    d.jobs = false;
    assert_int_equal(type("\x1a"), LDISC_QUIET);
    assert_int_equal(type("\r"), LDISC_READY);
}

static void control_d(void **)
{
    ldisc_init(&d);
    assert_int_equal(type("\x04"), LDISC_READY);
    reads("", 64, true); /* end of file */
    (void)type("ab\x04"
               "cd\r");
    reads("ab", 64, true);
    reads("cd\n", 64, true);
    (void)type("ab\x04");
    reads("ab", 2, true); /* filled to the byte: no end of file of its own is left */
    assert_false(ldisc_readable(&d));
}

static void raw_passes_everything(void **)
{
    ldisc_init(&d);
    (void)type("typed ahead");
    ldisc_set_mode(&d, false, false, false);
    assert_int_equal(type("\x03\x04\r\x1b[A"), LDISC_READY);
    assert_string_equal(shown, "");
    reads("typed ahead\x03\x04\r\x1b[A", 64, false);
}

static void full_buffers_ring(void **)
{
    ldisc_init(&d);
    for (unsigned i = 0; i < LDISC_LINE_MAX; i++)
        (void)type("x");
    (void)type("y");
    assert_string_equal(shown, "\a");
    assert_int_equal(d.line_len, LDISC_LINE_MAX);
    (void)type("\x15"); /* killing it shows exactly what fits */
    assert_int_equal(strlen(shown), 3 * LDISC_LINE_MAX);
    ldisc_set_mode(&d, false, false, false);
    for (unsigned i = 0; i < LDISC_QUEUE_MAX; i++)
        assert_int_equal(type("x"), LDISC_READY);
    assert_int_equal(type("x"), LDISC_QUIET);
    assert_string_equal(shown, "\a");
    ldisc_set_mode(&d, true, true, true);
    assert_int_equal(type("z\r"), LDISC_QUIET);
    assert_int_equal(d.line_len, 1); /* nothing lost: it can be tried again */
}

static size_t feed(struct winsize *w, const char *text, char *out)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        uint8_t passed[WINSIZE_HELD_MAX];
        size_t k = winsize_feed(w, (uint8_t)*text, passed);
        memcpy(out + n, passed, k);
        n += k;
    }
    out[n] = '\0';
    return n;
}

static void the_answer_is_taken_out(void **)
{
    struct winsize w;
    char out[200];
    winsize_init(&w);
    assert_int_equal(feed(&w, "\x1b[3;4R", out), 6); /* nobody asked */
    w.awaited = true;
    (void)feed(&w, "ab\x1b[A\x1b[40;132Rcd", out);
    assert_string_equal(out, "ab\x1b[Acd");
    assert_int_equal(w.rows, 40);
    assert_int_equal(w.columns, 132);
    assert_false(w.awaited);
}

static void other_sequences_pass(void **)
{
    static const char *const texts[] = { "\x1b\x1b[1;5C", "\x1b[;R", "\x1b[12345678901234567890",
                                         "\x1b[1;2;3R",   "\x1bOP",  "\x1b[5R" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct winsize w;
        char out[200];
        winsize_init(&w);
        w.awaited = true;
        size_t n = feed(&w, texts[i], out);
        assert_int_equal(n + w.n_held, strlen(texts[i]));
        assert_memory_equal(out, texts[i], n);
        assert_int_equal(w.columns, 80);
    }
    struct winsize w;
    char out[64];
    winsize_init(&w);
    w.awaited = true;
    (void)feed(&w, "\x1b[1;4294967376R", out); /* too large is not believed */
    assert_int_equal(w.columns, 80);
}

static void keys(void **)
{
    static const struct {
        const char *bytes;
        uint16_t key;
    } cases[] = {
        { "a", 'a' },
        { "\x1b[A", KEY_UP },
        { "\x1b[B", KEY_DOWN },
        { "\x1bOC", KEY_RIGHT },
        { "\x1b[D", KEY_LEFT },
        { "\x1b[H", KEY_HOME },
        { "\x1b[1~", KEY_HOME },
        { "\x1bOF", KEY_END },
        { "\x1b[3~", KEY_DELETE },
        { "\x1b[5~", KEY_PAGE_UP },
        { "\x1b[1;5C", KEY_WORD_RIGHT },
        { "\x1b[1;3D", KEY_WORD_LEFT },
        { "\x1b"
          "b",
          KEY_WORD_LEFT },
        { "\x1b[24;80R", KEY_REPORT },
        { "\x1b[R", KEY_NONE },
        { "\x1b[?1A", KEY_NONE },
        { "\x1b[99999;1~", KEY_NONE },
        { "\x1b\x03", KEY_CTRL('C') },
        { "\x1b[\r", '\r' },
        { "\x1b[1;2;3;4;5;6~", KEY_HOME },
        { "\x1b\x1b[A", KEY_UP },
        { "\x1b[\x1b[A", KEY_UP },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct key_parser p = {};
        uint16_t last = KEY_NONE;
        for (const char *c = cases[i].bytes; *c != '\0'; c++) {
            assert_int_equal(last, KEY_NONE); /* only the last byte of a sequence is a key */
            last = key_feed(&p, (uint8_t)*c);
        }
        assert_int_equal(last, cases[i].key);
        assert_int_equal(key_feed(&p, 'x'), 'x'); /* it never gets stuck */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_comes_whole),
        cmocka_unit_test(erasing),
        cmocka_unit_test(control_c_drops_the_line),
        cmocka_unit_test(keys_of_job_control_are_bytes_without_it),
        cmocka_unit_test(control_d),
        cmocka_unit_test(raw_passes_everything),
        cmocka_unit_test(full_buffers_ring),
        cmocka_unit_test(the_answer_is_taken_out),
        cmocka_unit_test(other_sequences_pass),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
