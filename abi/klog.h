/* SPDX-License-Identifier: MIT
 * The kernel log as the "klog" memory shows it: this header, then `size` bytes of text, used as a ring.
 * Byte number n of all that was ever written (from 0) lies at bytes[n % size]; the newest is number written - 1, and
 * bytes older than written - size are overwritten. The kernel stores the text first and `written` after it (release).
 * A reader takes `written` (acquire), copies, reads `written` again and drops what was overwritten meanwhile. */
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define VX_KLOG_MAGIC UINT32_C(0x474c4b56) /* "VKLG" */

struct vx_klog {
    uint32_t magic;
    uint32_t size; /* bytes that follow: KERNEL_LOG_BYTES less the header, or any other number */
    _Atomic uint64_t written;
    uint8_t bytes[];
};
static_assert(offsetof(struct vx_klog, bytes) == 16);
