/* SPDX-License-Identifier: MIT
 * Executables: checks an ELF64 image and says how to load it. Nothing here touches memory other than the plan. */
#pragma once
#include <kernel/firmware/machine.h>

enum elf_machine : uint16_t { ELF_X86_64 = 62, ELF_AARCH64 = 183 };
enum elf_prot : uint8_t { ELF_EXEC = 1, ELF_WRITE = 2, ELF_READ = 4 };

/* Where the image comes from, and for whom it has to be. `read` fills `buf` from `offset`, wholly or not at all; only
 * offsets below image_len are asked for. The image may change while it is read: every byte is read once, and what was
 * read is what is checked. */
struct elf_source {
    status_t (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
    void *ctx;
    uint64_t image_len_bytes;
    enum elf_machine machine;
    uint64_t max_memory_bytes; /* of all segments, in whole pages */
};

/* Addresses are as in the image. Those of a position-independent one are relative to a bias which the loader chooses: a
 * multiple of align_bytes, with VX_UADDR_MIN <= bias + low and bias + high <= VX_UADDR_LIMIT. */
struct elf_segment {
    uint64_t file_off;
    uint64_t file_len_bytes; /* what follows up to mem_len_bytes is zero */
    uint64_t vaddr;
    uint64_t mem_len_bytes;
    uint8_t prot; /* enum elf_prot flags; never both ELF_WRITE and ELF_EXEC */
};

struct elf_plan {
    struct firmware_error error; /* after ERR_BAD_IMAGE or ERR_TOO_BIG: the rule broken, and a file offset */
    bool is_pie;
    uint64_t entry;
    uint32_t n_segments;
    struct elf_segment segment[ELF_SEGMENTS_MAX]; /* ascending; no two share a page */
    uint64_t low, high;                           /* the whole pages that they span */
    uint64_t align_bytes;                         /* at least a page */
    uint64_t memory_bytes;                        /* whole pages of all segments together */

    uint64_t phdr_vaddr; /* 0: the program headers are in no segment */
    uint32_t phdr_count;
};

/**
 * Checks an image and fills in *out. Accepted: static ET_EXEC, and static ET_DYN (static-PIE), which relocates itself.
 * Errors: ERR_BAD_IMAGE it breaks a rule; ERR_TOO_BIG it needs more than max_memory_bytes;
 * what `read` answers. Only out->error is written then.
 */
status_t elf_plan(const struct elf_source *source, struct elf_plan *out);
