/* SPDX-License-Identifier: MIT
 * What the build knows of the linked kernel: the names of functions by address, for reports, and where the image holds
 * addresses of itself (kernel/slide.h). */
#pragma once
#include <stdint.h>

/* Made by the build: text addresses relative to the start of the image, ascending, and offsets into the names. */
extern const uint32_t ksym_count;
extern const uint32_t ksym_offset[];
extern const uint32_t ksym_name[];
extern const char ksym_names[];
/* From the start of the image to the first 32 bits that grow with where it is, from there to the next, and so on; 0
 * ends it. RELOC_SKIP_ONLY leads to no such place, only RELOC_SKIP_ONLY - 1 bytes further. */
extern const uint8_t reloc_skip[];
#define RELOC_SKIP_ONLY 255

/* The function that holds the address; nullptr: none known. */
const char *ksym_find(uint64_t address, uint64_t *offset);
