/* SPDX-License-Identifier: MIT
 * The heap: classes of 16 << n bytes. A block carries its class in the 16 bytes before it; free blocks of a class form
 * a list. Small classes are cut from a 16 KiB run at a time; from 8 KiB up a block is a mapping of its own.
 *
 *  1. head.class < CLASSES for a class block; LARGE for a mapping, whose length is head.bytes.
 *  2. A block is on its class's free list exactly while it is free. All lists are under heap_lock. */
#include <vectra/alloc.h>
#include <stdckdint.h>
#include <vectra/panic.h>
#include <vectra/string.h>
#include <vectra/syscall.h>
#include <vectra/thread.h>

enum { CLASSES = 9, LARGE = 0x4c, RUN_BYTES = 16384, PAGE = 4096, MAGIC = 0x6865 };

struct head {
    uint16_t magic;
    uint16_t class;
    uint32_t reserved;
    uint64_t bytes; /* that the user may use */
};
static_assert(sizeof(struct head) == 16);

struct free_block {
    struct free_block *next;
};

static struct vx_mutex heap_lock;
static struct free_block *free_list[CLASSES];
static uint8_t *run_from, *run_to;

static status_t map_pages(size_t bytes, void **at)
{
    return vx_sys_mem_alloc(VX_OWN_RETICLE, bytes, VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT, 0, nullptr, at);
}

static size_t class_bytes(unsigned class)
{
    return (size_t)16 << class;
}

/* Of `size` bytes, head included, from the current run; the rest of an old run is lost, at most one block. */
static void *cut_locked(size_t size)
{
    if ((size_t)(run_to - run_from) < size) {
        void *at = nullptr;
        if (map_pages(RUN_BYTES, &at) != OK)
            return nullptr;
        run_from = at;
        run_to = run_from + RUN_BYTES;
    }
    void *block = run_from;
    run_from += size;
    return block;
}

static void *alloc_large(size_t bytes)
{
    size_t total;
    void *at = nullptr;
    if (ckd_add(&total, bytes, sizeof(struct head) + PAGE - 1))
        return nullptr;
    total &= ~(size_t)(PAGE - 1);
    if (map_pages(total, &at) != OK)
        return nullptr;
    struct head *h = at;
    *h = (struct head){ .magic = MAGIC, .class = LARGE, .bytes = total - sizeof *h };
    return h + 1;
}

void *vx_alloc(size_t bytes)
{
    unsigned class = 0;
    while (class < CLASSES && class_bytes(class) < bytes)
        class ++;
    if (class == CLASSES)
        return alloc_large(bytes);
    vx_mutex_lock(&heap_lock);
    struct free_block *block = free_list[class];
    struct head *h = nullptr;
    if (block != nullptr) {
        free_list[class] = block->next;
        h = (struct head *)(void *)block - 1;
    } else {
        h = cut_locked(class_bytes(class) + sizeof *h);
    }
    vx_mutex_unlock(&heap_lock);
    if (h == nullptr)
        return nullptr;
    *h = (struct head){ .magic = MAGIC, .class = (uint16_t)class, .bytes = class_bytes(class) };
    return h + 1;
}

void *vx_alloc_zero(size_t count, size_t bytes)
{
    size_t total;
    void *p = ckd_mul(&total, count, bytes) ? nullptr : vx_alloc(total);
    if (p != nullptr)
        memset(p, 0, total);
    return p;
}

void vx_free(void *p)
{
    if (p == nullptr)
        return;
    struct head *h = (struct head *)p - 1;
    vx_assert(h->magic == MAGIC); /* a pointer that vx_alloc did not give, or a block freed twice */
    h->magic = 0;
    if (h->class == LARGE) {
        (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)h, h->bytes + sizeof *h);
        return;
    }
    struct free_block *block = p;
    vx_mutex_lock(&heap_lock);
    block->next = free_list[h->class];
    free_list[h->class] = block;
    vx_mutex_unlock(&heap_lock);
}

void *vx_realloc(void *p, size_t bytes)
{
    if (p == nullptr)
        return vx_alloc(bytes);
    const struct head *h = (const struct head *)p - 1;
    if (bytes <= h->bytes)
        return p;
    void *larger = vx_alloc(bytes);
    if (larger != nullptr) {
        memcpy(larger, p, h->bytes);
        vx_free(p);
    }
    return larger;
}

void *vx_arena_alloc(struct vx_arena *a, size_t bytes, size_t align)
{
    size_t skip = (align - (uintptr_t)a->from % align) % align;
    size_t room = (size_t)(a->to - a->from);
    if (skip > room || bytes > room - skip)
        return nullptr;
    char *p = a->from + skip;
    a->from = p + bytes;
    return p;
}
