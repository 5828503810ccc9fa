/* SPDX-License-Identifier: MIT
 * Address newtypes: physical, virtual and user addresses do not convert into each other by accident. */
#pragma once
#include <stdint.h>

typedef struct {
    uint64_t raw;
} paddr_t; /* physical: what page tables and devices see */
typedef struct {
    uint64_t raw;
} vaddr_t; /* virtual, in a given address space */
typedef struct {
    uint64_t raw;
} uaddr_t; /* what user code claims; only the copy functions may believe it */
