/* SPDX-License-Identifier: MIT
 * The allocator under threads: blocks of every size, given back by another thread than the one that asked, grown and
 * shrunk; each knows what was written into it. And the edges: nothing, too much, alignments. */
#define _GNU_SOURCE
#include "check.h"
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, STEPS = 20000, SHELF = 256 };

struct block {
    uint32_t bytes, seed;
    uint8_t *at;
};
/* A shelf that all threads take from and put to. */
static struct block shelf[SHELF];
static pthread_mutex_t lock[SHELF];
static _Atomic unsigned wrong, refused;

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Mostly small, sometimes a page or two, seldom what is mapped by itself. */
static size_t size_of(uint32_t r)
{
    switch (r & 31) {
    case 0:
        return r >> 5 & 0x3ffff;
    case 1:
    case 2:
        return r >> 5 & 0x3fff;
    default:
        return r >> 5 & 0x1ff;
    }
}

static uint8_t byte_of(uint32_t seed, size_t i)
{
    return (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

static void fill(struct block *b, size_t from)
{
    for (size_t i = from; i < b->bytes; i++)
        b->at[i] = byte_of(b->seed, i);
}

static void look(const struct block *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (b->at[i] != byte_of(b->seed, i)) {
            wrong++;
            return;
        }
}

static void make(struct block *b, uint32_t *state)
{
    size_t bytes = size_of(next(state)), alignment = (size_t)16 << (next(state) % 9);
    uint32_t how = next(state) % 8;
    *b = (struct block){ .bytes = (uint32_t)bytes, .seed = next(state) };
    b->at = how == 0 ? calloc(1, bytes) : how == 1 ? aligned_alloc(alignment, bytes) : malloc(bytes);
    if (b->at == nullptr) {
        refused++;
        b->bytes = 0;
        return;
    }
    for (size_t i = 0; how == 0 && i < bytes; i++)
        if (b->at[i] != 0) {
            wrong++;
            break;
        }
    if (((uintptr_t)b->at & (how == 1 ? alignment - 1 : 15)) != 0 || malloc_usable_size(b->at) < bytes)
        wrong++;
    fill(b, 0);
}

static void change(struct block *b, uint32_t *state)
{
    size_t before = b->bytes, bytes = size_of(next(state)) + 1;
    uint8_t *at = realloc(b->at, bytes);
    if (at == nullptr) {
        refused++;
        return;
    }
    b->at = at;
    b->bytes = (uint32_t)bytes;
    look(b, before < bytes ? before : bytes);
    fill(b, before < bytes ? before : bytes);
}

static void *torture(void *argument)
{
    uint32_t state = (uint32_t)(uintptr_t)argument * 2654435761u + 1;
    for (int step = 0; step < STEPS; step++) {
        unsigned i = next(&state) % SHELF;
        pthread_mutex_lock(&lock[i]);
        struct block *b = &shelf[i];
        if (b->at == nullptr) {
            make(b, &state);
        } else if (next(&state) % 4 == 0) {
            change(b, &state);
        } else {
            look(b, b->bytes);
            free(b->at);
            b->at = nullptr;
        }
        pthread_mutex_unlock(&lock[i]);
    }
    return nullptr;
}

static void threads(void)
{
    pthread_t thread[THREADS];
    for (int i = 0; i < SHELF; i++)
        pthread_mutex_init(&lock[i], nullptr);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_IS(pthread_create(&thread[i], nullptr, torture, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_IS(pthread_join(thread[i], nullptr), 0);
    for (int i = 0; i < SHELF; i++) {
        look(&shelf[i], shelf[i].at != nullptr ? shelf[i].bytes : 0);
        free(shelf[i].at);
    }
    CHECK_IS(wrong, 0);
    CHECK_IS(refused, 0);
}

/* What was given back is there again: a program that allocates and frees the same does not grow. */
static void no_growth(void)
{
    enum { MANY = 64 };
    for (int round = 0; round < 200; round++) {
        void *at[MANY];
        for (int i = 0; i < MANY; i++) {
            at[i] = malloc(200000);
            if (at[i] == nullptr) {
                CHECK(!"there is as little as before");
                return;
            }
            memset(at[i], round, 4096);
        }
        for (int i = 0; i < MANY; i++)
            free(at[(i * 7) % MANY]);
    }
}

static void edges(void)
{
    void *at = nullptr;
    size_t most = PTRDIFF_MAX;
    /* compilers take it that an allocation whose result is not used has succeeded */
    void *(*volatile get)(size_t) = malloc, *(*volatile get_clear)(size_t, size_t) = calloc;
    void *(*volatile again)(void *, size_t) = realloc, *(*volatile array)(void *, size_t, size_t) = reallocarray;
    free(nullptr);
    errno = 0;
    CHECK(get(most) == nullptr && errno == ENOMEM);
    errno = 0;
    CHECK(get(most * 2) == nullptr && errno == ENOMEM);
    errno = 0;
    CHECK(get_clear(most, 4) == nullptr && errno == ENOMEM);
    errno = 0;
    CHECK(array(nullptr, most, 4) == nullptr && errno == ENOMEM);
    CHECK_IS(posix_memalign(&at, 3, 10), EINVAL);
    CHECK_IS(posix_memalign(&at, 4096, 10), 0);
    CHECK(((uintptr_t)at & 4095) == 0);
    free(at);
    char *keeps = malloc(10);
    strcpy(keeps, "nine byte");
    CHECK(again(keeps, most) == nullptr);
    CHECK(strcmp(keeps, "nine byte") == 0);
    free(keeps);
    /* more than there is: refused, and what is there goes on */
    void *large[64] = {};
    int n = 0;
    while (n < 64 && (large[n] = get((size_t)64 << 20)) != nullptr)
        n++;
    CHECK(n < 64);
    for (int i = 0; i < n; i++)
        free(large[i]);
    CHECK((at = get((size_t)1 << 20)) != nullptr);
    free(at);
}

int main(void)
{
    edges();
    threads();
    no_growth();
    return check_done();
}
