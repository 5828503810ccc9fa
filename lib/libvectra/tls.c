/* SPDX-License-Identifier: MIT
 * Static thread-local storage from the PT_TLS header that the Bundle points at.
 *
 * Variant II (x86-64): [ ... data ][ pointer to itself ]: the thread pointer stands behind the data and points at
 * itself. Variant I (AArch64): [ 16 bytes of ours ][ padding ][ data ... ]: the thread pointer is the start of the
 * block. Source: Drepper, "ELF Handling For Thread-Local Storage", sections 3.4.1 and 3.4.6; AArch64 ELF ABI, "Thread
 * Local Storage". */
#include "start.h"
#include <isa/machine.h>
#include <vectra/bundle.h>
#include <vectra/string.h>

enum { PT_TLS = 7, TLS_ALIGN_MAX = 64, TCB_BYTES = 16 };

static const struct elf_phdr *tls_header(void)
{
    const struct vx_bundle *b = vx_bundle();
    const struct elf_phdr *ph = (const struct elf_phdr *)b->phdr_address;
    for (unsigned i = 0; ph != nullptr && i < b->phdr_count; i++) {
        if (ph[i].type == PT_TLS && ph[i].memsz != 0)
            return &ph[i];
    }
    return nullptr;
}

static size_t round_up(size_t n, size_t align)
{
    return align < 2 ? n : (n + align - 1) / align * align;
}

size_t vx_tls_bytes(void)
{
    const struct elf_phdr *ph = tls_header();
    return ph == nullptr ? 0 : round_up(ph->memsz, TLS_ALIGN_MAX) + TLS_ALIGN_MAX;
}

uintptr_t vx_tls_init(void *block, size_t bytes)
{
    const struct elf_phdr *ph = tls_header();
    uint8_t *base = block; /* 64-byte aligned */
    memset(base, 0, bytes);
    const void *image = (const void *)(vx_bundle()->image_base + ph->vaddr);
    if (!isa_tls_before_pointer) {
        memcpy(base + round_up(TCB_BYTES, ph->align), image, ph->filesz);
        return (uintptr_t)base;
    }
    uint8_t *pointer = base + bytes - TLS_ALIGN_MAX;
    memcpy(pointer - round_up(ph->memsz, ph->align), image, ph->filesz);
    *(uintptr_t *)(void *)pointer = (uintptr_t)pointer;
    return (uintptr_t)pointer;
}
