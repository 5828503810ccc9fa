/* SPDX-License-Identifier: MIT
 * What start.c, thread.c and the assembly share; programs never see it. */
#pragma once
#include <abi/bundle.h>
#include <stddef.h>
#include <stdint.h>

struct vx_thread_start;

int main(int argc, char **argv);
[[noreturn]] void vx_start(const struct vx_bundle *bundle);
/* Makes it the Bundle that vx_bundle() answers. The first thing that a program does. */
void vx_bundle_adopt(const struct vx_bundle *bundle);
/* A new thread's first C function; id as the kernel gave it. */
[[noreturn]] void vx_thread_main(struct vx_thread_start *start, uint32_t id);
/* Its first instructions (assembly): aligns the stack and calls vx_thread_main. */
void vx_thread_entry(void);

/* The program headers as they lie in memory. [gABI] "Program Header" */
struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

/* Adds the place of the image to every pointer in it. False: it asks for more than that, and cannot run. */
bool vx_relocate(const struct vx_bundle *bundle);

/* Bytes of a thread's static TLS block, 64-byte aligned, 0 when the program has none. */
size_t vx_tls_bytes(void);
/* Fills a block of that size with the initial image; answers the thread pointer. */
uintptr_t vx_tls_init(void *block, size_t bytes);
