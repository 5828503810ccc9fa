/* SPDX-License-Identifier: MIT
 * The shell's grammar and what words stand for. */
// sources: bin/nsh/parse.c bin/nsh/expand.c bin/nsh/vars.c bin/nsh/path.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <bin/nsh/expand.h>
#include <bin/nsh/parse.h>
#include <bin/nsh/path.h>

static struct sh_line line;
static struct sh_vars vars;
static struct sh_args args;
static struct sh_context context = { .vars = &vars, .status = 3, .self = 12, .background = 0 };

static sh_parse_t parse(const char *text)
{
    return sh_parse(text, strlen(text), &line);
}

static void words_and_joins(void **)
{
    assert_int_equal(parse("a b;c && d||e & f"), SH_PARSE_OK);
    assert_int_equal(line.n_commands, 5);
    static const sh_join_t joins[] = { SH_JOIN_SEQUENCE, SH_JOIN_AND, SH_JOIN_OR, SH_JOIN_BACKGROUND, SH_JOIN_END };
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(line.command[i].join, joins[i]);
    assert_int_equal(line.command[0].n_words, 2);
    assert_int_equal(line.command[0].at, 0);
    assert_int_equal(line.command[0].end, 3);
}

static void blanks_and_comments_are_nothing(void **)
{
    static const char *const texts[] = { "", "   ", "# all of it", "\n\n", "  # x\n\t# y\n" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(parse(texts[i]), SH_PARSE_OK);
        assert_int_equal(line.n_commands, 0);
    }
    assert_int_equal(parse("a#b # c"), SH_PARSE_OK);
    assert_int_equal(line.n_words, 1); /* a # inside a word is a letter */
}

static void operators_in_quotes_are_text(void **)
{
    assert_int_equal(parse("echo 'a;b' \"c|d\" e\\&f"), SH_PARSE_OK);
    assert_int_equal(line.n_commands, 1);
    assert_int_equal(line.n_words, 4);
}

static void negation(void **)
{
    assert_int_equal(parse("! a"), SH_PARSE_OK);
    assert_true(line.command[0].negate);
    assert_int_equal(parse("! ! a"), SH_PARSE_OK);
    assert_false(line.command[0].negate);
    assert_int_equal(parse("echo !"), SH_PARSE_OK);
    assert_int_equal(line.command[0].n_words, 2);
    assert_int_equal(parse("!"), SH_PARSE_UNEXPECTED);
}

static void a_line_may_end_after_and(void **)
{
    assert_int_equal(parse("a &&\n b"), SH_PARSE_OK);
    assert_int_equal(line.n_commands, 2);
    assert_int_equal(parse("a &&"), SH_PARSE_UNEXPECTED);
}

static void what_is_wrong_is_said(void **)
{
    static const struct {
        const char *text;
        sh_parse_t want;
        const char *message;
    } cases[] = {
        { "; a", SH_PARSE_UNEXPECTED, "unexpected ';'" },
        { "a ;; b", SH_PARSE_UNEXPECTED, "unexpected ';'" },
        { "&& a", SH_PARSE_UNEXPECTED, "unexpected '&&'" },
        { "a || ", SH_PARSE_UNEXPECTED, "a command is missing at the end of the line" },
        { "a (b)", SH_PARSE_UNEXPECTED, "unexpected '('" },
        { "a | b", SH_PARSE_NO_PIPES, "'|': pipes and redirection arrive with the POSIX layer" },
        { "a >> b", SH_PARSE_NO_PIPES, "'>>': pipes and redirection arrive with the POSIX layer" },
        { "a < b", SH_PARSE_NO_PIPES, "'<': pipes and redirection arrive with the POSIX layer" },
        { "echo 'a", SH_PARSE_UNFINISHED_QUOTE, "a quote or a backslash at the end of the line is not finished" },
        { "echo \"a\\\"", SH_PARSE_UNFINISHED_QUOTE, "a quote or a backslash at the end of the line is not finished" },
        { "echo \\", SH_PARSE_UNFINISHED_QUOTE, "a quote or a backslash at the end of the line is not finished" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char message[200];
        sh_parse_t got = parse(cases[i].text);
        assert_int_equal(got, cases[i].want);
        size_t n = sh_parse_message(got, &line, cases[i].text, message, sizeof message);
        assert_string_equal(message, cases[i].message);
        assert_int_equal(n, strlen(message));
        assert_int_equal(sh_parse_message(got, &line, cases[i].text, message, 8), 7); /* cut, still terminated */
    }
}

static void limits(void **)
{
    static char text[SH_LINE_MAX + 2];
    memset(text, 'a', sizeof text);
    assert_int_equal(sh_parse(text, SH_LINE_MAX, &line), SH_PARSE_OK);
    assert_int_equal(sh_parse(text, SH_LINE_MAX + 1, &line), SH_PARSE_TOO_LONG);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 ? ' ' : 'a';
    assert_int_equal(sh_parse(text, 2 * SH_WORDS_MAX, &line), SH_PARSE_OK);
    assert_int_equal(sh_parse(text, 2 * SH_WORDS_MAX + 1, &line), SH_PARSE_TOO_LONG);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 ? ';' : 'a';
    assert_int_equal(sh_parse(text, 2 * SH_COMMANDS_MAX, &line), SH_PARSE_OK);
    assert_int_equal(sh_parse(text, 2 * SH_COMMANDS_MAX + 1, &line), SH_PARSE_TOO_LONG);
}

static void expect(const char *word, uint32_t n, const char *first)
{
    sh_args_clear(&args);
    assert_int_equal(sh_expand_word(&context, word, strlen(word), &args), SH_EXPAND_OK);
    assert_int_equal(args.n, n);
    assert_null(args.arg[n]);
    if (n > 0)
        assert_string_equal(args.arg[0], first);
}

static void quotes_and_values(void **)
{
    vars.len = 0;
    assert_true(sh_vars_set(&vars, "A", 1, "one two", 7));
    assert_true(sh_vars_set(&vars, "E", 1, "", 0));
    expect("plain", 1, "plain");
    expect("'$A'", 1, "$A");
    expect("\"$A\"", 1, "one two");
    expect("$A", 2, "one");
    expect("x${A}y", 2, "xone");
    expect("$E", 0, "");
    expect("\"$E\"", 1, "");
    expect("''", 1, "");
    expect("$nosuch", 0, "");
    expect("$?", 1, "3");
    expect("$$", 1, "12");
    expect("\"a$!b\"", 1, "ab");
    expect("a\\ b", 1, "a b");
    expect("\"a\\$A\\x\"", 1, "a$A\\x");
    expect("'a'\"b\"c", 1, "abc");
    expect("$", 1, "$");
    expect("a$%", 1, "a$%");
}

static void bad_dollars_change_nothing(void **)
{
    static const char *const words[] = { "${", "${A", "${}", "${A-b}", "x${9}" };
    sh_args_clear(&args);
    assert_int_equal(sh_expand_word(&context, "keep", 4, &args), SH_EXPAND_OK);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_int_equal(sh_expand_word(&context, words[i], strlen(words[i]), &args), SH_EXPAND_BAD_DOLLAR);
        assert_int_equal(args.n, 1);
        assert_null(args.arg[1]);
    }
}

static void a_value_is_never_split_or_read_again(void **)
{
    vars.len = 0;
    assert_true(sh_vars_set(&vars, "A", 1, "a  $B 'c'", 9));
    sh_args_clear(&args);
    assert_int_equal(sh_expand_value(&context, "$A", 2, &args), SH_EXPAND_OK);
    assert_int_equal(args.n, 1);
    assert_string_equal(args.arg[0], "a  $B 'c'");
}

static void too_many_arguments(void **)
{
    sh_args_clear(&args);
    for (unsigned i = 0; i < SH_ARGS_MAX; i++)
        assert_int_equal(sh_expand_word(&context, "x", 1, &args), SH_EXPAND_OK);
    assert_int_equal(sh_expand_word(&context, "x", 1, &args), SH_EXPAND_TOO_LONG);
    assert_int_equal(args.n, SH_ARGS_MAX);
    static char big[SH_ARGS_BYTES];
    memset(big, 'b', sizeof big);
    sh_args_clear(&args);
    assert_int_equal(sh_expand_word(&context, big, sizeof big - 1, &args), SH_EXPAND_OK);
    assert_int_equal(sh_expand_word(&context, "x", 1, &args), SH_EXPAND_TOO_LONG);
    sh_args_clear(&args);
    assert_int_equal(sh_expand_word(&context, big, sizeof big, &args), SH_EXPAND_TOO_LONG);
}

static void variables(void **)
{
    vars.len = 0;
    assert_true(sh_vars_set(&vars, "AB", 2, "1", 1));
    assert_true(sh_vars_set(&vars, "A", 1, "2", 1));
    assert_string_equal(sh_vars_get(&vars, "A", 1), "2");
    assert_string_equal(sh_vars_get(&vars, "AB", 2), "1");
    assert_true(sh_vars_set(&vars, "AB", 2, "longer", 6));
    assert_string_equal(sh_vars_get(&vars, "AB", 2), "longer");
    assert_false(sh_vars_set(&vars, "1x", 2, "", 0));
    assert_true(sh_vars_unset(&vars, "A", 1));
    assert_false(sh_vars_unset(&vars, "A", 1));
    static char big[SH_VARS_BYTES];
    memset(big, 'v', sizeof big);
    uint32_t before = vars.len;
    assert_false(sh_vars_set(&vars, "B", 1, big, sizeof big));
    assert_int_equal(vars.len, before);
    assert_true(sh_vars_set(&vars, "B", 1, big, sizeof big - before - 3));
    assert_int_equal(vars.len, SH_VARS_BYTES);
    vars.len = 0;
    assert_int_equal(sh_vars_load(&vars, "X=1\0junk\0Y=2", 12), 1);
    assert_string_equal(sh_vars_get(&vars, "Y", 1), "2");
}

static void paths(void **)
{
    char out[SH_PATH_MAX];
    static const char *const cases[][3] = {
        { "/", "bin", "/bin" },           { "/a/b", "../c", "/a/c" }, { "/a", "../../..", "/" },
        { "/a", "/x//y/./z/", "/x/y/z" }, { "/a", "", "/a" },         { "/", ".", "/" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(sh_path_join(cases[i][0], cases[i][1], out));
        assert_string_equal(out, cases[i][2]);
    }
    char big[SH_PATH_MAX + 1];
    memset(big, 'p', sizeof big);
    big[SH_PATH_MAX - 2] = '\0';
    assert_true(sh_path_join("/", big, out));
    big[SH_PATH_MAX - 2] = 'p';
    big[SH_PATH_MAX - 1] = '\0';
    assert_false(sh_path_join("/", big, out));
    const char *part;
    assert_int_equal(sh_path_component("/", "bin/sh", &part), 3);
    assert_int_equal(sh_path_component("/bin", "bin/sh", &part), 2);
    assert_int_equal(sh_path_component("/bin", "binary", &part), 0);
    assert_int_equal(sh_path_component("/bin", "bin", &part), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_joins),
        cmocka_unit_test(paths),
        cmocka_unit_test(blanks_and_comments_are_nothing),
        cmocka_unit_test(operators_in_quotes_are_text),
        cmocka_unit_test(negation),
        cmocka_unit_test(a_line_may_end_after_and),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(limits),
        cmocka_unit_test(quotes_and_values),
        cmocka_unit_test(bad_dollars_change_nothing),
        cmocka_unit_test(a_value_is_never_split_or_read_again),
        cmocka_unit_test(too_many_arguments),
        cmocka_unit_test(variables),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
