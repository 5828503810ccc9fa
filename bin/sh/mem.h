/* SPDX-License-Identifier: MIT
 * The shell's memory. Syntax trees and the results of expansions live in arenas, which are given back as a whole;
 * what lives longer (variables, jobs) is allocated by itself. Failure: the arena's `fail` is called and does not
 * return, so that no caller has to look. */
#pragma once
#include <stddef.h>

struct chunk;
struct arena {
    struct chunk *last;
    void (*fail)(void *ctx); /* does not return */
    void *ctx;
};
struct arena_mark {
    struct chunk *chunk;
    size_t used;
};

[[noreturn]] void arena_fail(struct arena *a);
/* Memory aligned for anything, not zeroed. */
void *arena_alloc(struct arena *a, size_t bytes);
void *arena_zero(struct arena *a, size_t bytes);
/* A copy with a zero byte behind it. */
char *arena_text(struct arena *a, const char *text, size_t len);
struct arena_mark arena_mark(const struct arena *a);
/* Gives back everything that was allocated since the mark was taken. */
void arena_release(struct arena *a, struct arena_mark mark);
void arena_free(struct arena *a);

/* Text that grows, in an arena. Zero-initialise and set `arena`. Always followed by room for a zero byte. */
struct text {
    struct arena *arena;
    char *at;
    size_t len, room;
};
void text_add(struct text *t, const char *bytes, size_t len);
void text_char(struct text *t, char c);
void text_string(struct text *t, const char *string);
/* The text as a string; stays in the arena. */
char *text_end(struct text *t);
