/* SPDX-License-Identifier: MIT
 * The small shell's lexer, parser and expansion on any bytes. */
// sources: bin/nsh/parse.c bin/nsh/expand.c bin/nsh/vars.c bin/nsh/path.c
#include <bin/nsh/expand.h>
#include <bin/nsh/parse.h>
#include <bin/nsh/path.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void try_line(const char *text, size_t len)
{
    static struct sh_line line;
    static struct sh_vars vars;
    static struct sh_args args;
    char message[80];
    sh_parse_t st = sh_parse(text, len, &line);
    size_t n = sh_parse_message(st, &line, text, message, sizeof message);
    require(n < sizeof message && strlen(message) == n);
    require(line.n_words <= SH_WORDS_MAX && line.n_commands <= SH_COMMANDS_MAX);
    if (st != SH_PARSE_OK)
        return;
    vars.len = 0;
    require(sh_vars_set(&vars, "A", 1, "one two", 7));
    const struct sh_context context = { .vars = &vars, .status = 1, .self = 2, .background = 3 };
    sh_args_clear(&args);
    for (uint32_t c = 0; c < line.n_commands; c++) {
        const struct sh_command *k = &line.command[c];
        require(k->n_words > 0 && k->first_word + k->n_words <= line.n_words && k->at < k->end && k->end <= len);
        require((k->join == SH_JOIN_END) <= (c + 1 == line.n_commands));
    }
    for (uint32_t w = 0; w < line.n_words; w++) {
        require(line.word[w].len > 0 && line.word[w].at + line.word[w].len <= len);
        uint32_t before = args.n;
        sh_expand_t e = sh_expand_word(&context, text + line.word[w].at, line.word[w].len, &args);
        require(e == SH_EXPAND_OK || args.n == before);
        require(args.n <= SH_ARGS_MAX && args.len <= SH_ARGS_BYTES && args.arg[args.n] == nullptr);
    }
    char path[SH_PATH_MAX];
    if (args.n > 0 && sh_path_join("/a/b", args.arg[0], path))
        require(path[0] == '/' && strlen(path) < SH_PATH_MAX && strstr(path, "//") == nullptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size != 0)
        try_line((const char *)data + 1, size - 1);
    return 0;
}
