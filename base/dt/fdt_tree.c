/* SPDX-License-Identifier: MIT
 * A flattened device tree as nodes and properties; who reads them gives them their meaning.
 *
 * A walk checks the structure block token by token; the first one, which visits nobody, is there for that alone, so
 * what comes after it acts on a tree that is whole. A walk keeps one struct fdt_node per level; properties are looked
 * up in the blob by name, and end with the blob.
 *
 * Invariants:
 *  1. After fdt_tree_open() every token, name and property value of the structure block lies within the blob, nodes
 *     nest properly and at most FDT_DEPTH_MAX deep, and properties precede subnodes.
 *  2. The bytes of a struct fdt_prop lie within the blob.
 *
 * Source: [DTSpec] "Flattened Devicetree (DTB) Format", "Devicetree Basics". */
#include <base/dt/fdt_tree.h>
#include <stdckdint.h>

enum : uint32_t { FDT_MAGIC = 0xd00dfeed, FDT_VERSION = 17, FDT_HEADER_BYTES = 40 };
enum : uint32_t { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9 };

static status_t fail(struct fdt_tree *t, status_t st, const char *what, const void *at)
{
    return firmware_fail(&t->error, st, what, (uint64_t)((const uint8_t *)at - t->blob));
}

/* ---- tokens and properties ---- */

/* Length of the text at `s` with its zero byte, or 0 when it does not end within `room`. */
static uint32_t text_size(const void *s, uint32_t room)
{
    for (uint32_t i = 0; i < room; i++)
        if (((const char *)s)[i] == '\0')
            return i + 1;
    return 0;
}

/* Reads the token at *off and steps over it. A node's or a property's name goes to *name, a property's value to *p.
 * False at anything malformed. */
static bool next_token(const struct fdt_tree *t, uint32_t *off, uint32_t *token, const char **name, struct fdt_prop *p)
{
    const uint8_t *at = t->structure + *off;
    uint32_t left = t->structure_len - *off, size = 4;
    if (left < 4)
        return false;
    *token = load_be32(at);
    if (*token == BEGIN_NODE) {
        uint32_t name_size = text_size(at + 4, left - 4);
        if (name_size == 0)
            return false;
        *name = (const char *)at + 4;
        size += name_size;
    } else if (*token == PROP) {
        if (left < 12 || load_be32(at + 4) > left - 12)
            return false;
        *p = (struct fdt_prop){ at + 12, load_be32(at + 4) };
        uint32_t name_off = load_be32(at + 8);
        if (name_off >= t->strings_len || text_size(t->strings + name_off, t->strings_len - name_off) == 0)
            return false;
        *name = t->strings + name_off;
        size += 8 + p->len;
    } else if (*token != END_NODE && *token != NOP && *token != END) {
        return false;
    }
    *off += (size + 3) & ~3u; /* structure_len is a multiple of 4: padding stays inside */
    return true;
}

struct fdt_prop fdt_prop(const struct fdt_tree *t, const struct fdt_node *n, const char *wanted)
{
    uint32_t off = n->props, token;
    const char *name;
    struct fdt_prop p;
    while (next_token(t, &off, &token, &name, &p) && (token == PROP || token == NOP))
        if (token == PROP && fdt_same(name, wanted))
            return p;
    return (struct fdt_prop){};
}

/* The first cell of a property, or `otherwise` without one. */
uint32_t fdt_cell(const struct fdt_tree *t, const struct fdt_node *n, const char *name, uint32_t otherwise)
{
    struct fdt_prop p = fdt_prop(t, n, name);
    return p.len >= 4 ? load_be32(p.data) : otherwise;
}

/* Takes a number of 0, 1 or 2 cells from the front of *p. */
bool fdt_take(struct fdt_prop *p, uint32_t cells, uint64_t *v)
{
    if (cells > 2 || p->len < cells * 4)
        return false;
    *v = 0;
    if (cells == 0)
        return true;
    *v = cells == 1 ? load_be32(p->data) : load_be64(p->data);
    p->data += cells * 4;
    p->len -= cells * 4;
    return true;
}

/* Position of `text` in a list of zero-terminated strings, or -1. */
int32_t fdt_list_find(struct fdt_prop list, const char *text)
{
    for (int32_t i = 0; list.len > 0; i++) {
        uint32_t size = text_size(list.data, list.len);
        if (size == 0)
            break;
        if (fdt_same((const char *)list.data, text))
            return i;
        list.data += size;
        list.len -= size;
    }
    return -1;
}

bool fdt_is(const struct fdt_tree *t, const struct fdt_node *n, const char *compatible)
{
    return fdt_list_find(fdt_prop(t, n, "compatible"), compatible) >= 0;
}

/* ---- addresses ---- */

/* Turns an address on the bus of path[level] into one of the root's, through the "ranges" of the buses between. */
bool fdt_translate(const struct fdt_tree *t, uint32_t level, uint64_t *address, uint64_t len_bytes)
{
    for (; level > 0; level--) {
        const struct fdt_node *bus = &t->path[level], *parent = &t->path[level - 1];
        struct fdt_prop ranges = fdt_prop(t, bus, "ranges");
        if (ranges.data == nullptr)
            return false;             /* not reachable from the processors */
        bool found = ranges.len == 0; /* identity */
        uint64_t child, up, size, offset;
        while (!found && fdt_take(&ranges, bus->address_cells, &child) &&
               fdt_take(&ranges, parent->address_cells, &up) && fdt_take(&ranges, bus->size_cells, &size) && size > 0) {
            offset = *address - child;
            found = *address >= child && offset < size && len_bytes <= size - offset;
            if (found && ckd_add(address, up, offset))
                return false;
        }
        if (!found)
            return false;
    }
    return true;
}

/* The index-th entry of "reg" as an address of the parent's bus. */
bool fdt_reg_raw(const struct fdt_tree *t, const struct fdt_node *n, uint32_t index, struct phys_range *out)
{
    const struct fdt_node *bus = &t->path[t->depth - 1];
    struct fdt_prop reg = fdt_prop(t, n, "reg");
    if (bus->address_cells - 1 > 1 || bus->size_cells > 2)
        return false;
    uint32_t entry = 4 * (bus->address_cells + bus->size_cells);
    if (reg.len / entry <= index)
        return false;
    reg.data += (size_t)index * entry;
    reg.len -= index * entry;
    return fdt_take(&reg, bus->address_cells, &out->base) && fdt_take(&reg, bus->size_cells, &out->len_bytes);
}

/* The same as a physical address range, neither empty nor wrapping. */
bool fdt_reg(const struct fdt_tree *t, const struct fdt_node *n, uint32_t index, struct phys_range *out)
{
    struct phys_range r;
    uint64_t end;
    if (t->depth == 0 || !fdt_reg_raw(t, n, index, &r) || !fdt_translate(t, t->depth - 1, &r.base, r.len_bytes) ||
        r.len_bytes == 0 || ckd_add(&end, r.base, r.len_bytes))
        return false;
    *out = r;
    return true;
}

/* Is this "reg" made of whole entries, of an address and a size each? */
bool fdt_reg_whole(const struct fdt_tree *t, struct fdt_prop reg)
{
    const struct fdt_node *bus = &t->path[t->depth - 1];
    return bus->address_cells - 1 <= 1 && bus->size_cells - 1 <= 1 &&
           reg.len % (4 * (bus->address_cells + bus->size_cells)) == 0;
}

/* Is the node being visited the one that `text`, up to a ':' or its end, names by its full path? */
bool fdt_path_is(const struct fdt_tree *t, struct fdt_prop text)
{
    const char *s = (const char *)text.data;
    uint32_t left = text_size(s, text.len), at = 0;
    if (left == 0)
        return false;
    for (uint32_t level = 1; level <= t->depth; level++) {
        const char *name = t->path[level].name;
        size_t len = strlen(name);
        if (s[at] != '/' || strncmp(s + at + 1, name, len) != 0)
            return false;
        at += 1 + (uint32_t)len;
    }
    return t->depth > 0 && (s[at] == '\0' || s[at] == ':');
}

/* ---- walks ---- */

/* Fills in the node on the path that begins here; its properties start at `props`. */
static void enter_node(struct fdt_tree *t, const char *name, uint32_t props)
{
    struct fdt_node *n = &t->path[t->depth];
    *n = t->depth > 0 ? n[-1] : (struct fdt_node){ .usable = true };
    n->name = name;
    n->props = props;
    n->address_cells = fdt_cell(t, n, "#address-cells", 2);
    n->size_cells = fdt_cell(t, n, "#size-cells", 1);
    n->irq_parent = fdt_cell(t, n, "interrupt-parent", n->irq_parent);
    struct fdt_prop status = fdt_prop(t, n, "status");
    if (status.data != nullptr && fdt_list_find(status, "okay") != 0 && fdt_list_find(status, "ok") != 0)
        n->usable = false;
}

status_t fdt_tree_walk(struct fdt_tree *t, fdt_visit_fn *visit, void *ctx)
{
    uint32_t off = 0, token, depth = 0;
    bool props_over = true, root_seen = false;
    for (;;) {
        const char *name;
        struct fdt_prop p;
        const uint8_t *at = t->structure + off;
        if (!next_token(t, &off, &token, &name, &p))
            return fail(t, ERR_BAD_ARGUMENT, "device tree: bad token", at);
        if (token == BEGIN_NODE) {
            if (depth == FDT_DEPTH_MAX)
                return fail(t, ERR_TOO_BIG, "device tree: nodes too deep", at);
            if (depth == 0 && root_seen)
                return fail(t, ERR_BAD_ARGUMENT, "device tree: two roots", at);
            root_seen = true;
            props_over = false;
            t->depth = depth++;
            if (visit == nullptr)
                continue;
            enter_node(t, name, off);
            status_t st = visit(ctx, &t->path[t->depth]);
            if (st != OK)
                return st;
        } else if (token == END_NODE) {
            if (depth == 0)
                return fail(t, ERR_BAD_ARGUMENT, "device tree: node ends before it began", at);
            depth--;
            props_over = true;
        } else if (token == PROP && props_over) {
            return fail(t, ERR_BAD_ARGUMENT, "device tree: property outside the head of a node", at);
        } else if (token == END) {
            return depth == 0 && root_seen ? OK : fail(t, ERR_BAD_ARGUMENT, "device tree: ends inside a node", at);
        }
    }
}

/* ---- the whole ---- */

status_t fdt_size(const void *first_bytes, size_t n, size_t *total)
{
    if (n < 8 || load_be32(first_bytes) != FDT_MAGIC)
        return ERR_BAD_ARGUMENT;
    uint32_t size = load_be32((const uint8_t *)first_bytes + 4);
    if (size < FDT_HEADER_BYTES)
        return ERR_BAD_ARGUMENT;
    if (size > FDT_SIZE_MAX)
        return ERR_TOO_BIG;
    *total = size;
    return OK;
}

status_t fdt_tree_open(struct fdt_tree *t, const void *blob, size_t blob_size)
{
    const uint8_t *h = blob;
    size_t total;
    *t = (struct fdt_tree){ .blob = blob };
    status_t st = fdt_size(h, blob_size, &total);
    if (st != OK)
        return fail(t, st, "device tree: magic or size", h);
    if (total > blob_size)
        return fail(t, ERR_BAD_ARGUMENT, "device tree: cut short", h + 4);
    if (load_be32(h + 20) < FDT_VERSION || load_be32(h + 24) > FDT_VERSION)
        return fail(t, ERR_NOT_SUPPORTED, "device tree: version", h + 20);
    uint32_t structure = load_be32(h + 8), strings = load_be32(h + 12);
    t->structure_len = load_be32(h + 36) & ~3u;
    t->strings_len = load_be32(h + 32);
    if (structure % 4 != 0 || structure > total || t->structure_len > total - structure)
        return fail(t, ERR_BAD_ARGUMENT, "device tree: structure block", h + 8);
    if (strings > total || t->strings_len > total - strings)
        return fail(t, ERR_BAD_ARGUMENT, "device tree: strings block", h + 12);
    t->total = (uint32_t)total;
    t->structure = h + structure;
    t->strings = (const char *)h + strings;
    return fdt_tree_walk(t, nullptr, nullptr);
}

/* The block is pairs of address and size, closed by a pair of zeros. */
status_t fdt_reservation(struct fdt_tree *t, uint32_t index, struct phys_range *out)
{
    uint64_t off = load_be32(t->blob + 16) + index * UINT64_C(16);
    if (off > t->total || t->total - off < 16)
        return fail(t, ERR_BAD_ARGUMENT, "device tree: reservation block", t->blob + 16);
    struct phys_range r = { load_be64(t->blob + off), load_be64(t->blob + off + 8) };
    if (r.base == 0 && r.len_bytes == 0)
        return ERR_NOT_FOUND;
    *out = r;
    return OK;
}
