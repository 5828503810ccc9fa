/* SPDX-License-Identifier: MIT
 * A flattened device tree as nodes and properties. What they mean is said by who reads them: kernel/firmware/dt for
 * what the kernel needs, lib/libplatform for the rest. */
#pragma once
#include <abi/machine.h>
#include <base/bytes.h>
#include <base/string.h>

/* Its numbers are big endian. */
static inline uint32_t load_be32(const void *p)
{
    return __builtin_bswap32(load_le32(p));
}

static inline uint64_t load_be64(const void *p)
{
    return __builtin_bswap64(load_le64(p));
}

struct fdt_prop {
    const uint8_t *data; /* nullptr: there is no such property */
    uint32_t len;
};

/* One node on the path from the root to where a walk is. */
struct fdt_node {
    const char *name;
    uint32_t props;                     /* offset in the structure block of its first property */
    uint32_t address_cells, size_cells; /* for its children */
    uint32_t irq_parent;                /* phandle, inherited */
    uint32_t cluster;                   /* the visitor's: in the cpu-map, number of the innermost cluster; inherited */
    bool usable;                        /* neither it nor a parent is disabled */
};

struct fdt_tree {
    struct firmware_error error;
    const uint8_t *blob;
    uint32_t total;
    const uint8_t *structure;
    uint32_t structure_len; /* a multiple of 4 */
    const char *strings;
    uint32_t strings_len;
    struct fdt_node path[FDT_DEPTH_MAX];
    uint32_t depth; /* of the node being visited; the root's is 0 */
};

/**
 * How long the device tree is whose first bytes are given; so that the kernel can map the rest of it.
 * Errors: ERR_BAD_ARGUMENT not a device tree, or fewer than 8 bytes; ERR_TOO_BIG beyond FDT_SIZE_MAX.
 */
status_t fdt_size(const void *first_bytes, size_t n, size_t *total);

typedef status_t fdt_visit_fn(void *ctx, struct fdt_node *n);

/* Checks a blob. Errors as fdt_parse(), said in t->error. */
status_t fdt_tree_open(struct fdt_tree *t, const void *blob, size_t blob_size);
/* Calls `visit`, if there is one, for every node, parents first, until one answers other than OK. Errors as
 * fdt_parse(), said in t->error. */
status_t fdt_tree_walk(struct fdt_tree *t, fdt_visit_fn *visit, void *ctx);
/* The index-th entry of the memory reservation block. ERR_NOT_FOUND: the end. ERR_BAD_ARGUMENT: outside the blob. */
status_t fdt_reservation(struct fdt_tree *t, uint32_t index, struct phys_range *out);

/* The rest concerns the node being visited. */

static inline bool fdt_same(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX) == 0;
}

struct fdt_prop fdt_prop(const struct fdt_tree *t, const struct fdt_node *n, const char *wanted);
/* The first cell of a property, or `otherwise` without one. */
uint32_t fdt_cell(const struct fdt_tree *t, const struct fdt_node *n, const char *name, uint32_t otherwise);
/* Takes a number of 0, 1 or 2 cells from the front of *p. */
bool fdt_take(struct fdt_prop *p, uint32_t cells, uint64_t *v);
/* Position of `text` in a list of zero-terminated strings, or -1. */
int32_t fdt_list_find(struct fdt_prop list, const char *text);
bool fdt_is(const struct fdt_tree *t, const struct fdt_node *n, const char *compatible);
/* Is the node the one that `text`, up to a ':' or its end, names by its full path? */
bool fdt_path_is(const struct fdt_tree *t, struct fdt_prop text);
/* Turns an address on the bus of path[level] into one of the root's, through the "ranges" of the buses between. */
bool fdt_translate(const struct fdt_tree *t, uint32_t level, uint64_t *address, uint64_t len_bytes);
/* Is this "reg" made of whole entries, of an address and a size each? */
bool fdt_reg_whole(const struct fdt_tree *t, struct fdt_prop reg);
/* The index-th entry of "reg" as an address of the parent's bus. */
bool fdt_reg_raw(const struct fdt_tree *t, const struct fdt_node *n, uint32_t index, struct phys_range *out);
/* The same as a physical address range, neither empty nor wrapping. */
bool fdt_reg(const struct fdt_tree *t, const struct fdt_node *n, uint32_t index, struct phys_range *out);
