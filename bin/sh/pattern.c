/* SPDX-License-Identifier: MIT */
#include "pattern.h"
#include <ctype.h>
#include <string.h>

static bool special(struct pattern p, size_t at, char c)
{
    return p.text[at] == c && (p.quoted == nullptr || p.quoted[at] == 0);
}

static bool in_class(const char *name, size_t len, unsigned char c)
{
    static const struct {
        const char *name;
        int (*test)(int c);
    } classes[] = { { "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl },
                    { "digit", isdigit }, { "graph", isgraph }, { "lower", islower }, { "print", isprint },
                    { "punct", ispunct }, { "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit } };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strlen(classes[i].name) == len && memcmp(classes[i].name, name, len) == 0)
            return classes[i].test(c) != 0;
    return false;
}

/* Where the name in "[:name:]" at p[at] ends; 0 if there is none. */
static size_t class_end(struct pattern p, size_t at)
{
    if (at + 1 >= p.len || !special(p, at, '[') || !special(p, at + 1, ':'))
        return 0;
    for (size_t i = at + 2; i + 1 < p.len; i++)
        if (special(p, i, ':') && special(p, i + 1, ']'))
            return i;
    return 0;
}

/* The end of the bracket expression at p[at] ('['): the index behind ']'. 0: it is none. */
static size_t bracket_end(struct pattern p, size_t at)
{
    size_t i = at + 1;
    if (i < p.len && (special(p, i, '!') || special(p, i, '^')))
        i++;
    for (size_t first = i; i < p.len; i++) {
        size_t end = class_end(p, i);
        if (end != 0)
            i = end + 1;
        else if (special(p, i, ']') && i > first)
            return i + 1;
    }
    return 0;
}

static bool bracket_match(struct pattern p, size_t at, size_t end, unsigned char c)
{
    size_t i = at + 1;
    bool negate = special(p, i, '!') || special(p, i, '^'), found = false;
    for (i += negate; i + 1 < end;) {
        size_t name_end = class_end(p, i);
        if (name_end != 0) {
            found |= in_class(p.text + i + 2, name_end - i - 2, c);
            i = name_end + 2;
            continue;
        }
        unsigned char low = (unsigned char)p.text[i], high = low;
        if (i + 3 < end && special(p, i + 1, '-')) {
            high = (unsigned char)p.text[i + 2];
            i += 2;
        }
        found |= low <= c && c <= high;
        i++;
    }
    return found != negate;
}

/* One element of the pattern, not a star, against one byte: the index behind it, or 0. */
static size_t match_one(struct pattern p, size_t at, unsigned char c)
{
    if (special(p, at, '?'))
        return at + 1;
    if (special(p, at, '[')) {
        size_t end = bracket_end(p, at);
        if (end != 0)
            return bracket_match(p, at, end, c) ? end : 0;
    }
    return (unsigned char)p.text[at] == c ? at + 1 : 0;
}

bool pattern_match(struct pattern p, const char *text, size_t len)
{
    size_t at = 0, i = 0, star = SIZE_MAX, star_i = 0;
    while (i < len) {
        size_t next = 0;
        if (at < p.len && special(p, at, '*')) {
            star = ++at;
            star_i = i;
            continue;
        }
        if (at < p.len)
            next = match_one(p, at, (unsigned char)text[i]);
        if (next != 0) {
            at = next;
            i++;
        } else if (star != SIZE_MAX) {
            at = star; /* the last star takes one byte more */
            i = ++star_i;
        } else {
            return false;
        }
    }
    while (at < p.len && special(p, at, '*'))
        at++;
    return at == p.len;
}

bool pattern_is_one(struct pattern p)
{
    for (size_t i = 0; i < p.len; i++)
        if (special(p, i, '*') || special(p, i, '?') || (special(p, i, '[') && bracket_end(p, i) != 0))
            return true;
    return false;
}
