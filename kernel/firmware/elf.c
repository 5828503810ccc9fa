/* SPDX-License-Identifier: MIT
 * Checks ELF64 executables.
 *
 * The file header, each program header and each dynamic entry are read exactly once, into locals. A rule broken is
 * ERR_BAD_IMAGE, with the rule's name and the file offset of the structure at fault.
 *
 * Invariants of an accepted plan:
 *  1. Each segment's file range lies within the image, its memory range within the user range, and neither wraps.
 *  2. Segments ascend and share no page. None is writable and executable.
 *  3. The entry lies in an executable segment. TLS image and relocation table lie in the file part of a segment.
 *
 * Sources: [gABI] "ELF Header", "Program Header", "Dynamic Section"; [x86-64-ABI] and [AAELF64] "Relocation Types". */
#include <kernel/firmware/elf.h>
#include <kernel/firmware/bytes.h>
#include <stdckdint.h>

enum : uint32_t { EHDR_BYTES = 64, PHDR_BYTES = 56, DYN_BYTES = 16, RELA_BYTES = 24, READ_DYNS = 16 };
enum : uint16_t { ET_EXEC = 2, ET_DYN = 3 };
enum : uint32_t {
    PT_LOAD = 1,
    PT_DYNAMIC = 2,
    PT_INTERP = 3,
    PT_TLS = 7,
    PT_GNU_STACK = 0x6474e551,
};
enum : uint64_t {
    DT_NULL = 0,
    DT_NEEDED = 1,
    DT_PLTRELSZ = 2,
    DT_RELA = 7,
    DT_RELASZ = 8,
    DT_RELAENT = 9,
    DT_REL = 17,
    DT_TEXTREL = 22,
    DT_RELR = 36,
};
enum : uint64_t { R_X86_64_RELATIVE = 8, R_AARCH64_RELATIVE = 1027 };

struct phdr {
    uint64_t at; /* its own file offset */
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz, memsz, align;
};

struct elf {
    const struct elf_source *source;
    const struct elf_limits *limits;
    struct elf_plan *plan;
    uint64_t phoff;
    struct phdr tls, dynamic; /* type 0: none */
};

static status_t bad(struct elf *e, const char *rule, uint64_t where)
{
    e->plan->error = (struct firmware_error){ rule, where };
    return ERR_BAD_IMAGE;
}

static status_t read_at(struct elf *e, uint64_t offset, void *buf, size_t len)
{
    if (offset > e->source->image_len_bytes || len > e->source->image_len_bytes - offset)
        return bad(e, "ELF: image cut short", offset);
    return e->source->read(e->source->ctx, offset, buf, len);
}

static bool is_pow2(uint64_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

/* The segment that has [vaddr, vaddr + len) in its memory, or in its file part; nullptr: none. */
static const struct elf_segment *segment_of(const struct elf_plan *p, uint64_t vaddr, uint64_t len, bool in_file)
{
    for (uint32_t i = 0; i < p->n_segments; i++) {
        const struct elf_segment *s = &p->segment[i];
        uint64_t size = in_file ? s->file_len_bytes : s->mem_len_bytes, offset = vaddr - s->vaddr;
        if (vaddr >= s->vaddr && offset <= size && len <= size - offset)
            return s;
    }
    return nullptr;
}

static status_t read_ehdr(struct elf *e)
{
    uint8_t h[EHDR_BYTES];
    status_t st = read_at(e, 0, h, sizeof h);
    if (st != OK)
        return st;
    uint16_t type = load_le16(h + 16);
    if (memcmp(h,
               "\x7f"
               "ELF\2\1\1",
               7) != 0 ||
        load_le32(h + 20) != 1)
        return bad(e, "ELF: not a 64-bit little-endian image", 0);
    if (h[7] != 0 && h[7] != 3)
        return bad(e, "ELF: for another system", 7);
    if (load_le16(h + 18) != e->limits->machine)
        return bad(e, "ELF: for another machine", 18);
    if (type != ET_EXEC && type != ET_DYN)
        return bad(e, "ELF: not an executable", 16);
    if (load_le16(h + 52) != EHDR_BYTES || load_le16(h + 54) != PHDR_BYTES)
        return bad(e, "ELF: header sizes", 52);
    e->plan->is_pie = type == ET_DYN;
    e->plan->entry = load_le64(h + 24);
    e->phoff = load_le64(h + 32);
    e->plan->phdr_count = load_le16(h + 56);
    if (e->plan->phdr_count == 0 || e->plan->phdr_count > ELF_PHDR_MAX)
        return bad(e, "ELF: number of program headers", 56);
    uint64_t end;
    if (ckd_add(&end, e->phoff, e->plan->phdr_count * (uint64_t)PHDR_BYTES) || end > e->source->image_len_bytes)
        return bad(e, "ELF: program headers outside the image", 32);
    return OK;
}

static status_t add_load(struct elf *e, const struct phdr *p)
{
    const struct elf_limits *l = e->limits;
    struct elf_plan *plan = e->plan;
    uint64_t end, mask = l->page_bytes - 1;
    if (p->memsz == 0)
        return OK;
    if ((p->flags & (ELF_WRITE | ELF_EXEC)) == (ELF_WRITE | ELF_EXEC))
        return bad(e, "ELF: segment both writable and executable", p->at);
    if (((p->vaddr ^ p->offset) & mask) != 0 || (p->align > 1 && !is_pow2(p->align)) ||
        (p->align > 1 && ((p->vaddr ^ p->offset) & (p->align - 1)) != 0))
        return bad(e, "ELF: segment alignment", p->at);
    if (ckd_add(&end, p->vaddr, p->memsz) || end > l->user_limit)
        return bad(e, "ELF: segment beyond the user range", p->at);
    end = (end + mask) & ~mask; /* cannot wrap: user_limit is a page multiple */
    uint64_t start = p->vaddr & ~mask;
    if (!plan->is_pie && start < l->user_min)
        return bad(e, "ELF: segment below the user range", p->at);
    if (plan->n_segments > 0 && start < plan->high)
        return bad(e, "ELF: segments overlap, share a page or are out of order", p->at);
    if (plan->n_segments == ELF_SEGMENTS_MAX)
        return bad(e, "ELF: too many segments", p->at);
    if (plan->n_segments == 0)
        plan->low = start;
    plan->high = end;
    plan->memory_bytes += end - start; /* at most user_limit, as they do not overlap */
    if (p->align > plan->align_bytes)
        plan->align_bytes = p->align;
    plan->segment[plan->n_segments++] =
        (struct elf_segment){ p->offset, p->filesz, p->vaddr, p->memsz, p->flags & (ELF_READ | ELF_WRITE | ELF_EXEC) };
    return OK;
}

static status_t add_phdr(struct elf *e, const struct phdr *p)
{
    uint64_t end;
    bool has_bytes = p->type == PT_LOAD || p->type == PT_TLS || p->type == PT_DYNAMIC;
    if (has_bytes && (p->memsz < p->filesz || ckd_add(&end, p->offset, p->filesz) || end > e->source->image_len_bytes))
        return bad(e, "ELF: file range of a segment", p->at);
    if (p->type == PT_LOAD)
        return add_load(e, p);
    if (p->type == PT_INTERP)
        return bad(e, "ELF: wants an interpreter; link it statically", p->at);
    if (p->type == PT_GNU_STACK) {
        if ((p->flags & ELF_EXEC) != 0)
            return bad(e, "ELF: wants an executable stack", p->at);
        e->plan->stack_len_bytes = p->memsz;
    }
    struct phdr *keep = p->type == PT_TLS ? &e->tls : p->type == PT_DYNAMIC ? &e->dynamic : nullptr;
    if (keep == nullptr)
        return OK;
    if (keep->type != 0)
        return bad(e, "ELF: two program headers of a kind", p->at);
    *keep = *p;
    return OK;
}

static status_t read_phdrs(struct elf *e)
{
    for (uint32_t i = 0; i < e->plan->phdr_count; i++) {
        uint8_t b[PHDR_BYTES];
        uint64_t at = e->phoff + i * (uint64_t)PHDR_BYTES;
        status_t st = read_at(e, at, b, sizeof b);
        if (st != OK)
            return st;
        struct phdr p = { .at = at,
                          .type = load_le32(b),
                          .flags = load_le32(b + 4),
                          .offset = load_le64(b + 8),
                          .vaddr = load_le64(b + 16),
                          .filesz = load_le64(b + 32),
                          .memsz = load_le64(b + 40),
                          .align = load_le64(b + 48) };
        st = add_phdr(e, &p);
        if (st != OK)
            return st;
    }
    return OK;
}

/* What concerns all segments together. */
static status_t check_segments(struct elf *e)
{
    struct elf_plan *plan = e->plan;
    const struct elf_limits *l = e->limits;
    const struct elf_segment *s = segment_of(plan, plan->entry, 1, false);
    if (plan->n_segments == 0)
        return bad(e, "ELF: nothing to load", e->phoff);
    if (s == nullptr || (s->prot & ELF_EXEC) == 0)
        return bad(e, "ELF: entry is not in an executable segment", 24);
    if (plan->memory_bytes > l->max_memory_bytes) {
        plan->error = (struct firmware_error){ "ELF: needs more memory than allowed", e->phoff };
        return ERR_TOO_BIG;
    }
    /* Some multiple of the alignment must serve as the bias. */
    if (plan->is_pie && (plan->align_bytes > l->user_limit || plan->high - plan->low > l->user_limit - l->user_min ||
                         l->user_limit - l->user_min - (plan->high - plan->low) < plan->align_bytes - l->page_bytes))
        return bad(e, "ELF: does not fit the user range at its alignment", e->phoff);
    uint64_t phdrs_len = plan->phdr_count * (uint64_t)PHDR_BYTES;
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        s = &plan->segment[i];
        uint64_t offset = e->phoff - s->file_off;
        if (e->phoff >= s->file_off && offset <= s->file_len_bytes && phdrs_len <= s->file_len_bytes - offset) {
            plan->phdr_vaddr = s->vaddr + offset;
            break;
        }
    }
    return OK;
}

static status_t check_tls(struct elf *e)
{
    const struct phdr *t = &e->tls;
    struct elf_plan *plan = e->plan;
    if (t->type == 0 || t->memsz == 0)
        return OK;
    if ((t->align > 1 && !is_pow2(t->align)) || t->memsz > e->limits->max_memory_bytes ||
        t->align > e->limits->max_memory_bytes)
        return bad(e, "ELF: TLS size or alignment", t->at);
    if (t->filesz > 0 && segment_of(plan, t->vaddr, t->filesz, true) == nullptr)
        return bad(e, "ELF: TLS image is in no segment", t->at);
    plan->has_tls = true;
    plan->tls_vaddr = t->vaddr;
    plan->tls_file_len_bytes = t->filesz;
    plan->tls_mem_len_bytes = t->memsz;
    plan->tls_align_bytes = t->align == 0 ? 1 : t->align;
    return OK;
}

/* One entry of the dynamic section. */
static status_t add_dynamic(struct elf *e, uint64_t tag, uint64_t value, uint64_t where)
{
    struct elf_plan *plan = e->plan;
    if (tag == DT_NEEDED)
        return bad(e, "ELF: wants a shared library; link it statically", where);
    if (tag == DT_REL || tag == DT_RELR || tag == DT_TEXTREL || (tag == DT_PLTRELSZ && value != 0))
        return bad(e, "ELF: relocations of a kind not supported", where);
    if ((tag == DT_RELAENT && value != RELA_BYTES) || (tag == DT_RELASZ && value % RELA_BYTES != 0))
        return bad(e, "ELF: relocation size", where);
    if (tag == DT_RELA)
        plan->rela_vaddr = value;
    if (tag == DT_RELASZ)
        plan->rela_count = value / RELA_BYTES;
    return OK;
}

static status_t read_dynamic(struct elf *e)
{
    struct elf_plan *plan = e->plan;
    uint64_t count = e->dynamic.type == 0 ? 0 : e->dynamic.filesz / DYN_BYTES;
    if (count > ELF_DYNAMIC_MAX)
        return bad(e, "ELF: dynamic section too long", e->dynamic.at);
    bool over = false;
    for (uint64_t i = 0; i < count && !over; i += READ_DYNS) {
        uint8_t b[READ_DYNS * DYN_BYTES];
        uint64_t n = count - i < READ_DYNS ? count - i : READ_DYNS, at = e->dynamic.offset + i * DYN_BYTES;
        status_t st = read_at(e, at, b, n * DYN_BYTES);
        for (uint64_t j = 0; st == OK && j < n && !over; j++) {
            over = load_le64(b + j * DYN_BYTES) == DT_NULL;
            st = add_dynamic(e, load_le64(b + j * DYN_BYTES), load_le64(b + j * DYN_BYTES + 8), at + j * DYN_BYTES);
        }
        if (st != OK)
            return st;
    }
    if (plan->rela_count == 0)
        return OK;
    const struct elf_segment *s = segment_of(plan, plan->rela_vaddr, plan->rela_count * RELA_BYTES, true);
    if (s == nullptr || !plan->is_pie)
        return bad(e, "ELF: relocation table", e->dynamic.at);
    plan->rela_file_off = s->file_off + (plan->rela_vaddr - s->vaddr);
    return OK;
}

status_t elf_plan(const struct elf_source *source, const struct elf_limits *limits, struct elf_plan *out)
{
    struct elf_plan plan = { .align_bytes = limits->page_bytes };
    struct elf e = { .source = source, .limits = limits, .plan = &plan };
    status_t st = read_ehdr(&e);
    if (st == OK)
        st = read_phdrs(&e);
    if (st == OK)
        st = check_segments(&e);
    if (st == OK)
        st = check_tls(&e);
    if (st == OK)
        st = read_dynamic(&e);
    if (st == OK)
        *out = plan;
    else
        out->error = plan.error;
    return st;
}

status_t elf_relocations(const struct elf_plan *plan, enum elf_machine machine, const void *rela, size_t n,
                         struct elf_relocation *out)
{
    uint64_t relative = machine == ELF_X86_64 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *r = (const uint8_t *)rela + i * RELA_BYTES;
        struct elf_relocation one = { load_le64(r), load_le64(r + 16) };
        const struct elf_segment *s = segment_of(plan, one.vaddr, 8, false);
        if (load_le64(r + 8) != relative || s == nullptr || (s->prot & ELF_EXEC) != 0)
            return ERR_BAD_IMAGE;
        out[i] = one;
    }
    return OK;
}
