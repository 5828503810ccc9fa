/* SPDX-License-Identifier: MIT
 * See store.h. */
#include "store.h"
#include <vectra/string.h>

enum { FAN_BITS = 9 };
static_assert(STORE_FAN == 1u << FAN_BITS);

static const uint16_t sizes[STORE_SIZES] = { 64, 128, 192, 256, 512 };

void store_init(struct store *s, void *memory, uint64_t bytes)
{
    *s = (struct store){ .base = memory, .n_pages = bytes / STORE_PAGE };
}

/* --- pages --- */

static void *page_get(struct store *s)
{
    void *page = s->free_page;
    if (page != nullptr) {
        s->free_page = *(void **)page;
        memset(page, 0, STORE_PAGE);
    } else if (s->n_fresh < s->n_pages) {
        page = s->base + s->n_fresh++ * STORE_PAGE;
    } else {
        return nullptr;
    }
    s->n_used++;
    return page;
}

static void page_put(struct store *s, void *page)
{
    *(void **)page = s->free_page;
    s->free_page = page;
    s->n_used--;
}

/* --- pieces --- */

static unsigned class_of(size_t bytes)
{
    unsigned c = 0;
    while (sizes[c] < bytes)
        c++;
    return c;
}

void *store_get(struct store *s, size_t bytes)
{
    unsigned c = class_of(bytes);
    void *piece = s->free_piece[c];
    if (piece == nullptr) {
        uint8_t *page = page_get(s);
        if (page == nullptr)
            return nullptr;
        for (size_t at = 0; at + sizes[c] <= STORE_PAGE; at += sizes[c]) {
            *(void **)(void *)(page + at) = s->free_piece[c];
            s->free_piece[c] = page + at;
        }
        piece = s->free_piece[c];
    }
    s->free_piece[c] = *(void **)piece;
    memset(piece, 0, sizes[c]);
    return piece;
}

void store_put(struct store *s, void *piece, size_t bytes)
{
    unsigned c = class_of(bytes);
    *(void **)piece = s->free_piece[c];
    s->free_piece[c] = piece;
}

/* --- trees --- */

static uint64_t pages_below(uint32_t depth)
{
    return UINT64_C(1) << (FAN_BITS * depth);
}

static size_t branch(uint64_t number, uint32_t depth)
{
    return (number >> (FAN_BITS * (depth - 1))) % STORE_FAN;
}

void *store_find(const struct store_tree *t, uint64_t number)
{
    if (number >= pages_below(t->depth))
        return nullptr;
    void *at = t->root;
    for (uint32_t d = t->depth; d != 0 && at != nullptr; d--)
        at = ((void **)at)[branch(number, d)];
    return at;
}

/* Until the number is below what the tree can lead to. */
static status_t grow(struct store *s, struct store_tree *t, uint64_t number)
{
    while (number >= pages_below(t->depth)) {
        if (t->root != nullptr) {
            void **top = page_get(s);
            if (top == nullptr)
                return ERR_NO_SPACE;
            top[0] = t->root;
            t->root = top;
        }
        t->depth++;
    }
    return OK;
}

status_t store_make(struct store *s, struct store_tree *t, uint64_t number, void **page)
{
    if (number >= STORE_TREE_PAGES)
        return ERR_FILE_TOO_BIG;
    status_t st = grow(s, t, number);
    if (st != OK)
        return st;
    void **at = &t->root;
    for (uint32_t d = t->depth;; d--) {
        if (*at == nullptr) {
            if ((*at = page_get(s)) == nullptr)
                return ERR_NO_SPACE; /* pages of the tree alone may be left: they go with the file */
            t->pages += d == 0;
        }
        if (d == 0)
            break;
        at = (void **)*at + branch(number, d);
    }
    *page = *at;
    return OK;
}

/* What lies under `at`, whose first page has the number `base`. True: nothing is left, and `at` was given back. */
static bool cut(struct store *s, struct store_tree *t, void *at, uint32_t depth, uint64_t base, uint64_t first,
                uint64_t last)
{
    if (depth == 0) {
        t->pages--;
        page_put(s, at);
        return true;
    }
    void **slot = at;
    bool empty = true;
    uint64_t each = pages_below(depth - 1);
    for (size_t i = 0; i < STORE_FAN; i++) {
        uint64_t from = base + i * each;
        if (slot[i] != nullptr && from <= last && from + (each - 1) >= first &&
            cut(s, t, slot[i], depth - 1, from, first, last))
            slot[i] = nullptr;
        empty = empty && slot[i] == nullptr;
    }
    if (empty)
        page_put(s, at);
    return empty;
}

void store_cut(struct store *s, struct store_tree *t, uint64_t first, uint64_t last)
{
    if (t->root == nullptr || first > last || first >= pages_below(t->depth))
        return;
    if (cut(s, t, t->root, t->depth, 0, first, last))
        *t = (struct store_tree){};
}

bool store_seek(const struct store_tree *t, uint64_t from, uint64_t limit, bool hole, uint64_t *number)
{
    for (uint64_t n = from; n <= limit;) {
        void *at = t->root;
        uint32_t d = t->depth;
        if (n >= pages_below(d))
            at = nullptr;
        while (d != 0 && at != nullptr && n < pages_below(t->depth)) {
            at = ((void **)at)[branch(n, d)];
            d--;
        }
        if ((at == nullptr) == hole) {
            *number = n;
            return true;
        }
        if (at == nullptr && n >= pages_below(t->depth))
            return false; /* nothing behind the tree */
        /* A branch that is missing has nothing below it: on to the next one. */
        uint64_t step = pages_below(at == nullptr ? d : 0);
        n = (n / step + 1) * step;
    }
    return false;
}
