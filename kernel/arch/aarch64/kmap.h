/* SPDX-License-Identifier: MIT
 * The kernel's own translation tables, TTBR1. They are built once at boot; later only device registers are added. */
#pragma once
#include <arch/pte.h>
#include <stdint.h>

/* Tables come from [pa, pa + bytes), which the caller can reach at `view`. */
void kmap_init(uint64_t pa, uint64_t bytes, void *view);
/* Maps [va, va + len) to pa with the largest leaves that fit; all page multiples. What is mapped already stays as it
 * is. False: no page left for a table. */
bool kmap_add(uint64_t va, uint64_t pa, uint64_t len_bytes, uint32_t prot, enum mem_type type);
uint64_t kmap_root(void);
/* The final tables are active: reach them through the direct map, and keep `spare` further pages for device mappings.
 * Returns how many bytes of what kmap_init() was given stay in use. */
uint64_t kmap_settle(uint64_t spare);
