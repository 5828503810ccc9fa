/* SPDX-License-Identifier: MIT
 * The system calls, one inline stub per row of abi/syscalls.def: vx_sys_NAME(arguments, outputs by pointer).
 * Outputs are written only when the call returned OK; any output pointer may be nullptr. */
#pragma once
#include <abi/limits.h>
#include <abi/status.h>
#include <abi/types.h>
#include <isa/entry.h>
#include <vectra/handles.h>
#include <vectra/result.h>

/* The error in a result register, or OK. Errors are -1 to -63; every other value is a result. */
static inline status_t vx_result_status(uint64_t value)
{
    return value >= (uint64_t)-63 ? (status_t)(int32_t)(uint32_t)value : OK;
}

#include <vectra/syscall_stubs.h>
