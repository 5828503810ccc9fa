/* SPDX-License-Identifier: MIT
 * Names for addresses, from the symbol table of an ELF file that whoever built the program wrote: all of it is
 * distrusted, and whatever it says, a search reads each part of the table once. */
#pragma once
#include <abi/service_limits.h>
#include <stddef.h>
#include <stdint.h>

/* Where the file is. read: all of the bytes at an offset, or false. */
struct vx_symbol_file {
    bool (*read)(void *ctx, uint64_t at, void *to, size_t bytes);
    void *ctx;
};

struct vx_symbol {
    uint64_t address;           /* in: as the file has it, without the place where it was loaded */
    uint64_t start;             /* out: of the function around it */
    char name[SYMBOL_NAME_MAX]; /* out: "" if there is none */
};

/* Finds the functions around n addresses. */
void vx_symbols_find(const struct vx_symbol_file *file, struct vx_symbol *symbol, size_t n);
/* The same for a file that is in memory. */
void vx_symbols_find_in(const void *bytes, size_t len, struct vx_symbol *symbol, size_t n);
