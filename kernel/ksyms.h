/* SPDX-License-Identifier: MIT
 * Names of kernel functions by address: a table that the build makes from the linked kernel, for reports. */
#pragma once
#include <stdint.h>

/* Made by the build: text addresses relative to the start of the image, ascending, and offsets into the names. */
extern const uint32_t ksym_count;
extern const uint32_t ksym_offset[];
extern const uint32_t ksym_name[];
extern const char ksym_names[];

/* The function that holds the address; nullptr: none known. */
const char *ksym_find(uint64_t address, uint64_t *offset);
