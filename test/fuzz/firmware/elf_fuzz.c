// sources: kernel/firmware/elf.c
/* SPDX-License-Identifier: MIT
 * Any bytes as an executable, for both machines: an accepted plan can be carried out. */
#include "sane.h"
#include <abi/timepage.h>
#include <kernel/firmware/elf.h>

enum : uint64_t { PAGE = 4096, MEMORY = 1ull << 30 };

struct image {
    const uint8_t *data;
    size_t size;
};

static status_t read_image(void *ctx, uint64_t offset, void *buf, size_t len)
{
    const struct image *im = ctx;
    require(offset <= im->size && len <= im->size - offset);
    memcpy(buf, im->data + offset, len);
    return OK;
}

static void check(enum elf_machine machine, const uint8_t *data, size_t size)
{
    struct image im = { data, size };
    struct elf_source source = { read_image, &im, size, machine, MEMORY };
    struct elf_plan p = {};
    status_t st = elf_plan(&source, &p);
    require(st == OK || p.error.what != nullptr);
    if (st != OK)
        return;
    uint64_t bias = 0, next = 0, pages = 0;
    if (p.is_pie && p.low < VX_UADDR_MIN)
        bias = (VX_UADDR_MIN - p.low + p.align_bytes - 1) / p.align_bytes * p.align_bytes;
    require(bias <= VX_UADDR_LIMIT && p.high <= VX_UADDR_LIMIT - bias && bias + p.low >= VX_UADDR_MIN);
    for (uint32_t i = 0; i < p.n_segments; i++) {
        const struct elf_segment *s = &p.segment[i];
        uint64_t start = s->vaddr / PAGE * PAGE, end = (s->vaddr + s->mem_len_bytes + PAGE - 1) / PAGE * PAGE;
        require(start >= next && start >= p.low && end > start && end <= p.high);
        require(s->file_len_bytes <= s->mem_len_bytes && s->file_off % PAGE == s->vaddr % PAGE);
        require(s->file_off <= size && s->file_len_bytes <= size - s->file_off);
        require((s->prot & (ELF_WRITE | ELF_EXEC)) != (ELF_WRITE | ELF_EXEC));
        next = end;
        pages += end - start;
    }
    require(pages == p.memory_bytes && pages <= MEMORY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(ELF_X86_64, data, size);
    check(ELF_AARCH64, data, size);
    return 0;
}
