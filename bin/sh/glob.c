/* SPDX-License-Identifier: MIT */
#include "glob.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
    struct arena *arena;
    struct text path;
    char **names;
    size_t n, room;
};

static void found(struct walk *w)
{
    if (w->n + 1 >= w->room) {
        size_t room = w->room < 16 ? 16 : w->room * 2;
        char **names = arena_alloc(w->arena, room * sizeof *names);
        if (w->n != 0)
            memcpy(names, w->names, w->n * sizeof *names);
        w->names = names;
        w->room = room;
    }
    w->names[w->n++] = arena_text(w->arena, w->path.at, w->path.len);
}

static struct pattern part_of(struct pattern p, size_t from, size_t to)
{
    return (struct pattern){ p.text + from, p.quoted + from, to - from };
}

static void walk(struct walk *w, struct pattern p);

/* The path is complete up to here; `rest` begins with the slashes behind it. */
static void go_on(struct walk *w, struct pattern rest)
{
    size_t slashes = 0;
    struct stat st;
    while (slashes < rest.len && rest.text[slashes] == '/')
        slashes++;
    text_add(&w->path, rest.text, slashes);
    if (slashes < rest.len)
        walk(w, part_of(rest, slashes, rest.len));
    else if (lstat(text_end(&w->path), &st) == 0)
        found(w);
}

static void match_entries(struct walk *w, DIR *dir, struct pattern name, struct pattern rest)
{
    size_t len = w->path.len;
    const struct dirent *e;
    while ((e = readdir(dir)) != nullptr) {
        if (e->d_name[0] == '.' && name.text[0] != '.')
            continue;
        if (!pattern_match(name, e->d_name, strlen(e->d_name)))
            continue;
        text_string(&w->path, e->d_name);
        if (rest.len == 0)
            found(w);
        else
            go_on(w, rest);
        w->path.len = len;
    }
}

static void walk(struct walk *w, struct pattern p)
{
    size_t end = 0, len = w->path.len;
    while (end < p.len && p.text[end] != '/')
        end++;
    struct pattern name = part_of(p, 0, end), rest = part_of(p, end, p.len);
    if (!pattern_is_one(name)) {
        text_add(&w->path, name.text, name.len);
        go_on(w, rest);
        w->path.len = len;
        return;
    }
    DIR *dir = opendir(w->path.len != 0 ? text_end(&w->path) : ".");
    if (dir == nullptr)
        return;
    match_entries(w, dir, name, rest);
    (void)closedir(dir);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **glob_names(struct arena *arena, struct pattern p, size_t *n)
{
    struct walk w = { .arena = arena, .path = { .arena = arena } };
    size_t slashes = 0;
    while (slashes < p.len && p.text[slashes] == '/')
        slashes++;
    text_add(&w.path, p.text, slashes);
    walk(&w, part_of(p, slashes, p.len));
    *n = w.n;
    if (w.n == 0)
        return nullptr;
    qsort(w.names, w.n, sizeof *w.names, by_bytes);
    w.names[w.n] = nullptr;
    return w.names;
}
