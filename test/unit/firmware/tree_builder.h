/* SPDX-License-Identifier: MIT
 * Writes flattened device trees for tests, well-formed or not. [DTSpec] "Flattened Devicetree (DTB) Format". */
#pragma once
#include "support.h"

enum { TREE_BYTES = 1 << 16 };

struct tree {
    uint8_t structure[TREE_BYTES];
    uint32_t structure_len;
    char strings[2048];
    uint32_t strings_len;
    uint64_t reserve[2 * 160];
    uint32_t n_reserve;
    uint8_t blob[2 * TREE_BYTES];
    uint32_t blob_len;
};

static inline void put_be32(uint8_t *at, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(at, &v, 4);
}

static inline void tree_cell(struct tree *t, uint32_t v)
{
    assert_true(t->structure_len + 4 <= TREE_BYTES);
    put_be32(t->structure + t->structure_len, v);
    t->structure_len += 4;
}

static inline void tree_bytes(struct tree *t, const void *bytes, size_t len)
{
    assert_true(t->structure_len + len + 4 <= TREE_BYTES);
    if (len > 0)
        memcpy(t->structure + t->structure_len, bytes, len);
    t->structure_len += (uint32_t)len;
    while (t->structure_len % 4 != 0)
        t->structure[t->structure_len++] = 0;
}

static inline void tree_begin(struct tree *t, const char *name)
{
    tree_cell(t, 1);
    tree_bytes(t, name, strlen(name) + 1);
}

static inline void tree_end(struct tree *t)
{
    tree_cell(t, 2);
}

/* Where the name of a property is in the strings; each is stored once. */
static inline uint32_t tree_name(struct tree *t, const char *name)
{
    uint32_t at = 0, size = (uint32_t)strlen(name) + 1;
    while (at < t->strings_len && strcmp(t->strings + at, name) != 0)
        at += (uint32_t)strlen(t->strings + at) + 1;
    if (at == t->strings_len) {
        assert_true(at + size <= sizeof t->strings);
        memcpy(t->strings + at, name, size);
        t->strings_len += size;
    }
    return at;
}

static inline void tree_prop(struct tree *t, const char *name, const void *value, size_t len)
{
    tree_cell(t, 3);
    tree_cell(t, (uint32_t)len);
    tree_cell(t, tree_name(t, name));
    tree_bytes(t, value, len);
}

static inline void tree_text(struct tree *t, const char *name, const char *value)
{
    tree_prop(t, name, value, strlen(value) + 1);
}

static inline void tree_array(struct tree *t, const char *name, const uint32_t *cells, size_t n)
{
    uint8_t bytes[256];
    assert_true(n * 4 <= sizeof bytes);
    for (size_t i = 0; i < n; i++)
        put_be32(bytes + i * 4, cells[i]);
    tree_prop(t, name, bytes, n * 4);
}

#define tree_cells(t, name, ...)                                                                                       \
    tree_array((t), (name), (const uint32_t[]){ __VA_ARGS__ }, COUNT(((const uint32_t[]){ __VA_ARGS__ })))

static inline void tree_reserve(struct tree *t, uint64_t base, uint64_t len)
{
    t->reserve[2 * t->n_reserve] = __builtin_bswap64(base);
    t->reserve[2 * t->n_reserve + 1] = __builtin_bswap64(len);
    t->n_reserve++;
}

/* Puts header, reservations, structure and strings together in t->blob. */
static inline void tree_finish(struct tree *t)
{
    uint32_t reserve_len = 16 * (t->n_reserve + 1);
    tree_cell(t, 9);
    uint32_t structure = 40 + reserve_len, strings = structure + t->structure_len;
    uint32_t header[10] = { 0xd00dfeed, strings + t->strings_len, structure,       strings, 40, 17, 16,
                            0,          t->strings_len,           t->structure_len };
    memset(t->blob, 0, sizeof t->blob);
    for (size_t i = 0; i < 10; i++)
        put_be32(t->blob + i * 4, header[i]);
    memcpy(t->blob + 40, t->reserve, 16 * t->n_reserve);
    memcpy(t->blob + structure, t->structure, t->structure_len);
    memcpy(t->blob + strings, t->strings, t->strings_len);
    t->blob_len = strings + t->strings_len;
}

/* A root with 2 + 2 cells, one hart and one RAM region; then come the test's own nodes. */
static inline void tree_start(struct tree *t)
{
    *t = (struct tree){};
    tree_begin(t, "");
    tree_cells(t, "#address-cells", 2);
    tree_cells(t, "#size-cells", 2);
    tree_cells(t, "interrupt-parent", 1);
}

static inline void tree_start_bootable(struct tree *t)
{
    tree_start(t);
    tree_begin(t, "memory@40000000");
    tree_text(t, "device_type", "memory");
    tree_cells(t, "reg", 0, 0x40000000, 0, 0x1000000);
    tree_end(t);
    tree_begin(t, "cpus");
    tree_cells(t, "#address-cells", 1);
    tree_cells(t, "#size-cells", 0);
    tree_begin(t, "cpu@0");
    tree_text(t, "device_type", "cpu");
    tree_cells(t, "reg", 0);
    tree_end(t);
    tree_end(t);
}

/* A GICv3 of phandle 1. */
static inline void tree_gic(struct tree *t)
{
    tree_begin(t, "intc@8000000");
    tree_text(t, "compatible", "arm,gic-v3");
    tree_cells(t, "#interrupt-cells", 3);
    tree_cells(t, "phandle", 1);
    tree_cells(t, "reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0xf60000);
    tree_end(t);
}
