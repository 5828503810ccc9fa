/* SPDX-License-Identifier: MIT
 * Branch hints, for the few paths whose instructions are counted. */
#pragma once
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
