/* SPDX-License-Identifier: MIT
 * The kernel's own translation tables: the image, the direct map, device registers, the stacks of further harts. They
 * are built once, on the boot hart; later only something new is added. */
#pragma once
#include <arch/pte.h>
#include <stdint.h>

struct machine;

/* The root, read-only once boot is over: what is added later lies below entries that are there. */
extern uint64_t kernel_root[PT_ENTRIES];

/* Linker script: all at pages. What lies between sealed_start and sealed_end is read-only
 * after arch_seal(), what lies before it from the start. */
extern char image_start[], text_end[], sealed_start[], sealed_end[], image_end[];

/* The 2 MiB of free RAM in which the tables will lie. */
uint64_t kmap_choose(const struct machine *m);
/* Maps image and RAM, with tables in `block`, which the caller can reach at `view`. The `n` pages of the image at
 * guard[i], ascending, are left out; entries of code get `code_bits` in addition. What cannot be is refused. */
void kmap_build(const struct machine *m, uint64_t block, void *view, char *const guard[], unsigned n,
                uint64_t code_bits);
/* The tables are active: reaches them through the direct map from now on. Reserves what they and a few more take. */
void kmap_settle(struct machine *m);
/* Maps [va, va + len) to pa with the largest leaves that fit; all page multiples. What is mapped already stays as it
 * is. False: no page left for a table. */
bool kmap_add(uint64_t va, uint64_t pa, uint64_t len_bytes, uint32_t prot, enum mem_type type);
/* A page of zeroes for a table; 0: none is left. */
uint64_t kmap_table(void);
/* Makes what is sealed read-only; the TLBs are not told. */
void kmap_seal(void);
