/* SPDX-License-Identifier: MIT */
#include "mem.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum : size_t { CHUNK_BYTES = 8192, ALIGN = 16 };

struct chunk {
    struct chunk *before;
    size_t room, used;
    alignas(ALIGN) char bytes[];
};

void arena_fail(struct arena *a)
{
    a->fail(a->ctx);
    abort();
}

static struct chunk *chunk_new(struct arena *a, size_t bytes)
{
    size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    struct chunk *c = room < SIZE_MAX / 2 ? malloc(sizeof *c + room) : nullptr;
    if (c == nullptr)
        arena_fail(a);
    *c = (struct chunk){ .before = a->last, .room = room };
    a->last = c;
    return c;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 4)
        arena_fail(a);
    bytes = (bytes + ALIGN - 1) & ~(ALIGN - 1);
    struct chunk *c = a->last;
    if (c == nullptr || c->room - c->used < bytes)
        c = chunk_new(a, bytes);
    void *at = c->bytes + c->used;
    c->used += bytes;
    return at;
}

void *arena_zero(struct arena *a, size_t bytes)
{
    return memset(arena_alloc(a, bytes), 0, bytes);
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_alloc(a, len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){ a->last, a->last != nullptr ? a->last->used : 0 };
}

void arena_release(struct arena *a, struct arena_mark mark)
{
    while (a->last != mark.chunk) {
        struct chunk *c = a->last;
        a->last = c->before;
        free(c);
    }
    if (a->last != nullptr)
        a->last->used = mark.used;
}

void arena_free(struct arena *a)
{
    arena_release(a, (struct arena_mark){});
}

static void grow(struct text *t, size_t more)
{
    size_t room = t->room < 64 ? 64 : t->room * 2;
    while (room - t->len < more)
        room *= 2;
    char *at = arena_alloc(t->arena, room);
    if (t->len != 0)
        memcpy(at, t->at, t->len);
    t->at = at;
    t->room = room;
}

void text_add(struct text *t, const char *bytes, size_t len)
{
    if (len > SIZE_MAX / 8)
        arena_fail(t->arena);
    if (t->room - t->len < len + 1)
        grow(t, len + 1);
    if (len != 0)
        memcpy(t->at + t->len, bytes, len);
    t->len += len;
}

void text_char(struct text *t, char c)
{
    if (t->room - t->len < 2)
        grow(t, 2);
    t->at[t->len++] = c;
}

void text_string(struct text *t, const char *string)
{
    text_add(t, string, strlen(string));
}

char *text_end(struct text *t)
{
    text_char(t, '\0');
    t->len--;
    return t->at;
}
