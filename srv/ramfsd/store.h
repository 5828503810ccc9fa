/* SPDX-License-Identifier: MIT
 * Where a file system in memory keeps things: pages of one range of memory, small pieces cut from pages, and trees of
 * pages, in which a number below 2^27 leads to a page. Pure.
 *
 *  1. A page is free, or belongs to exactly one tree, or is cut into pieces of one size for good.
 *  2. used + free pages = n_pages; a page that was never used has never been touched. */
#pragma once
#include <abi/status.h>
#include <stddef.h>
#include <stdint.h>

enum : uint32_t { STORE_PAGE = 4096, STORE_FAN = STORE_PAGE / sizeof(void *), STORE_SIZES = 5 };
enum : uint64_t { STORE_TREE_PAGES = (uint64_t)STORE_FAN * STORE_FAN * STORE_FAN };

struct store {
    uint8_t *base;
    uint64_t n_pages, n_used, n_fresh; /* fresh: from base + n_fresh pages on nothing was ever used */
    void *free_page;                   /* chain by their first words */
    void *free_piece[STORE_SIZES];
};

/* depth 0: root is the only page, number 0. */
struct store_tree {
    void *root;
    uint32_t depth;
    uint64_t pages; /* that hold something: not those of the tree itself */
};

/* memory: a multiple of STORE_PAGE, zeroed. */
void store_init(struct store *s, void *memory, uint64_t bytes);
static inline uint64_t store_free_pages(const struct store *s)
{
    return s->n_pages - s->n_used;
}

/* A zeroed piece of up to 512 bytes, or nullptr. */
void *store_get(struct store *s, size_t bytes);
void store_put(struct store *s, void *piece, size_t bytes); /* bytes: as asked for */

/* The page of that number, or nullptr. */
void *store_find(const struct store_tree *t, uint64_t number);
/* The same; one that is not there is made, zeroed. NO_SPACE; FILE_TOO_BIG beyond STORE_TREE_PAGES. */
status_t store_make(struct store *s, struct store_tree *t, uint64_t number, void **page);
/* Gives back all pages from `first` to `last`, and those of the tree that only they needed. */
void store_cut(struct store *s, struct store_tree *t, uint64_t first, uint64_t last);
/* The first number from `from` on, up to `limit`, with a page (or, with `hole`, without). False: none. */
bool store_seek(const struct store_tree *t, uint64_t from, uint64_t limit, bool hole, uint64_t *number);
