/* SPDX-License-Identifier: MIT
 * The shell's parser, arithmetic and patterns on any bytes. What parses is written out as text again, which must parse
 * to a tree that is written out the same: that is how the shell hands commands to another one. */
// sources: bin/sh/mem.c bin/sh/lex.c bin/sh/lex_alias.c bin/sh/parse.c bin/sh/unparse.c bin/sh/arith.c bin/sh/pattern.c
// flags: -D_GNU_SOURCE -std=gnu23
#include "require.h"
#include <bin/sh/arith.h>
#include <bin/sh/exec.h>
#include <bin/sh/parse.h>
#include <bin/sh/pattern.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *alias(const char *name)
{
    return strcmp(name, "a") == 0 ? "b " : strcmp(name, "b") == 0 ? "a; c" : nullptr;
}

static void no_memory(void *ctx)
{
    (void)ctx;
    abort();
}

/* The tree as text; nullptr when it does not parse. */
static char *again(struct arena *arena, const char *text, size_t len)
{
    struct source s = { .begin = text, .at = text, .end = text + len };
    struct parser p;
    struct program *program = nullptr;
    struct text out = { .arena = arena };
    parser_init(&p, &s);
    if (parse_command(&p, &program) != PARSE_COMMAND)
        return nullptr;
    if (program->node != nullptr)
        unparse(&out, program->node, false);
    program_put(program);
    return text_end(&out);
}

static void try_commands(const char *text, size_t len, bool aliases)
{
    struct source s = { .begin = text, .at = text, .end = text + len };
    struct arena arena = { .fail = no_memory };
    struct parser p;
    parser_init(&p, &s);
    if (aliases)
        p.find_alias = alias;
    for (unsigned i = 0; i < 1000; i++) {
        struct program *program = nullptr;
        enum parse got = parse_command(&p, &program);
        if (got == PARSE_END)
            break;
        require(got == PARSE_COMMAND || (got == PARSE_ERROR && p.message[0] != '\0'));
        if (got == PARSE_ERROR)
            continue;
        struct arena_mark mark = arena_mark(&arena);
        struct text out = { .arena = &arena }, line = { .arena = &arena };
        if (program->node != nullptr) {
            const struct node braces = { .kind = NODE_BRACE, .a = program->node }; /* one command, however many */
            unparse(&out, &braces, false);
            unparse(&line, program->node, true);
            const char *first = text_end(&out);
            if (strlen(first) == out.len) {
                char *second = again(&arena, first, out.len);
                require(second != nullptr);
                require(strcmp(first, second) == 0);
            }
        }
        arena_release(&arena, mark);
        program_put(program);
    }
    parser_fini(&p);
    arena_free(&arena);
}

static const char *get(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'x' ? " 7 " : name[0] == 'y' ? "-0x10" : name[0] == 'z' ? "junk" : nullptr;
}

static void set(void *ctx, const char *name, int64_t value)
{
    (void)ctx, (void)value;
    require(is_name(name, strlen(name)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 8192)
        return 0;
    char *text = malloc(size);
    if (text == nullptr)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    try_commands(text, size - 1, (data[0] & 1) != 0);
    struct arith a = { .get = get, .set = set };
    int64_t value;
    require(arith_eval(&a, text, &value) || a.message[0] != '\0');
    const char *middle = memchr(text, '\n', size - 1);
    if (middle != nullptr && size < 512) {
        struct pattern p = { .text = text, .len = (size_t)(middle - text) };
        (void)pattern_match(p, middle + 1, size - 2 - p.len);
        (void)pattern_is_one(p);
    }
    free(text);
    return 0;
}
