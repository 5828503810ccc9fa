/* SPDX-License-Identifier: MIT
 * The only code that touches user memory through user addresses. The caller has checked the range with urange_ok();
 * a fault inside lands in the fix-up table and becomes ERR_BAD_ADDRESS. The active address space is the one meant. */
#pragma once
#include <abi/status.h>
#include <base/addr.h>
#include <stddef.h>

/* On ERR_BAD_ADDRESS an unknown prefix of dst was written. */
status_t arch_copy_from_user(void *dst, uaddr_t src, size_t len);
status_t arch_copy_to_user(uaddr_t dst, const void *src, size_t len);
/* Exactly 64 bytes, as eight 8-byte accesses in ascending order: Ring messages. Any alignment. */
status_t arch_copy_message_from_user(void *dst, uaddr_t src);
status_t arch_copy_message_to_user(uaddr_t dst, const void *src);
status_t arch_user_load32(uaddr_t src, uint32_t *out);
