/* SPDX-License-Identifier: MIT
 * Checks ELF64 executables.
 *
 * The file header and each program header are read exactly once, into locals. A rule broken is ERR_BAD_IMAGE, with the
 * rule's name and the file offset of the structure at fault. Relocations and thread-local storage are the program's own
 * business (lib/libvectra/relocate.c, tls.c): the kernel does not look at them.
 *
 * Invariants of an accepted plan:
 *  1. Each segment's file range lies within the image, its memory range within the user range, and neither wraps.
 *  2. Segments ascend and share no page. None is writable and executable.
 *  3. The entry lies in an executable segment.
 *
 * Source: [gABI] "ELF Header", "Program Header". */
#include <kernel/firmware/elf.h>
#include <abi/timepage.h>
#include <base/string.h>
#include <stdckdint.h>

enum : uint16_t { ET_EXEC = 2, ET_DYN = 3 };
static constexpr uint64_t PAGE_BYTES = 4096, MASK = PAGE_BYTES - 1;
enum : uint32_t { PT_LOAD = 1, PT_INTERP = 3, PT_GNU_STACK = 0x6474e551 };

struct ehdr {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(struct ehdr) == 64 && sizeof(struct phdr) == 56);

struct elf {
    const struct elf_source *source;
    struct elf_plan *plan;
    uint64_t phoff;
};

static status_t bad(struct elf *e, const char *rule, uint64_t where)
{
    return firmware_fail(&e->plan->error, ERR_BAD_IMAGE, rule, where);
}

static status_t read_at(struct elf *e, uint64_t offset, void *buf, size_t len)
{
    if (offset > e->source->image_len_bytes || len > e->source->image_len_bytes - offset)
        return bad(e, "ELF: image cut short", offset);
    return e->source->read(e->source->ctx, offset, buf, len);
}

static status_t read_ehdr(struct elf *e)
{
    struct ehdr h;
    status_t st = read_at(e, 0, &h, sizeof h);
    if (st != OK)
        return st;
    if (memcmp(h.ident, "\x7f\x45LF\2\1\1", 7) != 0 || h.version != 1)
        return bad(e, "ELF: not a 64-bit little-endian image", 0);
    if (h.ident[7] != 0 && h.ident[7] != 3)
        return bad(e, "ELF: for another system", 7);
    if (h.machine != e->source->machine)
        return bad(e, "ELF: for another machine", 18);
    if (h.type != ET_EXEC && h.type != ET_DYN)
        return bad(e, "ELF: not an executable", 16);
    if (h.ehsize != sizeof h || h.phentsize != sizeof(struct phdr))
        return bad(e, "ELF: header sizes", 52);
    e->plan->is_pie = h.type == ET_DYN;
    e->plan->entry = h.entry;
    e->phoff = h.phoff;
    e->plan->phdr_count = h.phnum;
    if (h.phnum == 0 || h.phnum > ELF_PHDR_MAX)
        return bad(e, "ELF: number of program headers", 56);
    uint64_t end;
    if (ckd_add(&end, e->phoff, e->plan->phdr_count * sizeof(struct phdr)) || end > e->source->image_len_bytes)
        return bad(e, "ELF: program headers outside the image", 32);
    return OK;
}

static status_t add_load(struct elf *e, const struct phdr *p, uint64_t at)
{
    struct elf_plan *plan = e->plan;
    uint64_t end;
    if (p->memsz == 0)
        return OK;
    if ((p->flags & (ELF_WRITE | ELF_EXEC)) == (ELF_WRITE | ELF_EXEC))
        return bad(e, "ELF: segment both writable and executable", at);
    if (((p->vaddr ^ p->offset) & MASK) != 0 || (p->align & (p->align - 1)) != 0 ||
        (p->align > 1 && ((p->vaddr ^ p->offset) & (p->align - 1)) != 0))
        return bad(e, "ELF: segment alignment", at);
    if (ckd_add(&end, p->vaddr, p->memsz) || end > VX_UADDR_LIMIT)
        return bad(e, "ELF: segment beyond the user range", at);
    end = (end + MASK) & ~MASK; /* cannot wrap: VX_UADDR_LIMIT is a page multiple */
    uint64_t start = p->vaddr & ~MASK;
    if (!plan->is_pie && start < VX_UADDR_MIN)
        return bad(e, "ELF: segment below the user range", at);
    if (plan->n_segments > 0 && start < plan->high)
        return bad(e, "ELF: segments overlap, share a page or are out of order", at);
    if (plan->n_segments == ELF_SEGMENTS_MAX)
        return bad(e, "ELF: too many segments", at);
    if (plan->n_segments == 0)
        plan->low = start;
    plan->high = end;
    plan->memory_bytes += end - start; /* at most VX_UADDR_LIMIT, as they do not overlap */
    if (p->align > plan->align_bytes)
        plan->align_bytes = p->align;
    plan->segment[plan->n_segments++] =
        (struct elf_segment){ p->offset, p->filesz, p->vaddr, p->memsz, p->flags & (ELF_READ | ELF_WRITE | ELF_EXEC) };
    return OK;
}

static status_t add_phdr(struct elf *e, const struct phdr *p, uint64_t at)
{
    uint64_t end;
    switch (p->type) {
    case PT_LOAD:
        if (p->memsz < p->filesz || ckd_add(&end, p->offset, p->filesz) || end > e->source->image_len_bytes)
            return bad(e, "ELF: file range of a segment", at);
        return add_load(e, p, at);
    case PT_INTERP:
        return bad(e, "ELF: wants an interpreter; link it statically", at);
    case PT_GNU_STACK:
        return (p->flags & ELF_EXEC) != 0 ? bad(e, "ELF: wants an executable stack", at) : OK;
    default:
        return OK;
    }
}

static status_t read_phdrs(struct elf *e)
{
    for (uint32_t i = 0; i < e->plan->phdr_count; i++) {
        struct phdr p;
        uint64_t at = e->phoff + i * sizeof p;
        status_t st = read_at(e, at, &p, sizeof p);
        if (st == OK)
            st = add_phdr(e, &p, at);
        if (st != OK)
            return st;
    }
    return OK;
}

/* What concerns all segments together. */
static status_t check_segments(struct elf *e)
{
    struct elf_plan *plan = e->plan;
    uint64_t phdrs_len = plan->phdr_count * sizeof(struct phdr);
    bool entry_ok = false;
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        const struct elf_segment *s = &plan->segment[i];
        uint64_t offset = e->phoff - s->file_off;
        if (plan->entry - s->vaddr < s->mem_len_bytes)
            entry_ok = (s->prot & ELF_EXEC) != 0;
        if (plan->phdr_vaddr == 0 && offset <= s->file_len_bytes && phdrs_len <= s->file_len_bytes - offset)
            plan->phdr_vaddr = s->vaddr + offset;
    }
    if (plan->n_segments == 0)
        return bad(e, "ELF: nothing to load", e->phoff);
    if (!entry_ok)
        return bad(e, "ELF: entry is not in an executable segment", 24);
    if (plan->memory_bytes > e->source->max_memory_bytes)
        return firmware_fail(&plan->error, ERR_TOO_BIG, "ELF: needs more memory than allowed", e->phoff);
    /* Some multiple of the alignment must serve as the bias. */
    constexpr uint64_t room = VX_UADDR_LIMIT - VX_UADDR_MIN;
    if (plan->is_pie && (plan->align_bytes > VX_UADDR_LIMIT || plan->high - plan->low > room ||
                         room - (plan->high - plan->low) < plan->align_bytes - PAGE_BYTES))
        return bad(e, "ELF: does not fit the user range at its alignment", e->phoff);
    return OK;
}

status_t elf_plan(const struct elf_source *source, struct elf_plan *out)
{
    struct elf_plan plan = { .align_bytes = PAGE_BYTES };
    struct elf e = { .source = source, .plan = &plan };
    status_t st = read_ehdr(&e);
    if (st == OK)
        st = read_phdrs(&e);
    if (st == OK)
        st = check_segments(&e);
    if (st == OK)
        *out = plan;
    else
        out->error = plan.error;
    return st;
}
