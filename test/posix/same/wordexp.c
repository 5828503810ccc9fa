/* SPDX-License-Identifier: MIT
 * What word expansion makes of texts, for comparison with this machine's C library: splitting, quotes, parameters,
 * arithmetic, commands, names of files, every flag and every error. Where glibc of 2022 and the standard differ, the
 * text is in library.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wordexp.h>

static const char *name_of(int error)
{
    switch (error) {
    case 0:
        return "ok";
    case WRDE_BADCHAR:
        return "BADCHAR";
    case WRDE_BADVAL:
        return "BADVAL";
    case WRDE_CMDSUB:
        return "CMDSUB";
    case WRDE_NOSPACE:
        return "NOSPACE";
    case WRDE_SYNTAX:
        return "SYNTAX";
    default:
        return "?";
    }
}

static void show(const wordexp_t *we)
{
    for (size_t i = 0; i < we->we_offs; i++)
        if (we->we_wordv[i] != NULL)
            puts("    an offset that is not null");
    for (size_t i = 0; i < we->we_wordc; i++)
        printf("    [%s]\n", we->we_wordv[we->we_offs + i]);
    if (we->we_wordv[we->we_offs + we->we_wordc] != NULL)
        puts("    no end");
}

static void expand(const char *text, int flags)
{
    wordexp_t we = { 0 };
    int error = wordexp(text, &we, flags);
    printf("%s %d: %s, %zu\n", text, flags, name_of(error), error == 0 ? we.we_wordc : 0);
    if (error == 0) {
        show(&we);
        wordfree(&we);
    }
}

static void texts(void)
{
    static const char *const good[] = {
        "",
        "   ",
        "one",
        "  one   two\tthree ",
        "'one two' \"three four\" five\\ six",
        "a'b c'd\"e f\"g",
        "''",
        "\"\" x ''",
        "'a\"b' \"a'b\" \\' \\\"",
        "\"a\\$b\" '\\$b' \\$b",
        "$NAME",
        "${NAME}s",
        "\"$SPACES\"",
        "$SPACES",
        "$EMPTY",
        "$NOTHING",
        "a${NOTHING}b",
        "${NOTHING:-other word}",
        "${NOTHING-other}",
        "${EMPTY-other}",
        "${EMPTY:-other}",
        "${NAME:+there}",
        "${#NAME}",
        "${PATHLIKE%/*}",
        "${PATHLIKE%%/*}",
        "${PATHLIKE#*/}",
        "${PATHLIKE##*/}",
        "~",
        "~/x",
        "\"~\" '~' a~",
        "$((1 + 2 * 3))",
        "$(( (4 - 1) * 5 ))x",
        "$(echo one two)",
        "\"$(echo one two)\"",
        "`echo three four`",
        "$(echo $(echo deep))",
        "$(printf 'a\\nb\\n\\n')",
        "*.c",
        "?.h",
        "[ab].c",
        "*.none",
        "'*.c'",
        "\"*.c\"",
        "\\*.c",
        "d/*",
        "d/.h*",
        "\"$STAR\"",
        "a=b",
        "%s %d",
        "-n -e",
        "!",
        "a:b,c@d+e",
        "\"a|b&c;d<e>f(g)h{i}j\"",
        "'a|b&c;d<e>f(g)h{i}j'",
        "a\\|b\\;c\\&d",
        "\"two\nlines\"",
    };
    static const char *const bad[] = {
        "a|b", "a;b",      "a&b",   "a<b",    "a>b",    "a(b",    "a)b",    "{a",
        "a}",  "one\ntwo", "'open", "\"open", "$(open", "x`open", "${open",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        expand(good[i], 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expand(bad[i], 0);
    static const char *const commands[] = {
        "plain words", "$(echo x)", "`echo x`", "\"$(echo x)\"", "'$(echo x)'",
        "\\$\\(",      "$((1+1))",  "${NAME}",  "\"`echo x`\"",
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        expand(commands[i], WRDE_NOCMD);
    expand("$NAME", WRDE_UNDEF);
    expand("a $NOTHING", WRDE_UNDEF);
    expand("$EMPTY", WRDE_UNDEF);
}

static void flags(void)
{
    wordexp_t we = { .we_offs = 2 };
    printf("%s\n", name_of(wordexp("one two", &we, WRDE_DOOFFS)));
    show(&we);
    printf("%s\n", name_of(wordexp("three $NAME", &we, WRDE_DOOFFS | WRDE_APPEND)));
    show(&we);
    printf("%s\n", name_of(wordexp("a|b", &we, WRDE_DOOFFS | WRDE_APPEND)));
    show(&we);
    printf("%s\n", name_of(wordexp("again", &we, WRDE_DOOFFS | WRDE_REUSE)));
    show(&we);
    wordfree(&we);
    memset(&we, 0, sizeof we);
    printf("%s\n", name_of(wordexp("a", &we, 0)));
    for (int i = 0; i < 20; i++)
        if (wordexp("'b c' d", &we, WRDE_APPEND) != 0)
            puts("not appended");
    printf("%zu\n", we.we_wordc);
    show(&we);
    wordfree(&we);
}

static void make(const char *name)
{
    FILE *f = fopen(name, "w");
    if (f != NULL)
        fclose(f);
}

int main(void)
{
    char folder[] = "/tmp/wordexp-XXXXXX";
    static const char *const files[] = { "a.c", "b.c", "c.h", "d/x", "d/y z", "d/.hidden" };
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    if (system("mkdir d") != 0)
        return 1;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        make(files[i]);
    setenv("NAME", "value", 1);
    setenv("SPACES", " two  words ", 1);
    setenv("EMPTY", "", 1);
    setenv("PATHLIKE", "usr/share/x", 1);
    setenv("NUMBER", "41", 1);
    setenv("STAR", "*.c", 1);
    setenv("HOME", "/home/somebody", 1);
    unsetenv("NOTHING");
    texts();
    flags();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(files[i]);
    rmdir("d");
    return chdir("/") != 0 || rmdir(folder) != 0;
}
