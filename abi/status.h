/* SPDX-License-Identifier: MIT
 * status_t: what every fallible function returns, in the kernel, in services and on the wire. */
#pragma once
#include <stdint.h>

typedef enum [[nodiscard("did it happen?")]] status : int32_t {
#define X(name, value, text) name = value,
#include <abi/errors.def>
#ifndef VECTRA_KERNEL /* it answers with none of these */
#include <abi/service_errors.def>
#endif
#undef X
} status_t;
