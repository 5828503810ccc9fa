/* SPDX-License-Identifier: MIT
 * One type per kind of handle: passing a ring to a call that takes memory does not compile. A handle is a number that
 * names a slot of the caller's own table; copying the number gives nobody anything. raw 0 is "none".
 * Calls that take several kinds (or any) take the plain vx_handle_t. */
#pragma once
#include <abi/types.h>

typedef struct {
    vx_handle_t raw;
} vx_task;
typedef struct {
    vx_handle_t raw;
} vx_reticle;
typedef struct {
    vx_handle_t raw;
} vx_mem;
typedef struct {
    vx_handle_t raw;
} vx_ring_tx;
typedef struct {
    vx_handle_t raw;
} vx_ring_rx;
typedef struct {
    vx_handle_t raw;
} vx_sem;
typedef struct {
    vx_handle_t raw;
} vx_surface;
typedef struct {
    vx_handle_t raw;
} vx_device;
typedef struct {
    vx_handle_t raw;
} vx_irq;
typedef struct {
    vx_handle_t raw;
} vx_console;
typedef struct {
    vx_handle_t raw;
} vx_entropy;

/* Where a call reads 0 as "mine": my own Reticle, my own Task, no memory object. */
#define VX_OWN_RETICLE ((vx_reticle){ VX_HANDLE_NONE })
#define VX_SELF ((vx_task){ VX_HANDLE_NONE })
#define VX_NO_MEM ((vx_mem){ VX_HANDLE_NONE })
