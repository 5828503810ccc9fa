/* SPDX-License-Identifier: MIT
 * The shell's lexer, parser, expansion and line editor on any bytes. The first byte chooses the terminal's width. */
// sources: bin/sh/parse.c bin/sh/expand.c bin/sh/vars.c bin/sh/edit.c bin/sh/history.c bin/sh/path.c lib/libterm/keys.c
#include <bin/sh/edit.h>
#include <bin/sh/expand.h>
#include <bin/sh/path.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void draw(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    require(text != nullptr && len > 0);
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
    static struct sh_edit e;
    static struct sh_history history;
    if (size == 0)
        return 0;
    try_line((const char *)data + 1, size - 1);
    sh_history_clear(&history);
    e.write = draw;
    e.history = &history;
    e.prompt = "vectra:/$ ";
    e.columns = data[0];
    sh_edit_begin(&e);
    for (size_t i = 1; i < size; i++) {
        sh_edit_event_t event = sh_edit_feed(&e, data[i]);
        require(e.cursor <= e.len && e.len <= SH_LINE_MAX && e.kill_len <= SH_LINE_MAX);
        if (event == SH_EDIT_LINE)
            sh_history_add(&history, e.text, e.len);
        if (event != SH_EDIT_MORE && event != SH_EDIT_COMPLETE)
            sh_edit_begin(&e);
    }
    return 0;
}
