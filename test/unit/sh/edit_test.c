/* SPDX-License-Identifier: MIT
 * The line editor against a small terminal: what a person sees must be prompt and line, with the cursor where it
 * belongs. */
// sources: bin/sh/vectra/edit.c bin/sh/vectra/history.c lib/libterm/keys.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <bin/sh/vectra/edit.h>

enum { COLUMNS = 20, ROWS = 24 };
static char screen[ROWS][COLUMNS];
static unsigned row, column, bells;
static char pending[16];
static unsigned n_pending;

static void clear_from_cursor(void)
{
    memset(&screen[row][column], ' ', COLUMNS - column);
    for (unsigned r = row + 1; r < ROWS; r++)
        memset(screen[r], ' ', COLUMNS);
}

static void control(char final)
{
    unsigned n = pending[1] != '\0' ? (unsigned)atoi(pending + 1) : 1;
    switch (final) {
    case 'A':
        assert_true(row >= n);
        row -= n;
        break;
    case 'C':
        column += n;
        assert_true(column < COLUMNS);
        break;
    case 'J':
        if (strcmp(pending, "[2") == 0)
            memset(screen, ' ', sizeof screen);
        else
            clear_from_cursor();
        break;
    case 'H':
        row = column = 0;
        break;
    default:
        fail_msg("the editor sent ESC %s%c", pending, final);
    }
}

/* Enough of a terminal, with the delayed wrap of a real one. */
static void show(void *, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (n_pending > 0) {
            if (n_pending == 1 || !((c >= 'A' && c <= 'Z'))) {
                pending[n_pending - 1] = c;
                pending[n_pending++] = '\0';
                assert_true(n_pending < sizeof pending);
            } else {
                n_pending = 0;
                control(c);
            }
        } else if (c == '\x1b') {
            n_pending = 1;
            pending[0] = '\0';
        } else if (c == '\r') {
            column = 0;
        } else if (c == '\n') {
            row++;
            assert_true(row < ROWS);
        } else if (c == '\a') {
            bells++;
        } else {
            if (column == COLUMNS) {
                column = 0;
                row++;
                assert_true(row < ROWS);
            }
            screen[row][column++] = c;
        }
    }
}

static struct sh_history history;
static struct sh_edit e;

static void begin(void)
{
    memset(screen, ' ', sizeof screen);
    row = column = bells = n_pending = 0;
    e.write = show;
    e.history = &history;
    e.prompt = "v$ ";
    e.columns = COLUMNS;
    sh_edit_begin(&e);
}

/* The screen holds prompt and line and nothing else, and the cursor stands at e.cursor. */
static void look(void)
{
    char want[ROWS * COLUMNS];
    memset(want, ' ', sizeof want);
    memcpy(want, e.prompt, 3);
    memcpy(want + 3, e.text, e.len);
    assert_memory_equal(screen, want, sizeof want);
    unsigned at = 3 + e.cursor, here = row * COLUMNS + column;
    assert_int_equal(here, at);
}

static sh_edit_event_t type(const char *text)
{
    sh_edit_event_t last = SH_EDIT_MORE;
    for (; *text != '\0'; text++) {
        last = sh_edit_feed(&e, (uint8_t)*text);
        if (last == SH_EDIT_MORE && e.keys.state == 0)
            look();
    }
    return last;
}

static void is(const char *text)
{
    assert_int_equal(e.len, strlen(text));
    assert_memory_equal(e.text, text, e.len);
}

#define LEFT "\x1b[D"
#define RIGHT "\x1b[C"

static void typing_and_moving(void **)
{
    begin();
    (void)type("abc" LEFT LEFT "X" RIGHT "Y");
    is("aXbYc");
    (void)type("\x01"
               "0"
               "\x05"
               "9\x1b[H"
               "\x1b[F"
               "!");
    is("0aXbYc9!");
    (void)type(LEFT LEFT LEFT LEFT LEFT LEFT LEFT LEFT LEFT LEFT LEFT);
    assert_int_equal(e.cursor, 0);
    (void)type(RIGHT RIGHT "\x7f"
                           "\x1b[3~"
                           "\x04");
    is("0Yc9!");
}

static void cutting_and_putting_back(void **)
{
    begin();
    (void)type("one two three"
               "\x17");
    is("one two ");
    (void)type("\x19"
               "\x19");
    is("one two threethree");
    (void)type("\x01" RIGHT RIGHT RIGHT "\x0b");
    is("one");
    (void)type("\x15");
    is("");
    (void)type("\x19");
    is("one");
    (void)type("\x14");
    is("oen");
    (void)type("\x1b"
               "b"
               "\x1b"
               "d");
    is("");
}

static void lines_longer_than_the_screen(void **)
{
    begin();
    for (unsigned i = 0; i < 100; i++)
        (void)type((const char[]){ (char)('a' + i % 26), '\0' });
    assert_int_equal(e.len, 100);
    for (unsigned i = 0; i < 60; i++)
        (void)type(LEFT);
    (void)type("XYZ\x7f\x7f");
    (void)type("\x01"
               "q"
               "\x05"
               "\x15");
    is("");
    begin();
    (void)type("01234567890123456"); /* exactly to the edge */
    assert_int_equal(column, 0);
    assert_int_equal(type("\r"), SH_EDIT_LINE);
    assert_int_equal(row, 1); /* no empty row between */
}

static void history_up_and_down(void **)
{
    sh_history_clear(&history);
    sh_history_add(&history, "first", 5);
    sh_history_add(&history, "second", 6);
    begin();
    (void)type("dra"
               "\x1b[A");
    is("second");
    (void)type("\x10"
               "\x1b[A");
    is("first");
    (void)type("\x1b[B"
               "\x0e");
    is("dra");
    (void)type("\x1b[B");
    is("dra");
    assert_int_equal(type("\r"), SH_EDIT_LINE);
}

static void endings(void **)
{
    begin();
    assert_int_equal(type("\x04"), SH_EDIT_END);
    begin();
    (void)type("abc");
    assert_int_equal(type("\x03"), SH_EDIT_CANCEL);
    assert_int_equal(column, 0);
    begin();
    assert_int_equal(type("ls b\t"), SH_EDIT_COMPLETE);
    assert_true(sh_edit_insert(&e, "in/", 3));
    look();
    is("ls bin/");
}

static void a_full_line_rings(void **)
{
    begin();
    static char big[SH_LINE_MAX];
    memset(big, 'x', sizeof big);
    e.write = (void (*)(void *, const char *, size_t))show;
    row = 0;
    e.columns = 100000;
    e.len = 0;
    memcpy(e.text, big, sizeof big);
    e.len = e.cursor = SH_LINE_MAX;
    bells = 0;
    assert_false(sh_edit_insert(&e, "y", 1));
    assert_int_equal(bells, 1);
    assert_int_equal(e.len, SH_LINE_MAX);
}

static void history_forgets_the_oldest(void **)
{
    sh_history_clear(&history);
    sh_history_add(&history, " secret", 7);
    sh_history_add(&history, "", 0);
    sh_history_add(&history, "a", 1);
    sh_history_add(&history, "a", 1);
    assert_int_equal(history.n, 1);
    for (unsigned i = 0; i < SH_HISTORY_LINES; i++)
        sh_history_add(&history, i % 2 ? "odd" : "even", i % 2 ? 3 : 4);
    assert_int_equal(history.n, SH_HISTORY_LINES);
    assert_int_equal(history.dropped, 1);
    static char big[SH_HISTORY_BYTES];
    memset(big, 'h', sizeof big);
    sh_history_add(&history, big, sizeof big);
    assert_int_equal(history.n, SH_HISTORY_LINES); /* larger than everything: not kept */
    sh_history_add(&history, big, sizeof big - 1);
    assert_int_equal(history.n, 1);
    assert_null(sh_history_get(&history, 2));
    assert_null(sh_history_get(&history, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing_and_moving),
        cmocka_unit_test(cutting_and_putting_back),
        cmocka_unit_test(lines_longer_than_the_screen),
        cmocka_unit_test(history_up_and_down),
        cmocka_unit_test(endings),
        cmocka_unit_test(a_full_line_rings),
        cmocka_unit_test(history_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
