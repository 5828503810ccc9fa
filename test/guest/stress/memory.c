/* SPDX-License-Identifier: MIT
 * The storm on memory: to the last page and back, in pieces of all sizes, committed and lazy. */
#include "stress.h"

enum : uint32_t { PIECES = 256, PAGE = 4096 };

static uint64_t free_now(void)
{
    return check_accounts().free_bytes;
}

struct piece {
    uint8_t *at;
    uint64_t bytes;
};

/* Commits pieces until there is nothing left, first large ones, in the end single pages. */
static bool fill(struct storm *s, struct piece *piece, uint32_t *n)
{
    uint64_t largest = 64;
    for (*n = 0; *n < PIECES;) {
        uint64_t bytes = (1 + play_below(&s->random, (uint32_t)largest)) * UINT64_C(4096);
        struct vx_result r = SYS(mem_alloc, 0, bytes, RW_COMMIT, 0);
        status_t st = vx_result_status(r.value);
        if (st == ERR_NO_MEMORY) {
            if (bytes == PAGE)
                return true;
            largest = largest > 1 ? largest / 2 : 1;
            continue;
        }
        if (st != OK)
            return storm_fail(s, "memory: MEM_ALLOC failed otherwise than for want of memory", (uint64_t)-(int)st);
        piece[*n] = (struct piece){ (uint8_t *)(uintptr_t)r.second, bytes };
        for (uint64_t at = 0; at < bytes; at += PAGE) {
            if (piece[*n].at[at] != 0)
                return storm_fail(s, "memory: not zero", piece[*n].at[at]);
            piece[*n].at[at] = (uint8_t)(*n + 1);
        }
        ++*n;
    }
    return true;
}

/* Frees a piece page by page, in an order that leaves holes; with the Reticle empty, that must work too. */
static bool free_in_holes(struct storm *s, struct piece *p, uint8_t mark)
{
    uint64_t pages = p->bytes / PAGE;
    for (uint64_t first = 0; first < 2; first++)
        for (uint64_t i = 1 - first; i < pages; i += 2) {
            if (p->at[i * PAGE] != mark)
                return storm_fail(s, "memory: a page holds another's bytes", p->at[i * PAGE]);
            status_t st = STATUS(mem_free, 0, P(p->at) + i * PAGE, PAGE);
            if (st != OK)
                return storm_fail(s, "memory: MEM_FREE of a page failed", (uint64_t)-(int)st);
        }
    return true;
}

static bool committed(struct storm *s)
{
    static struct piece piece[PIECES];
    uint64_t before = free_now();
    uint32_t n = 0;
    if (!fill(s, piece, &n))
        return false;
    void *one_more = check_pages(PAGE, RW_LAZY); /* its record may still find room, or not: both are right */
    if (one_more != nullptr && STATUS(mem_free, 0, P(one_more), PAGE) != OK)
        return storm_fail(s, "memory: MEM_FREE of an untouched page failed", 0);
    for (uint32_t i = n; i > 1; i--) { /* shuffled */
        uint32_t j = play_below(&s->random, i);
        struct piece swap = piece[i - 1];
        piece[i - 1] = piece[j];
        piece[j] = swap;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t mark = piece[i].at[0];
        if (play_below(&s->random, 2) != 0) {
            if (!free_in_holes(s, &piece[i], mark))
                return false;
        } else if (STATUS(mem_free, 0, P(piece[i].at), piece[i].bytes) != OK) {
            return storm_fail(s, "memory: MEM_FREE failed", 0);
        }
    }
    return free_now() <= before || storm_fail(s, "memory: more came back than was taken", free_now() - before);
}

/* Lazy areas: charged when touched, by the program or by the kernel on its behalf. */
static bool lazy(struct storm *s)
{
    uint64_t before = free_now();
    uint8_t *p = check_pages(64 * PAGE, RW_LAZY);
    if (p == nullptr)
        return storm_fail(s, "memory: no lazy area", 0);
    for (uint32_t i = 0; i < 64; i++)
        if (play_below(&s->random, 2) != 0) {
            if (STATUS(getrandom, P(p) + i * PAGE + 100, 8) != OK)
                return storm_fail(s, "memory: the kernel could not touch a lazy page", i);
        } else if (p[i * PAGE] != 0) {
            return storm_fail(s, "memory: a lazy page is not zero", i);
        }
    uint32_t from = play_below(&s->random, 60);
    if (STATUS(mem_map, 0, 0, 4 * PAGE, P(p) + from * PAGE, VX_MAP_RESERVE) != OK ||
        STATUS(getrandom, P(p) + from * PAGE, 8) != ERR_BAD_ADDRESS ||
        STATUS(mem_map, 0, 0, 4 * PAGE, P(p) + from * PAGE, VX_PROT_READ | VX_PROT_WRITE | VX_MAP_LAZY) != OK ||
        p[from * PAGE + 100] != 0)
        return storm_fail(s, "memory: pages given back and taken again", from);
    if (STATUS(mem_free, 0, P(p), 64 * PAGE) != OK)
        return storm_fail(s, "memory: MEM_FREE of a lazy area failed", 0);
    return free_now() == before || storm_fail(s, "memory: a lazy area cost something", before - free_now());
}

/* Runs dry by touching: nothing else ends it. */
int part_dry(void)
{
    volatile uint8_t *p = check_pages(64 << 20, RW_LAZY);
    for (size_t i = 0; p != nullptr && i < 64 << 20; i += PAGE)
        p[i] = 1;
    return 1;
}

bool storm_memory(struct storm *s)
{
    do {
        vx_handle_t part = storm_part(s, "dry", 128 << 10);
        if (part == 0 || !storm_ended_by(s, part, VX_CAUSE_NO_MEMORY, "memory: a Task that ran dry ended otherwise") ||
            !lazy(s) || !committed(s))
            return false;
    } while (storm_again(s));
    return true;
}
