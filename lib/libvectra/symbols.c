/* SPDX-License-Identifier: MIT
 * ELF symbol tables: one pass over the table for all addresses, then one read for each name. The layouts are those of
 * the ELF-64 object file format, little-endian. */
#include <vectra/string.h>
#include <vectra/symbols.h>

enum : uint32_t { SHT_SYMTAB = 2, STT_NOTYPE = 0, STT_FUNC = 2, STB_GLOBAL = 1, AT_ONCE = 64, NO_NAME = UINT32_MAX };

struct header {
    uint8_t ident[16];
    uint8_t unused[24];
    uint64_t sections_at;
    uint8_t unused2[10];
    uint16_t section_bytes, sections, names;
};
static_assert(sizeof(struct header) == 64);

struct section {
    uint32_t name, type;
    uint64_t flags, address, at, bytes;
    uint32_t link, info;
    uint64_t alignment, entry_bytes;
};
static_assert(sizeof(struct section) == 64);

struct symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, bytes;
};
static_assert(sizeof(struct symbol) == 24);

static bool read_section(const struct vx_symbol_file *f, const struct header *h, uint32_t n, struct section *out)
{
    uint64_t at;
    return n < h->sections && !__builtin_add_overflow(h->sections_at, (uint64_t)n * sizeof *out, &at) &&
           f->read(f->ctx, at, out, sizeof *out);
}

static bool find_tables(const struct vx_symbol_file *f, struct section *symbols, struct section *names)
{
    struct header h;
    if (!f->read(f->ctx, 0, &h, sizeof h) || memcmp(h.ident, "\177ELF\2\1\1", 7) != 0 ||
        h.section_bytes != sizeof *symbols)
        return false;
    for (uint32_t i = 0; i < h.sections; i++) {
        if (!read_section(f, &h, i, symbols))
            return false;
        if (symbols->type == SHT_SYMTAB)
            return symbols->entry_bytes == sizeof(struct symbol) &&
                   symbols->bytes / sizeof(struct symbol) <= SYMBOLS_MAX && read_section(f, &h, symbols->link, names);
    }
    return false;
}

/* The nearest function that begins at or before an address; of several at one place the one that says how long it is.
 */
struct nearest {
    uint64_t start, bytes;
    uint32_t name;
};

static void consider(const struct symbol *s, uint64_t address, struct nearest *best)
{
    uint32_t type = s->info & 15;
    bool label =
        type == STT_NOTYPE && s->info >> 4 == STB_GLOBAL; /* assembly; local ones are the assembler's own marks */
    if ((type != STT_FUNC && !label) || s->section == 0 || s->name == 0 || s->value > address)
        return;
    if (best->name != NO_NAME && (s->value < best->start || (s->value == best->start && best->bytes != 0)))
        return;
    *best = (struct nearest){ .start = s->value, .bytes = s->bytes, .name = s->name };
}

static void read_name(const struct vx_symbol_file *f, const struct section *names, uint32_t at, char *to)
{
    uint64_t left = at < names->bytes ? names->bytes - at : 0, from;
    size_t n = left < SYMBOL_NAME_MAX - 1 ? (size_t)left : SYMBOL_NAME_MAX - 1;
    if (__builtin_add_overflow(names->at, at, &from) || !f->read(f->ctx, from, to, n))
        n = 0;
    to[n] = '\0';
    for (char *c = to; *c != '\0'; c++)
        if (*c < '!' || *c > '~')
            *c = '?'; /* it goes to a terminal */
}

/* At most this many addresses are looked for in one pass. */
enum : size_t { PASS = 32 };

static void find(const struct vx_symbol_file *f, const struct section *symbols, const struct section *names,
                 struct vx_symbol *wanted, size_t n)
{
    struct symbol some[AT_ONCE];
    struct nearest best[PASS];
    for (size_t i = 0; i < n; i++)
        best[i] = (struct nearest){ .name = NO_NAME };
    uint64_t all = symbols->bytes / sizeof some[0], at;
    for (uint64_t done = 0; done < all; done += AT_ONCE) {
        size_t now = all - done < AT_ONCE ? (size_t)(all - done) : AT_ONCE;
        if (__builtin_add_overflow(symbols->at, done * sizeof some[0], &at) ||
            !f->read(f->ctx, at, some, now * sizeof some[0]))
            return;
        for (size_t i = 0; i < now; i++)
            for (size_t k = 0; k < n; k++)
                consider(&some[i], wanted[k].address, &best[k]);
    }
    for (size_t i = 0; i < n; i++) {
        if (best[i].name == NO_NAME || (best[i].bytes != 0 && wanted[i].address - best[i].start >= best[i].bytes))
            continue;
        wanted[i].start = best[i].start;
        read_name(f, names, best[i].name, wanted[i].name);
    }
}

void vx_symbols_find(const struct vx_symbol_file *file, struct vx_symbol *symbol, size_t n)
{
    struct section symbols, names;
    for (size_t i = 0; i < n; i++)
        symbol[i].name[0] = '\0';
    if (!find_tables(file, &symbols, &names))
        return;
    for (size_t i = 0; i < n; i += PASS)
        find(file, &symbols, &names, symbol + i, n - i < PASS ? n - i : PASS);
}

struct memory {
    const uint8_t *bytes;
    size_t len;
};

static bool read_memory(void *ctx, uint64_t at, void *to, size_t bytes)
{
    const struct memory *m = ctx;
    if (at > m->len || bytes > m->len - at)
        return false;
    memcpy(to, m->bytes + at, bytes);
    return true;
}

void vx_symbols_find_in(const void *bytes, size_t len, struct vx_symbol *symbol, size_t n)
{
    struct memory m = { bytes, len };
    vx_symbols_find(&(struct vx_symbol_file){ read_memory, &m }, symbol, n);
}
